"""The general words as a corrector needs them: which are spelt as a dictionary has them, filed by their letters.

The general list comes from the web, and holds its misspellings ("recieve"). A dictionary tells them from words.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.letter_trie import LetterTrie, build_trie
from idiolect.models.lexicon import Lexicon

_COMMON: Final = 1e-5  # uses per word of text


class Spelling:
    """The words of an English dictionary, 160,000 with their inflected forms, as hashes: 1.3 MB."""

    def __init__(self) -> None:
        from spellchecker import SpellChecker  # takes a tenth of a second, so only where it is needed

        words = SpellChecker(language="en", distance=1).word_frequency.words()
        self._hashes: NDArray[np.int64] = np.sort(np.fromiter(map(hash, words), np.int64))

    def __contains__(self, word: str) -> bool:
        """Return True for a word of the dictionary, in any capitals."""
        return bool(self.contain([word])[0])

    def contain(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Return for each word (N,) whether the dictionary has it, in any capitals."""
        hashes = np.fromiter((hash(word.lower().replace("’", "'")) for word in words), np.int64, len(words))
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        found: NDArray[np.bool_] = self._hashes[places] == hashes
        return found


class GeneralWords:
    """The lexicon for correctors, shared by all of them. Any thread may use it.

    It takes a second of a processor to make, so it is made once somebody first needs it: a service that only starts and
    suggests does not pay for it. Who must not wait that long asks :meth:`is_ready` first.

    Args:
        lexicon: the general words.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._making = threading.Lock()
        self._maker: threading.Thread | None = None
        self._spelling: Spelling | None = None
        self._trie: LetterTrie | None = None

    def is_ready(self) -> bool:
        """Return True once all is made; have it made in the background if nobody has yet."""
        if self._spelling is not None and self._trie is not None:
            return True
        if self._maker is None:
            self._maker = threading.Thread(target=self._make, name="spelling", daemon=True)
            self._maker.start()
        return False

    def _make(self) -> None:
        _ = self.spelling, self.trie

    @property
    def spelling(self) -> Spelling:
        """The words of a dictionary."""
        with self._making:
            if self._spelling is None:
                self._spelling = Spelling()
            return self._spelling

    @property
    def trie(self) -> LetterTrie:
        """The lexicon's forms by their letters."""
        with self._making:
            if self._trie is None:
                self._trie = build_trie(self._lexicon.forms)
            return self._trie

    def form(self, index: int) -> str:
        """Return a form of the lexicon."""
        return str(self._lexicon.forms[index].decode())

    def frequency(self, word: str) -> float:
        """Return how often general English uses a word in lower case, per word of text; 0 if the lexicon lacks it."""
        place = self._lexicon.place(word)
        return 0.0 if place is None else float(self._lexicon.frequency[place])

    @cached_property
    def spelt(self) -> NDArray[np.bool_]:
        """Whether the dictionary has each form (N,) of the lexicon."""
        return self.spelling.contain([form.decode() for form in self._lexicon.forms.tolist()])

    @cached_property
    def common(self) -> Mapping[str, float]:
        """The words that are often used and spelt right, in lower case, with their uses per word of text."""
        lexicon = self._lexicon
        often = np.flatnonzero((lexicon.frequency >= _COMMON) & self.spelt)
        found = {lexicon.forms[index].decode(): float(lexicon.frequency[index]) for index in often}
        return {word: frequency for word, frequency in found.items() if word == word.lower()}
