"""Finds the words and phrases that one person uses more often than general English does.

The measure is Dunning's (1993) log-likelihood ratio for a binomial whose probability under the null hypothesis is
known: how often general English uses a word (wordfreq's frequencies, in the lexicon). A phrase has no such frequency,
but it can't be more frequent than its rarest word. So a phrase is listed if it alone is used more often than others
use that word.

A word that nearly every sentence has (I, you, is) sets nobody apart, however often somebody uses it, and is left out.
The ratio alone ranks what is frequent first; so it is weighted with the logarithm of how many times as often the word
is used (Hardie's 2014 log ratio): what others hardly use comes first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.models.lexicon import Lexicon

_PART = regex.compile(r"([\p{L}\p{N}'’]*\p{L}[\p{L}\p{N}'’]*)|[^\s\-]")
"""A word, or what keeps two words from being parts of one phrase (then the group is empty): a number, a comma."""

_LONGEST = 4  # words of a phrase
_LEAST = 3  # uses
_LEAST_ENTRIES = 2
# Of all words; a more frequent word (the, of, I) is not listed, and begins and ends no phrase.
_COMMON = 2e-3
_SAME = 0.8  # of a phrase's uses within a longer phrase: then the longer one alone is listed


@dataclass(frozen=True)
class Keyword:
    """A word or phrase as it is most often written."""

    text: str
    words: int
    count: int  # how often it is used
    entries: int  # in how many entries
    times: float  # how many times as often as in general English; of a phrase or an unknown word: at least
    score: float  # the log-likelihood ratio


def keywords(texts: Iterable[str], lexicon: Lexicon) -> list[Keyword]:
    """Return the words and phrases that are used more often than in general English, the most characteristic first."""
    text = _Text(texts)
    if not len(text.ids):
        return []
    known = np.array([_general(lexicon, word) for word in text.words])
    total = int((text.ids >= 0).sum())
    found: dict[tuple[int, ...], Keyword] = {}
    for n, *columns in text.repeated():
        for start, count, entries in zip(*(column.tolist() for column in columns), strict=True):
            ids = tuple(text.ids[start : start + n].tolist())
            p = float(known[list(ids)].min())
            if max(known[ids[0]], known[ids[-1]]) <= _COMMON and count > p * total:
                form = " ".join(map(text.form, ids))
                score = _likelihood(count, total, p)
                found[ids] = Keyword(form, n, count, entries, count / (p * total), score)
    for ids, longer in list(found.items()):
        for n in range(2, len(ids)):
            for at in range(len(ids) - n + 1):
                part = found.get(ids[at : at + n])
                if part is not None and longer.count >= _SAME * part.count:
                    del found[ids[at : at + n]]
    return sorted(found.values(), key=lambda word: (-word.score * np.log(word.times), word.text))


def _folded(word: str) -> str:
    return word.casefold().replace("’", "'")


def _general(lexicon: Lexicon, word: str) -> float:
    """Return how often general English uses a word, per word; of an unknown word, the lowest frequency known."""
    place = lexicon.place(word)
    return float(lexicon.frequency.min() if place is None else lexicon.frequency[place])


def _likelihood(count: int, total: int, p: float) -> float:
    """Return twice the log-likelihood ratio of ``count`` in ``total`` against the probability ``p``.

    Dunning 1993, the equation for one binomial with its maximum likelihood under the alternative.
    """
    rest = total - count
    score = count * np.log(count / (total * p))
    if rest:
        score += rest * np.log(rest / (total * (1 - p)))
    return float(2 * score)


class _Text:
    """All text as word numbers, with -1 for a break. ``words[i]`` is the word with the number i."""

    def __init__(self, texts: Iterable[str]) -> None:
        forms: dict[str, int] = {}
        written, entry = array("i"), array("i")  # forms by number: this is done for each word of the text
        for number, text in enumerate(texts):
            start = len(written)
            for form in _PART.findall(text):
                written.append(forms.setdefault(form, len(forms)) if form else -1)
            written.append(-1)
            entry.extend([number] * (len(written) - start))
        words: dict[str, int] = {}
        word_of = np.array([words.setdefault(_folded(form), len(words)) for form in forms], np.int32)
        places = np.array(written, np.int32)
        self._entry: NDArray[np.int32] = np.array(entry, np.int32)
        self.words = list(words)
        self.ids: NDArray[np.int32] = np.where(places >= 0, word_of[places], -1) if forms else places[:0]
        often = np.bincount(places[places >= 0], minlength=len(forms))
        self._frequent = self.ids
        self._written: dict[int, str] = {}
        for form, number in sorted(forms.items(), key=lambda item: -often[item[1]]):
            self._written.setdefault(int(word_of[number]), form)

    def form(self, number: int) -> str:
        """Return a word as it is most often written."""
        return self._written[number]

    def repeated(self) -> Iterable[tuple[int, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
        """Yield where the frequent words and phrases of each length begin, with their uses and their entries.

        A phrase can be frequent only if the phrase without its last word is, and that word is. So each length is
        searched among what is left of the one before.
        """
        grams = self.ids.astype(np.int64)
        for n in range(1, _LONGEST + 1):
            if n > 1:
                last = np.full(len(grams), -1, np.int64)
                last[: len(self._frequent) - n + 1] = self._frequent[n - 1 :]
                grams = np.where((grams >= 0) & (last >= 0), grams * len(self.words) + last, -1)
            places = np.flatnonzero(grams >= 0)
            if not len(places):
                return
            _, first, gram, counts = np.unique(
                grams[places], return_index=True, return_inverse=True, return_counts=True
            )
            entries = int(self._entry[-1]) + 1
            of_entries = np.unique(gram.astype(np.int64) * entries + self._entry[places])
            spread = np.bincount(of_entries // entries, minlength=len(counts))
            kept = (counts >= _LEAST) & (spread >= _LEAST_ENTRIES)
            grams = np.full(len(grams), -1, np.int64)
            grams[places] = np.where(kept[gram], gram, -1)
            if n == 1:
                self._frequent = np.where(grams >= 0, self.ids, -1)
            yield n, places[first[kept]], counts[kept], spread[kept]
