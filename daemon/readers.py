"""Files and git histories to raw pieces of text, streamed: whatever their size, memory stays flat."""

from __future__ import annotations

import fnmatch
import itertools
import json
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, Final

from idiolect.daemon.markdown import prose
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What each kind of file is read as.
KINDS: Final = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
KINDS_SAID: Final = ".txt, .md and .jsonl"

_CHUNK_BYTES: Final = 32_768  # of one line that is held at most
_BLOCK_CHARS: Final = 16_384  # of one paragraph that is held at most
_JSON_BYTES: Final = 8 << 20  # of one line of JSON
_NOTES: Final = 20
_WRAP: Final = 50  # characters; no editor wraps lines shorter than that
_BOM: Final = b"\xef\xbb\xbf"


class NoSuchPathError(IdiolectError):
    """There is nothing at the path that was given."""

    code: ClassVar[str] = "no-such-path"
    exit_code: ClassVar[int] = 45
    http_status: ClassVar[int] = 404


class UnreadableError(IdiolectError):
    """A file or folder cannot be opened."""

    code: ClassVar[str] = "unreadable"
    exit_code: ClassVar[int] = 46
    http_status: ClassVar[int] = 403


class NothingToReadError(IdiolectError):
    """What was given holds no text: it is empty, or all of it was skipped."""

    code: ClassVar[str] = "nothing-to-read"
    exit_code: ClassVar[int] = 47
    http_status: ClassVar[int] = 422


class BinaryFileError(IdiolectError):
    """The one file that was given is not text."""

    code: ClassVar[str] = "binary-file"
    exit_code: ClassVar[int] = 48
    http_status: ClassVar[int] = 415


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of text as it stands in its file: the `ordinal`-th (from 0), read up to `offset_bytes`.

    `at` is when it was written, aware, where the file says so.
    """

    text: str
    at: datetime | None
    ordinal: int
    offset_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out and why; `count` of them (files, lines or bytes, as the reason says)."""

    path: Path
    reason: str
    note: str | None = None
    count: int = 1


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


class Exclusion:
    """Globs of paths that are never read, in any letter case.

    A pattern without a slash is meant for each part of a path below the root (`.git`, `*.key`); one
    with a slash for the whole path, or for the end of it if the pattern is relative; `*` stands for
    slashes too, and what is in an excluded folder is excluded.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile `patterns`; `~` at the start of one is the user's home folder."""
        names, paths = [], []
        for pattern in patterns:
            if "/" not in pattern.rstrip("/"):
                names.append(fnmatch.translate(pattern.rstrip("/")))
                continue
            whole = os.path.expanduser(pattern).rstrip("/")
            whole = whole if whole.startswith("/") else f"*/{whole}"
            paths += [fnmatch.translate(whole), fnmatch.translate(f"{whole}/*")]
        self._names = re.compile("|".join(names) or r"(?!)", re.IGNORECASE)
        self._paths = re.compile("|".join(paths) or r"(?!)", re.IGNORECASE)

    def covers(self, path: Path, root: Path) -> bool:
        """Whether `path`, in `root` or equal to it, is excluded. The root's own folders do not matter."""
        parts = path.relative_to(root).parts if path != root else (path.name,) if path.is_file() else ()
        return any(map(self._names.match, parts)) or self._paths.match(path.as_posix()) is not None


def kind_of(path: Path) -> str | None:
    """How the file is read: "text", "markdown" or "jsonl"; None for files of other types."""
    return KINDS.get(path.suffix.lower())


def find(path: Path, exclude: Sequence[str]) -> Iterator[Path | Skipped]:
    """The files to read at `path` (a file, or a folder with all in it), in order of name.

    Links are not followed. A file without a suffix is taken for text where `path` is that file.
    Raises NoSuchPathError, and UnreadableError where `path` itself cannot be read.
    """
    exclusion = Exclusion(exclude)
    mode = status(path).st_mode
    if stat.S_ISDIR(mode):
        yield from _walk(path, exclusion)
    elif exclusion.covers(path, path):
        yield Skipped(path, "excluded")
    elif kind_of(path) is None and path.suffix:
        yield Skipped(path, "other file type")
    elif not stat.S_ISREG(mode):
        yield Skipped(path, "not a regular file")
    else:
        with _opened(path):
            yield path


def status(path: Path) -> os.stat_result:
    """The file's status. Raises NoSuchPathError, UnreadableError."""
    with _explained(path):
        return path.stat()


def _walk(root: Path, exclusion: Exclusion) -> Iterator[Path | Skipped]:
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with _explained(folder), os.scandir(folder) as scan:
                found = sorted(scan, key=lambda entry: entry.name)
        except (NoSuchPathError, UnreadableError):
            if folder == root:
                raise
            yield Skipped(folder, "unreadable", f"{folder} cannot be read")
            continue
        inner = []
        for entry in found:
            path = Path(entry.path)
            if exclusion.covers(path, folder):
                yield Skipped(path, "excluded")
            elif entry.is_symlink():
                yield Skipped(path, "symbolic link")
            elif entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif kind_of(path) is None:
                yield Skipped(path, "other file type")
            elif not entry.is_file(follow_symlinks=False):
                yield Skipped(path, "not a regular file")
            elif not _is_utf8(entry.name):
                yield Skipped(path, "file name is not UTF-8")
            else:
                yield path
        folders += reversed(inner)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(path: Path) -> Iterator[Item | Skipped]:
    """The pieces of text in a file, by its kind: paragraphs, or the lines of a JSONL file.

    A paragraph ends at an empty line; lines that were wrapped by hand are joined. JSONL lines are
    objects with `text` and perhaps `ts` (ISO 8601, or seconds or milliseconds since 1970). What is no
    valid UTF-8 is dropped and counted. Raises UnreadableError, NoSuchPathError.
    """
    with _opened(path) as file, _explained(path):
        head = file.peek(8192)[:8192]  # type: ignore[attr-defined] # a BufferedReader, as opened here
        if b"\0" in head:
            yield Skipped(path, "binary")
            return
        if head.startswith(_BOM):
            file.read(len(_BOM))
        lines = _Lines(file)
        kind = kind_of(path)
        if kind == "jsonl":
            yield from _read_jsonl(path, lines)
        else:
            blocks = prose(lines) if kind == "markdown" else _paragraphs(lines)
            for ordinal, text in enumerate(blocks):
                yield Item(text, None, ordinal, lines.offset_bytes)
        if lines.dropped_bytes:
            note = f"{path.name}: {lines.dropped_bytes} bytes that are not UTF-8 were left out"
            yield Skipped(path, "bytes that are not UTF-8", note, lines.dropped_bytes)


def _opened(path: Path) -> IO[bytes]:
    with _explained(path):
        return path.open("rb")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's errors about the file at `path` into this module's."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NoSuchPathError(f"There is no {path}. Check the spelling.") from None
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from None


class _Lines:
    """A file's lines without their ends; a line too long to hold comes in several, cut between sentences."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.offset_bytes = 0
        self.dropped_bytes = 0

    def __iter__(self) -> Iterator[str]:
        rest = b""
        while line := rest + self._file.readline(_CHUNK_BYTES - len(rest)):
            self.offset_bytes += len(line) - len(rest)
            rest = b""
            if not line.endswith(b"\n") and len(line) >= _CHUNK_BYTES:
                cut = _cut_bytes(line)
                line, rest = line[:cut], line[cut:]
            yield from self.decoded(line).splitlines() or [""]

    def whole(self, longest_bytes: int) -> Iterator[bytes | None]:
        """Lines as bytes; None for one that is longer than `longest_bytes`."""
        while line := self._file.readline(longest_bytes):
            self.offset_bytes += len(line)
            if line.endswith(b"\n") or len(line) < longest_bytes:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = self._file.readline(_CHUNK_BYTES)
                self.offset_bytes += len(line)
            yield None

    def decoded(self, line: bytes) -> str:
        """The valid UTF-8 of `line`; the other bytes are counted."""
        try:
            return line.decode()
        except UnicodeDecodeError:
            text = line.decode(errors="ignore")
            self.dropped_bytes += len(line) - len(text.encode())
            return text


def _cut_bytes(line: bytes) -> int:
    """Where to cut a line that goes on: after a sentence, else a word, else between two characters."""
    for end in (b". ", b"! ", b"? ", "。".encode(), b" "):
        place = line.rfind(end)
        if place > 0:
            return place + len(end)
    place = len(line)
    while place > len(line) - 4 and line[place - 1] & 0xC0 == 0x80:
        place -= 1
    return place - 1


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for line in lines:
        if line.strip() and size <= _BLOCK_CHARS:
            held.append(line.strip())
            size += len(line)
            continue
        if held:
            yield unwrapped(held)
        held = [line.strip()] if line.strip() else []
        size = len(line)
    if held:
        yield unwrapped(held)


def unwrapped(lines: Sequence[str]) -> str:
    """The lines of a paragraph, those joined that were cut by wrapping.

    A line end was forced if the next line's first word would have made the line longer than the
    paragraph's longest; any other is the writer's own and stays.
    """
    width = max(max(map(len, lines)), _WRAP)
    text = lines[0]
    for line, following in itertools.pairwise(lines):
        forced = len(line) + 1 + len(following.split(maxsplit=1)[0]) > width
        text += (" " if forced else "\n") + following
    return text


def _read_jsonl(path: Path, lines: _Lines) -> Iterator[Item | Skipped]:
    for number, line in enumerate(lines.whole(_JSON_BYTES), start=1):
        if line is None:
            note = f"{path.name} line {number}: longer than {_JSON_BYTES >> 20} MB"
            yield Skipped(path, "lines too long", note)
            continue
        written = lines.decoded(line).strip()
        if not written:
            continue
        text, at, problem = _parsed(written)
        if problem is not None:
            yield Skipped(path, problem, f"{path.name} line {number}: {_SAID[problem]}")
        if text is not None:
            yield Item(text, at, number - 1, lines.offset_bytes)


_SAID: Final = {
    "lines that are not JSON": "not a JSON object",
    "lines without text": 'no "text" that is a string',
    "times not understood": '"ts" is no time that can be understood; the text was kept',
}


def _parsed(line: str) -> tuple[str | None, datetime | None, str | None]:
    """A JSONL line's text and time, and what is wrong with it (a key of `_SAID`)."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None, None, "lines that are not JSON"
    if not isinstance(value, dict):
        return None, None, "lines that are not JSON"
    text, ts = value.get("text"), value.get("ts")
    if not isinstance(text, str):
        return None, None, "lines without text"
    at = None if ts is None else _time(ts)
    return text, at, "times not understood" if at is None and ts is not None else None


def _time(ts: object) -> datetime | None:
    """An ISO 8601 time (UTC unless it says otherwise), or seconds or milliseconds since 1970."""
    try:
        if isinstance(ts, str):
            at = datetime.fromisoformat(ts.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(ts, int | float) and not isinstance(ts, bool):
            return datetime.fromtimestamp(ts / 1000 if abs(ts) > 1e11 else ts, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
