"""Word forms in arrays: found by the bytes or the token that they begin with, and scored by their first two tokens."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idiolect.models.letter_trie import LetterTrie, build_trie
from idiolect.models.lexicon import NONE

_SPLIT_TOKENS = 6  # best words of several tokens whose second token is looked at


@dataclass(frozen=True)
class Continuation:
    """A distribution ``p`` (vocab,) over a word's second token, and how far to trust it, 0 to 1."""

    p: NDArray[np.float32]
    trust: float


@dataclass(frozen=True)
class WordTable:
    """Words sorted by their bytes. The user's own are replaced as a whole when they grow.

    ``forms`` (N,) bytes; ``weights`` (N,), in uses; ``first`` and ``second`` (2, N) token ids, as in the lexicon.
    ``uses`` (languages, N) are counted in each language; ``weights`` are made of them for the language at hand. With
    one language both are one array.
    """

    forms: NDArray[np.bytes_]
    weights: NDArray[np.float32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    uses: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        forms: NDArray[np.bytes_],
        uses: NDArray[np.float32],
        first: NDArray[np.int32],
        second: NDArray[np.int32],
    ) -> WordTable:
        """Make a table of words with their uses in each language (languages, N)."""
        return cls(forms, uses[0] if len(uses) == 1 else uses.max(0), first, second, uses)

    def index(self, raw: bytes) -> int | None:
        """Return where a form stands, None if it is not in the table."""
        index = int(np.searchsorted(self.forms, raw))
        return index if index < len(self.forms) and self.forms[index] == raw else None

    def prefix_range(self, raw: bytes) -> tuple[int, int]:
        """Return [start, end) of the forms that begin with ``raw``."""
        if not raw:
            return 0, len(self.forms)
        low, high = np.searchsorted(self.forms, [raw, raw + b"\xff" * 8])
        return int(low), int(high)

    def with_first_token(self, row: int, tokens: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where the forms stand, in order, whose first token is one of ``tokens``."""
        order, starts = self._by_first[row]
        tokens = tokens[tokens < len(starts) - 1]
        counts = starts[tokens + 1] - starts[tokens]
        ends = np.cumsum(counts)
        filed = np.arange(counts.sum()) + np.repeat(starts[tokens] - (ends - counts), counts)
        return np.sort(order[filed], kind="stable")  # some runs in order, which are merged

    @functools.cached_property
    def _by_first(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For each row: the indices of all forms sorted by first token, and where each token begins among them."""
        found = []
        for first in self.first:
            counts = np.bincount(first) if len(first) else np.zeros(1, np.intp)
            found.append((np.argsort(first, kind="stable"), np.concatenate(([0], np.cumsum(counts)))))
        return found

    @functools.cached_property
    def trie(self) -> LetterTrie:
        """The forms by their letters."""
        return build_trie(self.forms)

    @functools.cached_property
    def capitalized(self) -> NDArray[np.bool_]:
        """Whether each form (N,) begins with a capital."""
        first = self.forms.view(np.uint8).reshape(len(self.forms), self.forms.itemsize)[:, 0]
        found = (first >= ord("A")) & (first <= ord("Z"))
        for index in np.flatnonzero(first > 0x7F):
            letter = self.forms[index].decode()[0]
            found[index] = letter != letter.lower()
        return found

    def prepare(self) -> None:
        """File the forms by their letters and their tokens now; else their first use does."""
        _ = self.trie, self.capitalized, self._by_first

    def with_words(self, others: WordTable) -> WordTable:
        """Return a table with more forms, none of which is here."""
        width = f"S{max(self.forms.dtype.itemsize, others.forms.dtype.itemsize)}"
        indices = np.searchsorted(self.forms, others.forms)
        return WordTable.of(
            np.insert(self.forms.astype(width), indices, others.forms),
            np.insert(self.uses, indices, others.uses, axis=1),
            np.insert(self.first, indices, others.first, axis=1),
            np.insert(self.second, indices, others.second, axis=1),
        )


class PrefixMatch:
    """The words of a table that begin as typed, with their scores.

    Args:
        table: where to look.
        row: 0 for words that stand alone, 1 for words after a space.
        raw: the typed bytes.
        p: distribution (vocab,) over first tokens.
        total: weight (vocab,) of all words that begin with a token.
        tokens: the first tokens of the words; None takes any.
    """

    def __init__(
        self,
        table: WordTable,
        row: int,
        raw: bytes,
        p: NDArray[np.float32],
        total: NDArray[np.float32],
        tokens: NDArray[np.intp] | None,
    ) -> None:
        run: slice | NDArray[np.intp]
        run = slice(*table.prefix_range(raw)) if tokens is None else table.with_first_token(row, tokens)
        self._all, self._run, self._weights = table.forms, run, table.weights[run]
        # Of a row as a view: numpy takes three times as long to index both at once.
        self._first, self._second = table.first[row][run], table.second[row][run]
        self.scores: NDArray[np.float32] = p[self._first] * self._weights / total[self._first]

    def ambiguous_tokens(self) -> set[int]:
        """Return the first tokens of the best words that have several tokens."""
        several = np.flatnonzero(self._second != NONE)
        best = best_indices(self.scores[several], _SPLIT_TOKENS)
        return {int(self._first[several[index]]) for index in best}

    def score_of_longer(self, token: int) -> float:
        """Return the score of all words of several tokens that begin with a token."""
        return float(self.scores[(self._first == token) & (self._second != NONE)].sum())

    def apply_continuation(
        self,
        token: int,
        p: float,
        known: Continuation,
        seconds: NDArray[np.intp],
        weights_of_seconds: NDArray[np.float32],
    ) -> None:
        """Share the probability ``p`` of a first token among its words by what is known of the second one.

        ``seconds`` (S,) are the second tokens, in order, of the words that begin with ``token``, and
        ``weights_of_seconds`` (S,) the weights of the words that have each.
        """
        indices = np.flatnonzero(self._first == token)
        second = self._second[indices]
        longer = second != NONE
        shares = np.empty(len(indices), np.float32)
        weights = self._weights[indices[longer]]
        beneath = weights_of_seconds[np.searchsorted(seconds, second[longer])]
        shares[longer] = known.p[second[longer]] * weights / beneath
        # A form is general or own, never both: this token alone is one word at the most.
        shares[~longer] = max(0.0, 1.0 - float(known.p[seconds].sum()))
        self.scores[indices] += np.float32(known.trust) * (p * shares - self.scores[indices])

    def take_finished(self, raw: bytes) -> float:
        """Return the score of the typed word itself, and leave it out from now on."""
        if not len(self.scores) or self._form(0) != raw:
            return 0.0
        score = float(self.scores[0])
        self.scores[0] = 0
        return score

    def score(self, raw: bytes) -> float:
        """Return a word's score; 0 if it does not match."""
        index = int(np.searchsorted(self._all, raw))
        if isinstance(self._run, slice):
            index -= self._run.start
        else:
            index = int(np.searchsorted(self._run, index))
        is_here = 0 <= index < len(self.scores) and self._form(index) == raw
        return float(self.scores[index]) if is_here else 0.0

    def best(self, limit: int) -> list[tuple[str, float]]:
        """Return the best words, ``limit`` at most, with their scores."""
        best = best_indices(self.scores, limit)
        return [(self._form(index).decode(), float(self.scores[index])) for index in best]

    def _form(self, index: int) -> bytes:
        """Return a form. All of them are wide, so no other is copied."""
        run = self._run
        found: bytes = self._all[run][index] if isinstance(run, slice) else self._all[run[index]]
        return found


def best_indices(scores: NDArray[np.float32], limit: int) -> list[int]:
    """Return the indices of the highest scores above zero, ``limit`` at most."""
    indices = np.argpartition(scores, -limit)[-limit:] if len(scores) > limit else np.arange(len(scores))
    return [int(index) for index in indices if scores[index] > 0]
