"""Backup and restore: a verified copy of the store in one new file, and the way back.

Both work beside a running service or without one; only what replaces the store wants the profile for itself.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.entries import last_id
from idiolect.daemon.storage.errors import StoreNewerError, StoreUnreadableError, busy
from idiolect.daemon.storage.records import BackupRow
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker, store_key
from idiolect.daemon.vault.lock import refuse_without_store
from idiolect.daemon.vault.opening import move_aside, open_store, stamp
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

_PATIENCE_S: Final = 60.0  # beside a long import, whose transactions follow closely on each other
_ENDING: Final = ".backup"
_DRAFT: Final = ".part"  # behind the ending, while the file is written
_LEFT_BEHIND_S: Final = 86_400.0  # an older draft was left by a backup that was killed


@dataclass(frozen=True)
class BackupContents:
    """The numbers of rows in a store or a backup."""

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


def find_folder(settings: Settings, folder: Path) -> Path:
    """Return the real path of a folder for backups. Raises CopyFailedError where it is none, or in the profile."""
    with _reported(folder):
        path = real_path(folder)
        if path.is_relative_to(settings.home):
            raise store_copies.failed(path, "it is inside the profile, which a backup is there to outlive")
        if not path.is_dir():
            raise store_copies.failed(path, "it is no folder that is there")
        return path


def make(settings: Settings, folder: Path, key: str) -> Backup:
    """Write all that the store holds at this moment to a new file in `folder`, encrypted with `key`, and read it.

    The file is whole or not there, and its name says when it was made. The store remembers its path. Raises
    ProfileStateError, CopyFailedError, and the store's errors.
    """
    refuse_without_store(settings)
    folder = find_folder(settings, folder)
    store = open_store(settings, busy_timeout_s=_PATIENCE_S)
    with contextlib.closing(store), _reported(folder):
        _remove_drafts(folder)
        store.backups.drop_deleted(_DRAFT)
        try:
            with _new_file(folder) as (draft, target):
                written, size_bytes = _write(store, draft, target, key)
        except (store_copies.CopyFailedError, StoreUnreadableError):
            _blame_the_store(settings, store)
            raise
        return Backup(target, size_bytes, _contents(written))


@contextlib.contextmanager
def _new_file(folder: Path) -> Iterator[tuple[Path, Path]]:
    """An empty draft for the user alone, and the name that it is to have, which no file has. Raises OSError.

    Only the process that has made the draft writes to that name.
    """
    name = f"idiolect-{datetime.now():%Y-%m-%d-%H%M}"
    for number in count(1):
        target = folder / f"{name}{'' if number == 1 else f'-{number}'}{_ENDING}"
        draft = target.with_name(target.name + _DRAFT)
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:  # another backup is made in the same minute
            continue
        try:
            if not os.path.lexists(target):
                yield draft, target
                return
        finally:
            draft.unlink(missing_ok=True)


def _remove_drafts(folder: Path) -> None:
    """Remove what backups to this folder have left that were killed a day ago or more. Raises OSError."""
    for draft in folder.glob(f"idiolect-*{_ENDING}{_DRAFT}"):
        found = draft.lstat()
        if not draft.is_symlink() and draft.is_file() and time.time() - found.st_mtime > _LEFT_BEHIND_S:
            draft.unlink()


def _write(store: Store, draft: Path, target: Path, key: str) -> tuple[dict[str, int], int]:
    """Make a backup, and have the store remember it; how many rows each table has, and the file's size in bytes."""
    row = BackupRow(str(target), datetime.now(UTC), None)
    # Noted first, as a backup that may hold anything: text that is forgotten from now on may be in the copy, and so may
    # text that is added until it is written. The copy itself says up to which entry it goes.
    store.backups.note(row)
    try:
        written = store.copy_to(draft, key, str(target))
        try:
            verified = store_copies.check(draft, key)
            with store_copies.opened(draft, key) as db:
                row = replace(row, last_entry=last_id(db))
        except store_copies.CopyUnreadableError:
            raise store_copies.failed(target, "what was written cannot be read again") from None
        if verified != written:
            raise store_copies.failed(target, "what was written is not all that was to be written")
        size_bytes = draft.stat().st_size
        _publish(draft, target)
    except BaseException:
        if os.path.lexists(
            draft
        ):  # else the backup is there, whatever came then, and may hold anything, as was noted
            with contextlib.suppress(IdiolectError):
                store.backups.drop(row.path)
        raise
    with contextlib.suppress(IdiolectError):  # the backup is there and may hold anything, as was noted
        store.backups.note(row)
        # A file's name may hold bytes that are no text.
        store.events.add("backup", path=os.fsencode(target).decode(errors="replace"))
    return written, size_bytes


def _publish(draft: Path, target: Path) -> None:
    """Give a finished draft its name. Raises OSError, and CopyFailedError where it has the name all the same."""
    try:
        durable.publish(draft, target)
    except OSError as error:
        if os.path.lexists(draft):
            raise
        raise store_copies.uncertain(target, error.strerror or "it cannot be written") from None


def _blame_the_store(settings: Settings, store: Store) -> None:
    """Raises StoreUnreadableError where no copy was made because the store itself is damaged."""
    try:
        store_copies.check(settings.store_path, store_copies.raw(store.key))
    except store_copies.CopyUnreadableError:
        raise StoreUnreadableError(f"No copy was made. {marker.damaged(settings)}") from None


def examine(source: Path, key: str) -> BackupContents:
    """Read all of a backup and say what it holds. Raises CopyUnreadableError."""
    return _contents(store_copies.check(source, key))


def restore(settings: Settings, source: Path, key: str) -> Restored:
    """Make the backup at `source` the profile's store, in its present form and under the profile's own key.

    A profile without a key gets a new one. The store that was there is kept under a name of its own. If anything
    fails, or the power does, the store is what it was or all of the backup. Raises AlreadyRunningError,
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
            _write_draft(settings, source, key, draft, hex_digits)
            verified = store_copies.check(draft, store_copies.raw(hex_digits))
            # Its log may hold what could not be brought into it when it was closed.
            _end_log(draft, hex_digits)
            if former is None:
                move_aside(settings)  # a log that is left of a lost store would be taken for the new one's
                _publish(draft, store)
            else:
                _end_log(store, hex_digits)
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


def _write_draft(settings: Settings, source: Path, key: str, draft: Path, hex_digits: str) -> None:
    """Write a store beside the profile's, with what the backup holds, and the backups that the profile knows of."""
    _remove(draft)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with store_copies.opened(source, key) as db:
        written = store_copies.write(db, draft, store_copies.raw(hex_digits))
    with contextlib.closing(Store.open(draft, hex_digits)) as store:
        entries = store.entries.counts().entries
        known = {row.path for row in store.backups.all()}
        for row in _known_backups(settings, hex_digits):
            if row.path not in known:  # it was made since: its entries have the numbers of others
                store.backups.note(replace(row, last_entry=None))
    if entries != written["entries"]:
        raise store_copies.failed(settings.store_path, "what was written is not all that was to be written")


def _known_backups(settings: Settings, hex_digits: str) -> list[BackupRow]:
    """The backups that the store knows which is to be replaced; none where it cannot be read."""
    with contextlib.suppress(IdiolectError):
        if _is_store(settings.store_path):
            with contextlib.closing(Store.open(settings.store_path, hex_digits)) as store:
                return store.backups.all()
    return []


def _change_over(draft: Path, store: Path, former: Path) -> None:
    """Let `draft` be the store, and keep the store before as `former`. Raises OSError; then nothing has changed."""
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


def _end_log(store: Path, hex_digits: str) -> None:
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
