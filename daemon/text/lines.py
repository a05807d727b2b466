"""Lines of a file, and paragraphs of lines, streamed: whatever the file's size, memory stays flat."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final

#: What programs of Windows put before the text of a file.
BOM: Final = b"\xef\xbb\xbf"

_CHUNK_BYTES: Final = 32_768  # of one line that is held at most
_BLOCK_CHARS: Final = 16_384  # of one paragraph that is held at most
_LONG_NUMBER: Final = re.compile(r"&#[0-9]{9,}+;?")
_WRAP: Final = 50  # characters; no editor wraps lines shorter than that


class Lines:
    """A file's lines without their ends; a line too long to hold comes in several, cut between sentences."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read from `file`."""
        self._file = file
        self.offset_bytes = 0
        self.dropped_bytes = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
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


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Runs of lines up to an empty one, each as one string, those lines joined that were cut by wrapping."""
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


def unescaped(text: str) -> str:
    """The text with HTML's character references as the characters that they stand for.

    A number that no character has stays: Python refuses to read one of thousands of digits.
    """
    if _LONG_NUMBER.search(text) is None:
        return html.unescape(text)
    parts: list[str] = []
    end = 0
    for found in _LONG_NUMBER.finditer(text):
        parts += (html.unescape(text[end : found.start()]), found.group())
        end = found.end()
    return "".join((*parts, html.unescape(text[end:])))


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
