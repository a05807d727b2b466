"""How dear a wrong ghost is held, so that not too many come up."""

from __future__ import annotations

import math

_DEAR = 3.3  # keystrokes that a wrong ghost costs its reader: more than are lost, since it breaks a thought
_DEAREST = 50.0
_BORNE = 0.018  # wrong ghosts a character that a reader bears ...
_STEEP = 450.0  # ... and how the cost grows beyond: e-fold for as many more as this is the inverse of
_HALF = 4000.0  # characters that were typed so long ago count half
_USUAL = (1500.0, 0.015)  # characters, and wrong ghosts in each, that count before anything is known


class GhostPenalty:
    """The cost of a wrong ghost: what is usual, and more where more of them came up of late than a reader bears.

    Args:
        characters: that were typed, the older ones counted less.
        wrong: ghosts that came up meanwhile, counted alike.

    Raises:
        ValueError: these are no such counts.
    """

    def __init__(self, characters: float = 0.0, wrong: float = 0.0) -> None:
        if not (0 <= characters < math.inf and 0 <= wrong < math.inf):
            raise ValueError(f"{wrong} wrong ghosts in {characters} characters are no counts")
        self._characters, self._wrong = characters, wrong

    @property
    def cost(self) -> float:
        """Keystrokes."""
        usual, rate = _USUAL
        rate = (self._wrong + usual * rate) / (self._characters + usual)
        return min(_DEAR * math.exp(min(_STEEP * max(rate - _BORNE, 0.0), 10.0)), _DEAREST)

    def learn(self, characters: int, wrong: int) -> None:
        """So many characters were typed, and so many wrong ghosts came up on the way."""
        kept = 0.5 ** (characters / _HALF)
        self._characters = kept * self._characters + characters
        self._wrong = kept * self._wrong + wrong

    def to_json(self) -> list[float]:
        """What was counted, as plain JSON values."""
        return [round(self._characters, 1), round(self._wrong, 2)]

    @classmethod
    def from_json(cls, values: list[float]) -> GhostPenalty:
        """The inverse of :meth:`to_json`. Raises ValueError on anything else."""
        try:
            return cls(*values)
        except TypeError as error:
            raise ValueError("counts of wrong ghosts are not two numbers") from error
