"""The shared folder on the disk: which files each device has there, and how they are written and read.

A subfolder belongs to one device, which alone writes into it. No file is ever written twice under one name: a file of
the log is called by the hash of what it holds, a head by its number. Nothing is read that is not a regular file of a
modest size, and no link is followed.
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
from pathlib import Path
from typing import Final

from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_regular

#: How the names of all files end that devices write; what rests is woken by these.
SUFFIX: Final = ".idiolect"
MANIFEST: Final = f"folder{SUFFIX}"
#: Of one file of a log, and of a head, at most.
MAX_FILE_BYTES: Final = 32 << 20
MAX_HEAD_BYTES: Final = 1 << 20
#: The form of the folder; a program reads no other.
FORM: Final = 2

_MAX_MANIFEST_BYTES: Final = 4096
_DEVICE: Final = re.compile(r"[0-9a-f]{16}")
_HEAD: Final = re.compile(rf"([0-9]{{12}})\.head{re.escape(SUFFIX)}")
_LOG: Final = re.compile(rf"[0-9a-f]{{32}}\.log{re.escape(SUFFIX)}")
#: Of what is not there, or is a link, a FIFO, a folder or too large.
_NO_FILE: Final = (errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
#: What a folder may hold and still be empty: what synchronisers put there.
_OTHERS: Final = (".st", "desktop.ini", ".ds_store", ".sync", ".nextcloud", ".owncloud", ".dropbox")


class SyncFolderError(IdiolectError, code="sync-folder", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """A folder cannot be shared."""


class SyncFolderGoneError(
    IdiolectError, code="sync-folder-gone", exit_code=ExitCode.NO_ROOM, http_status=503
):
    """The shared folder is not there, or cannot be read or written; it is tried again."""


class SharedFolder:
    """The folder at `path` with the `number` that its manifest gives. Where the disk fails, SyncFolderGoneError."""

    def __init__(self, path: Path, number: str) -> None:
        self.path = path
        self.number = number

    @classmethod
    def find(cls, path: Path) -> tuple[SharedFolder, str] | None:
        """The shared folder at `path` and the check in its manifest; None where nobody shares it yet.

        Raises SyncFolderError for a folder that is something else.
        """
        with reported(path):
            if not path.is_dir():
                raise SyncFolderError(
                    f"There is no folder {path}. Make it, have your synchroniser share it, then try again."
                )
            names = [entry.name for entry in os.scandir(path) if not entry.name.lower().startswith(_OTHERS)]
            if MANIFEST not in names:
                if not names:
                    return None
                raise SyncFolderError(
                    f"{path} holds other files and is not shared by idiolect. Nothing was changed: name an empty "
                    "folder, or one that another device shares and that has arrived here whole."
                )
            try:
                manifest = json.loads(read_regular(path / MANIFEST, _MAX_MANIFEST_BYTES))
                form, number, check = (
                    int(manifest["idiolect"]),
                    str(manifest["folder"]),
                    str(manifest.get("check")),
                )
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise SyncFolderError(
                    f"The file {MANIFEST} in {path} has not arrived whole, or was changed. Wait for the synchroniser, "
                    "then try again."
                ) from None
            if form != FORM:
                raise SyncFolderError(
                    f"The folder {path} is shared by another version of idiolect. Nothing was changed: install the "
                    "same version on all devices; if this is the newest, share an empty folder."
                )
            return cls(path, number), check

    def create(self, check: str) -> None:
        """Write the manifest, which makes an empty folder a shared one."""
        with reported(self.path):
            durable.write(
                self.path / MANIFEST,
                json.dumps({"idiolect": FORM, "folder": self.number, "check": check}).encode(),
            )

    def require(self) -> None:
        """Raise SyncFolderGoneError unless the folder is there: an empty mount point is not it."""
        try:
            found = SharedFolder.find(self.path)
        except SyncFolderError as error:
            raise SyncFolderGoneError(str(error)) from None
        if found is None or found[0].number != self.number:
            raise SyncFolderGoneError(
                f"The shared folder {self.path} is empty, or another one is there. Nothing is lost: what is typed here "
                "waits for it. Is its drive there, and its synchroniser at work?"
            )

    def devices(self) -> list[str]:
        """The devices that have a subfolder here."""
        with reported(self.path), os.scandir(self.path) as found:
            return sorted(
                entry.name
                for entry in found
                if _DEVICE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            )

    def sizes(self, device: str) -> dict[str, int]:
        """The names of a device's files, each with its size in bytes."""
        if not self._has(device):
            return {}
        with reported(self.path), os.scandir(self.path / device) as found:
            names = [entry for entry in found if _HEAD.fullmatch(entry.name) or _LOG.fullmatch(entry.name)]
            return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in names}

    def heads(self, device: str, most: int) -> list[int]:
        """The numbers of a device's heads, the highest first, `most` of them."""
        found = (_HEAD.fullmatch(name) for name in self.sizes(device))
        return sorted((int(match[1]) for match in found if match), reverse=True)[:most]

    def read(self, device: str, name: str) -> bytes | None:
        """What a file holds; None where it is not there whole, or is no file of a device's."""
        most = MAX_HEAD_BYTES if _HEAD.fullmatch(name) else MAX_FILE_BYTES
        if not self._has(device) or not (_HEAD.fullmatch(name) or _LOG.fullmatch(name)):
            return None
        with reported(self.path):
            try:
                data = read_regular(self.path / device / name, most)
            except OSError as error:
                if error.errno in _NO_FILE:
                    return None
                raise
        return data if _HEAD.fullmatch(name) or name == log_name(data) else None

    def write(self, device: str, name: str, data: bytes) -> None:
        """Put a file into a device's subfolder, whole or not at all."""
        folder = self.path / device
        with reported(self.path):
            if folder.is_symlink():
                folder.unlink()
            if not folder.exists():
                folder.mkdir()
                durable.sync_folder(self.path)
            durable.write(folder / name, data)
            os.utime(folder / name, (0, 0))  # when it was written is nobody's business

    def keep(self, device: str, kept: Collection[str]) -> None:
        """Delete all files of a device but these, and drafts of a process that was killed."""
        if not self._has(device):
            return
        with reported(self.path):
            for name in os.listdir(self.path / device):
                draft = name.startswith(".") and SUFFIX in name and not name.startswith(".syncthing")
                if draft or ((_HEAD.fullmatch(name) or _LOG.fullmatch(name)) and name not in kept):
                    (self.path / device / name).unlink(missing_ok=True)

    def remove(self, device: str) -> None:
        """Delete all that a device has here."""
        self.keep(device, ())
        with suppress(OSError):  # something of the synchroniser's is in it
            (self.path / device).rmdir()

    def _has(self, device: str) -> bool:
        """Whether a device has a subfolder here that is no link."""
        path = self.path / device
        return path.is_dir() and not path.is_symlink()

    def dissolve(self) -> None:
        """Delete the manifest: nobody shares the folder any more."""
        with reported(self.path):
            (self.path / MANIFEST).unlink(missing_ok=True)


def new_number() -> str:
    """A number for a folder."""
    return secrets.token_hex(16)


def log_name(data: bytes) -> str:
    """The name of a file of a log that holds `data`."""
    return f"{hashlib.sha256(data).hexdigest()[:32]}.log{SUFFIX}"


def head_name(number: int) -> str:
    """The name of a head."""
    return f"{number:012d}.head{SUFFIX}"


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """In the block, an error of the disk is a SyncFolderGoneError that says what to do."""
    try:
        yield
    except OSError as error:
        waits = "Nothing is lost: what is to be sent waits, and it is tried again."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"There is no room for the shared folder {path}. {waits} Make room on its disk."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"The shared folder {path} cannot be written. {waits} Make it writable for you."
        else:
            why = (error.strerror or "it cannot be read").lower()
            message = f"The shared folder {path} cannot be used: {why}. {waits}"
        raise SyncFolderGoneError(message) from None
