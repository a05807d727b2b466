"""Corrections at a cursor.

For the word under it they are ranked among the words that finish it. For the word that just ended there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.prediction.corrections import Candidate, Corrector, fold, with_capitals
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import SplitPrefix, Word, WordRanker
from idiolect.adapters.prediction.spacing import joined_words, split_words
from idiolect.adapters.prediction.spelling import GeneralWords
from idiolect.adapters.prediction.typing_channel import TypingChannel
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.vocabulary import Matches

_MIN_LETTERS, _MAX_LETTERS = 3, 30  # of a word that is mended; of fewer that are typed anything may be meant
# Probability of a correction that is offered for a word that ended, and for a short one, which is like many others.
_MIN_OFFERED, _MIN_OFFERED_SHORT, _SHORT = 0.35, 0.99, 3
# Probability of what is typed, by what stands before it, from which on no mistake is likelier: a slip costs 4.5 nats.
# For a word that goes on less is enough: a search costs as much as all the rest of a keystroke.
_PLAUSIBLE, _PLAUSIBLE_BEGUN = 0.012, 0.004
# Probability of the least likely letter by those before it, from which on there was no slip.
_PLAUSIBLE_LETTER: Final = 0.05
# What is mended without being asked: how much likelier it is than any other word, and for a short one than what is
# typed, its least score, ...
_MIN_SURE_RATIO, _MIN_SHORT_RATIO, _MIN_SURE_SCORE = 20.0, 3.0, 2e-9
# ... the letters that are typed, and how often the user wrote the right word if no dictionary has it.
_MIN_SURE_LETTERS, _MIN_SURE_USES = 4, 3
# Where what is typed begins no known word, the share of a guess at an unknown one that is left beside corrections:
# more words are mistyped than new.
_GUESSED: Final = 0.05
_DOUBT: Final = 0.05  # what a word counts for that the general list has and no dictionary
# A word that just ended: letters, and up to three characters behind them. Searched from the end.
_ENDED = regex.compile(r"(?r)(?<![\p{L}\p{N}'’@/\\_.#-])(\p{L}[\p{L}'’]*)([\s.,;:!?)\]\"”…]{1,3})\Z")
_BEGINS = regex.compile(r"(?r)(?:\A|[.!?…\n:])\s*\Z")  # where a capital shows nothing of a word


@dataclass(frozen=True)
class Correction:
    """What was meant by the word that just ended.

    ``text`` takes the place of the ``replace`` characters before the cursor, which hold the word and what stands
    behind it; ``p`` is its probability; ``sure`` says that it may be put there without being asked for.
    """

    text: str
    replace: int
    p: float
    sure: bool


class Mender:
    """Offers corrections. For one thread at a time.

    Args:
        ranker: splits prefixes, and ranks the words that finish the one under the cursor.
        next_token: next-token distributions.
        user_model: the user's words.
        general: the general words.
        channel: what mistakes cost.
    """

    def __init__(
        self,
        ranker: WordRanker,
        next_token: NextTokenModel,
        user_model: UserModel,
        general: GeneralWords,
        channel: TypingChannel,
    ) -> None:
        self._ranker = ranker
        self._next_token = next_token
        self._user_model = user_model
        self._general = general
        self._channel = channel
        self._corrector = Corrector(user_model.words, general, channel)

    def words(
        self, prefix: str, split: SplitPrefix, matches: Matches, ranked: Sequence[Word], count: int
    ) -> list[Word]:
        """Return ``ranked``, the words that finish the one under the cursor, with corrections among them.

        Args:
            prefix: the text before the cursor.
            split: the same, split.
            matches: the words that begin as typed.
            ranked: the same, as they are offered.
            count: the most words to return.
        """
        typed = split.typed
        if not typed or len(typed) > _MAX_LETTERS or any(map(str.isnumeric, typed)):
            return [*ranked]
        decided = self._user_model.preferences.corrections
        if (put := decided.replaced.get(fold(typed))) is not None:
            return [Word(with_capitals(put, typed), 1.0, len(typed)), *ranked][:count]
        if fold(typed) in decided.kept:
            return [*ranked]
        joined = joined_words(
            prefix[: len(prefix) - len(typed)], typed, self._general.common, self._channel.costs.torn
        )
        probs = self._next_token.next_probs(split.head)
        may_be_slip = self._may_be_slip(split, matches, probs)
        if joined is None and not may_be_slip:
            return [*ranked]
        found = self._with_meant(split, matches, ranked, probs) if may_be_slip else [*ranked]
        if joined is not None:
            found.append(Word(joined.text, joined.score, joined.replaced))
        found.sort(key=lambda word: -word.p)
        must_hide = self._user_model.must_hide
        shown = (
            word
            for word in found
            if not word.replace or not must_hide(prefix[: len(prefix) - word.replace], word.text)
        )
        return list(islice(shown, count))

    def _may_be_slip(self, split: SplitPrefix, matches: Matches, probs: NDArray[np.float32]) -> bool:
        """Return False where no correction of the word under the cursor can be likelier than what is typed."""
        if len(split.typed) < _MIN_LETTERS or matches.total + matches.finished >= _PLAUSIBLE_BEGUN:
            return False
        least = self._user_model.words.least_letter_prob(split.typed, split.spaced, probs)
        return least < _PLAUSIBLE_LETTER

    def _with_meant(
        self, split: SplitPrefix, matches: Matches, ranked: Sequence[Word], probs: NDArray[np.float32]
    ) -> list[Word]:
        """Return ``ranked`` and what may have been meant instead, with what is left to each of the probability."""
        known = self._ranker.total_score(split, matches)
        if ranked and not matches.forms:
            known *= _GUESSED
        spelt = matches.finished == 0 or split.typed in self._general.spelling
        total = known if spelt else known - (1 - _DOUBT) * matches.finished
        meant = self._meant(split, probs, respaced=matches.finished < _MIN_OFFERED * known)
        total = max(total + sum(score for _, _, score in meant), 1e-30)
        found = [replace(word, p=word.p * known / total) for word in ranked]
        return found + [Word(text, score / total, replaced) for text, replaced, score in meant]

    def _meant(
        self, split: SplitPrefix, probs: NDArray[np.float32], *, respaced: bool
    ) -> list[tuple[str, int, float]]:
        """Return what may have been meant by the word under the cursor: text, characters replaced, score.

        With ``respaced`` it may also be two words without their space.
        """
        typed = split.typed
        meant = [
            (candidate.text, len(typed), candidate.score)
            for candidate in self._corrector.candidates(typed, split.spaced, probs)
        ]
        if respaced:
            split_at = split_words(
                typed,
                lambda word: self._user_model.words.score(word, split.spaced, probs),
                self._general.common,
                self._channel.costs.joined,
            )
            if split_at is not None:
                meant.append((split_at.text, split_at.replaced, split_at.score))
        return meant

    def ended(self, prefix: str) -> Correction | None:
        """Return what was probably meant by the word that just ended; None if it was probably meant as it stands."""
        match = _ENDED.search(prefix)
        if match is None or len(match[1]) > _MAX_LETTERS:
            return None
        typed, behind = match[1], match[2]
        split = self._ranker.split(prefix[: match.end(1)])
        if split.typed != typed:
            return None
        decided = self._user_model.preferences.corrections
        if (put := decided.replaced.get(fold(typed))) is not None:
            return Correction(with_capitals(put, typed) + behind, len(typed) + len(behind), 1.0, True)
        if fold(typed) in decided.kept:
            return None
        probs = self._next_token.next_probs(split.head)
        spelt = typed in self._general.spelling
        stands = self._user_model.words.score(typed, split.spaced, probs) * (1.0 if spelt else _DOUBT)
        if stands >= _PLAUSIBLE or (
            self._user_model.words.least_letter_prob(typed, split.spaced, probs, finished=True)
            >= _PLAUSIBLE_LETTER
        ):
            return None
        meant = self._corrector.candidates(typed, split.spaced, probs, finished=True)
        if not meant or self._user_model.must_hide(prefix[: match.start()], meant[0].text):
            return None
        unknown = self._ranker.unknown_score(split)
        doubts = max(stands, unknown)
        stands = stands or unknown
        p = meant[0].score / max(stands + sum(candidate.score for candidate in meant), 1e-30)
        only_capital = meant[0].text.lower() == typed.lower()
        least = _MIN_OFFERED_SHORT if 1 < len(typed) <= _SHORT else _MIN_OFFERED
        if p < least or (only_capital and _BEGINS.search(prefix[: match.start()])):
            return None
        second = max((candidate.score for candidate in meant[1:]), default=0.0)
        sure = self._is_sure(typed, spelt, meant[0], max(doubts, second * _MIN_SURE_RATIO))
        return Correction(meant[0].text + behind, len(typed) + len(behind), p, sure)

    def _is_sure(self, typed: str, spelt: bool, best: Candidate, least: float) -> bool:
        """Return True if a correction with at least the score ``least`` needs no second look.

        Names, jargon and what the user wrote before stay, and so do other endings of a word.
        """
        words = self._user_model.words
        if len(typed) < _MIN_SURE_LETTERS or not typed.islower() or spelt or words.count(typed):
            return False
        longer, shorter = (best.text, typed) if len(best.text) > len(typed) else (typed, best.text)
        other_ending = longer[:-1] == shorter and longer[-1] in "gs"  # "comin", "usernames"
        if other_ending or (len(typed) == _MIN_SURE_LETTERS and best.score < _MIN_SHORT_RATIO * least):
            return False
        known = best.text in self._general.spelling or words.count(best.text) >= _MIN_SURE_USES
        return known and best.text.lower() != typed and best.score >= max(least, _MIN_SURE_SCORE)
