"""The fast memory: n-grams over the user's own tokens, learned at once, looked up in microseconds.

Every token of the history is filed under the token before it, as one 64-bit number: the farther three tokens of its
context, nearest first, and then itself. All occurrences of a context of any order are then one run of sorted
numbers, and a look-up needs only what is filed under one token: a sorted array, with the counts of every run of more
than ``_HEAVY`` numbers beside it. So no look-up counts more numbers than that, and nothing is left to be merged later.
Eight bytes a token, about twelve with all that is kept beside. Arrays are never changed, only replaced.

Probabilities are interpolated Witten-Bell (Witten & Bell 1991; Chen & Goodman 1999, eq. 15):
``p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h))``, with T(h) the distinct tokens seen after h
and h' the context without its farthest token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.steps import Steps, finish
from idiolect.models.architecture import DOCUMENT

ORDER = 4
"""Tokens of context: the nearest, and three in a number's upper 48 bits."""

# The counts of longer runs are kept; shorter ones are counted anew, in Python, in a few microseconds.
_HEAVY = 64
_BATCH = 1_024  # entries that are laid out together
_PASS = 1 << 19  # tokens that are sorted together
_STEP = 1 << 14  # tokens that are filed in one step
_REBUILT = 64  # what grows by more than one part in so many is counted anew: that costs less by then
# Bits that a length leaves open.
_SPANS = tuple((1 << 16 * (ORDER + 1 - length)) - 1 for length in range(1, ORDER + 1))


@dataclass(frozen=True)
class Prediction:
    """What the memory expects next, as a sparse distribution over tokens.

    Attributes:
        ids: (N,) ascending token ids.
        p: (N,) their probabilities.
        backoff: the mass left to the unigram distribution, so that ``p.sum() + backoff == 1``.
        order: length of the longest context found, in tokens.
        total: how often that context was seen.
    """

    ids: NDArray[np.intp]
    p: NDArray[np.float32]
    backoff: float
    order: int
    total: int


class _Counts(NamedTuple):
    """How often each token follows a context: ``counts[i]`` times ``ids[i]`` (ascending), ``total`` in all.

    The counts are exact up to 16.7 million, and need no conversion in a look-up.
    """

    ids: NDArray[np.uint16]
    counts: NDArray[np.float32]
    total: int

    @classmethod
    def of(cls, tokens: NDArray[np.uint16]) -> _Counts:
        ordered = tokens.copy()
        ordered.sort(kind="stable")  # for 16 bits this is a radix sort
        edges = _edges(ordered)
        return cls(ordered[edges[:-1]], (edges[1:] - edges[:-1]).astype(np.float32), len(ordered))

    def plus(self, token: np.uint16) -> _Counts:
        """Return the counts with one token more."""
        at = self.ids.searchsorted(token)
        if at < len(self.ids) and self.ids[at] == token:
            counts = self.counts.copy()
            counts[at] += 1
            return _Counts(self.ids, counts, self.total + 1)
        ids = np.concatenate((self.ids[:at], (token,), self.ids[at:]), dtype=np.uint16)
        counts = np.concatenate((self.counts[:at], (1,), self.counts[at:]), dtype=np.float32)
        return _Counts(ids, counts, self.total + 1)


class _Counted(NamedTuple):
    """All that followed a frequent token: its numbers in order, and the counts of every run longer than ``_HEAVY``.

    ``heavy`` is by the length of a run's context and by the greatest number that the run could hold.
    """

    values: NDArray[np.uint64]
    heavy: dict[tuple[int, int], _Counts]

    @classmethod
    def of(cls, values: NDArray[np.uint64]) -> _Counted:
        heavy = {(1, _SPANS[0]): _Counts.of(values.astype(np.uint16))}
        for length, span in enumerate(_SPANS[1:], 2):
            lasts = values | np.uint64(span)
            edges = _edges(lasts)
            for run in (edges[1:] - edges[:-1] > _HEAVY).nonzero()[0].tolist():
                tokens = values[edges[run] : edges[run + 1]].astype(np.uint16)
                heavy[length, int(lasts[edges[run]])] = _Counts.of(tokens)
        return cls(values, heavy)

    def grown(self, new: NDArray[np.uint64]) -> _Counted:
        """Return the same with more numbers, ``new``, in order."""
        values = _merged(self.values, new)
        if _REBUILT * len(new) > len(values):
            return _Counted.of(values)
        heavy = dict(self.heavy)
        for value in new.tolist():
            token = np.uint16(value & 0xFFFF)
            for length, span in enumerate(_SPANS, 1):
                key = length, value | span
                if key in self.heavy:
                    heavy[key] = heavy[key].plus(token)
                elif key not in heavy:
                    low, high = value & ~span, value | span
                    run = values[
                        values.searchsorted(np.uint64(low)) : values.searchsorted(np.uint64(high), "right")
                    ]
                    if len(run) <= _HEAVY:
                        break
                    heavy[key] = _Counts.of(run.astype(np.uint16))
        return _Counted(values, heavy)


class FastMemory:
    """Interpolated n-grams up to :data:`ORDER` + 1 tokens, updated entry by entry.

    Args:
        vocab: tokens in the vocabulary, at most 65,536.
    """

    def __init__(self, vocab: int) -> None:
        self.vocab = vocab
        self.tokens = 0
        self._times = np.zeros(vocab, dtype=np.uint32)
        self._unigrams: NDArray[np.float32] | None = None  # made when they are asked for
        self._after: dict[int, NDArray[np.uint64] | _Counted] = {}

    def add(self, ids: Sequence[int]) -> None:
        """Learn an entry."""
        self.add_many([ids])

    def add_many(self, entries: Iterable[Sequence[int] | NDArray[np.integer]]) -> None:
        """Learn many entries at once; contexts do not reach across entries."""
        finish(self.add_in_steps(entries))

    def add_in_steps(self, entries: Iterable[Sequence[int] | NDArray[np.integer]]) -> Steps[None]:
        """Learn as :meth:`add_many` in short steps. Between them a part is known: nothing is to be looked up yet."""
        text, inside = yield from _laid_out(entries)
        if not inside.any():
            return
        if text[inside].max() >= self.vocab:
            raise IndexError("a token is outside the vocabulary")
        left = _STEP
        for near, values in _filed(text, inside):
            left -= len(values)
            if left <= 0:
                left = _STEP
                yield
            known = self._after.get(near)
            if isinstance(known, _Counted):
                self._after[near] = known.grown(values)
            else:
                values = values.copy() if known is None else _merged(known, values)
                self._after[near] = values if len(values) <= _HEAVY else _Counted.of(values)
        tokens, times = np.unique(text[inside], return_counts=True)
        self._times[tokens] += times.astype(np.uint32)
        self.tokens, self._unigrams = self.tokens + int(inside.sum()), None

    def count_runs(self, sets: Sequence[NDArray[np.bool_]]) -> dict[tuple[int, ...], int]:
        """Return how often runs of two to :data:`ORDER` + 1 tokens were written, each token of the set at its place.

        A set says of each token (1 << 16,) whether it belongs to it.
        """
        *before, near, last = sets
        shifts = [16 * (ORDER - 1 - place) for place in range(len(before))]  # of those before, nearest first
        tokens = [*(self._after.keys() & near.nonzero()[0].tolist())]
        known = [self._after[token] for token in tokens]
        each = [it.values if isinstance(it, _Counted) else it for it in known]
        values = np.concatenate([np.empty(0, np.uint64), *each])
        nearest = np.repeat(np.array(tokens, np.int64), np.array([len(it) for it in each], np.int64))
        for shift, wanted in zip((0, *shifts), (last, *reversed(before)), strict=True):
            kept = wanted[values >> np.uint64(shift) & np.uint64(0xFFFF)]
            values, nearest = values[kept], nearest[kept]
        found = Counter[tuple[int, ...]]()
        for token, value in zip(nearest.tolist(), values.tolist(), strict=True):
            found[*(value >> shift & 0xFFFF for shift in reversed(shifts)), token, value & 0xFFFF] += 1
        return found

    def unigrams(self) -> NDArray[np.float32]:
        """Return the distribution (vocab,) of single tokens, read-only; all zero while nothing is known."""
        if self._unigrams is None:
            self._unigrams = np.multiply(self._times, 1 / max(self.tokens, 1), dtype=np.float32)
            self._unigrams.flags.writeable = False
        return self._unigrams

    def unigram(self, token: int) -> float:
        """Return the share of a token among all tokens learned."""
        return float(self.unigrams()[token])

    def token_prob(self, prediction: Prediction, token: int) -> float:
        """Return a token's probability in a ``prediction`` of this memory, its share of the unigrams included."""
        index = int(np.searchsorted(prediction.ids, token))
        known = index < len(prediction.ids) and prediction.ids[index] == token
        return prediction.backoff * self.unigram(token) + (float(prediction.p[index]) if known else 0.0)

    def predict(self, context: Sequence[int]) -> Prediction:
        """Return what follows ``context``, the tokens of the entry so far; only the last :data:`ORDER` count."""
        recent = [DOCUMENT] * ORDER + [int(token) for token in context[-ORDER:]]
        known = self._after.get(recent[-1])
        if known is None:
            return Prediction(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32), 1.0, 0, 0)
        counts, few = _found(known, recent[-2] << 48 | recent[-3] << 32 | recent[-4] << 16)
        sizes = [(level.total, len(level.ids)) for level in counts]
        sizes += [(len(tokens), len(set(tokens))) for tokens in few]
        weights: list[float] = []  # of one occurrence, for each length of the context
        backoff = 1.0
        for total, distinct in reversed(sizes):
            weights.insert(0, backoff / (total + distinct))
            backoff *= distinct / (total + distinct)
        rare: dict[int, float] = {}
        for tokens, weight in zip(few, weights[len(counts) :], strict=True):
            for token in tokens:
                rare[token] = rare.get(token, 0.0) + weight
        order, total = len(sizes), sizes[-1][0]
        if not counts:
            places = sorted(rare)
            p = np.array([rare[token] for token in places], dtype=np.float32)
            return Prediction(np.array(places, dtype=np.intp), p, backoff, order, total)
        # What follows a longer context follows the shorter one too: added up from the longest to the shortest.
        ids, p = np.array([*rare], dtype=np.uint16), np.array([*rare.values()], dtype=np.float32)
        for level, weight in zip(reversed(counts), reversed(weights[: len(counts)]), strict=True):
            longer, ids, q = ids, level.ids, p
            p = level.counts * np.float32(weight)
            p[_places(ids, longer)] += q
        return Prediction(ids.astype(np.intp), p, backoff, order, total)


def _places(ids: NDArray[np.uint16], some: NDArray[np.uint16]) -> NDArray[np.intp] | slice:
    """Return the indices of ``some`` of the ids."""
    if len(some) == len(ids):
        return slice(None)
    if len(some) < 512 or 8 * len(some) < len(ids):
        return ids.searchsorted(some)
    places = np.empty(1 << 16, dtype=np.intp)  # so many are found faster in a table
    places[ids.astype(np.intp)] = np.arange(len(ids))
    return places[some]


def _found(known: NDArray[np.uint64] | _Counted, value: int) -> tuple[list[_Counts], list[list[int]]]:
    """Return what followed the contexts of each length that are known, the shortest first.

    Frequent contexts have counts; rarer, longer ones have lists of a few tokens.
    """
    counts: list[_Counts] = []
    if isinstance(known, _Counted):
        for length, span in enumerate(_SPANS, 1):
            heavy = known.heavy.get((length, value | span))
            if heavy is None:
                break
            counts.append(heavy)
        known = known.values
    if not (spans := _SPANS[len(counts) :]):
        return counts, []
    lows = known.searchsorted(np.array([value & ~span for span in spans], dtype=np.uint64)).tolist()
    highs = known.searchsorted(np.array([value | span for span in spans], dtype=np.uint64), "right").tolist()
    tokens = known[lows[0] : highs[0]].astype(np.uint16).tolist()
    few = [
        tokens[low - lows[0] : high - lows[0]] for low, high in zip(lows, highs, strict=True) if low < high
    ]
    return counts, few


def _laid_out(
    entries: Iterable[Sequence[int] | NDArray[np.integer]],
) -> Steps[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
    """Return all entries in one array, each with a context of fillers before it, and which places hold their tokens."""
    left = iter(entries)
    texts, insides = [], []
    while batch := [*islice(left, _BATCH)]:
        lengths = np.full((len(batch), 2), ORDER)
        lengths[:, 1] = [len(ids) for ids in batch]
        inside = np.tile([False, True], len(batch)).repeat(lengths.ravel())
        text = np.full(len(inside), DOCUMENT, dtype=np.uint16)
        text[inside] = np.concatenate(batch, dtype=np.uint16, casting="unsafe")
        texts.append(text)
        insides.append(inside)
        if len(batch) == _BATCH:
            yield
    if not texts:
        return np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.bool_)
    return np.concatenate(texts), np.concatenate(insides)


def _filed(text: NDArray[np.uint16], inside: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Yield each token that something followed, with the numbers to file under it, in order."""
    near, follows = text[:-1], inside[1:]
    for first, last in pairwise(_ranges(text)):
        places = np.flatnonzero(follows & (near >= first) & (near < last)) + 1
        if not len(places):
            continue
        values = text[places - 2].astype(np.uint64)
        for back in (3, 4, 0):
            values <<= np.uint64(16)
            values |= text[places - back]
        tokens = text[places - 1]
        order = tokens.argsort(kind="stable")
        tokens, values = tokens[order], values[order]
        for low, high in pairwise(_edges(tokens).tolist()):
            values[low:high].sort()
            yield int(tokens[low]), values[low:high]


def _ranges(text: NDArray[np.uint16]) -> list[int]:
    """Return limits of token ranges that each have about ``_PASS`` places in the text."""
    if len(text) <= _PASS:
        return [0, 1 << 16]
    times = np.zeros(1 << 16, dtype=np.int64)
    for low in range(0, len(text), _PASS):
        times += np.bincount(text[low : low + _PASS], minlength=1 << 16)
    cuts = times.cumsum().searchsorted(np.arange(_PASS, len(text), _PASS)) + 1
    return sorted({0, *cuts.tolist(), 1 << 16})


def _merged(values: NDArray[np.uint64], new: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the numbers of both in order, as each of them is."""
    both = np.concatenate((values, new))
    both.sort(kind="stable")  # which merges two runs in order, and is faster than to insert
    return both


def _edges(values: NDArray[np.unsignedinteger]) -> NDArray[np.intp]:
    """Return where each run of equal values starts, and the end."""
    (inner,) = (values[1:] != values[:-1]).nonzero()
    edges = np.empty(len(inner) + 2, dtype=np.intp)
    edges[0], edges[-1] = 0, len(values)
    np.add(inner, 1, out=edges[1:-1])
    return edges
