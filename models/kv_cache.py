"""Memory for keys and values, and the texts that another one took the place of, with theirs.

Texts come and go with each key that is typed in another one, in pieces of half a megabyte to twenty. Taken from a heap
they leave holes there, mapped each by itself they are zeroed anew each time; so they have a room of a fixed size.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORTH = 8
"""Tokens that are worth setting aside: fewer are read again in the time of one."""
_KEPT_S = 60.0


@dataclass(frozen=True)
class _Text:
    """Where in a token sequence a text begins, its tokens' places in the room, and when it was set aside."""

    begins: int
    places: list[int]
    since: float


@dataclass(frozen=True)
class EvictedMatch:
    """A text that is set aside, by all of its tokens: how many stand before its own, and how many, these included, are
    those of the text that was looked for.
    """

    key: tuple[int, ...]
    begins: int
    common: int


class EvictedKV:
    """Texts that others took the place of: for :data:`_KEPT_S` seconds, as long as there is room.

    For one thread at a time, and beside it others that call :meth:`used_since`.

    Args:
        cache: (..., position, feature), as keys and values are kept while a text is read.
        most: the most tokens that there is room for; it takes memory as it is first used.
    """

    def __init__(self, cache: NDArray[np.float32], most: int) -> None:
        self._cache = cache
        self._room = lazy_zeros((*cache.shape[:-2], most, cache.shape[-1])) if most else None
        self._free = [*range(most)]
        self._texts: OrderedDict[tuple[int, ...], _Text] = OrderedDict()

    def __contains__(self, key: tuple[int, ...]) -> bool:
        """Whether there is a text of just these tokens."""
        return key in self._texts

    def store(self, tokens: Sequence[int], begins: int, places: Sequence[int] | None = None) -> None:
        """Set aside what is cached of a sequence from ``begins`` on; the oldest texts make room for it.

        ``places`` says where in the cache that is, unless each token has its own.
        """
        self._keep(tuple(tokens), begins, [], range(begins, len(tokens)) if places is None else places)

    def extend_text(self, lent: EvictedMatch, ids: Sequence[int], places: Sequence[int]) -> None:
        """Set aside what a text that was lent has become: with tokens more, at these places of the cache."""
        text = self._texts.pop(lent.key)
        kept = len(ids) - len(places) - text.begins
        self._free.extend(text.places[kept:])
        self._keep(tuple(ids), text.begins, text.places[:kept], places)

    def _keep(self, key: tuple[int, ...], begins: int, had: list[int], places: Sequence[int]) -> None:
        """Note a text, with what is at these places of the cache behind what the room has of it."""
        self._drop(key)
        if self._room is None or len(had) + len(places) > self._room.shape[-2]:
            self._free.extend(had)
            return
        while len(self._free) < len(places):
            self._drop(next(iter(self._texts)))
        self._free.sort()  # the first places, so that those further on are never used where few are
        taken, self._free = self._free[: len(places)], self._free[len(places) :]
        for source, target, size in _runs(places, taken):
            self._room[..., target : target + size, :] = self._cache[..., source : source + size, :]
        self._texts[key] = _Text(begins, [*had, *taken], time.monotonic())

    def restore_longest(self, ids: Sequence[int], shared: int) -> list[int]:
        """Bring back into the cache what begins more like ``ids`` than the ``shared`` tokens that are there.

        Returns the tokens that are cached then, none where nothing fits better.
        """
        late = time.monotonic() - _KEPT_S
        while self._texts and next(iter(self._texts.values())).since < late:
            self._drop(next(iter(self._texts)))
        found = self.find_longest(ids, shared)
        if found is None:
            return []
        self.restore(found, found.begins)
        self._drop(found.key)
        return list(found.key[: found.common])

    def find_longest(self, ids: Sequence[int], shared: int) -> EvictedMatch | None:
        """The text that begins most like ``ids``, and more so than the ``shared`` tokens that are in the cache."""
        whole = tuple(ids)
        fitting = [
            EvictedMatch(key, text.begins, common)
            for key, text in self._texts.items()
            if text.begins <= shared < (common := common_prefix_length(key, whole, text.begins))
        ]
        return max(fitting, key=lambda text: text.common, default=None)

    def restore(self, found: EvictedMatch, place: int) -> None:
        """Copy what is cached of a text and fits into the cache, from ``place`` on."""
        assert self._room is not None  # noqa: S101 (there is a text in it)
        places = self._texts[found.key].places[: found.common - found.begins]
        for source, target, size in _runs(places, range(place, place + len(places))):
            self._cache[..., target : target + size, :] = self._room[..., source : source + size, :]

    def used_since(self, when: float) -> Iterator[Sequence[int]]:
        """The texts' own tokens that were set aside after ``when`` (:func:`time.monotonic`)."""
        # May be asked while another thread reads: what is set aside changes meanwhile, a list of it does not.
        return (key[text.begins :] for key, text in [*self._texts.items()] if text.since > when)

    def end(self, whole: bytes) -> None:
        """Let go of texts that stand in this one, see :func:`stands_in`."""
        for key in [key for key, text in self._texts.items() if stands_in(key[text.begins :], whole)]:
            self._drop(key)

    def _drop(self, key: tuple[int, ...]) -> None:
        text = self._texts.pop(key, None)
        if text is not None:
            self._free.extend(text.places)


def _runs(sources: Sequence[int], targets: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Where places are neighbours on both sides: the first of each, and how many there are."""
    start = 0
    for at in range(1, len(sources) + 1):
        if at == len(sources) or sources[at] != sources[at - 1] + 1 or targets[at] != targets[at - 1] + 1:
            yield sources[start], targets[start], at - start
            start = at


def common_prefix_length(tokens: Sequence[int], others: Sequence[int], first: int = 0) -> int:
    """How many tokens both begin with; 0 unless the ``first`` are among them, which is quicker to see."""
    if first and tokens[:first] != others[:first]:
        return 0
    for place in range(first, min(len(tokens), len(others))):
        if tokens[place] != others[place]:
            return place
    return min(len(tokens), len(others))


def stands_in(own: Sequence[int], whole: bytes) -> bool:
    """Whether a text's beginning stands in ``whole`` (int64 tokens); the first two differ where a long text was cut."""
    run = np.asarray(own[2 : 2 + WORTH], np.int64).tobytes()
    return len(own) >= WORTH and run in whole


def lazy_zeros(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros that take memory only where they are written: a cache is rarely full, and huge pages would fill it."""
    pages = mmap.mmap(-1, 4 * math.prod(shape))
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype=np.float32).reshape(shape)
