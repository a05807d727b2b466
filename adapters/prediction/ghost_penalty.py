"""What a wrong ghost costs: more than usual where too many were shown of late, so that fewer are shown next."""

from __future__ import annotations

import math

_USUAL_COST = (
    2.8  # keystrokes that a wrong ghost costs its reader: more than it wastes, since it breaks a thought
)
_MAX_COST = 50.0  # keystrokes
MAX_WRONG_PER_CHAR = 0.018
"""Wrong ghosts per typed character up to which the cost stays as usual."""
_COST_GROWTH = 450.0  # beyond, the cost grows e-fold for each 1/450 more wrong ghosts per character
_MAX_EXPONENT = 10.0
_HALF_LIFE_CHARS = 4000.0  # typed characters after which what was counted weighs half
_PRIOR_CHARS, _PRIOR_WRONG_PER_CHAR = 1500.0, 0.015  # counted before anything is known


class GhostPenalty:
    """The cost of a wrong ghost in keystrokes, learned from how many of them were shown lately.

    Args:
        characters: that were typed, the older ones weighted less.
        wrong: wrong ghosts shown meanwhile, weighted alike.

    Raises:
        ValueError: a count is negative or not finite.
    """

    def __init__(self, characters: float = 0.0, wrong: float = 0.0) -> None:
        if not (0 <= characters < math.inf and 0 <= wrong < math.inf):
            raise ValueError(f"{wrong} wrong ghosts in {characters} characters are no counts")
        self._characters, self._wrong = characters, wrong

    @property
    def cost(self) -> float:
        """Keystrokes that one wrong ghost costs."""
        prior_wrong = _PRIOR_CHARS * _PRIOR_WRONG_PER_CHAR
        wrong_per_char = (self._wrong + prior_wrong) / (self._characters + _PRIOR_CHARS)
        excess = max(wrong_per_char - MAX_WRONG_PER_CHAR, 0.0)
        return min(_USUAL_COST * math.exp(min(_COST_GROWTH * excess, _MAX_EXPONENT)), _MAX_COST)

    def record(self, characters: int, wrong: int) -> None:
        """Record ``characters`` typed and ``wrong`` ghosts shown meanwhile."""
        kept = 0.5 ** (characters / _HALF_LIFE_CHARS)
        self._characters = kept * self._characters + characters
        self._wrong = kept * self._wrong + wrong

    def to_json(self) -> list[float]:
        """Return the counts as plain JSON values."""
        return [round(self._characters, 1), round(self._wrong, 2)]

    @classmethod
    def from_json(cls, values: list[float]) -> GhostPenalty:
        """Read what :meth:`to_json` returned. Raises ValueError on anything else."""
        try:
            return cls(*values)
        except TypeError as error:
            raise ValueError("counts of wrong ghosts are not two numbers") from error
