"""Whether a ghost is worth showing: by the keystrokes that it saves and costs on average, or by how likely it is."""

from __future__ import annotations

from typing import Final

MIN_SHOWN_PROB: Final = 0.5
"""Of a ghost that is shown, whatever it would save."""
_ALWAYS_SHOWN_PROB: Final = (
    0.86  # from here on a short one is shown too: its rest must not vanish while it is typed
)
_MIN_CHARS: Final = 3  # fewer are typed faster than read
_USUAL: Final = "a word", 0.9  # a ghost that is shown as long as nothing speaks against ghosts


def is_likely(text: str, p: float) -> bool:
    """Return True if a ghost is likely to be right, and long enough or nearly certain."""
    return p >= (MIN_SHOWN_PROB if len(text) >= _MIN_CHARS else _ALWAYS_SHOWN_PROB)


def saves_keys(text: str, p: float, acceptance_rate: float, cost: float) -> bool:
    """Return True if a ghost saves more keystrokes on average than it costs.

    Args:
        text: what it shows.
        p: the probability that it is right.
        acceptance_rate: the share of right ghosts that the user takes, 0 to 1.
        cost: keystrokes that a wrong ghost costs.
    """
    taken = p * acceptance_rate
    saved, lost = taken * (len(text) - 1), (1 - taken) * cost
    return taken >= _ALWAYS_SHOWN_PROB or (is_likely(text, p) and len(text) >= _MIN_CHARS and saved > lost)


def holds_back(acceptance_rate: float, cost: float) -> bool:
    """Return True if a ghost that is usually shown is not: few were taken of late, or many were wrong."""
    return not saves_keys(*_USUAL, acceptance_rate, cost)
