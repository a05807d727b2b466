"""The user's typing speed: the median time between two letters, over all programs."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any, Final

_STEP: Final = 1.05  # between two classes of times
_MAX_OF_A_DAY: Final = 700  # a day with more counts as this many: one day's hurry is not how somebody types
_MAX_COUNTED: Final = 2000
_MIN_COUNTED: Final = 200
_MAX_DAYS: Final = 10
#: 160 words a minute, which hardly anybody keeps up: what is faster was sent by a program.
_FASTEST_MS: Final = 75.0


class LetterTimes:
    """Counts of times in classes of 5 %, by day, and in no order: a sequence of times could tell persons apart."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._days: dict[str, Counter[int]] = {}

    @classmethod
    def from_json(cls, kept: Any) -> LetterTimes:
        """Those that were kept. Raises ValueError where they are damaged."""
        found = cls()
        try:
            for day, counts in kept.items():
                found._days[day] = Counter({int(place): int(count) for place, count in counts.items()})
                if min(found._days[day].values(), default=1) < 1:
                    raise ValueError("a count is at least 1")
        except (AttributeError, TypeError) as error:
            raise ValueError("these are no counts of times") from error
        return found

    def to_json(self) -> dict[str, dict[str, int]]:
        """What `from_json` reads."""
        return {day: {str(place): n for place, n in counts.items()} for day, counts in self._days.items()}

    def add(self, ms: float, day: str) -> None:
        """Count a time between two letters, in milliseconds, on a day (ISO 8601), unless no hand is so fast."""
        if ms < _FASTEST_MS:
            return
        self._days.setdefault(day, Counter())[round(math.log(ms, _STEP))] += 1
        for old in sorted(self._days)[:-_MAX_DAYS]:
            del self._days[old]

    @property
    def median_ms(self) -> float | None:
        """The median of the newest 2,000 times, of which a day gives 700 at most; None of fewer than 200."""
        weights: dict[int, float] = {}
        counted = 0.0
        for _, counts in sorted(self._days.items(), reverse=True):
            take = min(counts.total(), _MAX_OF_A_DAY, _MAX_COUNTED - counted)
            for place, count in counts.items():
                weights[place] = weights.get(place, 0.0) + count * take / counts.total()
            counted += take
        if counted < _MIN_COUNTED:
            return None
        below = itertools.accumulate(weights[place] for place in sorted(weights))
        return next(
            _STEP**place for place, n in zip(sorted(weights), below, strict=True) if n >= 0.499 * counted
        )
