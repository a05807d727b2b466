"""Figures from many typed messages: savings with intervals, ghosts shown, waiting times, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.evaluation.typing_simulator import BARS, WRONG_SHOW, TypedText

_RESAMPLES = 2000
_LEVEL = 0.95


def row(messages: Sequence[TypedText], seed: int, key_s: float) -> dict[str, Any] | None:
    """Return the savings with words and with ghosts over all ``messages``; None where there is none.

    A key takes ``key_s`` seconds.

    The intervals are those of a bootstrap over messages (Efron & Tibshirani 1993, percentile method) with this seed.
    """
    if not messages:
        return None
    chars = sum(typed.characters for typed in messages)
    seen = [typed.shown for typed in messages]
    positions, shown, right, wrong, wrong_new = (
        sum(getattr(one, name) for one in seen)
        for name in ("positions", "shown", "right", "wrong", "wrong_new")
    )
    net = [typed.keys["words"] + WRONG_SHOW * typed.shown.wrong_new for typed in messages]
    return {
        "messages": len(messages),
        "characters": chars,
        "savings": {str(most): savings(messages, f"bar{most}", seed) for most in BARS},
        "ghost": {
            **{name: savings(messages, name, seed) for name in ("whole", "words", "ungated")},
            "net": _interval(net, messages, seed),
            "seconds": _interval([typed.ghost_s / key_s for typed in messages], messages, seed),
            "shown_rate": round(shown / positions, 5),
            "precision": round(right / shown, 5) if shown else None,
            "wrong_per_100": round(100 * wrong / chars, 3),
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
    low, high = (nearest_rank(ratios, 100 * share) for share in ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return {"value": round(value, 5), "low": round(low, 5), "high": round(high, 5)}


def nearest_rank(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """Return the smallest value that ``percent`` % of them do not exceed."""
    return float(np.sort(values)[max(math.ceil(round(percent / 100 * len(values), 9)), 1) - 1])


def latency(messages: Sequence[TypedText]) -> dict[str, float]:
    """Return percentiles of the milliseconds that each suggestion took."""
    asked = [spent for typed in messages for spent in typed.milliseconds]
    found = {f"p{percent}": round(nearest_rank(asked, percent), 3) for percent in (50, 90, 95, 99)}
    return {**found, "queries": len(asked)}


def reliability(messages: Sequence[TypedText]) -> list[dict[str, float]]:
    """Return, for each tenth of the probability of ghosts, what was predicted and what came true."""
    judged = [(p, right) for typed in messages for p, _, right in typed.judged]
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for p, right in judged:
        tenths.setdefault(min(int(10 * p), 9), []).append((p, right))
    return [
        {
            "predicted": round(sum(p for p, _ in tenth) / len(tenth), 5),
            "actual": round(sum(right for _, right in tenth) / len(tenth), 5),
            "count": len(tenth),
        }
        for _, tenth in sorted(tenths.items())
    ]
