"""Entries as training rows, as held-out text, and as recent text before a prefix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[int]

_REPEATS = 2  # of an entry that are trained on
HELD_OUT_SHARE = 0.1
HELD_OUT_LEAST = 400  # tokens; fewer say nothing beyond chance
RECENT_TOKENS = 160  # of the latest entries, which stand before what is judged or suggested
MAX_HELD_OUT = 4000  # tokens; more would take the round's time from training


@dataclass(frozen=True)
class Rows:
    """Packed training text.

    The last ``general`` rows are general text, which must not be unlearned: their target is the base model's
    distribution.
    """

    ids: NDArray[np.int64]  # (rows, length + 1), each row's inputs and, shifted by one, its targets
    weights: NDArray[np.float32]  # (rows, length), of each target's loss; 0 for what was not typed
    entries: NDArray[np.int64]  # (rows, 2), the first entry that is in a row, and the last one plus one
    general: int = 0

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def length(self) -> int:
        """Targets of a row."""
        length: int = self.weights.shape[1]
        return length

    def is_general(self, row: int) -> bool:
        """Whether a row is general text."""
        return row >= len(self) - self.general


def drop_repeats(entries: Mapping[int, Ids]) -> list[int]:
    """Return the indices of the entries, without those that repeat an earlier one for the third time or more.

    The n-gram memory knows best what is written again and again, and an adapter can be made to recite what it reads
    often (Lee et al. 2022, Deduplicating Training Data Makes Language Models Better).
    """
    places = defaultdict[tuple[int, ...], list[int]](list)
    for place, entry in entries.items():
        places[tuple(entry)].append(place)
    return sorted(place for alike in places.values() for place in alike[:_REPEATS])


def pack(
    entries: Iterable[Ids],
    length: int,
    breaks: Ids,
    weigh: Callable[[Ids], Sequence[float]] | None = None,
) -> Rows:
    """Lay entries end to end, the separator ``breaks`` before each, and cut them into rows of ``length`` tokens.

    Entries keep their order: a row goes on where the row before it ends, as a suggestion sees the latest entries.
    ``weigh`` returns the weight of each token of an entry, else 1.
    """
    ids: list[int] = []
    counts: list[float] = []
    ends: list[int] = []
    for entry in entries:
        ids += [*breaks, *entry]
        ends.append(len(ids))
        counts += [0.0] * len(breaks) + ([1.0] * len(entry) if weigh is None else [*weigh(entry)])
    if not ends:
        none = np.zeros((0, length + 1), np.int64)
        return Rows(none, np.zeros((0, length), np.float32), none[:, :2])
    rows = -(-(len(ids) - 1) // length) or 1
    padding = rows * length + 1 - len(ids)
    ids += [breaks[0]] * padding
    counts += [0.0] * padding
    starts = np.arange(rows)[:, None] * length
    targets = starts + np.arange(1, length + 1)
    # What is only read counts too: a gradient depends on it.
    held = np.searchsorted(ends, [starts[:, 0], np.minimum(targets[:, -1], ends[-1] - 1)], "right")
    held[1] += 1
    line, weights = np.array(ids, dtype=np.int64), np.array(counts, dtype=np.float32)
    return Rows(line[starts + np.arange(length + 1)], weights[targets], held.T)


def hold_out(lengths: Sequence[int], seen: frozenset[int]) -> list[int]:
    """Return the indices of the newest entries, to judge by, that are not ``seen`` by the serving adapter.

    They hold about a tenth of all tokens, at least :data:`HELD_OUT_LEAST` and at most :data:`MAX_HELD_OUT`, and at
    most a third of the text. ``lengths`` are the tokens of each entry, in order of time.
    """
    total = sum(lengths)
    wanted = min(max(HELD_OUT_SHARE * total, HELD_OUT_LEAST), MAX_HELD_OUT, total / 3)
    places: list[int] = []
    held = 0
    for place in range(len(lengths) - 1, -1, -1):
        if held >= wanted:
            break
        if place not in seen:
            places.append(place)
            held += lengths[place]
    return places[::-1]


def read_general_passages(languages: Sequence[str] = ("en",)) -> tuple[list[str], list[str]]:
    """Return general text that an adapter must not unlearn: passages to replay, and others to judge by.

    They are of the languages in turn, so that the first of them are of all alike. A passage says in each language the
    same, and is on the same side.
    """
    folder = resources.files("idiolect.adapters.memory")
    texts = [folder.joinpath(f"general_{language}.txt").read_text("utf-8") for language in languages]
    passages = [[" ".join(passage.split()) for passage in text.split("\n\n")] for text in texts]
    both = ((part[side::2] for part in passages) for side in (0, 1))
    replay, judged = ([passage for row in zip_longest(*side) for passage in row if passage] for side in both)
    return replay, judged


class RecentText:
    """The user's latest entries as one sequence of tokens, the context that every suggestion starts from.

    The sequence grows at its end, so that its KV cache stays valid, until it is twice ``limit`` tokens long. Then it is
    cut to the newest ``limit`` tokens. ``separator`` are the tokens between two entries.
    """

    def __init__(self, limit: int, separator: Ids) -> None:
        self.limit = limit
        self.separator = list(separator)
        self._tokens: list[int] = []

    def add(self, ids: Ids) -> None:
        """Append an entry."""
        tokens = [*self._tokens, *self.separator, *ids]
        self._tokens = tokens if len(tokens) <= 2 * self.limit else tokens[len(tokens) - self.limit :]

    @property
    def tokens(self) -> Ids:
        """All tokens: the very same list for as long as nothing is added."""
        return self._tokens

    def context(self, ids: Ids) -> list[int]:
        """Return what the model reads while an entry is written: the latest entries, a separator, its tokens so far."""
        return [*self._tokens, *self.separator, *ids]

    def copy(self) -> RecentText:
        """Return an independent copy."""
        other = RecentText(self.limit, self.separator)
        other._tokens = list(self._tokens)
        return other
