"""The general words as a corrector needs them: which are spelt as a dictionary has them, filed by their letters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.mending.letter_model import LetterModel
from idiolect.models.dictionary import (
    DictionaryTables,
    Spelling,
    make_tables,
    read_tables,
    with_regional_words,
)
from idiolect.models.letter_trie import LetterTrie
from idiolect.models.lexicon import Lexicon
from idiolect.models.misspellings import Misspellings, american

_COMMON: Final = 1e-5  # uses per word of text
# How much oftener a word is used than another meaning, and than its misspelling, for it to be meant whatever the
# context; and than its misspelling for that to be one.
_SURELY_MEANT, _MEANT = 20.0, 5.0
_SHORT: Final = 3  # letters
_PHRASE: Final = 30.0  # how much oftener two common words stand side by side than by chance
_PRONOUN: Final = 5e-4  # uses per word of text of a word before "'s" that is no possessive: "that's", "who's"


class GeneralWords:
    """The lexicon for correctors, shared by all of them.

    Its tables are read once somebody first needs them, which a predictor does when it is warmed.

    Args:
        lexicon: the general words.
        stored: the file of the tables, or None to make them.
    """

    def __init__(self, lexicon: Lexicon, stored: Path | None = None) -> None:
        self._lexicon = lexicon
        self._stored = stored
        self._is_english = "en" in lexicon.languages
        self._made: DictionaryTables | None = None

    def _tables(self) -> DictionaryTables:
        if self._made is None:
            forms = self._lexicon.forms
            languages = self._lexicon.languages
            if self._stored is None:
                tables = make_tables(forms, Spelling.of_languages(languages))
            else:
                tables = read_tables(self._stored, forms, languages)
            self._made = with_regional_words(tables, forms) if self._is_english else tables
        return self._made

    @cached_property
    def _misspellings(self) -> Misspellings:
        return Misspellings.english() if self._is_english else Misspellings(b"")

    @property
    def spelling(self) -> Spelling:
        """The words of a dictionary."""
        return self._tables().spelling

    @property
    def trie(self) -> LetterTrie:
        """The lexicon's forms by their letters."""
        return self._tables().trie

    @property
    def spelt(self) -> NDArray[np.bool_]:
        """Whether the dictionary has each form (N,) of the lexicon."""
        return self._tables().spelt

    def is_spelt(self, word: str) -> bool:
        """Return True if a dictionary has a word, in any capitals, or its American spelling, and people use it."""
        if word in self.spelling:
            return True
        folded = word.lower()
        return (
            (other := american(folded)) != folded
            and self.frequency(folded) > 0
            and other in self.spelling
            and not self._misspellings.meanings(folded)
        )

    def is_name(self, word: str) -> bool:
        """Return True if one of the languages writes a word, in any capitals, with a capital, as far as is known."""
        return any(self._lexicon.is_name(word, place) for place in range(len(self._lexicon.languages)))

    def meanings(self, word: str) -> tuple[str, ...]:
        """Return what may be meant by a known misspelling, in lower case; () for all other words.

        A word of a dictionary is none; nor is "talkin", which is "talking" as it is spoken.
        """
        meanings = self._misspellings.meanings(word)
        if not meanings or f"{word}g" in meanings or word in self.spelling:
            return ()
        return meanings

    def meant_by(self, word: str) -> str | None:
        """Return what is meant by a misspelling, in lower case, whatever stands before it; None if that depends.

        That is a known misspelling of which one meaning is by far the commonest, or a word such as "don't" without its
        apostrophe, where that makes no other word.
        """
        meanings = self.meanings(word)
        single = [meaning for meaning in meanings if " " not in meaning]
        contracted = self._contractions.get(word)
        if contracted is not None and single in ([], [contracted]) and word not in self.spelling:
            return contracted
        if len(word) <= _SHORT and self.frequency(word):
            return None  # too many abbreviations look like that
        uses = sorted(((self._uses(meaning), meaning) for meaning in meanings), reverse=True)
        if not uses or uses[0][0] < _SURELY_MEANT * max(self.frequency(word), *(n for n, _ in uses[1:]), 0.0):
            return None
        return uses[0][1] if uses[0][0] else None

    def is_misspelling(self, word: str) -> bool:
        """Return True if a word, in any capitals, is a misspelling, whether or not it is known what is meant."""
        folded = word.lower().replace("’", "'")
        meanings = self.meanings(folded)
        if not meanings or (word[:1].isupper() and self.is_name(folded)):
            return False
        return max(map(self._uses, meanings)) >= _MEANT * self.frequency(folded)

    def _uses(self, meaning: str) -> float:
        """Return how often people use a word or a phrase, per word of text."""
        uses = [self.frequency(word) for word in meaning.lower().split()]
        return min(1.0, *uses) if len(uses) < 2 else float(np.prod(uses)) * _PHRASE ** (len(uses) - 1)

    @cached_property
    def _contractions(self) -> Mapping[str, str]:
        """Words with an apostrophe that are no possessives, by their letters, where these are seldom used."""
        lexicon = self._lexicon
        found = dict[str, str]()
        for index in np.flatnonzero((np.char.find(lexicon.forms, b"'") > 0) & (lexicon.frequency >= _COMMON)):
            form = self.form(int(index))
            before, _, after = form.partition("'")
            if form != form.lower() or (after == "s" and self.frequency(before) < _PRONOUN):
                continue
            if (without := before + after) and self.frequency(form) >= _MEANT * self.frequency(without):
                found[without] = form
        return found

    @cached_property
    def letters(self) -> LetterModel:
        """How likely letters follow each other in the lexicon's forms."""
        return LetterModel(self._lexicon.forms)

    def form(self, index: int) -> str:
        """Return a form of the lexicon."""
        return str(self._lexicon.forms[index].decode())

    def frequency(self, word: str) -> float:
        """Return how often people use a word in lower case, per word of text; 0 if the lexicon lacks it."""
        place = self._lexicon.place(word)
        return 0.0 if place is None else float(self._lexicon.frequency[place])

    @cached_property
    def common(self) -> Mapping[str, float]:
        """The words that are often used and spelt right, in lower case, with their uses per word of text."""
        lexicon = self._lexicon
        often = np.flatnonzero((lexicon.frequency >= _COMMON) & self.spelt)
        found = {lexicon.forms[index].decode(): float(lexicon.frequency[index]) for index in often}
        return {word: frequency for word, frequency in found.items() if word == word.lower()}
