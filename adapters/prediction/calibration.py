"""How often a stated probability has been right on this user's own text.

Reliability by tenths (Murphy & Winkler 1977): in each tenth, how often the event came true, with the usual rate as
prior, made monotone by pooling adjacent violators (Ayer et al. 1955).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TENTHS = 10
# Before anything is known of a user, and worth so many events a tenth: ghosts are a little surer than they should be.
_PRIOR = (0.06, 0.15, 0.27, 0.36, 0.44, 0.50, 0.57, 0.66, 0.76, 0.87)
WHOLE_WORDS = (0.05, 0.15, 0.25, 0.35, 0.46, 0.57, 0.72, 0.83, 0.91, 0.96)
"""The same of a word of which nothing is typed yet: the next one, or one behind it if that came."""

_STRENGTH = 100.0
_LEAST, _MAX = 0.001, 0.995


class Calibration:
    """Maps a stated probability to how often such events come true; starts from ``prior``, how often in each tenth."""

    def __init__(self, seen: NDArray[np.float64] | None = None, *, prior: Sequence[float] = _PRIOR) -> None:
        self._prior = np.array(prior)
        # (tenth, [sum of stated probabilities, events, events that came true])
        self._seen = np.zeros((_TENTHS, 3)) if seen is None else seen
        self._fitted: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # until more is learned

    def __call__(self, p: float) -> float:
        """Return the calibrated probability."""
        self._fitted = self._fitted or self._fit()
        return float(np.interp(p, *self._fitted))

    @property
    def events(self) -> int:
        """How many events were learned from."""
        return round(float(self._seen[:, 1].sum()))

    def learn_many(self, events: Iterable[tuple[float, bool]]) -> None:
        """Count events: the stated probability of each, and whether it came true."""
        for p, came_true in events:
            self._seen[min(int(p * _TENTHS), _TENTHS - 1)] += (p, 1.0, came_true)
            self._fitted = None

    def _fit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return stated probabilities, rising, and how often such events come true."""
        middle = (np.arange(_TENTHS) + 0.5) / _TENTHS
        stated, events, true = self._seen.T
        weights = events + _STRENGTH
        at = (stated + _STRENGTH * middle) / weights
        actual = _monotone((true + _STRENGTH * self._prior) / weights, weights)
        # Beyond the outer tenths' means what is stated is as far off as it is there.
        ends = [actual[0] - at[0]], [actual[-1] + 1.0 - at[-1]]
        return np.concatenate([[0.0], at, [1.0]]), np.clip(
            np.concatenate([ends[0], actual, ends[1]]), _LEAST, _MAX
        )

    def to_json(self) -> list[Any]:
        """Return the counts as plain JSON values."""
        values: list[Any] = self._seen.round(3).tolist()
        return values

    @classmethod
    def from_json(cls, values: list[Any], *, prior: Sequence[float] = _PRIOR) -> Calibration:
        """Read what :meth:`to_json` returned. Raises ValueError on anything else."""
        try:
            seen = np.asarray(values, dtype=np.float64)
        except TypeError as error:
            raise ValueError("calibration counts are not numbers") from error
        if seen.shape != (_TENTHS, 3):
            raise ValueError(f"calibration counts have the shape {seen.shape}")
        _, events, true = seen.T
        if not (np.isfinite(seen).all() and (seen >= 0).all() and (true <= events).all()):
            raise ValueError("calibration counts are no counts")
        return cls(seen, prior=prior)

    @classmethod
    def of_whole_words(cls, values: list[Any]) -> Calibration:
        """Read what :meth:`to_json` returned of words of which nothing was typed. Raises as :meth:`from_json` does."""
        return cls.from_json(values, prior=WHOLE_WORDS)


def estimate_uptake(accepted: Sequence[int], dismissed: Sequence[int]) -> float:
    """Return the share of right suggestions that the user really takes, 0 to 1; 1 without feedback.

    Args:
        accepted: suggestions taken, by tenth of their stated probability, the lowest first.
        dismissed: suggestions not taken.
    """
    middle = (np.arange(_TENTHS) + 0.5) / _TENTHS
    expected = float(middle @ (np.array(accepted) + np.array(dismissed)))
    return min((sum(accepted) + _STRENGTH) / (expected + _STRENGTH), 1.0)


def _monotone(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the closest values, by weighted squares, that never fall."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, v, n), (b, w, m) = blocks[-2:]
            blocks[-2:] = [((a * v + b * w) / (v + w), v + w, n + m)]
    return np.concatenate([np.full(count, value) for value, _, count in blocks])
