"""Searches a trie for the words that may have been meant by a run of letters.

Each letter typed has a column of costs, one for each node that may have been meant so far. The columns of what was
typed up to a letter are kept, so that the next letter costs one step, a quarter of a millisecond.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from operator import itemgetter
from typing import Final

from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.models.letter_trie import ROOT, LetterTrie

Column = dict[int, float]
"""The nodes of a trie that may have been meant by what is typed, and what each costs, in nats, the cheapest first."""

_BEAM: Final = 120  # nodes that are followed; the cheapest
_KEPT: Final = 64  # runs of letters whose columns are kept, the latest
_BEGINNING: Final = 2  # letters of a beginning, whose column is always kept: words begin in few ways
_MAX_BEGINNINGS: Final = 1000  # of 1.5 KB each
_NONE: Final[float] = float("inf")


class FuzzySearch:
    """Searches one trie. For one thread at a time.

    Plain loops, for they are few: numpy takes three times as long on columns of this size.

    Args:
        trie: the words.
        channel: what mistakes cost.
    """

    def __init__(self, trie: LetterTrie, channel: TypingChannel) -> None:
        self.trie = trie
        self._channel = channel
        self._letters, self._children = trie.letters, trie.children
        self._column_of = OrderedDict[str, Column]()
        self._reached_of = dict[str, Column]()
        self._beginnings: dict[str, tuple[array[int], array[float]]] = {}

    def reached(self, typed: str) -> Column:
        """Return :meth:`column` without the nodes that begin with others in it, for no less."""
        column = self.column(typed)
        if typed and typed not in self._reached_of:  # a beginning, of which the column alone was kept
            self._step(typed)
        return self._reached_of.get(typed, column)

    def column(self, typed: str) -> Column:
        """Return what may have been meant by ``typed``, in lower case."""
        if typed in self._column_of:
            self._column_of.move_to_end(typed)
            return self._column_of[typed]
        found = self._find(typed)
        self._column_of[typed] = found
        if len(self._column_of) > _KEPT:
            gone, _ = self._column_of.popitem(last=False)
            self._reached_of.pop(gone, None)
        return found

    def forget_typed(self) -> None:
        """Forget the columns of words, but not those of beginnings."""
        self._column_of.clear()
        self._reached_of.clear()

    def _find(self, typed: str) -> Column:
        """Return a kept column of a beginning, or make the column from the columns of its own beginnings."""
        if (kept := self._beginnings.get(typed)) is not None:
            return dict(zip(*kept, strict=True))
        found = self._step(typed) if typed else self._first_left_out()
        if len(typed) <= _BEGINNING and len(self._beginnings) < _MAX_BEGINNINGS:
            self._beginnings[typed] = array("i", found), array("d", found.values())
        return found

    def _first_left_out(self) -> Column:
        """Return the column of nothing typed, where the first letter may have been left out."""
        costs, (start, end) = self._channel.costs, self._children[ROOT : ROOT + 2]
        return {ROOT: 0.0} | dict.fromkeys(range(start, end), costs.missing + costs.first)

    def _step(self, typed: str) -> Column:
        """Return the column of ``typed`` from the columns of its beginnings."""
        channel, costs, letter = self._channel, self._channel.costs, typed[-1]
        first = costs.first if len(typed) == 1 else 0.0
        found = self._replaced(self.column(typed[:-1]), letter, first)
        if len(typed) > 1 and typed[-2] != letter:
            meant = letter + typed[-2]
            self._descend(found, typed[:-2], meant, channel.swapped(meant))
        for rule in channel.rules.get(letter, ()):
            if typed.endswith(rule.typed):
                self._descend(found, typed[: -len(rule.typed)], rule.meant, rule.cost)
        self._reached_of[typed] = _cheapest(found)
        self._add_missing(found)
        return _cheapest(found)

    def _replaced(self, before: Column, letter: str, first: float) -> Column:
        """Return the nodes one letter on, where this letter or another was meant, and the same nodes where none was."""
        letters, children, limit = self._letters, self._children, self._channel.costs.limit
        replaced, added = self._channel.replaced(letter), self._channel.added(letter)
        found = Column()
        for node, cost in before.items():
            start, end = children[node], children[node + 1]
            if (child := letters.find(letter, start, end)) >= 0 and cost < found.get(child, _NONE):
                found[child] = cost
            room = limit - cost - first
            if room < self._channel.least:
                continue
            for child in range(start, end):
                more = replaced.get(letters[child], replaced[""])
                if 0 < more <= room and cost + more + first < found.get(child, _NONE):
                    found[child] = cost + more + first
            more = added.get(letters[node], added[""])
            if more <= room and cost + more + first < found.get(node, _NONE):
                found[node] = cost + more + first
        return found

    def _descend(self, found: Column, begun: str, meant: str, cost: float) -> None:
        """Add the nodes that ``meant`` leads to from the column of ``begun``, for ``cost``."""
        limit = self._channel.costs.limit
        cost += 0.0 if begun else self._channel.costs.first
        for origin, before in self.column(begun).items():
            if before + cost > limit:
                break
            node = self.trie.descend(origin, meant)
            if node >= 0 and before + cost < found.get(node, _NONE):
                found[node] = before + cost

    def _add_missing(self, found: Column) -> None:
        """Add the nodes that one more letter, left out by the typist, leads to."""
        letters, children, costs = self._letters, self._children, self._channel.costs
        for node, cost in list(found.items()):
            start, end = children[node], children[node + 1]
            child = letters.find("'", start, end)
            if child >= 0 and cost + costs.missing_apostrophe < min(costs.limit, found.get(child, _NONE)):
                found[child] = cost + costs.missing_apostrophe
            if cost + costs.missing_double > costs.limit:
                continue
            child = letters.find(letters[node], start, end)
            if child >= 0 and cost + costs.missing_double < found.get(child, _NONE):
                found[child] = cost + costs.missing_double
            cost += costs.missing
            if cost <= costs.limit:
                for child in range(start, end):
                    if cost < found.get(child, _NONE):
                        found[child] = cost


def _cheapest(found: Column) -> Column:
    return dict(sorted(found.items(), key=itemgetter(1))[:_BEAM])
