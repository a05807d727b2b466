"""Words that are written with a capital, and words of other languages, as a dictionary tells them from general words.

The general list is in small letters, since it comes from the web. A dictionary (Hunspell's en_US, made from SCOWL) has
"Derek" and no "derek"; of "italia" it has neither, and Italian uses it a hundred times as often as English.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.models.hashed_frequencies import other_frequencies
from idiolect.models.misspellings import american

FILE: Final = Path(__file__).with_name("names.npz")
_SHORTEST: Final = 4  # letters: of fewer, abbreviations and symbols look like names
_MAX_IN_ENGLISH: Final = 3e-6  # uses per word of text of a foreign word
_OFTENER: Final = 100.0  # times that its own language uses it as often


@cache
def names_and_foreign() -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
    """Return the names and the foreign words, in small letters, UTF-8 and in order."""
    with np.load(FILE) as stored:
        return stored["names"], stored["foreign"]


def build_names(words: Sequence[str], frequencies: NDArray[np.float32], path: Path = FILE) -> None:
    """Write the two lists anew, for which the package spylls must be installed. Raises OSError.

    Args:
        words: (N,) the general words, in small letters.
        frequencies: (N,) how often English uses each, per word of text.
    """
    from spylls.hunspell import Dictionary  # needed only here

    dictionary = Dictionary.from_files("en_US")
    often_elsewhere = other_frequencies(words, without="en").max(1) >= _OFTENER * frequencies
    names, foreign = list[bytes](), list[bytes]()
    for word, frequency, elsewhere in zip(words, frequencies.tolist(), often_elsewhere.tolist(), strict=True):
        base = word.removesuffix("'s")
        if (
            len(base) < _SHORTEST
            or not word[0].isascii()
            or "'" in base
            or dictionary.lookup(word)
            or american(word) != word
        ):
            continue
        if dictionary.lookup(word[:1].upper() + word[1:]):
            names.append(word.encode())
        elif elsewhere and frequency < _MAX_IN_ENGLISH:
            foreign.append(word.encode())
    np.savez_compressed(path, names=np.array(sorted(names)), foreign=np.array(sorted(foreign)))
