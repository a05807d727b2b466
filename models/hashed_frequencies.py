"""Returns how common a word is in the seven languages that are searched for secrets, and in many others.

The frequencies are wordfreq's (Speer 2022), kept as hashes in two files of this package. They take a megabyte
and half a megabyte where the words would take forty, and the tagger of secrets works with the frequencies that it was
trained with.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: The languages whose lists are read; English is counted apart from the others.
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
FILE: Final = Path(__file__).with_name("frequencies.npz")
#: The languages with Latin letters whose most used words are known.
OTHER_LANGUAGES: Final = (
    "ca", "cs", "da", "de", "es", "fi", "fil", "fr", "hu", "id", "is", "it", "lt", "lv",
    "ms", "nb", "nl", "pl", "pt", "ro", "sh", "sk", "sl", "sv", "tr", "vi", "en",
)  # fmt: skip # several to a line
OTHERS_FILE: Final = Path(__file__).with_name("other_languages.npz")
STEP: Final = 4
"""Steps of the stored rarities, in centibels: hundredths of a power of ten."""
UNKNOWN: Final = 255
"""In the place of a rarity: the word is not among the most used."""


def zipf(word: str) -> tuple[float, float]:
    """Return how common ``word`` is in English, and in the other language where it is most common.

    Both on Zipf's scale (Van Heuven et al. 2014): the logarithm to the base of ten of its uses in a billion words; 0
    where it is not among the 30,000 or so most used. ``word`` is in lower case and without accents.
    """
    hashes, english, others = _table()
    wanted = hash_word(word)
    place = int(np.searchsorted(hashes, np.uint32(wanted)))  # of the same type: else the table is copied
    if place == len(hashes) or hashes[place] != wanted:
        return 0.0, 0.0
    return _scale(int(english[place])), _scale(int(others[place]))


def other_frequencies(words: Sequence[str], without: str | None = None) -> NDArray[np.float32]:
    """Return how often words are used in each of :data:`OTHER_LANGUAGES`: (words, languages), uses per word of text.

    It is 0 where a word, in lower case with its accents, is not among the 2,500 most used of a language. The language
    ``without`` is left out.
    """
    hashes, languages, rarity = _other_table()
    wanted = np.array([hash_word(word) for word in words], np.uint32)
    first, last = (np.searchsorted(hashes, wanted, side) for side in ("left", "right"))
    found = np.zeros((len(words), len(OTHER_LANGUAGES)), np.float32)
    times = last - first
    rows = np.repeat(np.arange(len(words)), times)
    places = np.arange(len(rows)) - np.repeat(times.cumsum() - times - first, times)
    found[rows, languages[places]] = 10.0 ** (-STEP * rarity[places].astype(np.float32) / 100)
    if without is None:
        return found
    return np.delete(found, OTHER_LANGUAGES.index(without), axis=1)


def _scale(steps: int) -> float:
    return 0.0 if steps == UNKNOWN else 9 - STEP * steps / 100


def hash_word(word: str) -> int:
    """Return the number by which a word is filed."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


@cache
def _other_table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
    """The hashes of words, sorted; and for each a language and how rare it is there, in steps of centibels."""
    with np.load(OTHERS_FILE) as stored:
        return stored["hashes"], stored["languages"], stored["rarity"]


@cache
def _table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
    """The words' hashes, sorted; and for each how rare it is in English and elsewhere, in steps of centibels."""
    with np.load(FILE) as stored:
        return stored["hashes"], stored["english"], stored["elsewhere"]
