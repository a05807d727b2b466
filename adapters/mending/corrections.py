"""Finds the words that may have been meant by a typed word: a noisy channel over all known words.

A word's score is how likely it is at this place, as in :mod:`~idiolect.adapters.memory.vocabulary`, times how
likely a person who means it types what stands there (:mod:`~idiolect.adapters.mending.typing_channel`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.letter_case import Capitals, fold, with_capitals
from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.memory.word_table import WordTable, best_indices
from idiolect.adapters.mending.fuzzy_search import FuzzySearch
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.models.letter_trie import ROOT, LetterTrie

_MAX_ROWS: Final = 2000  # words that are scored
_MAX_CAPITALIZED: Final = 200  # words that begin as typed, to be looked through for one with a capital
_BEST: Final = 12  # words that are looked at closely
_DOUBT: Final = 3.0  # nats less for a word of the general list that no dictionary has
_CAPITALIZED: Final = 1.0  # nats less for a word in lower case that a sentence may begin with


@dataclass(frozen=True)
class Candidate:
    """A word that may have been meant.

    ``score`` is on the scale of :class:`~idiolect.adapters.memory.vocabulary.Matches`; ``cost`` are the nats that
    the channel takes of it.
    """

    text: str
    score: float
    cost: float


class _SearchedTable:
    """A table of words with its trie, and what is known of each word."""

    def __init__(
        self, table: WordTable, trie: LetterTrie, doubtful: NDArray[np.bool_], channel: TypingChannel
    ) -> None:
        self.table = table
        self.search = FuzzySearch(trie, channel)
        capital = table.capitalized
        doubt = np.where(doubtful, _DOUBT, 0.0).astype(np.float32)
        # The cost of a word's spelling, and of its capitals beside the typed capitals.
        self.costs: dict[Capitals, NDArray[np.float32]] = {
            Capitals.NONE: doubt + np.where(capital, channel.costs.capital_missing, 0.0).astype(np.float32),
            Capitals.FIRST: doubt + np.where(capital, 0.0, _CAPITALIZED).astype(np.float32),
            Capitals.ALL: doubt,
        }


class Corrector:
    """Finds what may have been meant. For one thread at a time.

    Args:
        words: the words that may be meant.
        general: what is known of the general words; its first use takes half a second.
        channel: what mistakes cost.
    """

    def __init__(self, words: WordVocabulary, general: GeneralWords, channel: TypingChannel) -> None:
        self._words = words
        self._general = general
        self.channel = channel
        self._searched: list[_SearchedTable] = []

    def _tables(self) -> list[_SearchedTable]:
        """Return the tables with their tries; what is known of one holds for as long as the words have it."""
        known = {id(searched.table): searched for searched in self._searched}
        self._searched = [known.get(id(table)) or self._prepare(table) for table in self._words.tables]
        return self._searched

    def forget_typed(self) -> None:
        """Forget what was looked for."""
        for searched in self._searched:
            searched.search.forget_typed()

    def _prepare(self, table: WordTable) -> _SearchedTable:
        if table is self._words.tables[0]:
            return _SearchedTable(table, self._general.trie, ~self._general.spelt, self.channel)
        return _SearchedTable(table, table.trie, np.zeros(len(table.forms), bool), self.channel)

    def candidates(
        self, typed: str, spaced: bool, p: NDArray[np.float32], *, finished: bool = False
    ) -> list[Candidate]:
        """Return words that may have been meant by ``typed`` and that typing on does not make, the likeliest first.

        Args:
            typed: the letters of the word that are there.
            spaced: True if a space stands before the word.
            p: distribution (vocab,) over the tokens that may begin the word.
            finished: no letter follows, so longer words are out of question.
        """
        found = dict[str, Candidate]()
        for table in self._tables():
            for candidate in self._of_table(table, typed, int(spaced), p, finished):
                old = found.get(candidate.text)
                if old is None or old.score < candidate.score:
                    found[candidate.text] = candidate
        return sorted(found.values(), key=lambda candidate: -candidate.score)

    def _of_table(
        self, known: _SearchedTable, typed: str, row: int, p: NDArray[np.float32], finished: bool
    ) -> list[Candidate]:
        search, table, folded = known.search, known.table, fold(typed)
        trie, column = search.trie, (search.column if finished else search.reached)(folded)
        nodes = np.fromiter(column.keys(), np.intp, len(column))
        costs = np.fromiter(column.values(), np.float32, len(column))
        low, whole = trie.low[nodes], trie.whole[nodes]
        ends = whole if finished else self._ends_of_continued(trie, folded, nodes, low)
        counts = ends - low
        offsets = np.cumsum(counts)
        places = np.arange(int(offsets[-1]) if len(offsets) else 0) + np.repeat(
            low - (offsets - counts), counts
        )
        rows = trie.rows[places]
        all_costs = np.repeat(costs, counts) + known.costs[Capitals.of(typed)][rows]
        if not finished:
            all_costs += np.float32(self.channel.costs.longer) * (places >= np.repeat(whole, counts))
        first = table.first[row, rows]
        scores = p[first] * table.weights[rows] / self._words.total_of(row)[first] * np.exp(-all_costs)
        found = []
        for index in best_indices(scores, _BEST):
            text = with_capitals(table.forms[rows[index]].decode(), typed)
            if text != typed if finished else not text.startswith(typed):
                found.append(Candidate(text, float(scores[index]), float(all_costs[index])))
        return found

    def _ends_of_continued(
        self, trie: LetterTrie, folded: str, nodes: NDArray[np.intp], low: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Return where the words end that begin with each node, for a word that may go on."""
        ends: NDArray[np.int32] = trie.high[nodes].copy()
        exact = trie.descend(ROOT, folded)
        if exact >= 0:  # what begins as typed is no correction, but for its capitals
            within = (low >= trie.low[exact]) & (low < trie.high[exact]) & (nodes != exact)
            ends[within] = low[within]
            if trie.high[exact] - trie.low[exact] > _MAX_CAPITALIZED:
                ends[nodes == exact] = trie.whole[exact]
        # A short beginning has too many continuations to be worth a guess.
        return np.where(np.cumsum(ends - low) > _MAX_ROWS, low, ends)
