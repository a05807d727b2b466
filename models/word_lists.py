"""The words of a language as they are written, with how often they are used.

They come from wordfreq (Speer 2022), which joins books, subtitles, news, web and social-media text, and are kept in a
file of this package, as `tests/bench/word_tables.py` makes it. German nouns have a capital: a list made from Wiktionary
holds the words that are nothing but nouns.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
"""The languages that have a word list."""

FILE: Final = Path(__file__).with_name("word_lists.npz")
"""For each language its words in order, lzma of UTF-8 lines; and how rare each is, lzma of uint16 centibels."""

NAMES_FILE: Final = Path(__file__).with_name("names.npz")
_NOUNS_FILE: Final = Path(__file__).with_name("german_nouns.npz")
_SPELT: Final = 2e-6  # uses per word of text, from which on what no dictionary has is a word


def dictionary_words(language: str) -> frozenset[str]:
    """Return the words of a dictionary in lower case; it takes half a second of a processor."""
    from spellchecker import SpellChecker  # takes a tenth of a second, so only where it is needed

    return frozenset(SpellChecker(language=language, distance=1).word_frequency.words())


def general_words(language: str) -> dict[str, float]:
    """Return the words of a language, in lower case, with their uses per word of text.

    There are 80,000 of English, without known misspellings, and 160,000 of each of the others.
    """
    with np.load(FILE) as stored:
        words = lzma.decompress(stored[language].tobytes()).decode().split("\n")
        rarity = np.frombuffer(lzma.decompress(stored[f"{language}_rarity"].tobytes()), "<u2")
    return dict(zip(words, (10.0 ** (rarity / -100.0)).tolist(), strict=True))


def spelt_words(frequencies: Mapping[str, float], dictionary: frozenset[str]) -> frozenset[str]:
    """Return the words that are spelt right: the dictionary's, and what is used too often to be a mistake."""
    return dictionary | {word for word, frequency in frequencies.items() if frequency >= _SPELT}


@cache
def german_nouns() -> NDArray[np.bytes_]:
    """Return the German words that are nouns and nothing else, in small letters, UTF-8 and in order."""
    with np.load(_NOUNS_FILE) as stored:
        return np.array(stored["nouns"].tobytes().split(b"\n"))


@cache
def names_and_foreign() -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
    """Return names and foreign words among the general English ones, in small letters, UTF-8 and in order.

    The general list is in small letters, since it comes from the web. A dictionary (Hunspell's en_US, made from SCOWL)
    has "Derek" and no "derek"; of "italia" it has neither, and Italian uses it a hundred times as often as English.
    """
    with np.load(NAMES_FILE) as stored:
        return stored["names"], stored["foreign"]


@cache
def small_words() -> frozenset[str]:
    """Return German words that are written in small letters wherever no sentence begins."""
    return frozenset(_SMALL.split())


_SMALL: Final = """
    die der das den dem des ein eine einer einem einen eines ich er es wir mich sich uns mir ihm ihn mein man
    wer was wen wem wessen dies diese dieser dieses diesem diesen jene jener jenes wie wo wann warum weil wenn
    als ob oder aber und denn doch dass falls sobald damit von für mit bei aus nach vor zu über unter an am auf
    in im um gegen ohne durch seit bis ab per anstatt zwischen hinter neben ist sind war bin bist sei seid
    habe hast hat haben hatte hatten werde wird werden wurde wurden würde würden kann können konnte muss müssen
    musste sollen wollen darf möchte nicht jetzt nun dann da hier dort her hin so sehr auch nur
    noch schon immer nie wieder
"""  # words with a capital at a sentence's start alone, but for titles
