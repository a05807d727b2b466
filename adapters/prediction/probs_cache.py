"""Next-token distributions that were computed already, found by the tokens that they follow.

The model's own distributions and the mixed ones are kept apart: a new entry changes what the n-gram memory says at
once, but not what the model says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.user_model import UserModel

# Distributions kept, of 200 KB each: the model's, the model's after drafted tokens, mixed ones.
_MODEL_KEPT, _DRAFT_KEPT, _MIXED_KEPT = 32, 16, 6

Key = tuple[int, ...]
_BEHIND_ANSWERED = -1  # no token: begins the keys of what was computed behind a text that is answered


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities along the last axis of ``logits``."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float32] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


class ProbsCache:
    """Keeps the latest next-token distributions of one model and one adapter.

    A distribution holds for the recent entries that stood before the text when it was computed. The cache decides
    when newer entries take their place, and is emptied then. It holds, too, for what the user answers or for nothing
    being answered: both are kept side by side.

    Args:
        user_model: shared; its memory and its recent entries grow while the cache is in use.
        mix: returns the mixture of the model's distribution (vocab,) after some tokens with what memories say.
        has_active_texts: True if somebody is writing a text now.
    """

    def __init__(
        self,
        user_model: UserModel,
        mix: Callable[[list[int], NDArray[np.float32]], NDArray[np.float32]],
        has_active_texts: Callable[[], bool],
    ) -> None:
        self._user_model = user_model
        self._mixed = mix
        self._has_active_texts = has_active_texts
        self._recent = user_model.recent.tokens
        self._model_probs = _LatestProbs(_MODEL_KEPT)
        # Kept apart, so that the drafts of one text do not evict all others.
        self._draft_probs = _LatestProbs(_DRAFT_KEPT)
        # Kept apart, since nobody may have asked for any of them yet.
        self._precomputed_probs: dict[Key, NDArray[np.float32]] = {}
        self._memory_tokens = -1  # size of the memory when the next were computed
        self._mixed_probs = _LatestProbs(_MIXED_KEPT)
        self._start: Key = ()  # of the keys of what is asked for now

    def set_answered(self, *, something: bool) -> None:
        """From now on keep what is computed behind another text that is answered, or if not ``something`` behind none.

        What was computed behind the one before is forgotten.
        """
        for cache in self._all():
            for key in [key for key in cache if key[:1] == (_BEHIND_ANSWERED,)]:
                del cache[key]
        self._start = (_BEHIND_ANSWERED,) if something else ()

    def get(self, ids: list[int]) -> NDArray[np.float32] | None:
        """Return the mixed distribution (vocab,) after ``ids``, or None if the model has not read them."""
        key = self._key(ids)
        self._refresh()
        probs = self._mix(ids)
        if probs is not None:
            self._mixed_probs.add(key, probs)
        if (model_probs := self._find_model_probs(key)) is not None:
            self._model_probs.add(key, model_probs)
        return probs

    def get_along_draft(self, ids: list[int], draft: list[int]) -> list[NDArray[np.float32]] | None:
        """Return the mixed distributions after ``ids`` and after each token of ``draft``.

        None unless all of them are cached. Those after drafted tokens are kept no longer for being asked for.
        """
        rows = [self.get(ids)]
        rows += [self._mix(ids + draft[:end]) for end in range(1, len(draft) + 1)]
        found = [row for row in rows if row is not None]
        return found if len(found) == len(rows) else None

    def has_model_probs(self, ids: list[int], draft: list[int]) -> bool:
        """Return True if the model's distributions after ``ids`` and after each token of ``draft`` are cached."""
        self._refresh()
        keys = (self._key([*ids, *draft[:end]]) for end in range(len(draft) + 1))
        return all(self._find_model_probs(key) is not None for key in keys)

    def keeps_recent(self) -> bool:
        """Return True if there are newer entries than those that stand before the texts that are being written."""
        return self._user_model.recent.tokens is not self._recent and self._has_active_texts()

    def recent(self) -> Sequence[int]:
        """Return the recent tokens that a forward pass must read before its text."""
        self._refresh()
        return self._recent

    def add(self, ids: list[int], draft: list[int], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Keep what a forward pass returned after ``ids`` and ``draft``; return it mixed with the memory, (vocab,)."""
        model_probs, whole = softmax(logits), ids + draft
        probs = self._mixed(whole, model_probs)
        (self._draft_probs if draft else self._model_probs).add(self._key(whole), model_probs)
        if not draft:
            self._mixed_probs.add(self._key(whole), probs)
        return probs

    def clear(self) -> None:
        """Forget all distributions."""
        for cache in self._all():
            cache.clear()

    def begin_precomputing(self) -> None:
        """Forget what was precomputed for another text."""
        self._refresh()
        self._precomputed_probs.clear()

    def add_precomputed(self, ids: list[int], rest: list[int], logits: NDArray[np.float32]) -> None:
        """Keep the model's distributions after ``ids`` and along ``rest``, from their ``logits`` (rows, vocab)."""
        self._precomputed_probs |= {
            self._key(ids + rest[:place]): softmax(row) for place, row in enumerate(logits)
        }

    def pop_along(self, ids: Sequence[int]) -> Iterator[tuple[list[int], NDArray[np.float32], bool]]:
        """Remove and yield the model's distributions on the way to ``ids``, each with the tokens that it follows.

        The third says whether it was computed behind what is answered now.
        """
        for start in dict.fromkeys(((), self._start)):
            whole, own = (*start, *ids), len(start)
            found = [
                key for key in self._model_probs if own <= len(key) < len(whole) and whole[: len(key)] == key
            ]
            for key in found:
                yield [*key[own:]], self._model_probs.pop(key), bool(start)

    def _all(self) -> tuple[dict[Key, NDArray[np.float32]], ...]:
        return self._model_probs, self._draft_probs, self._precomputed_probs, self._mixed_probs

    def _key(self, ids: Sequence[int]) -> Key:
        return (*self._start, *ids)

    def _mix(self, ids: list[int]) -> NDArray[np.float32] | None:
        """Return the mixed distribution after ``ids`` without counting this as a use; None if it is not cached."""
        key = self._key(ids)
        probs = self._mixed_probs.get(key)
        if probs is not None:
            return probs
        model_probs = self._find_model_probs(key)
        return None if model_probs is None else self._mixed(ids, model_probs)

    def _find_model_probs(self, key: Key) -> NDArray[np.float32] | None:
        caches = (self._model_probs, self._draft_probs, self._precomputed_probs)
        return next((probs for cache in caches if (probs := cache.get(key)) is not None), None)

    def _refresh(self) -> None:
        """Heed what was learned since; but for recent text that somebody would have to have read again, who writes."""
        memory = self._user_model.memory
        if memory.tokens != self._memory_tokens:
            self._memory_tokens = memory.tokens
            self._mixed_probs.clear()
        recent = self._user_model.recent.tokens
        if recent is not self._recent and not self._has_active_texts():
            self._recent = recent
            self.clear()


class _LatestProbs(OrderedDict[Key, NDArray[np.float32]]):
    """The ``capacity`` distributions that were added last."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def add(self, key: Key, probs: NDArray[np.float32]) -> None:
        """Keep one more as the latest, and evict the oldest."""
        self[key] = probs
        self.move_to_end(key)
        while len(self) > self._capacity:
            self.popitem(last=False)
