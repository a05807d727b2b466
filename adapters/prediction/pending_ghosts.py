"""Ghosts that were offered, kept until what is written shows which of them were right."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from idiolect.adapters.prediction.vocabulary import WORD

_MOST = 2000  # ghosts that wait
_CHARS = 2000  # of text before a ghost; of a longer text no more is learned


class PendingGhost(NamedTuple):
    """A ghost's first word behind ``at`` characters of a text: its probability, and whether it was shown."""

    at: int
    text: str
    p: float
    shown: bool

    def is_right_in(self, written: str) -> bool:
        """Whether it stands there in what was written, and ends where a word ends."""
        return written.startswith(self.text, self.at) and not WORD.match(written, self.at + len(self.text))


class PendingGhosts:
    """The offers of late, each by the text before it."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, PendingGhost] = OrderedDict()

    def note(self, prefix: str, text: str, p: float, *, shown: bool) -> None:
        """Keep what was offered behind ``prefix``."""
        if len(prefix) >= _CHARS:  # one that long may be a window on a longer text
            return
        self._waiting[prefix] = PendingGhost(len(prefix), text, p, shown)
        if len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)

    def take(self, written: str) -> list[PendingGhost]:
        """The offers that were made on the way to this text, in order; they wait no longer."""
        prefixes = [prefix for prefix in self._waiting if written.startswith(prefix)]
        return sorted(self._waiting.pop(prefix) for prefix in prefixes)


def count_wrong(written: str, offers: Sequence[PendingGhost]) -> int:
    """How many wrong ghosts came up on the way to a text.

    What is left of one while it is typed into is the same one, also where a key in between brought no answer.
    """
    count, last = 0, PendingGhost(-1, "", 0.0, False)
    for offer in offers:
        if offer.shown:
            same_end = offer.at + len(offer.text) == last.at + len(last.text)
            count += not (same_end and last.text.endswith(offer.text)) and not offer.is_right_in(written)
            last = offer
    return count
