"""Backup and restore: a verified copy of the store in one file, and the way back.

Both work beside a running service or without one; only what replaces the store wants the profile for itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from idiolect.daemon.profile.backup_target import (
    BackupTarget,
    clear_drafts,
    created,
    draft_beside,
    remove_drafts,
    salt_of,
)
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.entries import last_id
from idiolect.daemon.storage.errors import StoreNewerError, StoreUnreadableError, busy
from idiolect.daemon.storage.records import BackupRow
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker, store_key
from idiolect.daemon.vault.lock import refuse_without_store
from idiolect.daemon.vault.marker import ways_back
from idiolect.daemon.vault.opening import move_aside, open_store, settle, stamp
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

_PATIENCE_S = 60.0  # beside a long import, whose transactions follow closely on each other


@dataclass(frozen=True)
class BackupContents:
    """What a store or a backup of one holds."""

    entries: int
    adapters: int
    rounds: int


@dataclass(frozen=True)
class Backup:
    """A backup that was made and verified."""

    path: Path
    size_bytes: int
    holds: BackupContents


@dataclass(frozen=True)
class Restored:
    """A backup that is now the profile's store; `former` is where the one before is kept, if there was one."""

    holds: BackupContents
    former: Path | None


def profile_key(settings: Settings) -> str:
    """The profile's own key, as a copy's. Raises ProfileStateError, and what `keys.obtain` raises."""
    refuse_without_store(settings)
    return store_copies.raw(store_key.obtain(settings).hex)


def kept_key(settings: Settings) -> str:
    """The profile's own key, as a copy's, also where the store is lost. Raises what `keys.obtain` raises."""
    return store_copies.raw(store_key.obtain(settings, new=False).hex)


def replaces(settings: Settings, target: Path, key: str | None = None) -> bool:
    """Whether a backup to `target` takes the place of an earlier one; without `key` that is not told.

    Raises CopyFailedError where no backup can be written there, and NotABackupError where something else is there.
    """
    with _reported(target):
        place = BackupTarget.at(settings, target)
        if key is not None:
            place.require_backup(settings, key)
        return place.was is not None


def make(settings: Settings, target: Path, key: str) -> Backup:
    """Write all that the store holds at this moment to `target`, encrypted with `key`, and read it through.

    The file is whole or not there, and only an earlier backup of this store is replaced. The store remembers the
    backup's path. Raises ProfileStateError, CopyFailedError, NotABackupError, HoldsMoreError, and the store's errors.
    """
    refuse_without_store(settings)
    with _reported(target):
        place = BackupTarget.at(settings, target)
        place.require_backup(settings, key)
    store = open_store(settings, busy_timeout_s=_PATIENCE_S)
    with contextlib.closing(store), _reported(place.path):
        clear_drafts(store)
        place.require_fewer(settings, store, key)
        store.backups.drop_deleted()
        try:
            row, written = _write(settings, store, place, key)
        except (store_copies.CopyFailedError, StoreUnreadableError):
            _blame_the_store(settings, store)
            raise
        # The backup is made; the marker is put right at the next start.
        with contextlib.suppress(IdiolectError):
            settle(settings, store, {(row.path, row.at): salt_of(place.path)})
    return Backup(place.path, place.path.stat().st_size, _contents(written))


def _write(
    settings: Settings, store: Store, place: BackupTarget, key: str
) -> tuple[BackupRow, dict[str, int]]:
    """Make a backup; what is to be remembered of it, and how many rows each table has."""
    target, at = place.path, datetime.now(UTC)
    former = next((row for row in store.backups.all() if row.path == str(target)), None)
    noted = BackupRow(str(target), at, None)
    remove_drafts(target)
    with created(draft_beside(target)) as draft:
        # Noted first, as one that may hold anything: whatever is forgotten from now on may be in the copy, and so may
        # all that is added until it is written. Up to which entry it goes, it says itself.
        store.backups.note(noted)
        try:
            written = store.copy_to(draft, key, str(target))
            try:
                verified = store_copies.check(draft, key)
                with store_copies.opened(draft, key) as db:
                    row = BackupRow(str(target), at, last_id(db))
            except store_copies.CopyUnreadableError:
                raise store_copies.failed(target, "what was written cannot be read again") from None
            if verified != written:
                raise store_copies.failed(target, "what was written is not all that was to be written")
            place.publish(settings, draft)
        except BaseException:
            with contextlib.suppress(IdiolectError):  # it may hold anything, as was noted
                store.backups.take_back(noted, former)
            raise
    with contextlib.suppress(IdiolectError):  # the backup is there and may hold anything, as was noted
        store.backups.note(row)
        # A file's name may hold bytes that are no text.
        store.events.add("backup", path=os.fsencode(target).decode(errors="replace"))
    return row, written


def _blame_the_store(settings: Settings, store: Store) -> None:
    """Raises StoreUnreadableError where no copy was made because the store itself is damaged."""
    try:
        store_copies.check(settings.store_path, store_copies.raw(store.key))
    except store_copies.CopyUnreadableError:
        raise StoreUnreadableError(
            f"No copy was made, because the store {settings.store_path} itself is damaged. Earlier backups are as they "
            f"were. Keep a copy of the profile and check the disk. {ways_back(settings)}"
        ) from None


def examine(source: Path, key: str) -> BackupContents:
    """Read all of a backup and say what it holds. Raises CopyUnreadableError."""
    return _contents(store_copies.check(source, key))


def restore(settings: Settings, source: Path, key: str) -> Restored:
    """Make the backup at `source` the profile's store, in its present form and under the profile's own key.

    The store that was there is kept under a name of its own: restored itself, with the profile's key, it is back. If
    anything fails, or the power does, the store is what it was or all of the backup. Raises AlreadyRunningError,
    CopyUnreadableError, CopyFailedError, and the errors of keys and the store.
    """
    settings.prepare()
    with _reported(settings.store_path), process.locked(settings):
        store = settings.store_path
        for kept in settings.former_store_paths:
            if store.exists() and kept.samefile(store):
                kept.unlink()  # a second name, of a restore that was cut off before it had replaced anything
        store_copies.check(source, key)
        hex_digits = store_key.obtain(settings).hex
        former = store.with_name(f"{store.name}.before-{stamp()}") if _is_store(store) else None
        draft = store.with_name("store.db.restoring")
        try:
            _write_draft(settings, source, key, draft, hex_digits, former)
            verified = store_copies.check(draft, store_copies.raw(hex_digits))
            _settle(
                draft, hex_digits
            )  # its log may hold what could not be brought into it when it was closed
            if former is None:
                move_aside(settings)  # a log that is left of a lost store would be taken for the new one's
                durable.publish(draft, store)
            else:
                _settle(store, hex_digits)
                _change_over(draft, store, former)
        finally:
            with contextlib.suppress(OSError):
                _remove(draft)
        # The store is restored; else the next start puts the marker right.
        with contextlib.suppress(IdiolectError):
            open_store(settings, hex_digits).close()
    return Restored(_contents(verified), former)


@contextlib.contextmanager
def _reported(target: Path) -> Iterator[None]:
    """Say what the file system refuses as what it means for a copy. Raises CopyFailedError."""
    try:
        yield
    except OSError as error:
        raise store_copies.failed(target, error.strerror or "it cannot be written") from None


def _write_draft(
    settings: Settings, source: Path, key: str, draft: Path, hex_digits: str, former: Path | None
) -> None:
    """A store beside the profile's, with what the backup holds, and what the profile knows of backups."""
    _remove(draft)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with store_copies.opened(source, key) as db:
        written = store_copies.write(db, draft, store_copies.raw(hex_digits))
    with contextlib.closing(Store.open(draft, hex_digits)) as store:
        entries = store.entries.counts().entries
        _hand_on(_backups(settings, hex_digits), store)
        if former is not None:
            store.backups.note(BackupRow(str(former), datetime.now(UTC), None))
    if entries != written["entries"]:
        raise store_copies.failed(settings.store_path, "what was written is not all that was to be written")


def _backups(settings: Settings, hex_digits: str) -> list[BackupRow]:
    """The backups that the store which is to be replaced knows; where it cannot say so any more, the marker does."""
    with contextlib.suppress(IdiolectError):
        if _is_store(settings.store_path):
            with contextlib.closing(Store.open(settings.store_path, hex_digits)) as store:
                return store.backups.all()
    found = marker.read(settings)
    return [BackupRow(row.path, row.at, None) for row in (found.backups if found else ())]


def _hand_on(rows: Iterable[BackupRow], store: Store) -> None:
    """Let `store`, which takes another one's place, know of the backups that the other one knows.

    A backup made since the two parted, also one over an earlier backup, holds entries that have the same numbers as
    others in `store`: it may hold anything.
    """
    known = {(row.path, row.at) for row in store.backups.all()}
    for row in rows:
        if (row.path, row.at) not in known:
            store.backups.note(replace(row, last_entry=None))


def _change_over(draft: Path, store: Path, former: Path) -> None:
    """Let `draft` be the store, and keep the one before as `former`. Raises OSError; then nothing has changed."""
    try:
        os.link(store, former)  # a second name: the store stays in its place until the new one takes it
        durable.publish(draft, store)
    except OSError:
        if former.exists():
            if former.samefile(store):
                former.unlink()
            else:
                former.replace(store)
        raise


def _settle(store: Path, hex_digits: str) -> None:
    """See that `store` is one file. Raises StoreBusyError.

    The last to close a store, even one that cannot be deciphered, brings into it what its log holds, and
    removes the log.
    """
    with contextlib.suppress(StoreUnreadableError, StoreNewerError):
        Store.open(store, hex_digits).close()
    if _logs(store)[0].exists():
        raise busy(store)


def _remove(store: Path) -> None:
    for path in (*_logs(store), store):
        path.unlink(missing_ok=True)


def _logs(store: Path) -> tuple[Path, ...]:
    return tuple(store.with_name(f"{store.name}-{kind}") for kind in ("wal", "shm"))


def _is_store(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _contents(rows: dict[str, int]) -> BackupContents:
    return BackupContents(*(rows.get(table, 0) for table in ("entries", "adapters", "rounds")))
