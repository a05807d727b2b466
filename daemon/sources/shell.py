"""Histories of shells: bash, zsh and fish.

Formats: bash(1) HISTORY, zshoptions(1) EXTENDED_HISTORY, `history.cpp` of fish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped, explained, opened, time_at
from idiolect.daemon.sources.lines import Lines
from idiolect.daemon.sources.people import AuthorFilter

_STAMP: Final = re.compile(r"^#(\d{9,11})$")
_EXTENDED: Final = re.compile(r"^: (\d{9,11}):\d+;(.*)$", re.DOTALL)
_MAX_LINES: Final = 50  # of a command in bash's history
_LONGEST: Final = 4000  # characters of a command; what is longer was pasted


def bash(path: Path, _asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The commands in bash's history, with times where HISTTIMEFORMAT was set."""
    return _items(path, _bash)


def zsh(path: Path, _asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The commands in zsh's history, plain or extended."""
    return _items(path, _zsh, meta=True)


def fish(path: Path, _asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The commands in fish's history."""
    return _items(path, _fish)


def is_bash(path: Path, head: bytes) -> bool:
    """By its name, or by lines that are times."""
    return path.name in (".bash_history", "bash_history") or re.match(rb"#\d{10}\n[^#\n]", head) is not None


def is_zsh(path: Path, head: bytes) -> bool:
    """By its name, or by how extended lines begin."""
    named = path.name in (".zsh_history", ".zhistory", ".histfile", "zsh_history")
    return named or re.match(rb": \d{10}:\d+;", head) is not None


def is_fish(path: Path, head: bytes) -> bool:
    """By its name or by its first line."""
    return path.name == "fish_history" or re.match(rb"- cmd: .*\n  when: \d+", head) is not None


def _items(
    path: Path,
    commands: Callable[[Iterable[str]], Iterator[tuple[str, datetime | None]]],
    *,
    meta: bool = False,
) -> Iterator[Item | Skipped]:
    with opened(path) as file, explained(path):
        lines = Lines(file, meta=meta)
        for ordinal, (command, at) in enumerate(commands(lines)):
            if command.strip() and len(command) <= _LONGEST:
                yield Item(command, at, ordinal, lines.offset_bytes)


def _bash(lines: Iterable[str]) -> Iterator[tuple[str, datetime | None]]:
    at: datetime | None = None
    held: list[str] = []
    for line in lines:
        if stamp := _STAMP.match(line):
            if held:
                yield "\n".join(held), at
            held, at = [], time_at(int(stamp[1]))
        elif at is None:
            yield line, None
        else:  # with times, a command may have several lines
            held.append(line)
            if len(held) > _MAX_LINES:  # commands without times, from when HISTTIMEFORMAT was not set
                yield held[0], at
                yield from ((other, None) for other in held[1:])
                held, at = [], None
    if held:
        yield "\n".join(held), at


def _zsh(lines: Iterable[str]) -> Iterator[tuple[str, datetime | None]]:
    for held in _continued(lines):
        found = _EXTENDED.match(held)
        yield (found[2], time_at(int(found[1]))) if found else (held, None)


def _continued(lines: Iterable[str]) -> Iterator[str]:
    """Commands: a line that ends in a backslash goes on in the next. What is too long for one is cut off."""
    held: list[str] = []
    size = 0
    for line in lines:
        goes_on = line.endswith("\\")
        if size <= _LONGEST:
            held.append(line[:-1] if goes_on else line)
        size += len(line)
        if not goes_on:
            yield "\n".join(held)
            held, size = [], 0
    if any(map(str.strip, held)):
        yield "\n".join(held)


def _fish(lines: Iterable[str]) -> Iterator[tuple[str, datetime | None]]:
    command: str | None = None
    for line in lines:
        if line.startswith("- cmd: "):
            if command is not None:
                yield command, None
            command = line[7:].replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
        elif line.startswith("  when: ") and command is not None:
            digits = line[8:].strip()
            yield command, time_at(int(digits)) if digits.isdigit() else None
            command = None
    if command is not None:
        yield command, None
