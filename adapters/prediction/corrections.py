"""Which words may have been meant where others are typed: a noisy channel over all words that are known.

A word's score is how likely it is at this place, as in :mod:`~idiolect.adapters.prediction.vocabulary`, times how
likely a person who means it types what stands there (:mod:`~idiolect.adapters.prediction.typing_channel`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.fuzzy_search import FuzzySearch
from idiolect.adapters.prediction.letter_trie import LetterTrie, build_trie
from idiolect.adapters.prediction.spelling import GeneralWords
from idiolect.adapters.prediction.typing_channel import TypingChannel
from idiolect.adapters.prediction.vocabulary import WordVocabulary
from idiolect.adapters.prediction.word_table import WordTable, best_indices

_MOST_ROWS: Final = 3000  # words that are scored
_BEST: Final = 24  # words that are looked at closely
_DOUBT: Final = 3.0  # nats less for a word of the general list that no dictionary has
_CAPITALIZED: Final = 1.0  # nats less for a word in lower case that a sentence may begin with


@dataclass(frozen=True)
class Candidate:
    """A word that may have been meant.

    ``score`` is on the scale of :class:`~idiolect.adapters.prediction.vocabulary.Matches`; ``cost`` are the nats that
    the channel takes of it; ``whole`` is True where all of the word is typed, and False where it goes on.
    """

    text: str
    score: float
    cost: float
    whole: bool


class _SearchedTable:
    """A table of words with its trie, and what is known of each word."""

    def __init__(
        self, table: WordTable, trie: LetterTrie, doubtful: NDArray[np.bool_], channel: TypingChannel
    ) -> None:
        self.table = table
        self.search = FuzzySearch(trie, channel)
        self.capital = np.array([form[:1] != form[:1].lower() for form in table.forms.astype("S1").tolist()])
        self.doubt = np.float32(_DOUBT) * doubtful


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

    def _tables(self) -> Iterator[_SearchedTable]:
        """Yield the tables; the user's own gets a new trie when it has grown."""
        general, own = self._words.tables
        if not self._searched:
            self._searched.append(
                _SearchedTable(general, self._general.trie, ~self._general.spelt, self.channel)
            )
        yield self._searched[0]
        if len(own.forms):
            if len(self._searched) == 1 or self._searched[1].table is not own:
                doubtful = np.zeros(len(own.forms), bool)
                self._searched[1:] = [_SearchedTable(own, build_trie(own.forms), doubtful, self.channel)]
            yield self._searched[1]

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
        search, table = known.search, known.table
        trie, column = search.trie, search.column(fold(typed))
        nodes, node_costs = (
            np.fromiter(column.keys(), np.intp, len(column)),
            np.fromiter(column.values(), np.float32, len(column)),
        )
        low = trie.low[nodes]
        counts = (trie.whole if finished else trie.high)[nodes] - low
        if not finished:  # a short beginning has too many continuations to be worth a guess
            counts = np.where(np.cumsum(counts) > _MOST_ROWS, 0, counts)
        ends = np.cumsum(counts)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(low - (ends - counts), counts)
        rows = trie.rows[places]
        whole = places < np.repeat(trie.whole[nodes], counts)
        costs = np.repeat(node_costs, counts) + self._capitals_cost(typed, known.capital[rows])
        costs += known.doubt[rows] + np.where(whole, np.float32(0), np.float32(self.channel.costs.longer))
        first = table.first[row, rows]
        scores = p[first] * table.weights[rows] / self._words.total_of(row)[first] * np.exp(-costs)
        found = []
        for index in best_indices(scores, _BEST):
            text = with_capitals(table.forms[rows[index]].decode(), typed)
            if text != typed if finished else not text.startswith(typed):
                found.append(Candidate(text, float(scores[index]), float(costs[index]), bool(whole[index])))
        return found

    def _capitals_cost(self, typed: str, capital: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return what the capitals of words (N,) cost that begin with one or not, beside what is typed."""
        if len(typed) > 1 and typed.isupper():
            return np.zeros(len(capital), np.float32)
        if typed[:1].isupper():
            return np.where(capital, np.float32(0), np.float32(_CAPITALIZED))
        return np.where(capital, np.float32(self.channel.costs.capital_missing), np.float32(0))


def fold(typed: str) -> str:
    """Return letters as tries file them."""
    return typed.lower().replace("’", "'")


def with_capitals(form: str, typed: str) -> str:
    """Return a form in the capitals of what is typed, where those are more than its own, and with its apostrophe."""
    if "’" in typed:
        form = form.replace("'", "’")
    if len(typed) > 1 and typed.isupper():
        return form.upper()
    return form[:1].upper() + form[1:] if typed[:1].isupper() else form
