"""The shared folder on the disk: which files each device has there, and how they are written and read.

A subfolder belongs to one device, which alone writes into it. A file's name is the hash of what it holds, so one that
has arrived in part, or was changed by anybody, is known by that, and no file is ever written twice. Nothing is read
that is not a regular file of a modest size.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal

from idiolect.daemon.regular_files import read_small
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

#: How the names of all files end that devices write; what rests is woken by these.
SUFFIX: Final = ".idiolect"
#: Of one file, at most.
MAX_FILE_BYTES: Final = 32 << 20
#: The form of the folder; a program reads no folder of a later one.
FORM: Final = 1

_MANIFEST: Final = f"folder{SUFFIX}"

_DEVICE: Final = re.compile(r"[0-9a-f]{16}")
_FILE: Final = re.compile(rf"([0-9a-f]{{32}})\.(head|log){re.escape(SUFFIX)}")
#: What a folder may hold and still be empty: what synchronisers put there.
_OTHERS: Final = (".st", "desktop.ini", ".ds_store", ".sync", ".nextcloud", ".owncloud", ".dropbox")

Kind = Literal["head", "log"]


class SyncFolderError(IdiolectError):
    """A folder is not one that can be shared, or not the one that this device shares."""

    code: ClassVar[str] = "sync-folder"
    exit_code: ClassVar[int] = 127
    http_status: ClassVar[int] = 422


class SyncFolderGoneError(IdiolectError):
    """The shared folder is not there, or cannot be read or written; it is tried again."""

    code: ClassVar[str] = "sync-folder-gone"
    exit_code: ClassVar[int] = 128
    http_status: ClassVar[int] = 503


class SyncNewerError(IdiolectError):
    """The shared folder was written by a later version of the program."""

    code: ClassVar[str] = "sync-newer"
    exit_code: ClassVar[int] = 129
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class SharedFile:
    """A file of a device: its kind, and its name, which is the hash of what it holds."""

    kind: Kind
    name: str


class SharedFolder:
    """A folder with a manifest that gives its number. Every method raises SyncFolderGoneError where the disk fails."""

    def __init__(self, path: Path, number: str) -> None:
        """Use `open` or `create`."""
        self.path = path
        self.number = number

    @classmethod
    def open(cls, path: Path) -> SharedFolder | None:
        """The shared folder at `path`; None where the folder is empty.

        Raises SyncFolderError for one that is something else, SyncNewerError, and SyncFolderGoneError.
        """
        with _reported(path):
            if not path.is_dir():
                raise SyncFolderError(
                    f"There is no folder {path}. Make it, have your synchroniser share it, then try again."
                )
            names = [entry.name for entry in os.scandir(path) if not entry.name.lower().startswith(_OTHERS)]
            if _MANIFEST not in names:
                if not names:
                    return None
                raise SyncFolderError(
                    f"{path} holds other files and is not shared by idiolect. Nothing was changed: name an empty "
                    "folder, or one that another device shares and that has arrived here whole."
                )
            try:
                told = json.loads(read_small(path / _MANIFEST))
                form, number = int(told["idiolect"]), str(told["folder"])
            except (ValueError, KeyError, TypeError):
                raise SyncFolderError(
                    f"The file {_MANIFEST} in {path} has not arrived whole, or was changed. Wait for the synchroniser, "
                    "then try again."
                ) from None
            if form > FORM:
                raise SyncNewerError(
                    f"The folder {path} is shared by a later version of idiolect. Nothing was changed: install that "
                    "version here, too."
                )
            return cls(path, number)

    @classmethod
    def create(cls, path: Path) -> SharedFolder:
        """Make an empty folder a shared one. Raises SyncFolderGoneError."""
        number = secrets.token_hex(16)
        with _reported(path):
            durable.write(path / _MANIFEST, json.dumps({"idiolect": FORM, "folder": number}).encode())
        return cls(path, number)

    def require(self) -> None:
        """Raise SyncFolderGoneError unless the folder is there: an empty mount point is not it."""
        try:
            found = SharedFolder.open(self.path)
        except SyncFolderError as error:
            raise SyncFolderGoneError(str(error)) from None
        if found is None or found.number != self.number:
            raise SyncFolderGoneError(
                f"The shared folder {self.path} is empty, or another one is there. Nothing is lost: what is typed here "
                "waits for it. Is its drive there, and its synchroniser at work?"
            )

    def devices(self) -> list[str]:
        """The devices that have files here."""
        with _reported(self.path):
            return sorted(entry.name for entry in os.scandir(self.path) if _DEVICE.fullmatch(entry.name))

    def files(self, device: str) -> list[SharedFile]:
        """The files of a device; none where it has no folder."""
        with _reported(self.path), suppress(FileNotFoundError, NotADirectoryError):
            found = (_FILE.fullmatch(name) for name in sorted(os.listdir(self.path / device)))
            return [SharedFile("head" if match[2] == "head" else "log", match[1]) for match in found if match]
        return []

    def listing(self, device: str) -> dict[str, tuple[int, int]]:
        """The names of a device's files, with the size and the date of each."""
        with _reported(self.path), suppress(FileNotFoundError, NotADirectoryError):
            with os.scandir(self.path / device) as found:
                told = [
                    (one.name, one.stat(follow_symlinks=False)) for one in found if _FILE.fullmatch(one.name)
                ]
            return {name: (one.st_size, one.st_mtime_ns) for name, one in told}
        return {}

    def read(self, device: str, place: SharedFile, most: int = MAX_FILE_BYTES) -> bytes | None:
        """What a file holds; None where it is not there, not all of it has arrived, or it has over `most` bytes."""
        path = self._path(device, place)
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > most:
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _gone(path, error) from None
        return data if name_of(data) == place.name else None

    def write(self, device: str, kind: Kind, data: bytes) -> SharedFile:
        """Put a file into a device's folder, whole or not at all."""
        place = SharedFile(kind, name_of(data))
        with _reported(self.path):
            folder = self.path / device
            if not folder.exists():
                folder.mkdir()
                durable.sync_folder(self.path)
            path = self._path(device, place)
            durable.write(path, data)
            os.utime(path, (0, 0))  # when it was written is nobody's business
        return place

    def keep(self, device: str, kept: Collection[SharedFile]) -> None:
        """Delete all files of a device but these."""
        with _reported(self.path):
            for place in self.files(device):
                if place not in kept:
                    self._path(device, place).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                for name in os.listdir(self.path / device):
                    if name.startswith(".") and SUFFIX in name and not name.startswith(".syncthing"):
                        # A draft of a process that was killed.
                        (self.path / device / name).unlink(missing_ok=True)

    def remove(self, device: str) -> None:
        """Delete all that a device has here."""
        self.keep(device, ())
        with suppress(OSError):  # something of the synchroniser's is in it
            (self.path / device).rmdir()

    def dissolve(self) -> None:
        """Delete the manifest: nobody shares the folder any more."""
        with _reported(self.path):
            (self.path / _MANIFEST).unlink(missing_ok=True)

    def _path(self, device: str, place: SharedFile) -> Path:
        return self.path / device / f"{place.name}.{place.kind}{SUFFIX}"


def name_of(data: bytes) -> str:
    """The name of a file that holds this."""
    return hashlib.sha256(data).hexdigest()[:32]


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _gone(path, error) from None


def _gone(path: Path, error: OSError) -> SyncFolderGoneError:
    what = "Nothing is lost: what is to be sent waits, and it is tried again."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SyncFolderGoneError(
            f"There is no room for the shared folder {path}. {what} Make room on its disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SyncFolderGoneError(
            f"The shared folder {path} cannot be written. {what} Make it writable for you."
        )
    why = (error.strerror or "it cannot be read").lower()
    return SyncFolderGoneError(f"The shared folder {path} cannot be used: {why}. {what}")
