"""The words that can be suggested: general English, and every word the user has typed, capitals as typed."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.models.lexicon import Lexicon

WORD = regex.compile(r"[\p{L}\p{N}'’]+")
"""A word: a run of letters, digits and apostrophes, as keystroke savings count them."""

_GENERAL_WORDS = 50_000.0  # how many words of the user's own text the general frequencies count for
_LONGEST = 40  # characters; longer runs are not words that anyone wants offered


@dataclass(frozen=True)
class Matches:
    """Words that begin with what is typed: ``scores[i]``, unnormalized, belongs to ``forms[i]``."""

    forms: list[str]
    scores: NDArray[np.float32]
    mass: float  # of all matching words, also those beyond the ones listed


class Words:
    """Word forms with weights, each filed by the token that begins it, alone and after a space.

    Args:
        lexicon: general words.
        encode: text to token ids.
        vocab: tokens in the vocabulary.
    """

    def __init__(self, lexicon: Lexicon, encode: Callable[[str], list[int]], vocab: int) -> None:
        self._forms = lexicon.forms
        self._first = lexicon.first
        self._encode = encode
        self._weights = lexicon.frequency * np.float32(_GENERAL_WORDS)
        # Weight of all words that begin with a token: (alone or after a space, vocab)
        self._total = np.stack([np.bincount(row, self._weights, vocab) for row in lexicon.first]).astype(
            np.float32
        )
        self._own = _Own([], np.zeros(0, np.float32), np.zeros((2, 0), np.int32))

    def learn(self, text: str) -> None:
        """Count the words of an entry."""
        self.learn_many([text])

    def learn_many(self, texts: Iterable[str]) -> None:
        """Count the words of many entries at once."""
        counted = Counter(form for text in texts for form in WORD.findall(text) if len(form) <= _LONGEST)
        new = {}
        for form, times in counted.items():
            first = self._count(form, times)
            if first is None:
                new[form] = times
            else:
                self._total[(0, 1), first] += times
        if new:
            forms = sorted(new)
            first = np.array(
                [[self._encode(space + form)[0] for form in forms] for space in ("", " ")], np.int32
            )
            weights = np.array([new[form] for form in forms], np.float32)
            self._own = self._own.grown(forms, weights, first)
            for row in (0, 1):
                np.add.at(self._total[row], first[row], weights)

    def _count(self, form: str, times: int) -> NDArray[np.int32] | None:
        """Count a word that is known, and return the tokens that begin it, alone and after a space."""
        raw = form.encode()
        place = int(np.searchsorted(self._forms, raw))
        if place < len(self._forms) and self._forms[place] == raw:
            self._weights[place] += times
            return self._first[:, place]
        place = self._own.place(form)
        if place < len(self._own.forms) and self._own.forms[place] == form:
            self._own.weights[place] += times
            return self._own.first[:, place]
        return None

    def match(self, typed: str, spaced: bool, p: NDArray[np.float32], most: int) -> Matches:
        """The likeliest words that begin with ``typed`` and are longer.

        A word's score is its first token's probability, ``p`` (vocab,), times its share among the
        words that begin with that token.
        """
        raw, row = typed.encode(), int(spaced)
        low = int(np.searchsorted(self._forms, raw))
        high = int(np.searchsorted(self._forms, raw + b"\xff" * 8)) if raw else len(self._forms)
        first = self._first[row, low:high]
        scores = p[first] * self._weights[low:high] / self._total[row, first]
        exact = low < high and self._forms[low] == raw
        if exact:
            scores[0] = 0
        mass = float(scores.sum())
        own = self._own  # one look: another thread may put a grown one in its place
        start = bisect.bisect_left(own.forms, typed)
        end = bisect.bisect_left(own.forms, typed + "\U0010ffff") if typed else len(own.forms)
        token = own.first[row, start:end]
        own_scores = p[token] * own.weights[start:end] / self._total[row, token]
        if start < end and own.forms[start] == typed:
            own_scores[0] = 0
        mass += float(own_scores.sum())
        found = [(float(scores[i]), self._forms[low + i].decode()) for i in _best(scores, most)]
        found += [(float(own_scores[i]), own.forms[start + i]) for i in _best(own_scores, most)]
        found = sorted(found, reverse=True)[:most]
        return Matches([form for _, form in found], np.array([score for score, _ in found], np.float32), mass)


@dataclass(frozen=True)
class _Own:
    """The user's words that the lexicon lacks, sorted; replaced as a whole when it grows."""

    forms: list[str]
    weights: NDArray[np.float32]
    first: NDArray[np.int32]  # (2, N), as in the lexicon

    def place(self, form: str) -> int:
        return bisect.bisect_left(self.forms, form)

    def grown(self, new: list[str], weights: NDArray[np.float32], first: NDArray[np.int32]) -> _Own:
        places = [self.place(form) for form in new]
        return _Own(
            sorted(self.forms + new),
            np.insert(self.weights, places, weights),
            np.insert(self.first, places, first, axis=1),
        )


def _best(scores: NDArray[np.float32], most: int) -> list[int]:
    """The places of the highest scores above zero."""
    places = np.argpartition(scores, -most)[-most:] if len(scores) > most else np.arange(len(scores))
    return [int(place) for place in places if scores[place] > 0]
