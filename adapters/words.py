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
        # The user's own words that the lexicon lacks, sorted, with their weight and first tokens
        self._own: list[str] = []
        self._facts: dict[str, tuple[float, int, int]] = {}

    def learn(self, text: str) -> None:
        """Count the words of an entry."""
        self.learn_many([text])

    def learn_many(self, texts: Iterable[str]) -> None:
        """Count the words of many entries at once."""
        for form, times in Counter(form for text in texts for form in WORD.findall(text)).items():
            if len(form) <= _LONGEST:
                self._count(form, times)

    def _count(self, form: str, times: int) -> None:
        raw = form.encode()
        place = int(np.searchsorted(self._forms, raw))
        if place < len(self._forms) and self._forms[place] == raw:
            self._weights[place] += times
            alone, spaced = self._first[:, place]
        elif form in self._facts:
            weight, alone, spaced = self._facts[form]
            self._facts[form] = (weight + times, alone, spaced)
        else:
            alone, spaced = self._encode(form)[0], self._encode(" " + form)[0]
            self._facts[form] = (float(times), alone, spaced)
            bisect.insort(self._own, form)  # last: a reader in another thread looks its facts up
        self._total[0, alone] += times
        self._total[1, spaced] += times

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
        best = np.argpartition(scores, -most)[-most:] if len(scores) > most else np.arange(len(scores))
        found = [(float(scores[i]), self._forms[low + i].decode()) for i in best if scores[i] > 0]
        own = self._own_matches(typed, row, p)
        mass += sum(score for score, _ in own)
        found = sorted(found + own, reverse=True)[:most]
        return Matches([form for _, form in found], np.array([score for score, _ in found], np.float32), mass)

    def _own_matches(self, typed: str, row: int, p: NDArray[np.float32]) -> list[tuple[float, str]]:
        start = bisect.bisect_left(self._own, typed)
        end = bisect.bisect_left(self._own, typed + "\U0010ffff") if typed else len(self._own)
        found = []
        for form in self._own[start:end]:
            weight, *firsts = self._facts[form]
            if form != typed:
                token = firsts[row]
                found.append((float(p[token] * weight / self._total[row, token]), form))
        return found
