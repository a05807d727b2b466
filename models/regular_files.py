"""Safe opening of files that others may have made: regular files only, up to a limit of bytes.

A path in a folder that came from elsewhere may name a FIFO, whose opening waits for a writer for ever, a device
without an end, or a link to a file that was not meant. What reads such a path opens it here.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_SMALL_BYTES: Final = 64 << 10
_NO_LINK: Final = os.O_NOFOLLOW


def open_regular(path: Path, *, follow: bool = False) -> BufferedReader:
    """The regular file at `path`, open to be read.

    With `follow`, a link to such a file is followed. Raises OSError, also for a link and for what is no regular file.
    """
    try:
        number = os.open(path, _FLAGS | (0 if follow else _NO_LINK))
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink() and not follow:
            raise OSError(errno.EINVAL, "it is a symbolic link", str(path)) from None
        if error.errno == errno.ENXIO:  # a socket
            raise _not_regular(path) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise _not_regular(path)
        return open(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_regular(path: Path, most_bytes: int, *, follow: bool = False) -> bytes:
    """All of the regular file at `path`, as `open_regular` opens it.

    Raises OSError, also where it holds more than `most_bytes`.
    """
    with open_regular(path, follow=follow) as file:
        # The size that the system tells is not believed: in /proc it is 0, and the file may grow.
        if len(data := file.read(most_bytes + 1)) > most_bytes:
            limit = f"{most_bytes >> 10:,} KB" if most_bytes >= 1 << 10 else f"{most_bytes} bytes"
            raise OSError(errno.EINVAL, f"it is larger than {limit}", str(path))
        return data


def read_small(path: Path) -> bytes:
    """All of a small regular file of the user's own: settings, a key, a token. A link to such a file is followed.

    Raises OSError, also where it holds more than 64 KB.
    """
    return read_regular(path, _SMALL_BYTES, follow=True)


def is_linked(path: Path, root: Path) -> bool:
    """Whether `path`, or a folder between it and `root`, is a symbolic link; of `root` itself it is not asked."""
    below = path.relative_to(root).parts
    return any(root.joinpath(*below[:depth]).is_symlink() for depth in range(1, len(below) + 1))


def _not_regular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is not a regular file", str(path))
