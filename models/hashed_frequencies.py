"""How common a word is in general language: in the seven languages that secrets are looked for in, and in many others.

The frequencies are those of wordfreq (Speer 2022), kept as hashes in two files of this package. They take a megabyte
and half a megabyte where the words would take forty, and the tagger of secrets works with the same ones that it was
trained with.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: The languages whose lists are read; English is told apart from the others.
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
FILE: Final = Path(__file__).with_name("frequencies.npz")
#: The languages with Latin letters whose most used words are told apart.
OTHER_LANGUAGES: Final = (
    "ca", "cs", "da", "de", "es", "fi", "fil", "fr", "hu", "id", "is", "it", "lt", "lv",
    "ms", "nb", "nl", "pl", "pt", "ro", "sh", "sk", "sl", "sv", "tr", "vi", "en",
)  # fmt: skip # several to a line
OTHERS_FILE: Final = Path(__file__).with_name("other_languages.npz")
_OTHER_WORDS: Final = 2_500  # of each of these languages, the most used
_STEP: Final = 4  # centibels: hundredths of a power of ten
_UNKNOWN: Final = 255  # in place of how rare it is


def zipf(word: str) -> tuple[float, float]:
    """Return how common ``word`` is in English, and in the other language where it is most common.

    Both on Zipf's scale (Van Heuven et al. 2014): the logarithm to the base of ten of its uses in a billion words; 0
    where it is not among the 30,000 or so most used.

    Args:
        word: in lower case and without accents.
    """
    hashes, english, others = _table()
    wanted = _hash(word)
    place = int(np.searchsorted(hashes, np.uint32(wanted)))  # of the same type: else the table is copied
    if place == len(hashes) or hashes[place] != wanted:
        return 0.0, 0.0
    return _scale(int(english[place])), _scale(int(others[place]))


def other_frequencies(words: Sequence[str], without: str | None = None) -> NDArray[np.float32]:
    """Return how often words are used in each of :data:`OTHER_LANGUAGES`: (words, languages), uses per word of text.

    It is 0 where a word is not among the 2,500 most used of a language.

    Args:
        words: in lower case, with their accents.
        without: a language that is left out.
    """
    hashes, languages, rarity = _other_table()
    wanted = np.array([_hash(word) for word in words], np.uint32)
    first, last = (np.searchsorted(hashes, wanted, side) for side in ("left", "right"))
    found = np.zeros((len(words), len(OTHER_LANGUAGES)), np.float32)
    for row, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        found[row, languages[start:end]] = 10.0 ** (-_STEP * rarity[start:end].astype(np.float32) / 100)
    if without is None:
        return found
    return np.delete(found, OTHER_LANGUAGES.index(without), axis=1)


def _scale(steps: int) -> float:
    return 0.0 if steps == _UNKNOWN else 9 - _STEP * steps / 100


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def build_frequencies(path: Path = FILE) -> None:
    """Write the table anew, from the lists of the wordfreq that is installed. Raises OSError.

    The tagger must then be trained again, too.
    """
    from wordfreq import get_frequency_list  # needed only here

    hashes, places, rarity = [], [], []
    for language in LANGUAGES:
        for centibels, words in enumerate(get_frequency_list(language, "small")):
            hashes += [_hash(_plain(word)) for word in words]
            places += [language != "en"] * len(words)
            rarity += [centibels // _STEP] * len(words)
    known, which = np.unique(np.array(hashes, dtype=np.uint32), return_inverse=True)
    rarest = np.full((2, len(known)), _UNKNOWN, dtype=np.uint8)
    np.minimum.at(rarest, (np.array(places, dtype=np.intp), which), np.array(rarity, dtype=np.uint8))
    np.savez_compressed(path, hashes=known, english=rarest[0], elsewhere=rarest[1])


def build_other_frequencies(path: Path = OTHERS_FILE) -> None:
    """Write the table of :func:`other_frequencies` anew. Raises OSError."""
    from wordfreq import get_frequency_list  # needed only here

    rows = []
    for place, language in enumerate(OTHER_LANGUAGES):
        listed = [
            (centibels, word)
            for centibels, words in enumerate(get_frequency_list(language, "small"))
            for word in sorted(words)
            if word.isalpha()
        ]
        rows += [(_hash(word), place, centibels // _STEP) for centibels, word in listed[:_OTHER_WORDS]]
    hashes, places, rarity = zip(*sorted(rows), strict=True)
    np.savez_compressed(
        path,
        hashes=np.array(hashes, np.uint32),
        languages=np.array(places, np.uint8),
        rarity=np.array(rarity, np.uint8),
    )


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


def _plain(word: str) -> str:
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
