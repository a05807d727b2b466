"""Forward passes that nobody waits for yet, and how they give way to those that somebody waits for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from idiolect.models.session import Interrupt, InterruptedPassError


@dataclass(frozen=True)
class _Prefetch:
    """A pass under way that computes the distributions after every prefix of ``tokens`` from ``first`` tokens on."""

    first: int
    tokens: tuple[int, ...]
    interrupt: Interrupt

    def covers(self, ids: list[int], draft: list[int]) -> bool:
        """Return True if it computes the distributions after ``ids`` and after each token of ``draft``."""
        wanted = tuple(ids + draft)
        return len(ids) >= self.first and self.tokens[: len(wanted)] == wanted


class Prefetcher:
    """Gives the session to one thread at a time, and takes it from a prefetch that is of no use to who waits."""

    def __init__(self) -> None:
        self._session_lock = threading.Lock()
        self._running: _Prefetch | None = None

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Hold the session; waits for a pass under way to end."""
        with self._session_lock:
            yield

    @contextlib.contextmanager
    def session_for(self, ids: list[int], draft: list[int]) -> Iterator[None]:
        """Hold the session to read ``ids`` and ``draft``.

        A prefetch under way that computes the same is waited for; any other one is stopped.
        """
        running = self._running
        if running is not None and not running.covers(ids, draft):
            running.interrupt.stop()
        with self._session_lock:
            yield

    def stop(self) -> None:
        """Stop the prefetch under way, if there is one."""
        running = self._running
        if running is not None:
            running.interrupt.stop()

    def run(self, ids: list[int], draft: list[int], forward: Callable[[Interrupt], object]) -> None:
        """Call ``forward``, which reads ``ids`` and ``draft``, unless the session is in use.

        ``forward`` gets what stops its pass as soon as somebody needs the session for another text.
        """
        prefetch = _Prefetch(len(ids), tuple(ids + draft), Interrupt())
        self._running = prefetch
        if self._session_lock.acquire(blocking=False):
            try:
                with contextlib.suppress(InterruptedPassError):
                    forward(prefetch.interrupt)
            finally:
                self._session_lock.release()
        self._running = None
