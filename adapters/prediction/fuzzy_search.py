"""Which words may have been meant by a run of letters: a search through a trie.

Each letter typed has a column of costs, one for each node that may have been meant so far. The columns of what was
typed up to a letter are kept, so that the next letter costs one step.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.letter_trie import ROOT, LetterTrie
from idiolect.adapters.prediction.typing_channel import LETTERS, TypingChannel

_BEAM = 160  # nodes that are followed; the cheapest
_KEPT = 64  # runs of letters whose columns are kept
_RULE_LETTERS = 6  # the longest side of a rule


@dataclass(frozen=True)
class Column:
    """The nodes of a trie that may have been meant by what is typed, and what each costs, in nats, ascending."""

    nodes: NDArray[np.int32]
    costs: NDArray[np.float32]


class FuzzySearch:
    """Searches one trie. For one thread at a time.

    Args:
        trie: the words.
        channel: what mistakes cost.
    """

    def __init__(self, trie: LetterTrie, channel: TypingChannel) -> None:
        self.trie = trie
        self._channel = channel
        self._column_of = OrderedDict[str, Column]()
        self._codes = np.minimum(trie.letters, LETTERS - 1).astype(np.int32)

    def column(self, typed: str) -> Column:
        """Return what may have been meant by ``typed``, in lower case, at the least cost for each node."""
        if typed in self._column_of:
            self._column_of.move_to_end(typed)
            return self._column_of[typed]
        start = Column(np.array([ROOT], np.int32), np.zeros(1, np.float32))
        found = self._step(typed) if typed else start
        self._column_of[typed] = found
        if len(self._column_of) > _KEPT:
            self._column_of.popitem(last=False)
        return found

    def _step(self, typed: str) -> Column:
        """Return the column of ``typed`` from those of its beginnings."""
        costs, before, letter = self._channel.costs, self.column(typed[:-1]), typed[-1]
        first = costs.first if len(typed) == 1 else 0.0
        reached, parents = self.trie.expand(before.nodes)
        replaced = self._channel.replaced(letter)[self._codes[reached]]
        kept = replaced + before.costs[parents] + first * (replaced > 0)
        added = before.costs + self._channel.added(letter)[self._codes[before.nodes]] + first
        nodes, total = [reached, before.nodes], [kept, added]
        if len(typed) > 1 and typed[-2] != letter:
            self._add_descents(nodes, total, typed[:-2], letter + typed[-2], costs.swapped)
        for rule in self._channel.rules.get(letter, ()):
            if typed.endswith(rule.typed):
                self._add_descents(nodes, total, typed[: -len(rule.typed)], rule.meant, rule.cost)
        return self._with_missing(self._pruned(np.concatenate(nodes), np.concatenate(total)), first)

    def _add_descents(
        self,
        nodes: list[NDArray[np.int32]],
        total: list[NDArray[np.float32]],
        begun: str,
        meant: str,
        cost: float,
    ) -> None:
        """Add the nodes that ``meant`` leads to from the column of ``begun``, for ``cost``."""
        before = self.column(begun)
        cheap = before.costs <= self._channel.costs.limit - cost
        found, origin = self.trie.descend(before.nodes[cheap], meant)
        first = 0.0 if begun else self._channel.costs.first
        nodes.append(found)
        total.append(before.costs[cheap][origin] + np.float32(cost + first))

    def _with_missing(self, column: Column, first: float) -> Column:
        """Return a column with the nodes that one more letter, left out by the typist, leads to."""
        costs = self._channel.costs
        cheap = column.costs <= costs.limit - costs.missing_apostrophe
        nodes = column.nodes[cheap]
        reached, parents = self.trie.expand(nodes)
        letters, above = self._codes[reached], self._codes[nodes][parents]
        cost = np.full(len(reached), costs.missing + first, np.float32)
        cost[letters == above] = costs.missing_double
        cost[letters == ord("'")] = costs.missing_apostrophe
        return self._pruned(
            np.concatenate([column.nodes, reached]),
            np.concatenate([column.costs, column.costs[cheap][parents] + cost]),
        )

    def _pruned(self, nodes: NDArray[np.int32], costs: NDArray[np.float32]) -> Column:
        """Return each node once, at its least cost, the cheapest first."""
        within = costs <= self._channel.costs.limit
        nodes, costs = nodes[within], costs[within]
        order = np.argsort(costs, kind="stable")
        nodes, costs = nodes[order], costs[order]
        _, first = np.unique(nodes, return_index=True)
        first.sort()
        first = first[:_BEAM]
        return Column(nodes[first], costs[first])
