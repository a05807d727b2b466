"""A stretch of writing in the trial (`serving/speed_trial.py`): a field from its first letter until it is left."""

from __future__ import annotations

import secrets
from typing import Any, Final

_ONE_IN: Final = 4  # goes without suggestions
_MAX_PAUSE_S: Final = 3.0  # a longer one is no typing


class WritingStretch:
    """Whether it goes without suggestions, drawn at its first letter, and what is typed there, as counts."""

    def __init__(self) -> None:
        """Draw."""
        self.without = secrets.randbelow(_ONE_IN) == 0
        self._keys = 0
        self._seconds = 0.0
        self._at_s: float | None = None

    def key(self, at_s: float) -> None:
        """A key was pressed at a time in seconds; a clock that went back counts as a pause."""
        if self._at_s is not None and 0.0 <= at_s - self._at_s <= _MAX_PAUSE_S:
            self._seconds += at_s - self._at_s
        self._at_s = at_s
        self._keys += 1

    def summary(self, characters: int) -> dict[str, Any]:
        """What the service is told of it; `characters` came to stand there."""
        return {
            "suggestions": not self.without,
            "characters": max(characters, 0),
            "seconds": round(self._seconds, 1),
            "keys": self._keys,
        }
