"""The fast memory: n-grams over the user's own tokens, learned at once, looked up in microseconds.

Counts are never stored. Every token of the history is filed under its context, the ``ORDER`` tokens
before it packed into one 64-bit key, nearest token first; all occurrences of a context of any order
are then one run of the sorted keys, found by binary search. Ten bytes a token. New entries go
into small sorted segments that are merged as they grow (a log-structured merge, O'Neil et al. 1996).

Probabilities are interpolated Witten-Bell (Witten & Bell 1991; Chen & Goodman 1999, eq. 15):
``p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h))``, with T(h) the distinct tokens seen after h
and h' the context without its farthest token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ORDER = 4
"""Tokens of context: 16 bits each make one 64-bit key."""

_GROWTH = 4  # a segment is merged into the one before it once it is a fourth of its size
_HEAVY = 20_000  # from here on, a run's counts are kept instead of counted again
_START = 0  # fills the context before an entry's first token; the vocabulary's document mark


@dataclass(frozen=True)
class Prediction:
    """What the memory expects next, as a sparse distribution over tokens.

    ``p[i]`` belongs to token ``ids[i]`` (ascending); ``backoff`` is the mass left to the unigram
    distribution, so that ``p.sum() + backoff == 1``. ``order`` is the longest context found and
    ``total`` how often it was seen.
    """

    ids: NDArray[np.intp]
    p: NDArray[np.float32]
    backoff: float
    order: int
    total: int


class _Segment:
    """Tokens sorted by context: ``keys`` ascending, ``following[i]`` the token seen after ``keys[i]``."""

    def __init__(self, keys: NDArray[np.uint64], following: NDArray[np.uint16]) -> None:
        order = np.argsort(keys, kind="stable")
        self.keys, self.following = keys[order], following[order]
        self._heavy: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]] = {}

    def counts(self, low: int, high: int, vocab: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Distinct tokens of a run, ascending, and how often each occurs."""
        size = high - low
        if size < _HEAVY:
            return _count(self.following[low:high], vocab)
        if (low, high) not in self._heavy:
            self._heavy[low, high] = _count(self.following[low:high], vocab)
        return self._heavy[low, high]


class FastMemory:
    """Interpolated n-grams up to :data:`ORDER` + 1 tokens, updated entry by entry.

    Args:
        vocab: tokens in the vocabulary, at most 65,536.
    """

    def __init__(self, vocab: int) -> None:
        self.vocab = vocab
        self.tokens = 0
        self._unigrams = np.zeros(vocab, dtype=np.float32)
        self._segments: list[_Segment] = []

    def add(self, ids: Sequence[int]) -> None:
        """Learn one entry."""
        self.add_many([ids])

    def add_many(self, entries: Iterable[Sequence[int] | NDArray[np.integer]]) -> None:
        """Learn many entries at once; contexts do not reach across entries."""
        arrays = [np.asarray(ids, dtype=np.uint64) for ids in entries if len(ids)]
        if not arrays:
            return
        keys = np.concatenate([_keys(ids) for ids in arrays])
        following = np.concatenate(arrays).astype(np.uint16)
        np.add.at(self._unigrams, following, 1)
        segment = _Segment(keys, following)
        # A reader in another thread sees the old list or the new one, never one in between.
        segments = list(self._segments)
        while segments and len(segments[-1].keys) < _GROWTH * len(segment.keys):
            last = segments.pop()
            segment = _Segment(
                np.concatenate([last.keys, segment.keys]), np.concatenate([last.following, segment.following])
            )
        self._segments = [*segments, segment]
        self.tokens += len(following)  # last: it tells a reader that what it knew is out of date

    def unigrams(self) -> NDArray[np.float32]:
        """The distribution (vocab,) of single tokens; all zero while nothing is known."""
        return self._unigrams / np.float32(max(self.tokens, 1))

    def unigram(self, token: int) -> float:
        """The share of one token in all that is known."""
        return float(self._unigrams[token]) / max(self.tokens, 1)

    def predict(self, context: Sequence[int]) -> Prediction:
        """What follows ``context``, the tokens of the entry so far (only the last :data:`ORDER` matter)."""
        ids, p = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32)
        backoff, order, total = 1.0, 0, 0
        bounds = _bounds(context)
        found = [(segment, np.searchsorted(segment.keys, bounds)) for segment in self._segments]
        for length in range(1, ORDER + 1):
            runs = [(segment, int(at[2 * length - 2]), int(at[2 * length - 1])) for segment, at in found]
            parts = [segment.counts(low, high, self.vocab) for segment, low, high in runs if high > low]
            if not parts:
                break
            tokens, counts = parts[0] if len(parts) == 1 else _merge(parts)
            order, total = length, int(counts.sum())
            scale = 1.0 / (total + len(tokens))
            if length == 1:
                ids, p = tokens, (counts * scale).astype(np.float32)
            else:
                p = p * np.float32(len(tokens) * scale)
                p[np.searchsorted(ids, tokens)] += (counts * scale).astype(np.float32)
            backoff *= len(tokens) * scale
        return Prediction(ids, p, backoff, order, total)


def _keys(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The packed context of each token of an entry, nearest token in the highest bits."""
    padded = np.concatenate([np.full(ORDER, _START, dtype=np.uint64), ids])
    keys = np.zeros(len(ids), dtype=np.uint64)
    for distance in range(1, ORDER + 1):
        nearest = padded[ORDER - distance : len(padded) - distance]
        keys |= nearest << np.uint64(16 * (ORDER - distance))
    return keys


def _bounds(context: Sequence[int]) -> NDArray[np.uint64]:
    """For each order 1, 2, …: the least key of the context's run, and the least one after it."""
    recent = [_START] * ORDER + [int(token) for token in context[-ORDER:]]
    bounds, key = [], 0
    for distance in range(1, ORDER + 1):
        shift = 16 * (ORDER - distance)
        key |= recent[-distance] << shift
        # No context of 65,535s exists (it is beyond any vocabulary that fits), so the top can't overflow.
        bounds += [key, min(key + (1 << shift), 2**64 - 1)]
    return np.array(bounds, dtype=np.uint64)


def _count(tokens: NDArray[np.uint16], vocab: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if len(tokens) < 256:
        few, counts = np.unique(tokens, return_counts=True)
        return few.astype(np.intp), counts
    everything = np.bincount(tokens, minlength=vocab)
    distinct = np.flatnonzero(everything)
    return distinct, everything[distinct]


def _merge(
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    ids = np.concatenate([tokens for tokens, _ in parts])
    distinct, place = np.unique(ids, return_inverse=True)
    counts = np.bincount(place, weights=np.concatenate([counts for _, counts in parts]))
    return distinct, counts.astype(np.intp)
