"""How likely letters follow each other in words: what tells a word that no list has from a slip of the hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LETTERS: Final = 29  # the edge of a word, a to z, the apostrophe, and any other byte
_EDGE, _APOSTROPHE, _OTHER = 0, 27, 28
_TRUST: Final = 5.0  # words that a shorter context counts for
_CHUNK: Final = 8192  # forms


def _numbers() -> NDArray[np.int32]:
    found = np.full(256, _OTHER, np.int32)
    found[0], found[ord("'")] = _EDGE, _APOSTROPHE
    for number, letter in enumerate(b"abcdefghijklmnopqrstuvwxyz", 1):
        found[letter] = found[letter - 32] = number
    return found


_NUMBERS: Final = _numbers()


class LetterModel:
    """An interpolated trigram over the letters of words, each word counted once.

    Args:
        forms: (N,) the words, UTF-8.
    """

    def __init__(self, forms: NDArray[np.bytes_]) -> None:
        counts = np.zeros(_LETTERS**3)
        for start in range(0, len(forms), _CHUNK):
            some = forms[start : start + _CHUNK]
            numbers = _NUMBERS[some.view(np.uint8).reshape(len(some), -1)]
            padded = np.pad(numbers, ((0, 0), (2, 1)))
            triples = (padded[:, :-2] * _LETTERS + padded[:, 1:-1]) * _LETTERS + padded[:, 2:]
            inside = (padded[:, 1:-1] != _EDGE) | (np.arange(triples.shape[1]) == 0)
            counts += np.bincount(triples[inside], minlength=len(counts))
        found = np.full(_LETTERS, 1 / _LETTERS)
        for letters in (1, 2, 3):
            seen = counts.reshape(-1, *[_LETTERS] * letters).sum(0)
            found = (seen + _TRUST * found) / (seen.sum(-1, keepdims=True) + _TRUST)
        self._log = np.log(found).astype(np.float32)

    def log_prob(self, word: str) -> float:
        """Return the log probability of a word's letters and of its end."""
        raw = word.replace("’", "'").encode()
        numbers = [_EDGE, _EDGE, *_NUMBERS[np.frombuffer(raw, np.uint8)].tolist(), _EDGE]
        return float(
            sum(self._log[(*pair, last)] for pair, last in zip(pairwise(numbers), numbers[2:], strict=False))
        )
