"""Documents of text, by paragraph, and lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped, explained, opened, time_at
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.text.lines import BOM, Lines

JSON_BYTES: Final = 8 << 20
"""Of one line of JSON, at most."""

OWN_KEY: Final = "idiolect"
"""With this name begins each line of the program's own export, which holds no new text."""


def reader(
    blocks: Callable[[Iterable[str]], Iterator[str]],
) -> Callable[[Path, AuthorFilter], Iterator[Item | Skipped]]:
    """What reads a file of text: the paragraphs that `blocks` makes of its lines.

    What is no valid UTF-8 is dropped and counted. Raises UnreadableError, NoSuchPathError.
    """

    def items(lines: Lines) -> Iterator[Item]:
        for ordinal, block in enumerate(blocks(lines)):
            yield Item(block, None, ordinal, lines.offset_bytes)

    return lambda path, _asked: _read(path, items)


def json_lines(path: Path, _asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The lines of a JSONL file: objects with `text` and perhaps `ts` (see `time_of`)."""
    return _read(path, lambda lines: _read_jsonl(path, lines))


def _read(path: Path, parts: Callable[[Lines], Iterable[Item | Skipped]]) -> Iterator[Item | Skipped]:
    with opened(path) as file, explained(path):
        head = file.peek(8192)[:8192]
        if b"\0" in head:
            yield Skipped(path, "binary")
            return
        if head.startswith(BOM):
            file.read(len(BOM))
        lines = Lines(file)
        yield from parts(lines)
        if lines.dropped_bytes:
            note = f"{path.name}: {lines.dropped_bytes} bytes that are not UTF-8 were left out"
            yield Skipped(path, "bytes that are not UTF-8", note, lines.dropped_bytes)


def _read_jsonl(path: Path, lines: Lines) -> Iterator[Item | Skipped]:
    for number, line in enumerate(lines.whole(JSON_BYTES), start=1):
        if line is None:
            note = f"{path.name} line {number}: longer than {JSON_BYTES >> 20} MB"
            yield Skipped(path, "lines too long", note)
            continue
        written = lines.decoded(line).strip()
        if not written:
            continue
        text, at, problem = parsed(written)
        if problem is not None:
            yield Skipped(path, problem, f"{path.name} line {number}: {_SAID[problem]}")
        if text is not None:
            yield Item(text, at, number - 1, lines.offset_bytes)


_SAID: Final = {
    "lines that are not JSON": "not a JSON object",
    "lines without text": 'no "text" that is a string',
    "lines of an own export": "a line of the program's own export, which is not read back",
    "times not understood": '"ts" is no time that can be understood; the text was kept',
}


def parsed(line: str) -> tuple[str | None, datetime | None, str | None]:
    """A JSONL line's text and time, and what is wrong with it (a key of `_SAID`)."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None, None, "lines that are not JSON"
    if not isinstance(value, dict):
        return None, None, "lines that are not JSON"
    if OWN_KEY in value:
        return None, None, "lines of an own export"
    text, ts = value.get("text"), value.get("ts")
    if not isinstance(text, str):
        return None, None, "lines without text"
    at = None if ts is None else time_of(ts)
    text = text.encode(errors="ignore").decode()  # JSON can name half a character, which is none
    return text, at, "times not understood" if at is None and ts is not None else None


def time_of(ts: object) -> datetime | None:
    """An ISO 8601 time (UTC unless it says otherwise), or seconds or milliseconds since 1970."""
    if isinstance(ts, int | float) and not isinstance(ts, bool):
        return time_at(ts / 1000 if abs(ts) > 1e11 else ts)
    if isinstance(ts, str):
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(ts.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    return None
