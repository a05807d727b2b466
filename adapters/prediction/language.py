"""Whether a text is in a language that the program knows: English, or what its user has written in.

A hidden Markov model over the last words: each is in a known language or in one of 26 others, and people seldom change
between two words. A word speaks for a language by how often it is used there (Cavnar & Trenkle 1994 did so with runs of
letters), and for the known one also if the user has typed it before.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.vocabulary import WORD, WordVocabulary
from idiolect.models.misspellings import Misspellings
from idiolect.models.word_frequencies import OTHER_LANGUAGES, other_frequencies

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
_STATES: Final = len(OTHER_LANGUAGES) + 2
_SURELY_WORDS, _SURELY_KNOWN = (
    3,
    1e3,
)  # words, and how much oftener the known language uses them than any other
# Where nothing or one word tells the language: the least probability of a word that is offered, ...
_MIN_FIRST_PROB, _MIN_SECOND_PROB = 0.05, 0.1
_MIN_FIRST_LETTERS = 3  # ... from that many letters of the first word on, ...
_SURE_KNOWN = 0.9  # ... and the probability of a known language, from which on the second word needs none
_BACKWARDS = regex.compile(WORD.pattern, regex.REVERSE)
_LATIN = regex.compile(r"\p{Latin}")
_PARTS = regex.compile(r"[^'’]+")  # of "l'homme" or "dell'arte"


class Languages:
    """Tells texts in unknown languages. For one thread at a time.

    Args:
        words: English, and what the user has typed.
    """

    def __init__(self, words: WordVocabulary) -> None:
        self._words = words
        self._kept = OrderedDict[int, NDArray[np.float64]]()
        self._likelihoods = dict[int, NDArray[np.float64]]()

    def knows(self, text: str) -> bool:
        """Return False if the last words of ``text``, all of them finished, are in a language that is not known."""
        words = _last_words(text, 2)
        by_one = len(words) == 1 and not Misspellings.english().meanings(words[0].lower())  # "teh"
        return bool(self._states(text)[0] >= (_MAX_KNOWN_BY_ONE if by_one else _MAX_KNOWN))

    def least_prob(self, text: str, typed: str) -> float:
        """Return the least probability of the likeliest word for it to be offered, where little tells the language.

        Args:
            text: what stands before the word under the cursor.
            typed: the letters of that word.
        """
        if Misspellings.english().meanings(typed.lower()):  # it tells the language, and is mended
            return 0.0
        words = len(_last_words(text, 2))
        if words == 0:
            return _MIN_FIRST_PROB if len(typed) >= _MIN_FIRST_LETTERS else 0.0
        return _MIN_SECOND_PROB if words == 1 and self._states(text)[0] < _SURE_KNOWN else 0.0

    def only_own(self, text: str, typed: str, follows: Callable[[str], bool]) -> Callable[[str], bool]:
        """Return a function that says whether something has a word which the user does not use in this language.

        Args:
            text: what stands before the word under the cursor, in an unknown language.
            typed: the letters of the word under the cursor, which what is asked about goes on with.
            follows: whether the user has written a word behind what stands before it.
        """
        language = int(np.argmax(self._states(text)[1:]))
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
            english = self._words.general_frequency(word)  # the user knows "with", but not for a Spanish text
            there = (
                float(other_frequencies([folded])[0][language]) if language < len(OTHER_LANGUAGES) else 0.0
            )
            return there >= english if there else not english and len(typed) > _BEGUN

        def hides(offered: str) -> bool:
            goes_on = offered[:1].isalnum() or offered[:1] in "'’"
            return not all(map(is_own, WORD.findall(typed + offered if goes_on else offered)))

        return hides

    def _states(self, text: str) -> NDArray[np.float64]:
        """Return how probable each language is behind the last word: the known one, the others, another script."""
        near = text[-_CHARS:]
        key = hash(near)
        if key not in self._kept:
            self._kept[key] = self._find(near)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _find(self, near: str) -> NDArray[np.float64]:
        words = _last_words(near, _WORDS)
        states = np.full(_STATES, _BEGINS / (_STATES - 1))
        states[0] = 1 - _BEGINS
        last = [self._likelihood(word.lower()) for word in words[:_SURELY_WORDS]]
        if len(last) == _SURELY_WORDS and math.prod(row[0] / row[1:].max() for row in last) >= _SURELY_KNOWN:
            return states
        words.reverse()
        for word in words:
            if any(map(str.isnumeric, word)) or (
                len(word) > 1 and word.isupper()
            ):  # "TODO" is an abbreviation
                continue
            for part in self._parts(word.lower()):
                known = states[0] * (1 - _CHANGES) + (1 - states[0]) * _RETURNS
                states = states * (1 - _RETURNS) + states[0] * _CHANGES / (_STATES - 1)
                states[0] = known
                states *= self._likelihood(part)
                states /= states.sum()
        return states

    def _parts(self, word: str) -> list[str]:
        """Return a word, or, where English has none like it, what apostrophes part in it."""
        if "'" in word or "’" in word:
            word = word.replace("’", "'")
            return [word] if self._words.general_frequency(word) else _PARTS.findall(word)
        return [word]

    def _likelihood(self, word: str) -> NDArray[np.float64]:
        """Return how often a word in lower case is used in each language."""
        key = hash(word)
        found = self._likelihoods.get(key)
        if found is None:
            found = np.empty(_STATES)
            found[0] = self._words.general_frequency(word)
            found[1:-1] = other_frequencies([word])[0]
            found[-1] = 0.0 if _LATIN.search(word) else _OTHER_SCRIPT
            np.maximum(found, _UNLISTED, out=found)
            if len(self._likelihoods) >= _WORDS_KEPT:
                self._likelihoods.clear()
            self._likelihoods[key] = found
        most = found[1:].max()
        if most > found[0] and self._words.count(word) >= _TYPED:
            found = found.copy()
            found[0] = most
        return found


def _last_words(text: str, most: int) -> list[str]:
    """Return up to ``most`` words at the end of a text, the last one first."""
    return [found[0] for found in islice(_BACKWARDS.finditer(text[-_CHARS:]), most)]
