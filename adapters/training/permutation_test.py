"""Tests a figure against chance: the same figure, with signs or labels drawn anew (Fisher 1935).

Unlike the bootstrap such a test keeps its level also where little was counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000
"""Draws of a test."""

_LEVEL = 0.95  # of intervals of an effect: how often they hold the true one, at least
Numbers = NDArray[np.float64]


def p_value(observed: float, drawn: Numbers) -> float:
    """Return how often chance brings as much as was observed, which counts as one draw (Phipson & Smyth 2010)."""
    as_large = np.count_nonzero(drawn >= observed - 1e-9)
    return float((1 + as_large) / (1 + len(drawn)))


@dataclass(frozen=True)
class Effect:
    """A difference, and the least and the most that it may be."""

    value: float
    low: float
    high: float


def effect(
    outcomes: Numbers,
    treated: Numbers,
    weights: Numbers,
    *,
    block: int,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Effect | None:
    """Return how much a treatment given at random adds to an outcome; None where too few units lack or have it.

    The difference is taken within blocks of units that follow one another, so that what drifts over them counts for
    little. The interval holds each effect that a permutation of the labels does not refuse: taken from the treated, it
    would leave a difference that chance alone brings. It is exact where the effect is the same for all.

    Args:
        outcomes: (n,), of each unit in their order.
        treated: (n,), 1.0 for units with the treatment, 0.0 without.
        weights: (n,), how much each unit counts.
        block: units in a block.
    """
    labels = np.random.default_rng(seed).permuted(np.tile(treated, (resamples, 1)), axis=1)
    of_outcomes, of_labels = _differences(labels, outcomes, treated, weights, block)
    value, own = _differences(treated[None, :], outcomes, treated, weights, block)
    if not np.isfinite(value[0]):  # all of each block were treated, or none
        return None
    # Without an effect x of the treated the observed difference is `value - x`, and a permuted one is
    # `of_outcomes - x of_labels`. Below the x at which they are equal the observed one is the larger.
    differs = np.isfinite(of_labels) & (of_labels < own[0] - 1e-9)
    equal = (value[0] - of_outcomes[differs]) / (own[0] - of_labels[differs])
    alike = len(of_labels) - len(equal)  # these refuse nothing
    last = int((1 - _LEVEL) / 2 * (1 + resamples)) - 1 - alike
    if last < 0:
        return None
    equal.sort()
    return Effect(float(value[0]), float(equal[last]), float(equal[-1 - last]))


def _differences(
    labels: Numbers, outcomes: Numbers, treated: Numbers, weights: Numbers, block: int
) -> tuple[Numbers, Numbers]:
    """Return, for each row of labels (draws, n), the weighted difference within blocks of outcomes, and of `treated`.

    Each has the shape (draws,).
    """
    starts = np.arange(0, labels.shape[1], block)
    sizes = np.diff([*starts, labels.shape[1]])
    means = np.add.reduceat(labels * weights, starts, axis=1) / np.add.reduceat(weights, starts)
    centred = weights * (labels - np.repeat(means, sizes, axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (centred * labels).sum(axis=1)
        return centred @ outcomes / spread, centred @ treated / spread
