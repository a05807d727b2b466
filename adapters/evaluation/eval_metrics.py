"""Figures from many typed messages: savings with intervals, ghosts shown, waiting times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.evaluation.typing_simulator import BARS, WRONG_SHOW, TypedText

_RESAMPLES = 2000
_LEVEL = 0.95


def row(messages: Sequence[TypedText], seed: int, key_s: float) -> dict[str, Any] | None:
    """Return the savings with words and with ghosts over all ``messages``, of which a key takes ``key_s``, or None.

    The intervals are those of a bootstrap over messages (Efron & Tibshirani 1993, percentile method) with this seed.
    """
    if not messages:
        return None
    chars = sum(typed.characters for typed in messages)
    seen = [typed.shown for typed in messages]
    positions, shown, right, wrong_new = (
        sum(getattr(counts, name) for counts in seen) for name in ("positions", "shown", "right", "wrong_new")
    )
    net = [typed.keys["words"] + WRONG_SHOW * typed.shown.wrong_new for typed in messages]
    return {
        "messages": len(messages),
        "characters": chars,
        "savings": {str(most): savings(messages, f"bar{most}", seed) for most in BARS},
        "ghost": {
            **{name: savings(messages, name, seed) for name in ("whole", "words")},
            "net": _interval(net, messages, seed),
            "seconds": _interval([typed.ghost_s / key_s for typed in messages], messages, seed),
            "shown_rate": round(shown / positions, 5),
            "precision": round(right / shown, 5) if shown else None,
            "wrong_new_per_100": round(100 * wrong_new / chars, 3),
        },
    }


def savings(messages: Sequence[TypedText], way: str, seed: int) -> dict[str, float]:
    """Return the keystroke savings, 0 to 1, of one way to type (:attr:`TypedText.keys`), with their interval."""
    return _interval([typed.keys[way] for typed in messages], messages, seed)


def _interval(keys: Sequence[float], messages: Sequence[TypedText], seed: int) -> dict[str, float]:
    spent = np.array(keys, dtype=np.float64)
    typed = np.array([message.characters for message in messages], dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(len(typed), size=(_RESAMPLES, len(typed)))
    ratios = 1 - spent[drawn].sum(axis=1) / typed[drawn].sum(axis=1)
    value = float(1 - spent.sum() / typed.sum())
    low, high = (_percentile(ratios, 100 * share) for share in ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return {"value": round(value, 5), "low": round(low, 5), "high": round(high, 5)}


def latency(messages: Sequence[TypedText]) -> dict[str, float]:
    """Return the median and the 95th percentile of the milliseconds that each suggestion took."""
    asked = [spent for typed in messages for spent in typed.milliseconds]
    return {f"p{percent}": round(_percentile(asked, percent), 3) for percent in (50, 95)}


def _percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """Return the smallest value that ``percent`` % of them do not exceed."""
    return float(np.percentile(np.asarray(values), percent, method="inverted_cdf"))
