"""How long a round may take: counted in computing time, so that neither busy programs nor a wait use it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE = 4.0
"""How many times longer than its budget a round may take where other programs leave it little."""


class Suspensions:
    """How long this process was suspended, as whoever suspended it says. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total_s = 0.0

    def add(self, seconds: float) -> None:
        """It was suspended for so long."""
        with self._lock:
            self._total_s += seconds

    @property
    def total_s(self) -> float:
        """All suspensions together."""
        with self._lock:
            return self._total_s


class ComputeClock:
    """Counts what a round has used up of its budget. For the main thread, which computes all along.

    That thread's processor time is, on an idle machine, the time on the wall, however many threads help it; beside
    busy programs it stands still while they run. Then the time on the wall counts for a quarter (`PATIENCE`), so
    that a round comes to its end all the same. While the process is suspended nothing counts.

    Args:
        budget_s: what there is.
        spent_s: what earlier processes have used up of it, for a round that goes on.
        suspended_s: how long this process has been suspended.
    """

    def __init__(
        self, budget_s: float, spent_s: float = 0.0, suspended_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.budget_s = budget_s
        self._before_s = spent_s
        self._suspended_s = suspended_s
        self._started = self.awake_s()

    def awake_s(self) -> float:
        """Seconds on the wall less those suspended; only differences mean something."""
        return time.monotonic() - self._suspended_s()

    def spent_s(self) -> float:
        """What is used up; from the start of the process on, which imports much."""
        return self._before_s + max(time.thread_time(), (self.awake_s() - self._started) / PATIENCE)

    def left_s(self) -> float:
        """What is left; below zero once it is over."""
        return self.budget_s - self.spent_s()
