"""Ghosts that were suggested, kept until the finished text shows which of them were right."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from idiolect.adapters.vocabulary import WORD

_MAX_GHOSTS = 2000
_MAX_PREFIX_CHARS = 2000  # of a longer text nothing more is learned


class LookedAt(NamedTuple):
    """A ghost's first word ``text`` and its probability as stated.

    ``whole`` is True if nothing of the word was typed. ``further`` are the words behind it that were looked at, each
    with the probability that was stated for it if those before it come.
    """

    text: str
    p: float
    whole: bool = False
    further: tuple[tuple[str, float], ...] = ()


class UnjudgedGhost(NamedTuple):
    """What was looked at for a ghost after ``at`` characters of a text."""

    at: int
    found: LookedAt

    def is_right_in(self, written: str) -> bool:
        """Return True if ``written`` has the first word at this place, and a word ends where it ends."""
        return _stands_in(written, self.found.text, self.at)

    def judged_in(self, written: str, *, whole: bool) -> Iterator[tuple[float, bool]]:
        """Yield each probability that was stated, of whole words or of rests of words, and whether the word came.

        A further word tells something only if those before it came.
        """
        came, at = self.is_right_in(written), self.at + len(self.found.text)
        if self.found.whole == whole:
            yield self.found.p, came
        for text, p in self.found.further if whole else ():
            if not came:
                return
            came = _stands_in(written, text, at)
            at += len(text)
            yield p, came


def _stands_in(written: str, text: str, at: int) -> bool:
    return written.startswith(text, at) and not WORD.match(written, at + len(text))


class UnjudgedGhosts:
    """The latest ghosts, by the prefix that each was suggested after."""

    def __init__(self) -> None:
        self._by_prefix: OrderedDict[str, UnjudgedGhost] = OrderedDict()

    def add(self, prefix: str, found: LookedAt) -> None:
        """Keep a ghost that was suggested after ``prefix``."""
        if len(prefix) >= _MAX_PREFIX_CHARS:  # one that long may be a window on a longer text
            return
        self._by_prefix[prefix] = UnjudgedGhost(len(prefix), found)
        if len(self._by_prefix) > _MAX_GHOSTS:
            self._by_prefix.popitem(last=False)

    def forget(self) -> None:
        """Forget all ghosts."""
        self._by_prefix.clear()

    def pop_along(self, written: str) -> list[UnjudgedGhost]:
        """Remove and return the ghosts that were suggested while ``written`` was typed, in order."""
        prefixes = [prefix for prefix in self._by_prefix if written.startswith(prefix)]
        return sorted(self._by_prefix.pop(prefix) for prefix in prefixes)
