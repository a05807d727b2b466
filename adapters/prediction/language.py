"""Which language a text is in: one that its user writes, or one that the program does not know.

A hidden Markov model over the last words: each is in a known language or in one of 26 others, and people seldom change
between two words, more often between two sentences. A word speaks for a language by how often it is used there (Cavnar
& Trenkle 1994 did so with runs of letters), and for the known ones also if the user has typed it before.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.vocabulary import WORD, WordVocabulary
from idiolect.adapters.prediction.reasons import Reason
from idiolect.models.hashed_frequencies import OTHER_LANGUAGES, other_frequencies
from idiolect.models.misspellings import Misspellings

_WORDS: Final = 12  # before the cursor, that are looked at
_CHARS: Final = 240  # in which they are looked for
_UNLISTED: Final = 1e-6  # uses per word of text of a word that a language's list lacks
_OTHER_SCRIPT: Final = 1e-3  # of one in letters that are not Latin, in a language that is written so
_BEGUN, _USED = 2, 2  # letters of a word that is offered again, and times that the user typed it
_TYPED: Final = 3  # times, from which on the user knows a word, in whatever language
_BEGINS, _CHANGES, _RETURNS = (
    0.1,
    0.005,
    0.1,
)  # probability that a text begins so, and that the language changes
_MAX_KNOWN: Final = 0.2  # probability of a known language, for a text that is taken to be in another one
_MAX_KNOWN_BY_ONE: Final = 0.5  # the same where one word is all that tells it
_KEPT, _WORDS_KEPT = 16, 256  # texts and words of which the answer is kept
# Of several known languages: probability that the next word is in another one, and the next sentence; ...
_CHANGES_KNOWN, _CHANGES_SENTENCE = 0.01, 0.08
_MAX_ODDS: Final = 40.0  # ... how far one word tells them apart: it may be a quotation or a name; ...
_MAX_ODDS_OF_NAME: Final = (
    4.0  # ... and one with a capital within a sentence of a language without such nouns
)
_MIN_BEGUN: Final = 2  # letters of a word that tell them apart
_ENDS_SENTENCE = regex.compile(r"[.!?…\n]")
_SURELY_WORDS, _SURELY_KNOWN = (
    3,
    1e3,
)  # words, and how much oftener the known language uses them than any other
# Where nothing or one word tells the language: the least probability of a word that is offered, ...
_MIN_FIRST_PROB, _MIN_SECOND_PROB = 0.05, 0.1
_MIN_FIRST_LETTERS = 3  # ... from that many letters of the first word on, ...
_SURE_KNOWN = 0.9  # ... and the probability of a known language, from which on the second word needs none
_SURE_LANGUAGE = 0.8  # probability of a language from which on words of others are left out
_BACKWARDS = regex.compile(WORD.pattern, regex.REVERSE)
_LATIN = regex.compile(r"\p{Latin}")
_PARTS = regex.compile(r"[^'’]+")  # of "l'homme" or "dell'arte"


@dataclass(frozen=True)
class LanguageAtCursor:
    """What the language at a cursor means for what is offered there.

    Attributes:
        is_known: whether it is a language that the user writes.
        may_mend: whether the word that just ended may be mended: it may be a slip that looks like another language.
        hides: whether a text must not be shown, for each reason that the language gives.
        least_prob: the least probability of the likeliest word for it to be offered, where little tells the language.
    """

    is_known: bool = True
    may_mend: bool = True
    hides: Mapping[Reason, Callable[[str], bool]] = field(default_factory=dict)
    least_prob: float = 0.0


class Languages:
    """Tells the language of texts. For one thread at a time.

    Args:
        words: those of the languages that are known, and what the user has typed.
    """

    def __init__(self, words: WordVocabulary) -> None:
        self._words = words
        self._known = len(words.languages)
        self._others = [
            place for place, language in enumerate(OTHER_LANGUAGES) if language not in words.languages
        ]
        self._count = self._known + len(self._others) + 1
        self._kept = OrderedDict[int, NDArray[np.float64]]()
        self._likelihoods = dict[int, NDArray[np.float64]]()

    def read(self, text: str, typed: str, follows: Callable[[], Callable[[str], bool]]) -> LanguageAtCursor:
        """Return what the language at the cursor means.

        Args:
            text: what stands before the word under the cursor.
            typed: the letters of that word.
            follows: returns whether the user has written a word behind ``text``; asked in an unknown language alone.
        """
        least_prob = self._least_prob(text, typed)
        if self.knows(text):
            hides = {Reason.WORD_OF_ANOTHER_LANGUAGE: self._of_another_known(typed)}
            return LanguageAtCursor(hides=hides, least_prob=least_prob)
        may_mend = self.knows(text.rstrip().rpartition(" ")[0])
        hides = {Reason.ANOTHER_LANGUAGE: self._only_own(text, typed, follows())}
        return LanguageAtCursor(is_known=False, may_mend=may_mend, hides=hides, least_prob=least_prob)

    def knows(self, text: str) -> bool:
        """Return False if the last words of ``text``, all of them finished, are in a language that is not known."""
        words = _last_words(text, 2)
        by_one = len(words) == 1 and not self._is_misspelt(words[0])
        return self._is_known(text) >= (_MAX_KNOWN_BY_ONE if by_one else _MAX_KNOWN)

    def belief(self, text: str, typed: str) -> NDArray[np.float64]:
        """Return how probable each known language is at the cursor (known,).

        Args:
            text: what stands before the word under the cursor.
            typed: the letters of that word.
        """
        known = self._states(text)[: self._known]
        if len(typed) >= _MIN_BEGUN:
            known = known * self._clipped(self._words.begun_frequencies(typed), _MAX_ODDS)
        belief: NDArray[np.float64] = known / known.sum()
        return belief

    def _least_prob(self, text: str, typed: str) -> float:
        if self._is_misspelt(typed):
            return 0.0
        words = len(_last_words(text, 2))
        if words == 0:
            return _MIN_FIRST_PROB if len(typed) >= _MIN_FIRST_LETTERS else 0.0
        return _MIN_SECOND_PROB if words == 1 and self._is_known(text) < _SURE_KNOWN else 0.0

    def _is_misspelt(self, word: str) -> bool:
        """Return True for an English word as people misspell it, "teh": it tells the language, and is mended."""
        return "en" in self._words.languages and bool(Misspellings.english().meanings(word.lower()))

    def _is_known(self, text: str) -> float:
        """Return how probable it is that a text is in a known language."""
        return float(self._states(text)[: self._known].sum())

    def _only_own(self, text: str, typed: str, follows: Callable[[str], bool]) -> Callable[[str], bool]:
        """Return a function that says whether something has a word which the user does not use in this language."""
        language = int(np.argmax(self._states(text)[self._known :]))
        # A word that stands here already is worth completing, but no guess at what comes next.
        here = {word.casefold() for word in WORD.findall(text)} if len(typed) >= _BEGUN else set()

        def is_own(word: str) -> bool:
            folded = word.lower()
            if word.casefold() in here:
                return True
            if self._words.count(word) < _USED or len(word) - len(typed) < _BEGUN:
                return False
            if not typed:
                return follows(word)
            known = self._words.general_frequency(word)  # the user knows "with", but not for a Spanish text
            there = 0.0
            if language < len(self._others):
                there = float(other_frequencies([folded])[0][self._others[language]])
            return there >= known if there else not known and len(typed) > _BEGUN

        return lambda offered: not all(map(is_own, _words_shown(typed, offered)))

    def _of_another_known(self, typed: str) -> Callable[[str], bool]:
        """Return a function that says whether something has a word of another known language than the text's."""
        if max(self._words.belief, default=0.0) < _SURE_LANGUAGE:
            return lambda _offered: False
        return lambda offered: any(map(self._words.is_of_another_language, _words_shown(typed, offered)))

    def _states(self, text: str) -> NDArray[np.float64]:
        """Return how probable each language is behind the last word: the known ones, the others, another script."""
        near = text[-_CHARS:]
        key = hash(near)
        if key not in self._kept:
            self._kept[key] = self._find(near)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _find(self, near: str) -> NDArray[np.float64]:
        if self._known > 1:
            return self._find_among(near)
        words = _last_words(near, _WORDS)
        states = self._at_first()
        last = [self._likelihood(word.lower()) for word in words[:_SURELY_WORDS]]
        if len(last) == _SURELY_WORDS and math.prod(row[0] / row[1:].max() for row in last) >= _SURELY_KNOWN:
            return states
        words.reverse()
        for word in words:
            if _is_abbreviation(word):
                continue
            for part in self._parts(word.lower()):
                known = states[0] * (1 - _CHANGES) + (1 - states[0]) * _RETURNS
                states = states * (1 - _RETURNS) + states[0] * _CHANGES / (self._count - 1)
                states[0] = known
                states *= self._likelihood(part)
                states /= states.sum()
        return states

    def _find_among(self, near: str) -> NDArray[np.float64]:
        """Return the states where several languages are known."""
        found = list(islice(_BACKWARDS.finditer(near), _WORDS))[::-1]
        states, usual, count, end = self._at_first(), self._at_first(), self._known, None
        for match in found:
            new_sentence = end is None or _ENDS_SENTENCE.search(near, end, match.start()) is not None
            if end is not None:
                states = self._next(states, usual, _CHANGES_SENTENCE if new_sentence else _CHANGES_KNOWN)
            end = match.end()
            word = match[0]
            if _is_abbreviation(word):
                continue
            for part in self._parts(word.lower()):
                likelihood = self._likelihood(part).copy()
                is_name = word[:1].isupper() and not new_sentence
                likelihood[:count] = self._clipped(
                    likelihood[:count],
                    _MAX_ODDS_OF_NAME if is_name and not self._is_noun(part) else _MAX_ODDS,
                )
                states = states * likelihood
                states /= states.sum()
        if end is not None:
            new_sentence = _ENDS_SENTENCE.search(near, end) is not None
            states = self._next(states, usual, _CHANGES_SENTENCE if new_sentence else _CHANGES_KNOWN)
        return states

    def _is_noun(self, word: str) -> bool:
        """Return True if a word in lower case has a capital in a known language that writes its nouns so."""
        return any(self._words.is_capitalized_in(place, word) for place in range(self._known))

    def _next(
        self, states: NDArray[np.float64], usual: NDArray[np.float64], changes: float
    ) -> NDArray[np.float64]:
        """Return the states one word later."""
        known, count = float(states[: self._known].sum()), self._known
        after = states * (1 - _RETURNS)
        after[count:] += known * _CHANGES / (self._count - count)
        stay = (1 - changes) * states[:count] + changes * known * usual[:count] / usual[:count].sum()
        after[:count] = stay * (1 - _CHANGES) + (1 - known) * _RETURNS * usual[:count] / usual[:count].sum()
        found: NDArray[np.float64] = after / after.sum()
        return found

    def _at_first(self) -> NDArray[np.float64]:
        """Return how probable each language is where a text begins: the user's, as often as they write in each."""
        states = np.full(self._count, _BEGINS / (self._count - self._known))
        written = self._words.written
        states[: self._known] = (1 - _BEGINS) * written / written.sum()
        return states

    def _clipped(self, likelihood: NDArray[np.float64], odds: float) -> NDArray[np.float64]:
        """Return how well each known language explains something, the best one no more times than ``odds``."""
        clipped: NDArray[np.float64] = np.maximum(likelihood, likelihood.max() / odds)
        return clipped

    def _parts(self, word: str) -> list[str]:
        """Return a word, or, where no list has one like it, what apostrophes part in it."""
        if "'" in word or "’" in word:
            word = word.replace("’", "'")
            return [word] if self._words.general_frequency(word) else _PARTS.findall(word)
        return [word]

    def _likelihood(self, word: str) -> NDArray[np.float64]:
        """Return how often a word in lower case is used in each language."""
        key = hash(word)
        found = self._likelihoods.get(key)
        if found is None:
            found, count = np.empty(self._count), self._known
            found[:count] = (
                self._words.general_frequency(word) if count == 1 else self._words.frequencies([word])[0]
            )
            found[count:-1] = other_frequencies([word])[0][self._others]
            found[-1] = 0.0 if _LATIN.search(word) else _OTHER_SCRIPT
            np.maximum(found, _UNLISTED, out=found)
            if len(self._likelihoods) >= _WORDS_KEPT:
                self._likelihoods.clear()
            self._likelihoods[key] = found
        known, most = found[: self._known], found[self._known :].max()
        if most > known.max() and self._words.count(word) >= _TYPED:
            found = found.copy()
            found[: self._known] *= most / known.max()
        return found


def _is_abbreviation(word: str) -> bool:
    """Return True for what tells nothing of its language: "TODO", "B2"."""
    return any(map(str.isnumeric, word)) or (len(word) > 1 and word.isupper())


def _words_shown(typed: str, offered: str) -> list[str]:
    """Return the words that stand there once ``offered`` follows the letters of the word under the cursor."""
    goes_on = offered[:1].isalnum() or offered[:1] in "'’"
    return WORD.findall(typed + offered if goes_on else offered)


def _last_words(text: str, most: int) -> list[str]:
    """Return up to ``most`` words at the end of a text, the last one first."""
    return [found[0] for found in islice(_BACKWARDS.finditer(text[-_CHARS:]), most)]
