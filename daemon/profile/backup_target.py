"""The file that a backup is written to: what it may replace, and how it appears whole or not at all.

A backup takes the place of an earlier backup of the same store, and of nothing else. A backup is known by the 16 random
bytes that SQLCipher begins each file with, or by opening with the key at hand.

It is written as a draft beside its place, under the kernel's lock, which goes with its holder however that ends: so a
draft that nobody holds was left by a backup that was killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.regular_files import open_regular
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.records import STORE_ID
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

_LEFT_BEHIND_S: Final = (
    86400.0  # on a disk that knows no locks, an older draft was left by a backup that was killed
)
_DRAFT: Final = ".part"  # how its name ends
_SALT_BYTES: Final = 16


class NotABackupError(IdiolectError):
    """A backup would take the place of a file that is not known to be one."""

    code: ClassVar[str] = "not-a-backup"
    exit_code: ClassVar[int] = 78
    http_status: ClassVar[int] = 409


class HoldsMoreError(IdiolectError):
    """A backup would take the place of one that holds what it does not."""

    code: ClassVar[str] = "backup-holds-more"
    exit_code: ClassVar[int] = 79
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class BackupTarget:
    """Where a backup goes: a full path, and what told the file apart that was there; None where there was none."""

    path: Path
    was: tuple[int, int, int, int] | None

    @classmethod
    def at(cls, settings: Settings, path: Path) -> BackupTarget:
        """Raises CopyFailedError: no file can be written there, or it would be inside the profile; and OSError."""
        path = real_path(path)
        if path.is_relative_to(settings.home):
            raise store_copies.failed(path, "it is inside the profile, which a backup is there to outlive")
        try:
            found = path.stat()
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise store_copies.failed(path, "its folder is not there") from None
            return cls(path, None)
        if stat.S_ISDIR(found.st_mode):
            raise store_copies.failed(path, "it is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise store_copies.failed(
                path, "it is a device, a pipe or a socket, and a backup goes into a file"
            )
        return cls(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))

    def require_backup(self, settings: Settings, key: str) -> None:
        """Raises NotABackupError where a file is there that is no backup of this program's, as far as can be told."""
        if self.was is None:
            return
        found = marker.read(settings)
        salt = salt_of(self.path)
        if found is not None and salt is not None and salt in {row.salt for row in found.backups}:
            return
        if store_copies.is_copy(self.path, key):
            return
        raise NotABackupError(
            f"{self.path} is there already, and it is not known to be a backup: this profile does not remember it, and "
            "it does not open with this passphrase or key. It was left as it is. Name another file, or delete that one "
            "first."
        )

    def require_fewer(self, settings: Settings, store: Store, key: str) -> None:
        """Raises HoldsMoreError where the backup that is there is not an earlier one of this store, as far as is known.

        What was forgotten since may be in it all the same: that is what a newer backup is made for.
        """
        if self.was is None:
            return
        marked, salt = marker.read(settings), salt_of(self.path)
        known = {
            (row.path, row.at) for row in (marked.backups if marked else ()) if salt and row.salt == salt
        }
        if any((row.path, row.at) in known and row.last_entry is not None for row in store.backups.all()):
            return
        number, held = store.state.get(STORE_ID), store.entries.counts().entries
        try:
            found = store_copies.facts(self.path, key, store.entries.newest)
        except store_copies.CopyUnreadableError:
            what = "does not open with this passphrase or key, and may hold more than this profile"
        else:
            reaches_less = found.last_entry <= store.entries.last_id()
            if found.store == number and reaches_less and found.is_earlier:
                return
            whose = "another profile's, or of this one before its store was lost or replaced"
            theirs = f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"
            what = f"holds {theirs} (this profile: {held:,}) and is {whose}"
        raise HoldsMoreError(
            f"{self.path} {what}. It was left as it is. Name another file, or move that one away first."
        )

    def publish(self, settings: Settings, draft: Path) -> None:
        """Let the finished `draft` take the target's name.

        Raises CopyFailedError and OSError; then what was there is there.
        """
        if BackupTarget.at(settings, self.path) != self:
            raise store_copies.failed(self.path, "another program has written there meanwhile")
        durable.publish(draft, self.path)


def salt_of(path: Path) -> str | None:
    """The random bytes that a backup's file begins with; None where the file is too short, or none can be read."""
    try:
        with open_regular(path, follow=True) as file:
            found = file.read(_SALT_BYTES)
    except OSError:
        return None
    return found.hex() if len(found) == _SALT_BYTES else None


def draft_beside(target: Path) -> Path:
    """A name beside `target` for a file that nobody has yet."""
    return target.with_name(f".{target.name}-{secrets.token_hex(4)}{_DRAFT}")


def remove_drafts(target: Path) -> None:
    """Remove the drafts beside `target` that nobody writes any more. Raises OSError."""
    name = re.compile(rf"\.{re.escape(target.name)}-[0-9a-f]{{8}}{re.escape(_DRAFT)}")
    for draft in target.parent.iterdir():
        if name.fullmatch(draft.name) and stat.S_ISREG(draft.lstat().st_mode) and not is_written(draft):
            draft.unlink()


def clear_drafts(store: Store) -> None:
    """Remove what backups have left that were killed. What cannot be removed now waits for the next time.

    Such a backup stays noted as one that may hold anything, until the next one is made in its place.
    """
    for row in store.backups.all():
        if row.last_entry is None:
            with contextlib.suppress(OSError):  # a disk may be away
                remove_drafts(Path(row.path))


@contextlib.contextmanager
def created(draft: Path) -> Iterator[Path]:
    """An empty file at `draft`, for the user alone, locked; gone after the block, under this name. Raises OSError."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with contextlib.suppress(OSError):  # on a disk that knows no locks; see `is_written`
            _lock(descriptor, wait=True)  # for whoever looks whether it is held
        if not os.fstat(
            descriptor
        ).st_nlink:  # it was taken for one that was left behind, before it was locked
            raise OSError(errno.EBUSY, "another backup is begun at the same moment")
        yield draft
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
        os.close(descriptor)


def is_written(draft: Path) -> bool:
    """Whether somebody writes the regular file `draft` now; where there are no locks, for a day. Raises OSError."""
    descriptor = os.open(draft, os.O_WRONLY)
    try:
        _lock(descriptor, wait=False)
    except BlockingIOError:
        return True
    except OSError:
        return not _is_old(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    return False


def _is_old(found: os.stat_result) -> bool:
    return time.time() - found.st_mtime > _LEFT_BEHIND_S


def _lock(descriptor: int, *, wait: bool) -> None:
    """Raises OSError where there are no locks, and BlockingIOError where it is held and not to `wait` for."""
    if sys.platform == "win32":
        raise OSError("a lock would keep the store's own code from the file, too")
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
