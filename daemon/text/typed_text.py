"""Which words of a text the user typed, and what a change leaves: shared by editors, browser and keyboard."""

from __future__ import annotations

import itertools
import re
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from idiolect.daemon.text.normalise import has_words

BEFORE_CHARS: Final = 400
"""Characters in front of what was typed that are sent with it."""
#: Characters of one text that a program sends, at most.
MAX_TEXT_CHARS: Final = 1_000_000
#: In place of when a character was typed: its user has not typed it.
FOREIGN: Final = 0.0
#: A word and what is attached to it.
WORD: Final = re.compile(r"\S+")
_BEGUN: Final = re.compile(r"[^\W_][\w'’-]*$")


@dataclass(frozen=True)
class Run:
    """Words in a row that its user typed, and where in their line they begin."""

    text: str
    start: int


class Pauses:
    """When learning was paused: text that was typed then is never sent."""

    def __init__(self, spans: Iterable[Sequence[float | None]]) -> None:
        """`spans` as in `/v1/status`: begin and end in seconds since 1970; an end of None means that it goes on."""
        self._spans = [
            (start or 0.0, float("inf") if end is None else end)
            for start, end in (tuple(span) for span in spans)
        ]

    @classmethod
    def of(cls, status: dict[str, Any]) -> Pauses:
        """The pauses in the answer to `/v1/status`."""
        return cls(status.get("pauses", ()))

    def cover(self, at_s: float) -> bool:
        """Whether learning was paused at a moment."""
        return any(start <= at_s <= end for start, end in self._spans)


def runs(line: str, typed_s: Sequence[float], pauses: Pauses) -> list[Run]:
    """The words of a line that are new and its user's: all of whose characters they typed, and outside of `pauses`.

    `typed_s` has for each character when it was typed, in seconds since 1970, or FOREIGN; negative where it was told of
    before. One word that was told before between two new ones is part of their run.
    """
    off = {at_s for at_s in set(typed_s) if at_s == FOREIGN or pauses.cover(abs(at_s))}
    found: list[list[re.Match[str]]] = [[]]
    waiting: list[re.Match[str]] = []  # told before
    for word in WORD.finditer(line):
        marks = typed_s[word.start() : word.end()]
        if not off.isdisjoint(marks):
            found.append([])
            waiting = []
        elif max(marks) < FOREIGN:
            waiting.append(word)
        else:
            if len(waiting) == 1 and found[-1]:
                found[-1] += waiting
            elif waiting:
                found.append([])
            waiting = []
            found[-1].append(word)
    whole = [Run(line[words[0].start() : words[-1].end()], words[0].start()) for words in found if words]
    return [run for run in whole if has_words(run.text)]


def begun(text: str) -> str:
    """The word that is being typed at the end of a text."""
    found = _BEGUN.search(text[-100:])
    return found[0] if found else ""


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters two texts, or lines two lists, begin with alike."""
    most, tried = min(len(one), len(other)), 1
    while tried < most and one[:tried] == other[:tried]:  # mostly they soon differ
        tried *= 2
    least = tried // 2
    lengths = range(least + 1, min(tried, most) + 1)
    return least + bisect(lengths, False, key=lambda length: one[least:length] != other[least:length])


def kept_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many characters, or lines, at its beginning and at its end stay where `new` takes the place of `old`."""
    first = shared(old, new)
    return first, min(shared(old[::-1], new[::-1]), min(len(old), len(new)) - first)


def spread(marks: Iterable[Sequence[float]]) -> list[float]:
    """One mark for each character, from pairs of a count and a mark."""
    return list(itertools.chain.from_iterable([float(mark)] * int(count) for count, mark in marks))
