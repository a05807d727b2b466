"""What comes behind a ghost's first word: further words, each with its own probability.

The n-gram memory drafts them and one forward pass verifies the draft. A word is the product of its tokens'
probabilities, times the probability that it ends there. The tail ends with its sentence or clause. It never recites a
passage that was written once: a word that only one place of the user's text foretells must be the model's own choice
too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import regex

from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.answered import Answered
from idiolect.adapters.prediction.next_token import DraftedToken, NextTokenModel
from idiolect.adapters.prediction.ranking import SplitPrefix, WordRanker
from idiolect.adapters.vocabulary import WORD
from idiolect.models.tokenizer import Tokenizer

MIN_TOKEN_PROB = 0.35
"""Of each token of a draft."""

_MIN_OWN_PROB = 0.2  # of the model's own, for a token that the memory has seen there once
_RUN_TOKENS = 40  # before a ghost, in which it is seen whether it goes on with what is answered
_KEPT = 64  # beginnings of which the further words are remembered, while the ghost is typed into
_IN_WORD = regex.compile(r" ?[\p{L}\p{N}'’]|[\ufffd]")


class FurtherWord(NamedTuple):
    """A word behind others, with the space before it; ``p``, as stated, that it comes if those before it did."""

    text: str
    p: float


class GhostTails:
    """Finds the words behind a ghost's first one. For one thread at a time.

    Args:
        next_token: next-token distributions.
        ranker: ranks whole words where the draft ends.
        tokenizer: of the model.
        memory: what is found holds until it grows.
    """

    def __init__(
        self, next_token: NextTokenModel, ranker: WordRanker, tokenizer: Tokenizer, memory: FastMemory
    ) -> None:
        self._next_token = next_token
        self._ranker = ranker
        self._tokenizer = tokenizer
        self._memory = memory
        self._memory_tokens = -1  # of the memory when the next were found
        self._answered: Answered | None = None
        self._found: dict[tuple[int, ...], list[FurtherWord]] = {}

    def further_words(self, ids: list[int]) -> list[FurtherWord]:
        """Return the likeliest words behind ``ids``, as far as one pass tells, to the end of the clause."""
        size = self._memory.tokens
        if size != self._memory_tokens:
            self._memory_tokens = size
            self._found.clear()
        key = tuple(ids)
        if key not in self._found:
            if len(self._found) >= _KEPT:
                self._found.clear()
            self._found[key] = self._unless_recited(ids, self._find(ids))
        return self._found[key]

    def answer(self, answered: Answered | None) -> None:
        """From now on recite no whole sentence of what the user answers; forget the words that were found."""
        self._answered = answered
        self.forget()

    def forget(self) -> None:
        """Forget the words that were found."""
        self._found.clear()

    def _unless_recited(self, ids: list[int], words: list[FurtherWord]) -> list[FurtherWord]:
        """Return the words up to the first one that goes on too long with what is answered."""
        if self._answered is None or not words:
            return words
        before = WORD.findall(self._tokenizer.decode(ids[-_RUN_TOKENS:]))
        for place, word in enumerate(words):
            before += WORD.findall(word.text)
            if self._answered.recites(before):
                return words[:place]
        return words

    def _find(self, ids: list[int]) -> list[FurtherWord]:
        drafted = self._next_token.verified_draft(ids, MIN_TOKEN_PROB, self._may_follow, force_pass=True)
        words = list[FurtherWord]()
        if drafted and not self._starts_word(drafted[0]):  # then the word before it goes on
            return words
        end = 0  # tokens in words that are finished
        for start, stop in self._word_spans(drafted):
            tokens = drafted[start:stop]
            ends = tokens[-1].word_ends
            if ends is None:
                break
            if not all(map(_is_supported, tokens)):
                return words
            text = self._tokenizer.decode(token.id for token in tokens)
            words.append(FurtherWord(text, ends * float(np.prod([token.p for token in tokens]))))
            end = stop
        last = self._ranked_word(ids + [token.id for token in drafted[:end]])
        return words if last is None else [*words, last]

    def _ranked_word(self, ids: list[int]) -> FurtherWord | None:
        """Return the likeliest word behind ``ids``, of all that are known, where that needs no pass."""
        probs = self._next_token.cached_probs(ids)
        if probs is None:
            return None
        behind = SplitPrefix(ids, True, "")
        ranked = self._ranker.rank(behind, self._ranker.match(behind, 1))
        if not ranked:
            return None
        text = f" {ranked[0].text}"
        first = self._next_token.judged(ids, self._tokenizer.encode(text)[0], probs)
        return FurtherWord(text, ranked[0].p) if _is_supported(first) else None

    def _may_follow(self, token: int) -> bool:
        """Return True for a token that begins or continues a word: before any other one the clause ends."""
        return bool(_IN_WORD.match(self._tokenizer.token_bytes(token).decode("utf-8", "replace")))

    def _word_spans(self, drafted: Sequence[DraftedToken]) -> Iterator[tuple[int, int]]:
        """Yield [start, end) of each word among the tokens."""
        starts = [place for place, token in enumerate(drafted) if self._starts_word(token)]
        yield from pairwise([*starts, len(drafted)])

    def _starts_word(self, token: DraftedToken) -> bool:
        return self._tokenizer.token_bytes(token.id).startswith(b" ")


def _is_supported(token: DraftedToken) -> bool:
    return token.times_seen > 1 or token.own_p >= _MIN_OWN_PROB
