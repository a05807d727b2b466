"""How dear a wrong ghost is held, so that not too many come up, whoever types."""

from __future__ import annotations

import math

_DEAR = 3.3  # keystrokes that a wrong ghost costs its reader: more than are lost, since it breaks a thought
_DEAREST = 50.0
_BORNE = 0.0185  # wrong ghosts a character that a reader bears
_STEP = 0.1  # of the logarithm of the cost, for each that is too many: a thousand characters tell


class Restraint:
    """The price of a wrong ghost, which rises while more come up than a reader bears, and falls again.

    Dual ascent on the constraint (Arrow, Hurwicz & Uzawa 1958): the price moves by how far it was missed.

    Args:
        cost: keystrokes, as :attr:`cost` was.

    Raises:
        ValueError: it is no such cost.
    """

    def __init__(self, cost: float = _DEAR) -> None:
        if not _DEAR <= cost <= _DEAREST:
            raise ValueError(f"a wrong ghost does not cost {cost} keystrokes")
        self.cost = cost
        """Keystrokes."""

    def learn(self, characters: int, wrong: int) -> None:
        """So many characters were typed, and so many wrong ghosts came up on the way."""
        cost = self.cost * math.exp(_STEP * (wrong - _BORNE * characters))
        self.cost = min(max(cost, _DEAR), _DEAREST)
