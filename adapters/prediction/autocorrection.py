"""What was meant by the word that just ended, and whether it is sure enough to be put there without being asked.

Each word that may have been meant has a score: how likely it is at this place, times how likely a person who means it
types what stands there. So has the word as it was typed, whether a list has it or its letters alone speak for it. A
correction is offered by the odds of the best one against all others. Whether it is made unasked, a logistic regression
decides on these odds, the slip and both words; a few rules say where nothing may ever be made unasked.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.letter_case import BEGINS, as_written, fold, is_capitalized, with_capitals
from idiolect.adapters.memory.word_matching import least_letter_prob, score_word
from idiolect.adapters.mending.corrections import Candidate
from idiolect.adapters.mending.inflections import are_forms_of_one, is_unlisted_form
from idiolect.adapters.mending.spacing import contraction_of, single_space
from idiolect.adapters.prediction.cursor import CursorReader, SplitPrefix
from idiolect.adapters.prediction.meant_words import DOUBT, KNOWN_COST, MeantWords
from idiolect.adapters.prediction.mending_evidence import JudgedWord, evidence, surety, uses_elsewhere
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.suggestion import Correction
from idiolect.models.hashed_frequencies import other_frequencies

MAX_LETTERS: Final = 30
"""Of a word that is mended."""
# Log odds from which on a correction is offered, and those of a listed misspelling, at least, short and long.
_OFFERED_ODDS, _SHORT_LISTED, _LONG_LISTED = 0.0, 0.9, 2.0
# Log odds from which on a correction is made unasked: of a listed misspelling or of capitals; of a missing space in
# another language than English; of a contraction or in such a language; and there of an odd slip.
_SURE_LISTED, _SURE_APART, _SURE_OTHERS, _SURE_ODD = 1.0, 5.5, 2.0, 4.0
# Probability of a space in another place, and how often people use a word, per word of text, that may stand beside it.
_SURE_SPACE, _LISTED_WORD = 0.99, 2e-6
_COMPARED: Final = 3  # words that the next one is weighed behind; each takes a pass, made ahead
_LEAST_ODDS: Final = -4.0  # that the model's opinion, or the next word, may yet turn
# What a word counts for as it was typed: in a dictionary, in a list alone; and if its user wrote it before.
_SPELT, _OWN_SPELT, _LISTED, _OWN_LISTED = 1.0, 2.0, 0.3, 5.0
# A word that no list has: of all words, times its letters; how much likelier it is as a name, and if a dictionary has
# it; how much less with capitals inside.
_NEW, _NEW_NAME, _NEW_SPELT, _NEW_CAPITALS = 0.02, 3.0, 20.0, 0.01
_NEW_FOREIGN, _MIN_FOREIGN = 0.005, 4  # how much rarer a word is here than in its language, and its letters
_NEW_ODD: Final = (
    4e-5  # of all words, those whose letters are like no other word's: times the root of their probability
)
# Score as typed, and probability of the least likely letter by those before it, from which on nothing else is likelier:
# a slip costs 4.5 nats, and a search as much as all the rest of a keystroke.
_PLAUSIBLE, _PLAUSIBLE_LETTER = 0.012, 0.05
_SMALL_I: Final = 0.02  # how often it is written small by a user of whom nothing is known
_MOST_COST: Final = 9.0  # nats of the mistakes in one
_MOST_ACCENTS: Final = 2  # that are put into a word of another language than English
_OWN_TIMES: Final = 2  # that the user wrote a name
# The end of a sentence, and a space: a word of three letters that is no abbreviation, or digits; not "...".
_SENTENCE_ENDED = regex.compile(
    r"(?ri)\b(?!(?:etc|mrs|inc|ltd|vol|fig|approx|dept|est|e?spp?|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.)"
    r"(?:\p{L}{3,}|\p{N}+)(?:\.|[!?]+) \Z"
)
# Letters, and up to three characters behind them. Searched from the end.
_ENDED = regex.compile(
    r"(?r)(?<![\p{L}\p{N}'’@/\\_.#-])(?:\p{Ll}{2,}-)?(\p{L}[\p{L}'’]*)([\s.,;:!?)\]\"”…]{1,3})\Z"
)
# A word of two letters or more, the next one, whole or begun, and what stands behind that.
_NEXT = regex.compile(
    r"(?r)(?<![\p{L}\p{N}'’@/\\_.#-])(\p{L}[\p{L}'’]{1,29}) (\p{L}[\p{L}'’]{0,29}|)([\s.,;:!?)\]\"”…]{1,3}|)\Z"
)
_INNER_CAPITAL = regex.compile(r"\p{Ll}\p{Lu}")  # "PlayStation", "iPod"
_SLIPPED_CAPITALS = regex.compile(r"\p{Lu}{2}[\p{Ll}'’]+|\p{Ll}\p{Lu}[\p{Ll}'’]*")  # "THe", "tHe"
_SWAPPED_CAPITAL = regex.compile(r"\p{Ll}\p{Lu}[\p{Ll}'’]*")  # "hTe"
_SHORT: Final = 4  # letters
_DRAWN_OUT = regex.compile(r".{1,5}[aeiouyhw]")  # what people double at the end on purpose
# What people write in chats and programs.
_STANDS = regex.compile(
    r"bf|brb|btw|cos|cuz|fyi|gf|gr8|gtg|idk|ikr|imo|jk|lmk|lol|luv|meh|nite|nvm|omg|pls|plz|rofl|smh|tbh|tho|thru|thx|tmr"
    r"|ttyl|ur|wtf|yea|[ha]{4,}|(?:h[aeio]){2,}h?|(?:align|instance|offset|size|type)of"
)


class Autocorrection:
    """Mends words that have just ended. For one thread at a time.

    Args:
        reader: splits prefixes.
        next_token: next-token distributions.
        meant: finds what may have been meant.
    """

    def __init__(self, reader: CursorReader, next_token: NextTokenModel, meant: MeantWords) -> None:
        self._reader, self._next_token, self._meant = reader, next_token, meant
        self._user_model, self._general = meant.user_model, meant.general
        # The word before that under the cursor, if the next one may yet make it sure, with the text up to its end.
        self._unsure: tuple[str, JudgedWord | None] = ("", None)

    def mend(self, prefix: str, *, is_known: bool = True, may_respace: bool = False) -> Correction | None:
        """Return what was probably meant by the word that just ended; None if it was probably meant as it stands.

        With ``is_known`` False, in a language that is not known, only what the user decided is mended. With
        ``may_respace`` the correction may also be of the last two words, whose space is in the wrong place.
        """
        match = _ENDED.search(prefix)
        if match is None or len(match[1]) > MAX_LETTERS:
            return None
        typed, behind = match[1], match[2]
        decided = self._user_model.preferences.corrections
        if (put := decided.replaced.get(fold(typed))) is not None:
            return Correction(with_capitals(put, typed) + behind, len(typed) + len(behind), 1.0, True)
        if not is_known or (typed == "i" and not behind.isspace()):  # "i.e."
            return None
        if (respaced := self._respaced(prefix, match)) is not None:
            return respaced if may_respace else None
        text = prefix[: match.end(1)]
        judged = self._judge(text, typed)
        margin = -math.inf if judged is None else self._surety(judged)
        self._unsure = text, judged if _may_turn(judged, margin) else None
        return None if judged is None else self._correction(judged, margin, behind)

    def mend_before(self, prefix: str) -> Correction | None:
        """Return what was meant by the word before the last, where that is sure only now that the last one stands.

        It needs the passes of :meth:`alternatives`, and decides nothing where they were not made.
        """
        if (single := single_space(prefix)) is not None:
            words = fold(single.text).rstrip(" \n.,;:!?)")
            is_kept = words in self._user_model.preferences.corrections.kept
            return None if is_kept else Correction(single.text, single.replaced, single.score, True)
        match = _NEXT.search(prefix)
        if match is None or not match[3] or (judged := self._judge_unsure(prefix, match)) is None:
            return None
        as_typed = self._follows(prefix[: match.end(1)], match[2])
        as_meant = [self._follows(judged.before + it.text, match[2]) for it in judged.likely]
        if not as_typed or not all(as_meant):
            return None
        likely = [replace(it, score=it.score * p) for it, p in zip(judged.likely, as_meant, strict=True)]
        best = max(likely, key=lambda it: it.score)
        # Of what else may be meant it is not known how likely the next word is behind it.
        rest = judged.others - sum(it.score for it in judged.likely[1:])
        usual = (as_typed + sum(as_meant)) / (1 + len(as_meant))
        others = rest * usual + sum(it.score for it in likely) - best.score
        judged = replace(judged, likely=[best], stands=judged.stands * as_typed, others=others)
        made = self._correction(judged, self._surety(judged), prefix[match.end(1) :])
        return made if made is not None and made.sure else None

    def alternatives(self, prefix: str) -> list[list[int]]:
        """Return the tokens behind which distributions are needed to mend the word before that under the cursor."""
        match = _NEXT.search(prefix)
        if match is None or match[3] or (judged := self._judge_unsure(prefix, match)) is None:
            return []
        return [self._reader.split(f"{judged.before}{it.text} ").head for it in judged.likely]

    def forget_typed(self) -> None:
        """Forget which words were looked at."""
        self._unsure = "", None
        self._meant.forget_typed()

    def _respaced(self, prefix: str, match: regex.Match[str]) -> Correction | None:
        """Return the last two words with their space where it surely was meant: "t he", "thes ame"."""
        words, general, preferences = self._user_model.words, self._general, self._user_model.preferences
        meant = self._meant.joined(prefix[: match.start(1)], match[1])
        if meant is None or meant.score < _SURE_SPACE or words.language_at_hand != "en":
            return None
        start = match.end(1) - meant.replaced
        first, second = prefix[start : match.start(1) - 1], match[1]
        if _STANDS.fullmatch(first) or not preferences.corrections.kept.isdisjoint(
            (fold(first), fold(second))
        ):
            return None
        are_words = [
            words.count(it) or (len(it) > 1 and general.frequency(fold(it)) >= _LISTED_WORD)
            for it in (first, second)
        ]
        if all(are_words) or self._user_model.must_hide(prefix[:start], meant.text):
            return None
        return Correction(meant.text + match[2], meant.replaced + len(match[2]), meant.score, True)

    def _judge_unsure(self, prefix: str, match: regex.Match[str]) -> JudgedWord | None:
        """Return the first word of ``match``, if it is not sure by itself and may be made."""
        text = prefix[: match.end(1)]
        if fold(match[1]) in self._user_model.preferences.corrections.kept:
            return None
        if self._unsure[0] != text:
            judged = self._judge(text, match[1])
            margin = -math.inf if judged is None else self._surety(judged)
            self._unsure = text, judged if _may_turn(judged, margin) else None
        return self._unsure[1]

    def _follows(self, text: str, word: str) -> float:
        """Return how likely a word's first token is behind ``text``; 0 where no pass has told."""
        probs = self._next_token.cached_probs(self._reader.split(f"{text} ").head)
        return 0.0 if probs is None else float(probs[self._user_model.words.encode(f" {word}")[0]])

    def _judge(self, text: str, typed: str) -> JudgedWord | None:
        """Weigh what may have been meant by ``typed``, the word at the end of ``text``."""
        split = self._reader.split(text)
        if split.typed != typed or fold(typed) in self._user_model.preferences.corrections.kept:
            return None
        before, words = text[: len(text) - len(typed)], self._user_model.words
        probs, known = self._next_token.next_probs(split.head), self._meant.known(typed)
        stands = self._score_as_typed(split, probs, listed=known.listed)
        begun = list[Candidate]()
        if not known.listed and typed in self._general.common and self._begins(before):
            cost = self._meant.channel.costs.capital_missing
            score = stands * words.begins_large * math.exp(-cost)
            begun = [Candidate(typed.capitalize(), score, cost)]
        if not known.listed and (
            stands >= _PLAUSIBLE
            or least_letter_prob(words, typed, split.spaced, probs, finished=True) >= _PLAUSIBLE_LETTER
        ):
            return JudgedWord(before, split, begun, stands, 0.0, known) if begun else None
        candidates = begun + [
            candidate
            for candidate in self._meant.candidates(before, split, probs, known, finished=True)
            if not are_forms_of_one(fold(typed), fold(candidate.text), words.language_at_hand)
            and (fold(typed) != fold(candidate.text) or self._may_lack_capital(before, typed))
        ]
        if not (words.count(typed) or self._general.is_spelt(typed) or known.meant):
            apart = self._meant.spaced(split, probs)
            candidates += [Candidate(it.text, it.score, it.cost) for it in apart]
        if known.meant is not None:  # whatever stands before it
            meant = with_capitals(as_written(known.meant), typed)
            score = self._meant.score(known.meant, split, probs) * math.exp(-KNOWN_COST)
            best = next((it for it in candidates if it.text == meant), Candidate(meant, score, KNOWN_COST))
        elif candidates:
            best = max(candidates, key=lambda it: it.score * self._capital_lost(typed, it.text))
        else:
            return None
        if best not in begun:
            best = replace(best, text=self._in_capitals_of(typed, best.text))
        others = [it for it in candidates if fold(it.text) != fold(best.text)]
        rest = sum(it.score for it in others)
        if _SWAPPED_CAPITAL.fullmatch(typed) and fold(best.text) != fold(typed):
            best = replace(best, text=best.text[:1].upper() + best.text[1:])
        if known.meant is not None:
            least = _LONG_LISTED if typed.islower() and len(typed) > _SHORT else _SHORT_LISTED
            best = replace(best, score=max(best.score, math.exp(least) * (stands + rest)))
        likely = [best, *others[: _COMPARED - 1]]
        return JudgedWord(before, split, likely, stands, rest, known)

    def _correction(self, judged: JudgedWord, margin: float, behind: str) -> Correction | None:
        """Return the correction of a word, with what stands ``behind`` it; None if it is too unlikely or unwanted."""
        before, typed, best, odds = judged.before, judged.typed, judged.likely[0], judged.odds
        sure = margin >= 0
        if (odds < _OFFERED_ODDS and not sure) or self._user_model.must_hide(before, best.text):
            return None
        return Correction(best.text + behind, len(typed) + len(behind), 1 / (1 + math.exp(-odds)), sure)

    def _in_capitals_of(self, typed: str, meant: str) -> str:
        """Return what was meant with the capitals of ``typed``, where it may have them."""
        form = with_capitals(as_written(fold(meant)), typed)
        is_small = fold(meant) in self._general.spelling and not self._general.is_name(meant)
        return form if is_small or self._user_model.words.count_form(form) else meant

    def _capital_lost(self, typed: str, meant: str) -> float:
        """Return what counters the cost of a capital that went with the first letter: "hich" for "Which"."""
        lost = meant[:1].isupper() and fold(meant)[1:] == typed
        return math.exp(self._meant.channel.costs.capital_missing) if lost else 1.0

    def _score_as_typed(self, split: SplitPrefix, probs: NDArray[np.float32], *, listed: bool) -> float:
        """Return how likely the typed word is meant as it stands, on the scale of a candidate's score.

        ``listed``: it is a known misspelling.
        """
        words, typed = self._user_model.words, split.typed
        stands = score_word(words, typed, split.spaced, probs)
        if not stands and is_capitalized(typed):
            stands = score_word(words, fold(typed), split.spaced, probs)
        if as_written(typed) != typed:  # "i": not in print, and as often as its user writes it so
            small, large = words.count_form(typed), words.count_form(as_written(typed))
            stands *= (small + _SMALL_I) / (small + large + 1)
        letters = self._general.letters.log_prob(typed)
        new = _NEW * math.exp(letters) + _NEW_ODD * math.exp(letters / 2)
        if typed[1:] != typed[1:].lower():
            new *= _NEW_CAPITALS
        elif is_capitalized(typed):
            new *= _NEW_NAME
        if listed:
            return DOUBT * (stands + new)
        if words.language_at_hand == "en" and len(typed) >= _MIN_FOREIGN:
            new += _NEW_FOREIGN * float(other_frequencies([fold(typed)])[0].max())
        is_own = words.count_form(typed) > 0 or typed in self._reader.words_before(split.head)[1]
        if self._general.is_spelt(typed):
            return (_OWN_SPELT if is_own else _SPELT) * stands + (new if stands else _NEW_SPELT * new)
        return (_OWN_LISTED if is_own else _LISTED) * stands + new

    def _begins(self, before: str) -> bool:
        """Return True if a sentence begins here, and its user seldom begins one in small letters."""
        cost = self._meant.channel.costs.capital_missing
        is_habit = math.log(self._user_model.words.begins_large) - cost >= _SURE_LISTED
        return is_habit and (not before or _SENTENCE_ENDED.search(before) is not None)

    def _is_own_name(self, text: str) -> bool:
        """Return True if the user wrote a word twice in just these capitals, and never small."""
        words = self._user_model.words
        return words.count_form(text) >= _OWN_TIMES and not words.count_form(fold(text))

    def _may_lack_capital(self, before: str, typed: str) -> bool:
        """Return True if a word may be wrong in its capitals alone: not "PlayStation", nor what is no name."""
        if _SLIPPED_CAPITALS.fullmatch(typed):
            return True
        if _INNER_CAPITAL.search(typed):
            return False
        if self._general.is_name(typed):
            return True
        is_own = self._user_model.words.is_name(typed) or as_written(typed) != typed
        return (is_own or not typed.islower()) and not BEGINS.search(before)

    def weigh(self, prefix: str) -> tuple[str, dict[str, float]] | None:
        """Return what was most likely meant by the word that just ended, and what the regression weighs of it.

        It is None where the regression has no say.
        """
        match = _ENDED.search(prefix)
        judged = self._judge(prefix[: match.end(1)], match[1]) if match is not None else None
        if judged is None or self._by_rule(judged) is not None:
            return None
        text = judged.likely[0].text
        is_hidden = self._user_model.must_hide(judged.before, text)
        return None if is_hidden else (text, evidence(judged, self._meant, self._next_token))

    def _surety(self, judged: JudgedWord) -> float:
        """Return how sure the likeliest correction is: it is made unasked from 0 on, and never at minus infinity."""
        ruled = self._by_rule(judged)
        return surety(evidence(judged, self._meant, self._next_token)) if ruled is None else ruled

    def _by_rule(self, judged: JudgedWord) -> float | None:
        """Return :meth:`_surety` where a rule says it, else None."""
        typed, best, known = judged.typed, judged.likely[0], judged.known
        if self._may_stand(judged.before, typed, best):
            return -math.inf
        words, folded, meant = self._user_model.words, fold(typed), fold(best.text)
        if folded == meant or (known.meant is not None and not uses_elsewhere(folded, self._general)):
            return judged.odds - _SURE_LISTED
        if " " in meant and words.language_at_hand != "en":
            return judged.odds - _SURE_APART
        if words.language_at_hand != "en" or meant == contraction_of(folded, judged.before):
            is_accent = best.cost <= _MOST_ACCENTS * self._meant.channel.costs.accent and "'" not in meant
            usual = _SURE_LISTED if is_accent else _SURE_OTHERS
            return judged.odds - (usual if best.cost < _MOST_COST else _SURE_ODD)
        return None if judged.odds >= _LEAST_ODDS else -math.inf

    def _may_stand(self, before: str, typed: str, best: Candidate) -> bool:
        """Return True if what is typed may stand there on purpose, so that nothing is put in its place unasked."""
        words, general = self._user_model.words, self._general
        folded, meant = fold(typed), fold(best.text)
        is_english = words.language_at_hand == "en"
        costs = self._meant.channel.costs
        is_usual = is_english or best.cost <= _MOST_ACCENTS * costs.accent
        may_slip = costs.accent_added < best.cost <= _MOST_COST  # nobody slips into an accent
        if not is_usual and (general.is_spelt(typed) or not may_slip):
            return True
        if _STANDS.fullmatch(folded) or before.rpartition("\n")[2].count("`") % 2:  # code
            return True
        is_slip = _SLIPPED_CAPITALS.fullmatch(typed) is not None
        if folded == meant:
            is_habit = self._is_own_name(best.text) or (
                best.text == typed.capitalize() and self._begins(before)
            )
            return (
                as_written(typed) != best.text
                and not is_habit
                and not (is_slip and meant in general.common and typed[0] not in "ei")
            )
        if meant == contraction_of(folded, before):
            return typed.isupper()
        if meant == contraction_of(folded):  # "as he was wont"
            return True
        is_own_form = words.count_form(best.text) > 0
        # "I've" and "and I" have a capital that is no name's.
        is_of_i = best.text[:2] in {"I ", "I'", "I’"} or (typed[-1] == "I" and best.text.endswith(" I"))
        if len(typed) == 1 or (len(meant) > 1 and best.text.isupper()):
            return True
        if typed.isupper():
            is_known = len(typed) <= _SHORT or words.count(folded) or general.is_spelt(folded)
            if is_known or not is_own_form:
                return True
        elif typed[1:] != typed[1:].lower() and not is_slip and not is_of_i:  # "PlayStation", "URLs"
            return True
        if is_capitalized(typed) and not general.meanings(folded) and not is_of_i and " " not in meant:
            is_name = general.is_name(best.text)
            is_small = BEGINS.search(before) and not is_name
            if not is_small and not (is_own_form and (is_name or words.is_name(best.text))):
                return True
        if is_english and any(it > "\x7f" and it not in meant for it in folded):
            return True  # nobody slips into "é"
        if not all(it in general.spelling or words.count(it) for it in best.text.split()):
            return True
        if "'" in folded and "''" not in folded and folded.replace("'", "") == meant.replace("'", ""):
            return True
        if words.draws_out and folded == meant + meant[-1] and _DRAWN_OUT.fullmatch(meant):
            return True
        return is_unlisted_form(folded, meant, general.spelling)


def _may_turn(judged: JudgedWord | None, margin: float) -> bool:
    """Return True if a word is not sure, and the next one may yet make it so."""
    return judged is not None and judged.odds >= _LEAST_ODDS and -math.inf < margin < 0
