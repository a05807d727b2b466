"""Errors of the operating system as the program's own: a full disk, a read-only one, a bad path.

Most code lets an `OSError` pass: it is turned into these where a command, a request or the service's start ends.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from idiolect.daemon.profile_paths import HomeError
from idiolect.models.errors import ExitCode, IdiolectError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PATH: Final = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
_NOT_ALLOWED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EBUSY})


class NoSuchPathError(IdiolectError, code="no-such-path", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """There is nothing at the path that was given."""


class NoRoomError(IdiolectError, code="no-room", exit_code=ExitCode.NO_ROOM, http_status=507):
    """The disk is full, or a quota is reached, so that a file of the profile's cannot be written."""


class RefusedError(IdiolectError, code="refused", exit_code=ExitCode.NO_ROOM, http_status=403):
    """The operating system refuses a file that is none of the profile's."""


def refusal(error: BaseException, home: Path) -> IdiolectError | None:
    """What to tell of an error that the system raised; None where it may be a mistake of the program's.

    `home` is the profile's folder.
    """
    if not isinstance(error, OSError) or error.errno is None:
        return None
    name = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else None
    path = None if name is None else Path(os.fsdecode(name))
    if error.errno in _FULL:
        return NoRoomError(
            "There is no room: a disk is full, or a quota is reached. What could not be written is as it was before. "
            f"Make room on the disk that holds {home if path is None else path.parent}, then try again."
        )
    if error.errno in _NO_PATH:
        return NoSuchPathError(
            f"{'A path' if path is None else path} cannot be used: {_said(error)}. "
            "Check what is there, and the spelling."
        )
    if error.errno not in _NOT_ALLOWED:
        return None
    if path is None or path.is_relative_to(home):
        return HomeError(
            f"The profile's folder {home} cannot be used{f' ({path.name})' if path else ''}: {_said(error)}. "
            "Make it readable and writable for you, or name another folder in IDIOLECT_HOME."
        )
    return RefusedError(f"{path} cannot be used: {_said(error)}. Check who may read and write it.")


def _said(error: OSError) -> str:
    return (error.strerror or "not permitted").rstrip(".").lower()
