"""General words with how often they are used, filed by the model token that begins them: English, or several languages.

One forward pass gives a probability to every token; a word's is its first token's times the word's
share among the words that begin with that token. So one pass ranks the whole lexicon.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from idiolect.models.dictionary import Spelling, make_tables, write_tables
from idiolect.models.errors import DamagedModelError
from idiolect.models.tokenizer import Tokenizer
from idiolect.models.word_lists import (
    dictionary_words,
    general_words,
    german_nouns,
    names_and_foreign,
    spelt_words,
)

SIZE = 60_000
"""Words kept of English, the most used first."""

# As multiples of it: words of another language, which has more forms of each and writes compounds as one, and of all.
_OTHERS_SIZE: Final = 8 / 3
_WHOLE_SIZE: Final = 4.0

ENGLISH: Final = ("en",)
"""The languages of the list that every base model is built with."""

NONE = -1
"""Stands for a second token where a form has only one."""

_RARELY: Final = 0.11  # the rank of "English" beside that of "english", at most, for a name
_SAMPLED: Final = 50  # one form of so many is compared with its capitalized one


@dataclass(frozen=True)
class Lexicon:
    """N written forms (each word in lower case and capitalized), sorted by their UTF-8 bytes."""

    forms: NDArray[np.bytes_]  # (N,)
    frequency: NDArray[np.float32]  # (N,), uses per word of text, in the language that uses the form most
    first: NDArray[
        np.int32
    ]  # (2, N), the token that begins the form, alone (row 0) and after a space (row 1)
    second: NDArray[np.int32]  # (2, N), the token after it, `NONE` where there is none
    languages: tuple[str, ...] = ENGLISH
    frequencies: NDArray[np.float32] | None = None  # (languages, N) where there are several, uses in each

    @property
    def by_language(self) -> NDArray[np.float32]:
        """(languages, N), uses of each form per word of text in that language."""
        return self.frequency[None] if self.frequencies is None else self.frequencies

    def place(self, form: str) -> int | None:
        """Return where a written form stands; None if the lexicon lacks it."""
        raw = form.encode()
        place = int(np.searchsorted(self.forms, np.bytes_(raw)))
        return place if place < len(self.forms) and bytes(self.forms[place]) == raw else None

    def __contains__(self, form: str) -> bool:
        """Return True if this is one of the written forms."""
        return self.place(form) is not None

    @cached_property
    def names(self) -> list[NDArray[np.intp]]:
        """Where names stand (2, M), capitalized in row 0 and in small letters, "december", in row 1, both in order.

        There is one such array for each language; in German it holds all nouns.
        """
        nouns = {"de": german_nouns}
        return [
            self._english_names
            if language == "en"
            else self._pairs(nouns[language]() if language in nouns else np.zeros(0, "S1"))
            for language in self.languages
        ]

    @cached_property
    def _english_names(self) -> NDArray[np.intp]:
        """Names of the English list.

        The list is in lower case. The tokenizer, which was made from text, shows which words are names: it has a
        token of its own for " December", and none for " december". Its text knew the word by its capital. A dictionary
        tells others, of several tokens.
        """
        large, small = (slice(*np.searchsorted(self.forms, ends)) for ends in ([b"A", b"["], [b"a", b"{"]))
        letters = self.forms.view(np.uint8).reshape(len(self.forms), -1)
        some = letters[small][::_SAMPLED, 1:], letters[large][::_SAMPLED, 1:]
        if not np.array_equal(*some):  # a list where small and capitalized forms are no pairs
            return np.zeros((2, 0), np.intp)
        # Where both have one, the token that is more frequent comes first: its number is the rank of its frequency.
        rarely_small = self.first[1, large] < _RARELY * self.first[1, small]
        is_name = (self.second[1, large] == NONE) & ((self.second[1, small] != NONE) | rarely_small)
        if self.frequencies is not None:
            is_name &= self.frequencies[self.languages.index("en"), small] > 0
        is_name[self._places(names_and_foreign()[0]) - small.start] = True
        return np.array([[large.start], [small.start]]) + np.flatnonzero(is_name)

    def _pairs(self, words: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """Return where words in small letters stand (2, M), capitalized and as they are."""
        small = [word for word in words.tolist() if self.place(word.decode()) is not None]
        large = [(text[:1].upper() + text[1:]).encode() for text in (word.decode() for word in small)]
        places = np.stack(
            [np.searchsorted(self.forms, np.array(forms, self.forms.dtype)) for forms in (large, small)]
        )
        return places[:, np.argsort(places[0])]

    @cached_property
    def foreign(self) -> NDArray[np.intp]:
        """Where words of other languages stand (M,), in small letters and capitalized."""
        words = names_and_foreign()[1]
        return np.concatenate([self._places(words), self._places(np.char.capitalize(words))])

    def _places(self, words: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """Return the places of the words (M,) that are here."""
        places = np.minimum(np.searchsorted(self.forms, words), len(self.forms) - 1)
        found: NDArray[np.intp] = places[self.forms[places] == words]
        return found

    def is_name(self, word: str, language: int = 0) -> bool:
        """Return True if a word, in any capitals, is known to have a capital in a language, by its place here."""
        return word.lower().removesuffix("'s").encode() in self._small_names[language]

    @cached_property
    def _small_names(self) -> list[frozenset[bytes]]:
        return [frozenset(self.forms[names[1]].tolist()) for names in self.names]


def make_word_list(tokenizer: Tokenizer, languages: Sequence[str], lexicon: Path, dictionary: Path) -> None:
    """Write the word list of these languages to two ``.npz``: the lexicon, and the tables of a dictionary for it.

    ``tokenizer`` cuts the words. Raises OSError.
    """
    words, spelt = dict[str, dict[str, float]](), set[str]()
    for language in languages:
        listed, words[language] = dictionary_words(language), general_words(language)
        spelt |= listed if language == "en" else spelt_words(words[language], listed)
    write_lexicon(tokenizer, lexicon, words)
    write_tables(make_tables(read_lexicon(lexicon).forms, Spelling.of(spelt)), dictionary)


def write_lexicon(tokenizer: Tokenizer, path: Path, words: Mapping[str, Mapping[str, float]]) -> None:
    """Write the words of each language, in lower case with their uses per word of text, to ``path``, an ``.npz``.

    ``tokenizer`` cuts them. Raises OSError.
    """
    forms: dict[str, list[float]] = {}
    for place, (language, frequencies) in enumerate(words.items()):
        kept = _words_kept(language, len(words))
        for word in sorted(frequencies, key=frequencies.__getitem__, reverse=True)[:kept]:
            for form in {word, word[:1].upper() + word[1:]}:
                uses = forms.setdefault(form, [0.0] * len(words))
                uses[place] = max(uses[place], frequencies[word])
    encoded = np.array([form.encode() for form in forms])
    order = np.argsort(encoded)  # without the interpreter's lock, unlike Python's own
    written = [*forms]
    first, second = np.full((2, 2, len(encoded)), NONE, np.int32)
    for row, space in enumerate(("", " ")):
        for place, index in enumerate(order.tolist()):
            first[row, place], second[row, place] = (*tokenizer.encode(space + written[index]), NONE)[:2]
    tokenizer.forget_words()
    frequency = np.array([*forms.values()], dtype=np.float32)[order].T
    several: dict[str, Any] = {}
    if (*words,) != ENGLISH:
        several = {"languages": np.array([*words]), "frequencies": np.ascontiguousarray(frequency)}
    np.savez(
        path,
        forms=encoded[order],
        frequency=frequency.max(0),
        first=first,
        second=second,
        **several,
    )


def _words_kept(language: str, languages: int) -> int:
    """Return how many words of a language are kept in a list of so many: 160,000 of German alone, 60,000 of English."""
    return SIZE if language == "en" else int(SIZE * min(_OTHERS_SIZE, _WHOLE_SIZE / languages))


def read_lexicon(path: Path) -> Lexicon:
    """Read what :func:`write_lexicon` wrote. Raises DamagedModelError."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            several: tuple[Any, ...] = ()
            if "languages" in arrays:
                several = tuple(arrays["languages"].tolist()), arrays["frequencies"]
            return Lexicon(*(arrays[name] for name in ("forms", "frequency", "first", "second")), *several)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedModelError(
            f"The word list {path} is missing or damaged. Run `idiolect start --rebuild`."
        ) from error
