"""Ghosts that were suggested, kept until the finished text shows which of them were right."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idiolect.adapters.prediction.vocabulary import WORD

_MAX_GHOSTS = 2000
_MAX_PREFIX_CHARS = 2000  # of a longer text nothing more is learned


class PendingGhost(NamedTuple):
    """A ghost's first word ``text`` after ``at`` characters of a text, its probability, and whether it was shown.

    ``further`` are the words behind it, each with the probability that was stated for it if those before it come.
    """

    at: int
    text: str
    p: float
    shown: bool
    further: tuple[tuple[str, float], ...] = ()

    def is_right_in(self, written: str) -> bool:
        """Return True if ``written`` has this text at this place, and a word ends where it ends."""
        return _stands_in(written, self.text, self.at)

    def further_words_in(self, written: str) -> Iterator[tuple[float, bool]]:
        """Yield the probability of each further word whose words before it came, and whether it came."""
        at, came = self.at + len(self.text), self.is_right_in(written)
        for text, p in self.further:
            if not came:
                return
            came = _stands_in(written, text, at)
            at += len(text)
            yield p, came


def _stands_in(written: str, text: str, at: int) -> bool:
    return written.startswith(text, at) and not WORD.match(written, at + len(text))


class PendingGhosts:
    """The latest ghosts, by the prefix that each was suggested after."""

    def __init__(self) -> None:
        self._by_prefix: OrderedDict[str, PendingGhost] = OrderedDict()

    def add(
        self, prefix: str, text: str, p: float, *, shown: bool, further: tuple[tuple[str, float], ...] = ()
    ) -> None:
        """Keep a ghost that was suggested after ``prefix``."""
        if len(prefix) >= _MAX_PREFIX_CHARS:  # one that long may be a window on a longer text
            return
        self._by_prefix[prefix] = PendingGhost(len(prefix), text, p, shown, further)
        if len(self._by_prefix) > _MAX_GHOSTS:
            self._by_prefix.popitem(last=False)

    def pop_along(self, written: str) -> list[PendingGhost]:
        """Remove and return the ghosts that were suggested while ``written`` was typed, in order."""
        prefixes = [prefix for prefix in self._by_prefix if written.startswith(prefix)]
        return sorted(self._by_prefix.pop(prefix) for prefix in prefixes)


def count_wrong(written: str, ghosts: Sequence[PendingGhost]) -> int:
    """Return how many wrong ghosts were shown while ``written`` was typed.

    A ghost counts once while the user types into it, even if a key in between brought no answer.
    """
    count, last = 0, PendingGhost(-1, "", 0.0, False)
    for ghost in ghosts:
        if ghost.shown:
            same_end = ghost.at + len(ghost.text) == last.at + len(last.text)
            count += not (same_end and last.text.endswith(ghost.text)) and not ghost.is_right_in(written)
            last = ghost
    return count
