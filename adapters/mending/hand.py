"""The slips of one hand: which letters it types for which, and what each kind of mistake costs by these counts.

Of a slip no more is known than the two letters, at most, that were meant, and those that were typed in their place.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.keyboards import neighbours
from idiolect.adapters.mending.typing_channel import Costs, TypingChannel

#: Kinds that a typist's own corrections tell, with the places for each in a letter typed: keys around it, doubled
#: letters, spaces. A letter too many is told from a wrong one only now and then, so its cost stays.
_PLACES: Final = {
    "near": 5.3,
    "swapped": 1.0,
    "missing": 1.0,
    "missing_double": 0.03,
    "added_double": 1.0,
    "joined": 0.2,
    "torn": 0.2,
}
_LEAST: Final = 50  # slips that tell something
_WEIGHED_EVERY: Final = 10  # slips
_TRUST: Final = 50.0  # slips that the usual costs count for
_DOUBT: Final = 1.0  # slips of one pair of letters that the usual share counts for
_MOST: Final = 1000  # slips; then all count half, so that the counts follow the hand


class Hand:
    """Counts of slips, of the latest thousand or so, by what was meant and what was typed; in what order is not kept.

    Args:
        slips: what was meant, what was typed, and how often. Raises ValueError where they are damaged.
    """

    def __init__(self, slips: Iterable[tuple[str, str, int]] = ()) -> None:
        try:
            self._counts = Counter({(str(meant), str(typed)): int(count) for meant, typed, count in slips})
        except (TypeError, ValueError) as error:
            raise ValueError("these are no counts of slips") from error

    @property
    def slips(self) -> list[tuple[str, str, int]]:
        """What was meant, what was typed, and how often; the most frequent first, equally frequent ones by letters."""
        return [
            (*slip, count)
            for slip, count in sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    @property
    def is_due(self) -> bool:
        """Whether the costs are to be weighed anew."""
        return self._counts.total() >= _LEAST and self._counts.total() % _WEIGHED_EVERY == 0

    def with_slip(self, meant: str, typed: str) -> Hand:
        """Return the counts with one slip more."""
        counts = self._counts + Counter([(meant, typed)])
        if counts.total() > _MOST:
            counts = Counter({slip: count // 2 for slip, count in counts.items()})
        return Hand((*slip, count) for slip, count in counts.items() if count)

    def channel(self, usual: TypingChannel, general: GeneralWords) -> TypingChannel:
        """Return what mistakes cost for this hand, on the same keyboard; as ``usual`` where too little is known of it.

        ``general`` are the words by which letters come up.
        """
        if self._counts.total() < _LEAST:
            return usual
        near, kinds = neighbours(usual.layout), Counter[str]()
        for (meant, typed), count in self._counts.items():
            kinds[_kind(meant, typed, near)] += count
        shares = {"near": _letters(general.common, 1), "swapped": _letters(general.common, 2)}
        habits = {}
        for (meant, typed), count in self._counts.items():
            if (kind := _kind(meant, typed, near)) in shares:
                places = len(near[meant]) if kind == "near" else 1
                expected = kinds[kind] * shares[kind].get(meant, 0.0) / places
                habits[meant, typed] = -math.log((count + _DOUBT) / (expected + _DOUBT))
        return TypingChannel(usual.layout, _weigh(usual.costs, kinds), usual.languages, habits)


def _weigh(costs: Costs, kinds: Counter[str]) -> Costs:
    """Return the costs by how often each kind was seen, beside its usual share (Dirichlet).

    None is raised: how often a hand does not slip is not known.
    """
    total = sum(kinds[kind] for kind in _PLACES) + _TRUST
    usual = {kind: places * math.exp(-getattr(costs, kind)) for kind, places in _PLACES.items()}
    less = {}
    for kind, weight in usual.items():
        share = weight / sum(usual.values())
        seen = (kinds[kind] + _TRUST * share) / total
        less[kind] = getattr(costs, kind) - max(0.0, math.log(seen / share))
    return replace(costs, **less)


def _letters(common: Mapping[str, float], size: int) -> dict[str, float]:
    """Return the share of each letter, or pair of letters, among all of words with their uses per word of text."""
    found = defaultdict[str, float](float)
    for word, uses in common.items():
        for at in range(len(word) + 1 - size):
            found[word[at : at + size]] += uses
    total = sum(found.values())
    return {letters: uses / total for letters, uses in found.items()}


def _kind(meant: str, typed: str, near: dict[str, frozenset[str]]) -> str:
    """Return the kind of a slip, by its name among the costs; "" for what no hand does by itself."""
    if len(meant) == len(typed) == 1:
        return "near" if typed in near.get(meant, ()) else ""
    if len(meant) == len(typed):
        return "torn" if " " in meant else "swapped"
    if len(meant) > len(typed):
        return "joined" if meant[1] == " " else "missing_double" if meant[0] == meant[1] else "missing"
    return "torn" if typed[1] == " " else "added_double" if typed[0] == typed[1] else ""
