"""Corrections of the word under the cursor, ranked among the words that finish it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.initials import Initials
from idiolect.adapters.memory.letter_case import (
    BEGINS,
    as_written,
    fold,
    in_one_form,
    is_capitalized,
    with_capitals,
)
from idiolect.adapters.memory.word_matching import Matches, least_letter_prob
from idiolect.adapters.prediction.autocorrection import MAX_LETTERS, Autocorrection
from idiolect.adapters.prediction.cursor import CursorReader, SplitPrefix
from idiolect.adapters.prediction.meant_words import DOUBT, KNOWN_COST, MeantWords, Misspelling
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import WordRanker
from idiolect.adapters.prediction.suggestion import Word
from idiolect.models.misspellings import are_regional_twins
from idiolect.models.tokenizer import Tokenizer

_MIN_LETTERS: Final = 2  # of a word that is mended; of one anything may be meant
_MIN_OFFERED: Final = 0.15  # probability of a correction of what begins with a capital
# Probability of what is typed, by what stands before it, from which on no mistake is likelier: a slip costs 4.5 nats,
# and a search as much as all the rest of a keystroke.
_PLAUSIBLE: Final = 0.004
# Probability of the least likely letter by those before it, from which on there was no slip.
_PLAUSIBLE_LETTER: Final = 0.05
# Where what is typed begins no known word, the share of a guess at an unknown one that is left beside corrections:
# more words are mistyped than new.
_GUESSED: Final = 0.05
_MIN_NAME: Final = 0.02  # probability of a name that is offered behind small letters
_INITIALS_SHARE: Final = 0.05  # of a phrase's uses, in which its initials are typed
_LIKELY: Final = 8  # words that typing on makes, whose other spelling is not offered


class Mender:
    """Offers corrections. For one thread at a time.

    Args:
        tokenizer: the model's.
        reader: splits prefixes.
        ranker: ranks the words that finish the one under the cursor.
        next_token: next-token distributions.
        meant: finds what may have been meant.

    Attributes:
        autocorrection: mends words that have just ended.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        reader: CursorReader,
        ranker: WordRanker,
        next_token: NextTokenModel,
        meant: MeantWords,
    ) -> None:
        self._tokenizer, self._ranker, self._next_token = tokenizer, ranker, next_token
        self._meant_words, self._user_model, self._general = meant, meant.user_model, meant.general
        self._initials = Initials(meant.user_model.memory, tokenizer)
        self.autocorrection = Autocorrection(reader, next_token, meant)

    def words(
        self,
        prefix: str,
        split: SplitPrefix,
        matches: Matches,
        ranked: Sequence[Word],
        count: int,
        *,
        is_known: bool = True,
    ) -> list[Word]:
        """Return ``ranked``, the words that finish the one under the cursor, with corrections among them.

        Args:
            prefix: the text before the cursor.
            split: the same, split.
            matches: the words that begin as typed.
            ranked: the same, as they are offered.
            count: the most words to return.
            is_known: False in a language that is not known, where only what the user decided is mended.
        """
        typed = split.typed
        if not typed or len(typed) > MAX_LETTERS or any(map(str.isnumeric, typed)):
            return [*ranked]
        decided = self._user_model.preferences.corrections
        if (put := decided.replaced.get(fold(typed))) is not None:
            return [Word(with_capitals(put, typed), 1.0, len(typed)), *ranked][:count]
        if fold(typed) in decided.kept or not is_known:
            return [*ranked]
        joined = self._meant_words.joined(prefix[: len(prefix) - len(typed)], typed)
        probs = self._next_token.next_probs(split.head)
        known = self._meant_words.known(typed)
        may_be_slip = known.listed or self._may_be_slip(split, matches, probs)
        names = self._names(split, matches)
        if joined is None and not may_be_slip and not names:
            return [*ranked]
        found = [*ranked]
        if may_be_slip:
            before = prefix[: len(prefix) - len(typed)]
            found = self._with_meant(before, split, matches, ranked, probs, known)
        if names:
            found = self._with_names(split, matches, found, names)
        if joined is not None:
            found.append(Word(joined.text, joined.score, joined.replaced))
        if is_capitalized(typed) and not known.listed and BEGINS.search(prefix[: len(prefix) - len(typed)]):
            # It may be a name, or the first word of another language.
            found = [word for word in found if not word.replace or word.p >= _MIN_OFFERED]
        found = in_one_form(sorted(found, key=lambda word: -word.p), typed)
        guard = cache(lambda replaced: self._user_model.guard(prefix[: len(prefix) - replaced]))
        shown = (word for word in found if not word.replace or not guard(word.replace)(word.text))
        return list(islice(shown, count))

    def _names(self, split: SplitPrefix, matches: Matches) -> list[tuple[str, float]]:
        """Return names that begin as typed but for their capital, with scores as in :class:`Matches`; [] if none may
        be offered."""
        times = math.exp(-self._meant_words.channel.costs.capital_missing)
        names = [(form, times * score) for form, score in self._ranker.names(split)]
        if not names or names[0][1] < _MIN_NAME * self._ranker.total_score(split, matches):
            return []
        return names

    def _with_names(
        self, split: SplitPrefix, matches: Matches, ranked: Sequence[Word], names: list[tuple[str, float]]
    ) -> list[Word]:
        """Return ``ranked`` and names with their capital, those of them that are likely."""
        there = {word.text for word in ranked if word.replace}
        names = [(form, score) for form, score in names if form not in there]
        known = self._ranker.total_score(split, matches)
        total = max(known + sum(score for _, score in names), 1e-30)
        found = [replace(word, p=word.p * known / total) for word in ranked]
        likely = [(form, score / total) for form, score in names if score >= _MIN_NAME * total]
        return found + [Word(form, p, len(split.typed)) for form, p in likely]

    def _may_be_slip(self, split: SplitPrefix, matches: Matches, probs: NDArray[np.float32]) -> bool:
        """Return False where no correction of the word under the cursor can be likelier than what is typed."""
        if len(split.typed) < _MIN_LETTERS or matches.total + matches.finished >= _PLAUSIBLE:
            return False
        words = self._user_model.words
        return least_letter_prob(words, split.typed, split.spaced, probs) < _PLAUSIBLE_LETTER

    def _with_meant(
        self,
        before: str,
        split: SplitPrefix,
        matches: Matches,
        ranked: Sequence[Word],
        probs: NDArray[np.float32],
        known: Misspelling,
    ) -> list[Word]:
        """Return ``ranked`` and what may have been meant instead, with what is left to each of the probability."""
        total = self._ranker.total_score(split, matches)
        if known.listed:  # then it is no word that nobody knows
            total -= (1 - DOUBT) * matches.unknown
        if not matches.forms and not matches.finished:
            total *= _GUESSED
        left = total
        if matches.finished and not self._general.is_spelt(split.typed):
            total -= (1 - DOUBT) * matches.finished
        meant = self._meant(before, split, matches, probs, known) + self._phrases(split, probs, total)
        total = max(total + sum(score for _, _, score in meant), 1e-30)
        found = [replace(word, p=word.p * left / total) for word in ranked]
        return found + [Word(text, score / total, replaced) for text, replaced, score in meant]

    def _phrases(
        self, split: SplitPrefix, probs: NDArray[np.float32], total: float
    ) -> list[tuple[str, int, float]]:
        """Return phrases of the user's with these initials, as :meth:`_meant`, that are likelier than ``total``."""
        found = list[tuple[str, int, float]]()
        if _INITIALS_SHARE * self._initials.first_word_prob(split.typed, probs, spaced=split.spaced) < total:
            return found  # none can be: the memory need not be searched
        for text in self._initials.phrases(split.typed):
            first, *others = self._tokenizer.encode(" " * split.spaced + text)
            ids, score = [*split.head, first], float(probs[first]) * _INITIALS_SHARE
            for token in others:
                score *= self._user_model.memory.token_prob(self._next_token.predict(ids), token)
                ids.append(token)
            if score >= total:
                found.append((text, len(split.typed), score))
        return found

    def _meant(
        self,
        before: str,
        split: SplitPrefix,
        matches: Matches,
        probs: NDArray[np.float32],
        known: Misspelling,
    ) -> list[tuple[str, int, float]]:
        """Return what may have been meant by the word under the cursor: text, characters replaced, score.

        It may also be two words without their space, unless what is typed is likely to be one.
        """
        typed = split.typed
        candidates = []
        if len(typed) >= _MIN_LETTERS:
            candidates = self._meant_words.candidates(before, split, probs, known, finished=False)
            likely = [form.lower() for form in matches.forms[:_LIKELY]]
            candidates = [
                candidate
                for candidate in candidates
                if not any(are_regional_twins(form, fold(candidate.text)) for form in likely)
            ]
        meant = [(candidate.text, len(typed), candidate.score) for candidate in candidates]
        if known.meant is not None and all(fold(text) != known.meant for text, _, _ in meant):
            score = self._meant_words.score(known.meant, split, probs) * math.exp(-KNOWN_COST)
            meant.append((with_capitals(as_written(known.meant), typed), len(typed), score))
        elif matches.finished < _MIN_OFFERED * self._ranker.total_score(split, matches):
            meant += [(it.text, it.replaced, it.score) for it in self._meant_words.spaced(split, probs)[:1]]
        return meant
