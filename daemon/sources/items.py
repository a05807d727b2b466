"""The results of reading: items of text, notes on what was skipped, and errors of paths."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Final

from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import open_regular

#: Why a source was not read to its end.
BEYOND_LIMIT: Final = "beyond a limit"
_NOTES: Final = 20
#: Larger files are not read.
MAX_FILE_BYTES: Final = 4 << 30


class LimitError(Exception):
    """A file is beyond a limit: which, and what its user can do."""


class GitError(IdiolectError, code="git", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """A repository's history cannot be read."""


class UnreadableError(IdiolectError, code="unreadable", exit_code=ExitCode.BAD_INPUT, http_status=403):
    """A file or folder cannot be opened."""


class NothingToReadError(
    IdiolectError, code="nothing-to-read", exit_code=ExitCode.BAD_INPUT, http_status=422
):
    """The paths of an import hold no text: they are empty, or all of it was skipped."""


class BinaryFileError(IdiolectError, code="binary-file", exit_code=ExitCode.BAD_INPUT, http_status=415):
    """The only file of an import is not text."""


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of text as it stands in its file: the `ordinal`-th (from 0), read up to `offset_bytes`.

    `at` is when it was written, aware, where the file says so; `stamp` is how the file says it, where it names no zone:
    that stays the same wherever the file is read.

    Once it was cleaned, `redactions` secrets were taken out of it; `raw` is the text before that, where it is wanted.
    """

    text: str
    at: datetime | None
    ordinal: int
    offset_bytes: int = 0
    stamp: str = ""
    redactions: int = 0
    raw: str = ""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, or another source, that is to be read; a folder has no size."""

    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Files, lines or bytes (as the `reason` says) that were left out, and how many.

    With a `count` of 0 nothing was left out, and only the note counts. The file was read up to `offset_bytes`.
    """

    path: Path
    reason: str
    note: str | None = None
    count: int = 1
    offset_bytes: int = 0


@dataclass
class ReadReport:
    """What an import read, what it kept, and what it skipped and why. Holds paths, never text."""

    files: int = 0
    entries: int = 0
    words: int = 0
    redactions: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    more_notes: int = 0

    def skip(self, skipped: Skipped) -> None:
        """Count what was skipped, and keep its note if there are not too many already."""
        if skipped.count:
            self.skipped[skipped.reason] = self.skipped.get(skipped.reason, 0) + skipped.count
        if skipped.note is None:
            return
        if len(self.notes) < _NOTES:
            self.notes.append(skipped.note)
        else:
            self.more_notes += 1

    def skip_known(self, count: int = 1) -> None:
        """Count pieces of text that are stored already."""
        self.skipped["already known"] = self.skipped.get("already known", 0) + count


def time_at(seconds: float) -> datetime | None:
    """The time so many seconds after the beginning of 1970, in UTC; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def status(path: Path) -> os.stat_result:
    """The file's status. Raises NoSuchPathError, UnreadableError."""
    with explained(path):
        return path.stat()


def opened(path: Path) -> BufferedReader:
    """The regular file at `path`, open to be read. Raises NoSuchPathError, UnreadableError."""
    with explained(path):
        return open_regular(path)


def refuse_large(path: Path) -> None:
    """Raise LimitError for a file larger than any that a person has written or a program has kept of it."""
    if status(path).st_size > MAX_FILE_BYTES:
        raise LimitError(f"it is larger than {MAX_FILE_BYTES >> 30} GB; cut it into smaller files")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's errors about the file at `path` into this module's."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NoSuchPathError(f"There is no {path}. Check the spelling.") from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise NoSuchPathError(f"There is no such path: {error.strerror}. Check the spelling.") from None
        raise UnreadableError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from None
