"""Corrections at a cursor.

For the word under it they are ranked among the words that finish it. For the word that just ended there is one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.capitals import as_written, fold, in_one_form, is_capitalized, with_capitals
from idiolect.adapters.memory.word_matching import Matches, least_letter_prob, score_word
from idiolect.adapters.mending.corrections import Candidate, Corrector
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.inflections import are_forms_of_one
from idiolect.adapters.mending.spacing import joined_words, split_words
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import SplitPrefix, WordRanker
from idiolect.adapters.prediction.suggestion import Correction, Word
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.misspellings import are_regional_twins

_MIN_LETTERS, _MAX_LETTERS = 3, 30  # of a word that is mended; of fewer that are typed anything may be meant
# Probability of a correction that is offered for a word that ended, and for a short one, which is like many others.
_MIN_OFFERED, _MIN_OFFERED_SHORT, _SHORT = 0.35, 0.99, 3
_MIN_OFFERED_NAME: Final = 0.9  # and for one that may be a name
# And for one that a dictionary has, in another language than English, which the default model knows hardly.
_MIN_OFFERED_SPELT: Final = 0.9
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
_MOST_ACCENTS: Final = 2  # that are put into a word without being asked
# Nats that a known misspelling costs, and the least probability that what a list says of one was meant.
_KNOWN, _KNOWN_P = 2.5, 0.9
_MIN_NAME: Final = 0.02  # probability of a name that is offered behind small letters
_HABIT: Final = 3  # times that the user typed what others misspell
_LIKELY: Final = 8  # words that typing on makes, whose other spelling is not offered
_DOUBT: Final = 0.05  # what a word counts for that the general list has and no dictionary
# A word that just ended: letters, and up to three characters behind them. Searched from the end.
_ENDED = regex.compile(r"(?r)(?<![\p{L}\p{N}'’@/\\_.#-])(\p{L}[\p{L}'’]*)([\s.,;:!?)\]\"”…]{1,3})\Z")
_INNER_CAPITAL = regex.compile(r"\p{Ll}\p{Lu}")  # "PlayStation", "iPod"
_BEGINS = regex.compile(r"(?r)(?:\A|[.!?…\n:])\s*\Z")  # where a capital shows nothing of a word


@dataclass(frozen=True)
class _Known:
    """Whether a word is a listed misspelling, and what is meant by it whatever the context, in lower case."""

    listed: bool
    meant: str | None


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
        if not typed or len(typed) > _MAX_LETTERS or any(map(str.isnumeric, typed)):
            return [*ranked]
        decided = self._user_model.preferences.corrections
        if (put := decided.replaced.get(fold(typed))) is not None:
            return [Word(with_capitals(put, typed), 1.0, len(typed)), *ranked][:count]
        if fold(typed) in decided.kept or not is_known:
            return [*ranked]
        joined = joined_words(
            prefix[: len(prefix) - len(typed)], typed, self._general.common, self._channel.costs.torn
        )
        probs = self._next_token.next_probs(split.head)
        known = self._known(typed)
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
        if is_capitalized(typed) and not known.listed and _BEGINS.search(prefix[: len(prefix) - len(typed)]):
            # It may be a name, or the first word of another language.
            found = [word for word in found if not word.replace or word.p >= _MIN_OFFERED]
        found = in_one_form(sorted(found, key=lambda word: -word.p), typed)
        guard = cache(lambda replaced: self._user_model.guard(prefix[: len(prefix) - replaced]))
        shown = (word for word in found if not word.replace or not guard(word.replace)(word.text))
        return list(islice(shown, count))

    def forget_typed(self) -> None:
        """Forget which words were looked at."""
        self._corrector.forget_typed()

    def _names(self, split: SplitPrefix, matches: Matches) -> list[tuple[str, float]]:
        """Return names that begin as typed but for their capital, with scores as in :class:`Matches`; [] if none may
        be offered."""
        times = math.exp(-self._channel.costs.capital_missing)
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
        if len(split.typed) < _MIN_LETTERS or matches.total + matches.finished >= _PLAUSIBLE_BEGUN:
            return False
        words = self._user_model.words
        return least_letter_prob(words, split.typed, split.spaced, probs) < _PLAUSIBLE_LETTER

    def _known(self, typed: str) -> _Known:
        """Return what a list of misspellings says of a word."""
        folded = fold(typed)
        meant = self._general.meant_by(folded)
        if meant is not None and self._is_habit(typed, meant):
            return _Known(False, None)
        return _Known(meant is not None or bool(self._general.meanings(folded)), meant)

    def _is_habit(self, typed: str, meant: str) -> bool:
        """Return True if the user writes a word as others misspell it: "dont", "im"; or if it is somebody's name."""
        words = self._user_model.words
        if is_capitalized(typed) and words.count_form(typed) > words.count(meant):
            return True
        return words.count(typed) >= max(_HABIT, words.count(meant))

    def _with_meant(
        self,
        before: str,
        split: SplitPrefix,
        matches: Matches,
        ranked: Sequence[Word],
        probs: NDArray[np.float32],
        known: _Known,
    ) -> list[Word]:
        """Return ``ranked`` and what may have been meant instead, with what is left to each of the probability."""
        total = self._ranker.total_score(split, matches)
        if known.listed:  # then it is no word that nobody knows
            total -= (1 - _DOUBT) * matches.unknown
        if not matches.forms and not matches.finished:
            total *= _GUESSED
        left = total
        if matches.finished and not self._general.is_spelt(split.typed):
            total -= (1 - _DOUBT) * matches.finished
        meant = self._meant(before, split, matches, probs, known)
        total = max(total + sum(score for _, _, score in meant), 1e-30)
        found = [replace(word, p=word.p * left / total) for word in ranked]
        return found + [Word(text, score / total, replaced) for text, replaced, score in meant]

    def _meant(
        self, before: str, split: SplitPrefix, matches: Matches, probs: NDArray[np.float32], known: _Known
    ) -> list[tuple[str, int, float]]:
        """Return what may have been meant by the word under the cursor: text, characters replaced, score.

        It may also be two words without their space, unless what is typed is likely to be one.
        """
        typed = split.typed
        candidates = []
        if len(typed) >= _MIN_LETTERS:
            candidates = self._candidates(before, split, probs, known, finished=False)
            likely = [form.lower() for form in matches.forms[:_LIKELY]]
            candidates = [
                candidate
                for candidate in candidates
                if not any(are_regional_twins(form, fold(candidate.text)) for form in likely)
            ]
        meant = [(candidate.text, len(typed), candidate.score) for candidate in candidates]
        if known.meant is not None and all(fold(text) != known.meant for text, _, _ in meant):
            score = self._score(known.meant, split, probs) * math.exp(-_KNOWN)
            meant.append((with_capitals(as_written(known.meant), typed), len(typed), score))
        elif matches.finished < _MIN_OFFERED * self._ranker.total_score(split, matches):
            split_at = split_words(
                typed,
                lambda word: score_word(self._user_model.words, word, split.spaced, probs),
                self._general.common,
                self._channel.costs.joined,
            )
            if split_at is not None:
                meant.append((split_at.text, split_at.replaced, split_at.score))
        return meant

    def _score(self, meant: str, split: SplitPrefix, probs: NDArray[np.float32]) -> float:
        """Return how likely one or two words in lower case are at this place, as in :class:`Matches`."""
        first, *others = meant.split()
        score = score_word(self._user_model.words, as_written(first), split.spaced, probs)
        return score * math.prod(self._general.common.get(word, 0.0) for word in others)

    def _candidates(
        self,
        before: str,
        split: SplitPrefix,
        probs: NDArray[np.float32],
        known: _Known,
        *,
        finished: bool,
    ) -> list[Candidate]:
        """Return what may have been meant, the likeliest first: no other spelling of a word, and for a name a name."""
        typed, general, words = split.typed, self._general, self._user_model.words
        found = self._corrector.candidates(typed, split.spaced, probs, finished=finished)
        if known.meant is not None:  # people write so more often than a slip of the hand explains
            costs = [candidate.cost for candidate in found if fold(candidate.text) == known.meant]
            times = math.exp(max(0.0, min(costs, default=0.0) - _KNOWN))
            found = [
                replace(candidate, score=candidate.score * times)
                if fold(candidate.text) == known.meant
                else candidate
                for candidate in found
            ]
            found.sort(key=lambda candidate: -candidate.score)
        elif is_capitalized(typed) and not _BEGINS.search(before):
            found = [
                candidate
                for candidate in found
                if candidate.cost <= self._channel.costs.missing_apostrophe
                or general.is_name(candidate.text)
                or words.count_form(candidate.text)
            ]
        if found and general.is_spelt(typed):
            found = [
                candidate for candidate in found if not are_regional_twins(fold(typed), fold(candidate.text))
            ]
        return found

    def ended(self, prefix: str, *, is_known: bool = True) -> Correction | None:
        """Return what was probably meant by the word that just ended; None if it was probably meant as it stands.

        With ``is_known`` False, in a language that is not known, only what the user decided is mended.
        """
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
        if fold(typed) in decided.kept or not is_known:
            return None
        before = prefix[: match.start()]
        probs, known = self._next_token.next_probs(split.head), self._known(typed)
        spelt = not known.listed and self._general.is_spelt(typed)
        words = self._user_model.words
        stands = score_word(words, typed, split.spaced, probs) * (1.0 if spelt else _DOUBT)
        if not known.listed and (
            stands >= _PLAUSIBLE
            or least_letter_prob(words, typed, split.spaced, probs, finished=True) >= _PLAUSIBLE_LETTER
        ):
            return None
        meant = [
            candidate
            for candidate in self._candidates(before, split, probs, known, finished=True)
            if not are_forms_of_one(fold(typed), fold(candidate.text), words.language_at_hand)
        ]
        unknown = self._ranker.unknown_score(split, probs) * (_DOUBT if known.listed else 1.0)
        doubts = max(stands, unknown)
        stands = stands or unknown
        total = max(stands + sum(candidate.score for candidate in meant), 1e-30)
        if known.meant is not None:
            text = with_capitals(as_written(known.meant), typed)
            p = sum(candidate.score for candidate in meant if candidate.text == text) / total
            best = Candidate(text, 0.0, _KNOWN)
            sure = self._is_sure_of_known(before, typed)
            return self._correction(before, best, max(p, _KNOWN_P), typed, behind, sure=sure)
        if not meant:
            return None
        p = meant[0].score / total
        only_capital = fold(meant[0].text) == fold(typed)
        least = _MIN_OFFERED_SHORT if 1 < len(typed) <= _SHORT and not known.listed else _MIN_OFFERED
        is_doubtful = not spelt and not known.listed and not self._general.is_name(meant[0].text)
        if is_doubtful and is_capitalized(typed):
            least = max(least, _MIN_OFFERED_NAME)  # a sentence may begin with a name that nobody knows
        if spelt and not only_capital and words.language_at_hand != "en":
            least = max(least, _MIN_OFFERED_SPELT)
        if p < least or (only_capital and not self._may_lack_capital(before, typed)):
            return None
        second = max((candidate.score for candidate in meant[1:]), default=0.0)
        sure = self._is_sure(typed, spelt, meant[0], max(doubts, second * _MIN_SURE_RATIO))
        return self._correction(before, meant[0], p, typed, behind, sure=sure)

    def _may_lack_capital(self, before: str, typed: str) -> bool:
        """Return True if a word may be wrong in its capitals alone: not "PlayStation", nor what is no name."""
        if _INNER_CAPITAL.search(typed):
            return False
        if self._general.is_name(typed):
            return True
        is_own = self._user_model.words.is_name(typed) or as_written(typed) != typed
        return (is_own or not typed.islower()) and not _BEGINS.search(before)

    def _correction(
        self, before: str, meant: Candidate, p: float, typed: str, behind: str, *, sure: bool
    ) -> Correction | None:
        """Return a correction of a word and what stands behind it, unless it must not be shown."""
        if self._user_model.must_hide(before, meant.text):
            return None
        return Correction(meant.text + behind, len(typed) + len(behind), p, sure)

    def _is_sure_of_known(self, before: str, typed: str) -> bool:
        """Return True if a known misspelling needs no second look: nobody's name or jargon, and no habit."""
        capital = is_capitalized(typed) and _BEGINS.search(before) is not None
        return (
            len(typed) >= _SHORT
            and (typed.islower() or capital)
            and not self._general.frequency(fold(typed))
            and not self._user_model.words.count(typed)
            and self._user_model.words.language_at_hand == "en"
        )

    def _is_sure(self, typed: str, spelt: bool, best: Candidate, least: float) -> bool:
        """Return True if a correction with at least the score ``least`` needs no second look.

        Names, jargon and what the user wrote before stay, and so do other endings of a word. In another language than
        English, of whose words the lists lack more, accents alone are put in.
        """
        words, costs = self._user_model.words, self._channel.costs
        if len(typed) < _MIN_SURE_LETTERS or not typed.islower() or spelt or words.count(typed):
            return False
        if words.language_at_hand != "en" and best.cost > _MOST_ACCENTS * costs.accent:
            return False
        longer, shorter = (best.text, typed) if len(best.text) > len(typed) else (typed, best.text)
        other_ending = longer[:-1] == shorter and longer[-1] in "gs"  # "comin", "usernames"
        if other_ending or (len(typed) == _MIN_SURE_LETTERS and best.score < _MIN_SHORT_RATIO * least):
            return False
        known = best.text in self._general.spelling or words.count(best.text) >= _MIN_SURE_USES
        return known and best.text.lower() != typed and best.score >= max(least, _MIN_SURE_SCORE)
