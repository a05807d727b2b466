"""Measures a round in computing time, so that neither busy programs nor a suspension use up its budget."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 4.0
"""How many times longer than its budget a round may take where others leave it little; a first start says so."""


class ComputeClock:
    """Counts what a round has used up of its budget. For the main thread, which computes all the time.

    On an idle machine that thread's processor time equals the wall time, however many threads help it; beside busy
    programs it stands still while they run. Then a quarter of the wall time counts (:data:`PATIENCE`), so that a round
    ends all the same. A suspension does not count.

    Args:
        budget_s: the budget.
        spent_s: what earlier processes of the same round have used up.
        suspended_s: returns how long this process has been suspended.
    """

    def __init__(
        self, budget_s: float, spent_s: float = 0.0, suspended_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.budget_s = budget_s
        self._before_s = spent_s
        self._suspended_s = suspended_s
        self._started = self.awake_s()

    def awake_s(self) -> float:
        """Return wall seconds without suspensions; only differences have a meaning."""
        return time.monotonic() - self._suspended_s()

    def spent_s(self) -> float:
        """Return the seconds used up since the start of the process, its imports included."""
        return self._before_s + max(time.thread_time(), (self.awake_s() - self._started) / PATIENCE)

    def pace(self) -> float:
        """Return how many seconds by the clock a second of the budget has taken in this process, from 1 up."""
        return max((self.awake_s() - self._started) / max(self.spent_s() - self._before_s, 1e-9), 1.0)

    def left_s(self) -> float:
        """Return the seconds that are left; negative once the budget is used up."""
        return self.budget_s - self.spent_s()
