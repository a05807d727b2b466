"""Mixes the model's next-token distribution with the n-gram memory's, each trusted as far as it has been right.

``p = λ p_memory + (1 - λ) p_model``. How far the memory can be trusted depends on the longest context that it found
and on how often it saw that context. Each such bucket has a λ of its own, learned online by expectation-maximization
for one interpolation weight (Jelinek & Mercer 1980). Every token is predicted before it is learned from, so the
weights come from this user's own text and are never fitted to what they are judged on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.ngram_memory import ORDER, FastMemory, Prediction

_COUNTS = 5  # buckets of how often: 1, 2, 3-4, 5-8, more
_PRIOR = (0.05, 0.1, 0.2, 0.3, 0.5)  # starting weight of the memory, by the order of the context found
_STRENGTH = 8.0  # tokens that the starting weight counts for


class Mixture:
    """Learned interpolation weights, one for each (context order, count) bucket."""

    def __init__(self, hits: NDArray[np.float64] | None = None) -> None:
        # (order, count bucket, [for the memory, for the model]) responsibilities, in tokens
        self._hits = _prior() if hits is None else hits

    def weight(self, prediction: Prediction) -> float:
        """Return λ, the share of the memory in the mixture."""
        memory, model = self._hits[self._bucket(prediction)]
        return float(memory / (memory + model))

    def mix(
        self, model: NDArray[np.float32], memory: FastMemory, prediction: Prediction
    ) -> NDArray[np.float32]:
        """Return the mixed distribution (vocab,); ``model`` is the model's, (vocab,), and sums to one."""
        share = np.float32(self.weight(prediction))
        if memory.tokens == 0:
            return model
        mixed: NDArray[np.float32] = model * (1 - share)
        mixed += memory.unigrams() * np.float32(share * prediction.backoff)
        mixed[prediction.ids] += share * prediction.p
        return mixed

    def learn(self, prediction: Prediction, memory_p: float, model_p: float) -> None:
        """Update the bucket's λ with one token that memory and model gave these probabilities."""
        bucket = self._bucket(prediction)
        share = self.weight(prediction)
        blame = share * memory_p / max(share * memory_p + (1 - share) * model_p, 1e-30)
        self._hits[bucket] += (blame, 1 - blame)

    @staticmethod
    def _bucket(prediction: Prediction) -> tuple[int, int]:
        return prediction.order, min((max(prediction.total, 1) - 1).bit_length(), _COUNTS - 1)

    def copy(self) -> Mixture:
        """Return an independent copy."""
        return Mixture(self._hits.copy())

    def to_json(self) -> list[Any]:
        """Return the learned weights as plain JSON values."""
        values: list[Any] = self._hits.round(3).tolist()
        return values

    @classmethod
    def from_json(cls, values: list[Any]) -> Mixture:
        """Read what :meth:`to_json` returned. Raises ValueError on another shape."""
        hits = np.asarray(values, dtype=np.float64)
        if hits.shape != (ORDER + 1, _COUNTS, 2):
            raise ValueError(f"mixture weights have the shape {hits.shape}")
        return cls(hits)


def _prior() -> NDArray[np.float64]:
    """Return the starting weights: the longer the context found, the more the memory is trusted."""
    share = np.repeat(np.array(_PRIOR)[:, None], _COUNTS, axis=1)
    return np.stack([share, 1 - share], axis=2) * _STRENGTH
