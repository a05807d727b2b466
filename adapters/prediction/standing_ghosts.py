"""Ghosts that were suggested: those on screen, and those of which the finished text will tell whether they were right.

What is on screen stays while it agrees with the letters that are typed, until it is contradicted or taken: a ghost that
comes and goes while it is right is read twice and taken never. Where one of its words ends, the words behind it must be
worth a look by themselves.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.look_value import LookValue
from idiolect.adapters.prediction.suggestion import GhostWord, Word, joined_text

_MAX_STANDING = 32  # ghosts that were shown last, of all who type
_MAX_CHARS = 200  # of a ghost, and so between the place where it was shown and the cursor
_SAME_SPEED = 0.15  # by which the logarithms of two key times may differ and tell of the same typist
_MAX_UNJUDGED = 2000
_MAX_PREFIX_CHARS = 2000  # of a longer text nothing more is learned


@dataclass(frozen=True)
class _StandingGhost:
    length: int  # of the text before the cursor
    prefix_hash: int  # instead of that text, which is kept nowhere off the record
    key_s: float
    words: tuple[GhostWord, ...]
    text: str


class StandingGhosts:
    """The latest ghosts that were shown, each with a hash of the text before the cursor. For one thread at a time."""

    def __init__(self) -> None:
        self._shown: deque[_StandingGhost] = deque(maxlen=_MAX_STANDING)

    def rest(self, prefix: str, value: LookValue) -> tuple[GhostWord, ...]:
        """Return what is left of the ghost that a typist sees, where ``prefix`` types into it.

        The probabilities are those behind the words that have been typed. Nothing is left where a word has just ended
        and the next ones are not worth a look.

        Args:
            prefix: the text before the cursor.
            value: judges for this typist; a ghost that one of another speed sees is not theirs.
        """
        for shown in reversed(self._shown):
            typed = len(prefix) - shown.length
            if (
                0 < typed < min(len(shown.text), _MAX_CHARS)
                and abs(math.log(shown.key_s / value.key_s)) < _SAME_SPEED
                and shown.text.startswith(prefix[shown.length :])
                and hash(prefix[: shown.length]) == shown.prefix_hash
            ):
                left = _cut_at(shown.words, typed)
                return left if WORD.match(left[0].text) or value.pays(left) else ()
        return ()

    def show(self, prefix: str, key_s: float, words: Sequence[GhostWord]) -> None:
        """Remember that this ghost is shown behind ``prefix``."""
        self._shown.append(_StandingGhost(len(prefix), hash(prefix), key_s, tuple(words), joined_text(words)))

    def forget(self) -> None:
        """Forget what was shown."""
        self._shown.clear()


def extended(standing: Sequence[GhostWord], new: Sequence[GhostWord]) -> Sequence[GhostWord]:
    """Return a ghost that stands, with what a new one knows of it: further words, and a better probability."""
    if joined_text(new).startswith(joined_text(standing)):
        return new
    if new and new[0].text == standing[0].text:
        return [replace(standing[0], p=max(standing[0].p, new[0].p)), *standing[1:]]
    return standing


def _cut_at(words: Sequence[GhostWord], start: int) -> tuple[GhostWord, ...]:
    """Return the words without their first ``start`` characters, which have come."""
    left, came = list[GhostWord](), 1.0
    for word in words:
        if start < len(word.text):
            left.append(GhostWord(word.text[start:], min(word.p / came, 1.0)))
        elif word.p > 0:
            came = word.p
        start = max(start - len(word.text), 0)
    return tuple(left)


class UnjudgedGhost(NamedTuple):
    """What was looked at for a ghost after ``at`` characters of a text: its first word, and the words behind that.

    ``p`` is the probability of ``text`` as stated, and ``whole`` is True if nothing of it was typed. Each of the
    ``further`` words has the probability that was stated for it if those before it come.
    """

    at: int
    text: str
    p: float
    whole: bool = False
    further: tuple[Word, ...] = ()

    def judged_in(self, written: str) -> Iterator[tuple[bool, float, bool]]:
        """Yield whether it was a whole word, its stated probability and whether it came, for each word looked at.

        A further word tells something only if those before it came.
        """
        came, at = _stands_in(written, self.text, self.at), self.at + len(self.text)
        yield self.whole, self.p, came
        for word in self.further:
            if not came:
                return
            came = _stands_in(written, word.text, at)
            at += len(word.text)
            yield True, word.p, came


def _stands_in(written: str, text: str, at: int) -> bool:
    """Return True if ``written`` has the word at this place, and a word ends where it ends."""
    return written.startswith(text, at) and not WORD.match(written, at + len(text))


class UnjudgedGhosts:
    """The latest ghosts, by the prefix that each was suggested after."""

    def __init__(self) -> None:
        self._by_prefix: OrderedDict[str, UnjudgedGhost] = OrderedDict()

    def add(self, prefix: str, ghost: UnjudgedGhost) -> None:
        """Keep a ghost that was suggested after ``prefix``."""
        if len(prefix) >= _MAX_PREFIX_CHARS:  # one that long may be a window on a longer text
            return
        self._by_prefix[prefix] = ghost
        if len(self._by_prefix) > _MAX_UNJUDGED:
            self._by_prefix.popitem(last=False)

    def forget(self) -> None:
        """Forget all ghosts."""
        self._by_prefix.clear()

    def pop_along(self, written: str) -> list[UnjudgedGhost]:
        """Remove and return the ghosts that were suggested while ``written`` was typed, in order."""
        prefixes = [prefix for prefix in self._by_prefix if written.startswith(prefix)]
        return [self._by_prefix.pop(prefix) for prefix in sorted(prefixes, key=len)]
