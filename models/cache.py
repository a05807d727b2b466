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
from itertools import pairwise

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


class Aside:
    """Texts that others took the place of: for :data:`_KEPT_S` seconds, as long as there is room.

    For one thread at a time, and beside it others that call :meth:`since`.

    Args:
        cache: (..., position, feature), as keys and values are kept while a text is read.
        most: the most tokens that there is room for; it takes memory as it is first used.
    """

    def __init__(self, cache: NDArray[np.float32], most: int) -> None:
        self._cache = cache
        self._room = lazy_zeros((*cache.shape[:-2], most, cache.shape[-1])) if most else None
        self._free = [*range(most)]
        self._texts: OrderedDict[tuple[int, ...], _Text] = OrderedDict()

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self._texts)

    def put(self, tokens: Sequence[int], begins: int) -> None:
        """Set aside what is cached of a sequence from ``begins`` on; the oldest texts make room for it."""
        key, count = tuple(tokens), len(tokens) - begins
        self._drop(key)
        if self._room is None or count > self._room.shape[-2]:
            return
        while len(self._free) < count:
            self._drop(next(iter(self._texts)))
        self._free.sort()  # the first places, so that those further on are never used where few are
        places, self._free = self._free[:count], self._free[count:]
        for at, first, size in _runs(places):
            self._room[..., first : first + size, :] = self._cache[..., begins + at : begins + at + size, :]
        self._texts[key] = _Text(begins, places, time.monotonic())

    def take_back(self, ids: Sequence[int], shared: int) -> list[int]:
        """Bring back into the cache what begins more like ``ids`` than the ``shared`` tokens that are there.

        Returns the tokens that are cached then, none where nothing fits better.
        """
        late = time.monotonic() - _KEPT_S
        while self._texts and next(iter(self._texts.values())).since < late:
            self._drop(next(iter(self._texts)))
        fitting = [
            (common, key)
            for key, text in self._texts.items()
            if text.begins <= shared < (common := common_beginning(key, ids))
        ]
        if not fitting or self._room is None:
            return []
        common, key = max(fitting)
        text = self._texts[key]
        for at, first, size in _runs(text.places[: common - text.begins]):
            place = text.begins + at
            self._cache[..., place : place + size, :] = self._room[..., first : first + size, :]
        self._drop(key)
        return list(key[:common])

    def since(self, when: float) -> Iterator[Sequence[int]]:
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


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Where places (rising) are neighbours: the number of the first, itself, and how many there are."""
    breaks = [at for at in range(1, len(places)) if places[at] != places[at - 1] + 1]
    for start, stop in pairwise([0, *breaks, len(places)]):
        if stop > start:
            yield start, places[start], stop - start


def common_beginning(tokens: Sequence[int], others: Sequence[int]) -> int:
    """How many tokens both begin with."""
    for place, (one, other) in enumerate(zip(tokens, others, strict=False)):
        if one != other:
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
