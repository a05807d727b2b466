"""How common a word is in general language, in the seven languages that secrets are looked for in.

The frequencies are those of wordfreq (Speer 2022), kept as hashes in a file of this package. They take a megabyte where
the words would take forty, and the tagger of secrets works with the same ones that it was trained with.
"""

from __future__ import annotations

import unicodedata
import zlib
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: The languages whose lists are read; English is told apart from the others.
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
FILE: Final = Path(__file__).with_name("frequencies.npz")
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


@cache
def _table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
    """The words' hashes, sorted; and for each how rare it is in English and elsewhere, in steps of centibels."""
    with np.load(FILE) as stored:
        return stored["hashes"], stored["english"], stored["elsewhere"]


def _plain(word: str) -> str:
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
