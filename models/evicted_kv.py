"""Keeps keys and values of texts that left the KV cache, for when their writers go on.

A text leaves the cache when somebody types in another text. Its keys and values take from half a megabyte to twenty.
Taken from a heap they would leave holes, and mapped one by one they would be zeroed anew each time; so they share a
storage of a fixed size.
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

MIN_EVICTED_TOKENS = 8
"""Shorter texts are not kept: they are read again in the time of one token."""
_MAX_AGE_S = 60.0


@dataclass(frozen=True)
class _EvictedText:
    """A text's first place in its token sequence, its tokens' slots in the storage, and the time of its eviction."""

    begins: int
    slots: list[int]
    evicted_at: float


class EvictedKV:
    """Keys and values of evicted texts, for 60 seconds and as long as there is room.

    For one thread at a time.

    Args:
        cache: (..., position, feature), the keys and values of the text that is read now.
        capacity: the most tokens that are kept; memory is taken as it is first used.
    """

    def __init__(self, cache: NDArray[np.float32], capacity: int) -> None:
        self._cache = cache
        self._storage = lazy_zeros((*cache.shape[:-2], capacity, cache.shape[-1])) if capacity else None
        self._free = [*range(capacity)]
        self._texts: OrderedDict[tuple[int, ...], _EvictedText] = OrderedDict()

    def store(self, tokens: Sequence[int], begins: int) -> None:
        """Copy the keys and values of ``tokens[begins:]`` from the cache; the oldest texts make room for them."""
        key, count = tuple(tokens), len(tokens) - begins
        self._drop(key)
        if self._storage is None or count > self._storage.shape[-2]:
            return
        while len(self._free) < count:
            self._drop(next(iter(self._texts)))
        self._free.sort()  # the first slots first, so that where few are used the others never take memory
        slots, self._free = self._free[:count], self._free[count:]
        for source, target, size in _contiguous_runs(range(begins, len(tokens)), slots):
            self._storage[..., target : target + size, :] = self._cache[..., source : source + size, :]
        self._texts[key] = _EvictedText(begins, slots, time.monotonic())

    def restore(self, ids: Sequence[int], cached: int) -> list[int]:
        """Copy back into the cache the evicted text with the longest common prefix with ``ids``.

        Args:
            ids: the tokens that will be read.
            cached: how many of them are in the cache already.

        Returns:
            The tokens in the cache afterwards; none, and no change, where no text has more than ``cached`` in common.
        """
        oldest_kept = time.monotonic() - _MAX_AGE_S
        while self._texts and next(iter(self._texts.values())).evicted_at < oldest_kept:
            self._drop(next(iter(self._texts)))
        whole = tuple(ids)
        common, key = max(
            (
                (common, key)
                for key, text in self._texts.items()
                if text.begins <= cached < (common := common_prefix_length(key, whole, text.begins))
            ),
            key=lambda found: found[0],
            default=(0, ()),
        )
        if self._storage is None or not common:
            return []
        text = self._texts[key]
        for source, target, size in _contiguous_runs(
            text.slots[: common - text.begins], range(text.begins, common)
        ):
            self._cache[..., target : target + size, :] = self._storage[..., source : source + size, :]
        self._drop(key)
        return list(key[:common])

    def evicted_since(self, when: float) -> Iterator[Sequence[int]]:
        """Yield the own tokens of the texts that were evicted after ``when`` (:func:`time.monotonic`), oldest first."""
        return (key[text.begins :] for key, text in self._texts.items() if text.evicted_at > when)

    def forget_text(self, whole: bytes) -> None:
        """Drop the texts that are contained in this one, see :func:`is_contained`."""
        for key in [key for key, text in self._texts.items() if is_contained(key[text.begins :], whole)]:
            self._drop(key)

    def clear(self) -> None:
        """Drop all texts."""
        for key in [*self._texts]:
            self._drop(key)

    def _drop(self, key: tuple[int, ...]) -> None:
        text = self._texts.pop(key, None)
        if text is not None:
            self._free.extend(text.slots)


def _contiguous_runs(sources: Sequence[int], targets: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (first source, first target, length) of each run in which both are contiguous."""
    start = 0
    for at in range(1, len(sources) + 1):
        if at == len(sources) or sources[at] != sources[at - 1] + 1 or targets[at] != targets[at - 1] + 1:
            yield sources[start], targets[start], at - start
            start = at


def common_prefix_length(tokens: Sequence[int], others: Sequence[int], first: int = 0) -> int:
    """Return how many tokens both begin with; 0 unless the ``first`` tokens are the same, which is quicker to see."""
    if first and tokens[:first] != others[:first]:
        return 0
    for place in range(first, min(len(tokens), len(others))):
        if tokens[place] != others[place]:
            return place
    return min(len(tokens), len(others))


def is_contained(own: Sequence[int], whole: bytes) -> bool:
    """Return True if the start of a text occurs in ``whole``, int64 tokens as bytes.

    The first two tokens are not compared: they differ where a long text was cut.
    """
    start = np.asarray(own[2 : 2 + MIN_EVICTED_TOKENS], np.int64).tobytes()
    return len(own) >= MIN_EVICTED_TOKENS and start in whole


def lazy_zeros(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return zeros that take memory only where they are written.

    A KV cache is rarely full. Huge pages are turned off, since they would fill it.
    """
    pages = mmap.mmap(-1, 4 * math.prod(shape))
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype=np.float32).reshape(shape)
