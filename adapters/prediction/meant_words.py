"""What may have been meant by a typed word: a list of misspellings, and a search among all words.

Both the word under the cursor and the word that just ended are mended so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.letter_case import BEGINS, as_written, fold, is_capitalized
from idiolect.adapters.memory.word_matching import score_word
from idiolect.adapters.mending.corrections import Candidate, Corrector
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.keyboards import ROWS
from idiolect.adapters.mending.spacing import Respaced, contraction_of, joined_words, spaced_words
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.cursor import SplitPrefix
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.misspellings import are_regional_twins

KNOWN_COST: Final = 2.5
"""Nats that a known misspelling costs."""
DOUBT: Final = 0.05
"""What a word counts for that the general list has and no dictionary."""
_OWN_TIMES, _OWN_WORDS = (
    2,
    1e5,
)  # that the user wrote a word, and words of theirs, about as many as are learned
_HABIT: Final = 3  # times that the user typed what others misspell


@dataclass(frozen=True)
class Misspelling:
    """Whether a word is a listed misspelling, and what is meant by it whatever the context, in lower case."""

    listed: bool
    meant: str | None


class MeantWords:
    """Finds what may have been meant. For one thread at a time.

    Args:
        user_model: the user's words.
        general: the general words.
        channel: what mistakes cost.
    """

    def __init__(self, user_model: UserModel, general: GeneralWords, channel: TypingChannel) -> None:
        self.user_model = user_model
        self.general = general
        self.channel = channel
        self._corrector = Corrector(user_model.words, general, channel)

    def forget_typed(self) -> None:
        """Forget which words were looked at."""
        self._corrector.forget_typed()

    def known(self, typed: str) -> Misspelling:
        """Return what a list of misspellings says of a word."""
        folded = fold(typed)
        meant = self.general.meant_by(folded)
        listed = meant or contraction_of(folded)
        if listed is not None and self._is_habit(typed, listed):
            return Misspelling(False, None)
        return Misspelling(listed is not None or bool(self.general.meanings(folded)), meant)

    def _is_habit(self, typed: str, meant: str) -> bool:
        """Return True if the user writes a word as others misspell it: "dont", "im"; or if it is somebody's name."""
        words = self.user_model.words
        if is_capitalized(typed) and words.count_form(typed) > words.count(meant):
            return True
        return words.count(typed) >= max(_HABIT, words.count(meant))

    def score(self, meant: str, split: SplitPrefix, probs: NDArray[np.float32]) -> float:
        """Return how likely one or two words in lower case are at this place, as in :class:`Matches`."""
        first, *others = meant.split()
        score = score_word(self.user_model.words, as_written(first), split.spaced, probs)
        return score * math.prod(self.general.common.get(word, 0.0) for word in others)

    def spaced(self, split: SplitPrefix, probs: NDArray[np.float32]) -> list[Respaced]:
        """Return words that may have been meant where a space was not hit, or a key above it was."""
        words = self.user_model.words
        return spaced_words(
            split.typed,
            lambda word: score_word(words, word, split.spaced, probs),
            self.uses,
            self.channel.costs,
            ROWS[self.channel.layout][-1],
        )

    def joined(self, before: str, typed: str) -> Respaced | None:
        """Return the words that ``typed`` and the run of letters before it make, where their space is out of place."""
        return joined_words(
            before, typed, self.general.common, self.channel.costs, ROWS[self.channel.layout][-1]
        )

    def uses(self, word: str) -> float:
        """Return how often a common word, or one that the user wrote twice, is used, per word of text; else 0."""
        often = self.general.common.get(fold(word), 0.0)
        if often or (times := self.user_model.words.count(word)) < _OWN_TIMES:
            return often
        return times / _OWN_WORDS

    def candidates(
        self,
        before: str,
        split: SplitPrefix,
        probs: NDArray[np.float32],
        known: Misspelling,
        *,
        finished: bool,
    ) -> list[Candidate]:
        """Return what may have been meant, the likeliest first: no other spelling of a word, and for a name a name."""
        typed, general, words = split.typed, self.general, self.user_model.words
        found = self._corrector.candidates(typed, split.spaced, probs, finished=finished)
        if known.meant is not None:  # people write so more often than a slip of the hand explains
            costs = [candidate.cost for candidate in found if fold(candidate.text) == known.meant]
            times = math.exp(max(0.0, min(costs, default=0.0) - KNOWN_COST))
            found = [
                replace(candidate, score=candidate.score * times)
                if fold(candidate.text) == known.meant
                else candidate
                for candidate in found
            ]
            found.sort(key=lambda candidate: -candidate.score)
        elif is_capitalized(typed) and not BEGINS.search(before):
            found = [
                candidate
                for candidate in found
                if candidate.cost <= self.channel.costs.missing_apostrophe
                or general.is_name(candidate.text)
                or words.count_form(candidate.text)
            ]
        if found and general.is_spelt(typed):
            found = [
                candidate for candidate in found if not are_regional_twins(fold(typed), fold(candidate.text))
            ]
        return found
