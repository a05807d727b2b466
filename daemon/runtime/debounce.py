"""Work that a thread of its own does soon after it is asked for, once for many askings."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Debounced:
    """Does ``work`` once nobody has asked for it for ``quiet_s`` seconds.

    Args:
        name: of the thread.
        work: what to do; it must not raise.
        quiet_s: 0 begins at once, and does what is asked for meanwhile afterwards.
        first: do it once now, unasked.
    """

    def __init__(
        self, name: str, work: Callable[[], None], *, quiet_s: float = 0.0, first: bool = False
    ) -> None:
        self._asked = threading.Event()
        self._stopping = False
        self._work = work
        self._quiet_s = quiet_s
        self._first = first
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Let it be done; returns at once."""
        self._asked.set()

    def stop(self) -> None:
        """Do it no more; returns once what is under way is done."""
        self._stopping = True
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        if self._first:
            self._work()
        while True:
            self._asked.wait()
            if self._stopping:
                return
            self._asked.clear()
            while self._quiet_s and self._asked.wait(self._quiet_s) and not self._stopping:
                self._asked.clear()
            if not self._stopping:
                self._work()
