"""Tells the misspellings in the general words by a dictionary, and files the words' forms by their letters.

The general list comes from the web, and holds its misspellings ("recieve"). The tables take most of a second of a
processor to make, so they are stored with the base model.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from idiolect.models.letter_trie import LetterTrie, build_trie
from idiolect.models.misspellings import regional_words
from idiolect.models.word_lists import dictionary_words


class Spelling:
    """The words of a dictionary, as 8 bytes of a hash each: 1.3 MB for English, with its inflected forms.

    ``hashes`` are int64 and sorted.
    """

    def __init__(self, hashes: NDArray[np.int64]) -> None:
        self.hashes = hashes

    @classmethod
    def of_languages(cls, languages: Sequence[str]) -> Spelling:
        """Read the dictionaries of these languages; each takes half a second of a processor."""
        return cls.of(frozenset[str]().union(*map(dictionary_words, languages)))

    @classmethod
    def of(cls, words: Iterable[str]) -> Spelling:
        """Make a dictionary of words in lower case."""
        return cls(np.sort(_hashes(words)))

    def __contains__(self, word: str) -> bool:
        """Return True for a word of the dictionary, in any capitals."""
        return bool(self.contain([word])[0])

    def contain(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Return for each word (N,) whether the dictionary has it, in any capitals."""
        hashes = _hashes(word.lower().replace("’", "'") for word in words)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        found: NDArray[np.bool_] = self.hashes[places] == hashes
        return found


@dataclass(frozen=True)
class DictionaryTables:
    """The tables of correctors: a dictionary, whether it has each form (N,) of the word list, and the forms' trie."""

    spelling: Spelling
    spelt: NDArray[np.bool_]
    trie: LetterTrie


def make_tables(forms: NDArray[np.bytes_], spelling: Spelling) -> DictionaryTables:
    """Make the tables for the forms (N,) of a word list, UTF-8."""
    spelt = spelling.contain([form.decode() for form in forms.tolist()])
    return DictionaryTables(spelling, spelt, build_trie(forms))


def with_regional_words(tables: DictionaryTables, forms: NDArray[np.bytes_]) -> DictionaryTables:
    """Return the tables for ``forms`` (N,) with British words, "colour", which the dictionary lacks."""
    words = sorted(regional_words())
    spelling = Spelling(np.sort(np.concatenate((tables.spelling.hashes, _hashes(words)))))
    written = np.array([form.encode() for word in words for form in (word, word[:1].upper() + word[1:])])
    places = np.minimum(np.searchsorted(forms, written), len(forms) - 1)
    spelt = tables.spelt.copy()
    spelt[places[forms[places] == written]] = True
    return DictionaryTables(spelling, spelt, tables.trie)


def write_tables(tables: DictionaryTables, path: Path) -> None:
    """Write the tables to ``path``, an ``.npz``. Raises OSError."""
    trie = tables.trie
    np.savez(
        path,
        dictionary=tables.spelling.hashes,
        spelt=tables.spelt,
        rows=trie.rows,
        letters=np.frombuffer(trie.letters.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint16),
        low=trie.low,
        high=trie.high,
        whole=trie.whole,
        children=np.asarray(trie.children, np.int32),
    )


def read_tables(
    path: Path, forms: NDArray[np.bytes_], languages: Sequence[str] = ("en",)
) -> DictionaryTables:
    """Return the tables for the forms (N,) of a word list, made anew where they are missing or damaged."""
    damage = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
    with contextlib.suppress(*damage), path.open("rb") as file, np.load(file) as stored:
        letters = stored["letters"].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        children = array("i", stored["children"].astype(np.intc).tobytes())
        low, high, whole = (stored[name] for name in ("low", "high", "whole"))
        trie = LetterTrie(stored["rows"], letters, low, high, whole, children)
        if len(stored["spelt"]) == len(forms):
            return DictionaryTables(Spelling(stored["dictionary"]), stored["spelt"], trie)
    return make_tables(forms, Spelling.of_languages(languages))


def _hashes(words: Iterable[str]) -> NDArray[np.int64]:
    """Return a number for each word, the same in every process, which Python's own hashes are not."""
    return np.frombuffer(
        b"".join(hashlib.blake2b(word.encode(), digest_size=8).digest() for word in words), "<i8"
    )
