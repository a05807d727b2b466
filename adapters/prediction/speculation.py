"""What comes next in the texts that are being written, if the likeliest words do: passes made before anybody waits."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

_TEXTS = 10  # that are looked at
_LATELY_S = 2.0  # since somebody last typed in one
_STEP = 6  # tokens at the most by which a text goes on, from one word to the next
_SURE = 0.6  # probability of a word that is worth the 2 ms which it takes in the pass for another text


class SpeculatedText(NamedTuple):
    """What is written with one likely word more: its tokens, and how probable that is."""

    entry: list[int]
    p: float


class SpeculatedWords:
    """The likeliest words at the cursors that were asked about last, one for each text.

    For one thread at a time, and beside it others that look at :attr:`latest`.
    """

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[int, ...], tuple[Sequence[SpeculatedText], float]] = OrderedDict()
        self.latest: Sequence[SpeculatedText] = ()

    def note(self, written: Sequence[int], words: Sequence[SpeculatedText], *, keep: bool = True) -> None:
        """Behind these tokens come probably these words, the likeliest first; it is the same text as a word ago.

        Without ``keep`` only :attr:`latest` says so.
        """
        here, now = tuple(written), time.monotonic()
        for earlier, (_, at) in [*self._texts.items()]:
            same = len(here) - len(earlier) <= _STEP and here[: len(earlier)] == earlier
            if same or at < now - _LATELY_S:  # what nobody goes on with is not kept
                del self._texts[earlier]
        if keep:
            self._texts[here] = words, now
        if len(self._texts) > _TEXTS:
            self._texts.popitem(last=False)
        self.latest = words

    def end(self, text: Sequence[int]) -> None:
        """Forget what stands at the beginning of a text that is whole."""
        whole = tuple(text)
        for earlier in [earlier for earlier in self._texts if whole[: len(earlier)] == earlier]:
            del self._texts[earlier]

    def beside(self, written: Sequence[int]) -> list[list[int]]:
        """What other texts than this one will be, as far as it can be told: worth reading in a pass for this one."""
        here, since = tuple(written), time.monotonic() - _LATELY_S
        return [
            words[0].entry
            for text, (words, at) in reversed(self._texts.items())
            if words and words[0].p >= _SURE and at > since and not _same(here, text)
        ]


def _same(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one goes on from the other."""
    common = min(len(one), len(other))
    return one[:common] == other[:common]
