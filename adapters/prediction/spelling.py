"""The general words as a corrector needs them: which are spelt as a dictionary has them, filed by their letters."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.models.dictionary import DictionaryTables, Spelling, make_tables, read_tables
from idiolect.models.letter_trie import LetterTrie
from idiolect.models.lexicon import Lexicon

_COMMON: Final = 1e-5  # uses per word of text


class GeneralWords:
    """The lexicon for correctors, shared by all of them. Any thread may use it.

    Its tables are read once somebody first needs them: a service that only starts and suggests does not pay for them.
    Where they were not stored with the base model they take a second of a processor to make. Who must not wait that
    long asks :meth:`is_ready` first.

    Args:
        lexicon: the general words.
        stored: the file of the tables, or None to make them.
    """

    def __init__(self, lexicon: Lexicon, stored: Path | None = None) -> None:
        self._lexicon = lexicon
        self._stored = stored
        self._making = threading.Lock()
        self._maker: threading.Thread | None = None
        self._made: DictionaryTables | None = None

    def is_ready(self) -> bool:
        """Return True once the tables are there; have them read or made in the background if nobody has yet."""
        if self._made is not None:
            return True
        if self._maker is None:
            self._maker = threading.Thread(target=self._tables, name="spelling", daemon=True)
            self._maker.start()
        return False

    def _tables(self) -> DictionaryTables:
        with self._making:
            if self._made is None:
                forms = self._lexicon.forms
                self._made = make_tables(forms) if self._stored is None else read_tables(self._stored, forms)
            return self._made

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

    def form(self, index: int) -> str:
        """Return a form of the lexicon."""
        return str(self._lexicon.forms[index].decode())

    def frequency(self, word: str) -> float:
        """Return how often general English uses a word in lower case, per word of text; 0 if the lexicon lacks it."""
        place = self._lexicon.place(word)
        return 0.0 if place is None else float(self._lexicon.frequency[place])

    @cached_property
    def common(self) -> Mapping[str, float]:
        """The words that are often used and spelt right, in lower case, with their uses per word of text."""
        lexicon = self._lexicon
        often = np.flatnonzero((lexicon.frequency >= _COMMON) & self.spelt)
        found = {lexicon.forms[index].decode(): float(lexicon.frequency[index]) for index in often}
        return {word: frequency for word, frequency in found.items() if word == word.lower()}
