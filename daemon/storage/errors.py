"""Errors of the store's file, and what to do about each.

Nothing here opens the file, so that a command that only looks at a profile loads neither SQLCipher nor the schema.
"""

from __future__ import annotations

import errno
from pathlib import Path

from idiolect.models.errors import ExitCode, IdiolectError


class StoreNewerError(IdiolectError, code="store-newer", exit_code=ExitCode.STORE, http_status=500):
    """The store was written by a newer version of the program."""


class StoreUnreadableError(IdiolectError, code="store-unreadable", exit_code=ExitCode.STORE, http_status=500):
    """The store cannot be decrypted or is damaged."""


class StoreBusyError(IdiolectError, code="store-busy", exit_code=ExitCode.STORE, http_status=503):
    """Another process holds the store locked."""


class StoreFullError(IdiolectError, code="store-full", exit_code=ExitCode.NO_ROOM, http_status=507):
    """The store cannot grow: the disk is full, or a quota or size limit is reached."""


class StorePermissionError(
    IdiolectError, code="store-permission", exit_code=ExitCode.NO_ROOM, http_status=500
):
    """The store's file or folder does not let this user in."""


def busy(path: Path) -> StoreBusyError:
    """The error that says that another process uses the store."""
    return StoreBusyError(
        f"The store {path} is locked by another process. Nothing was changed: "
        "close the other program that uses it and try again."
    )


def refused(path: Path, error: OSError) -> IdiolectError:
    """The error that says what the file system's refusal to write a file of the store's means."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return no_permission(path, error.strerror or "not permitted")
    return full(path)


def full(path: Path) -> StoreFullError:
    """The error that says that there is no room to write."""
    return StoreFullError(
        f"The store {path} cannot be written: the disk is full, a quota or size limit is reached, or the "
        "disk fails. Nothing was changed: make room and try again."
    )


def no_permission(path: Path, why: str) -> StorePermissionError:
    """The error that says that the file cannot be used, and `why`."""
    return StorePermissionError(
        f"The store {path} cannot be used: {why}. "
        "Make the file and its folder writable for the user who runs idiolect."
    )
