"""Work that a thread of its own does soon after it is asked for, once for many askings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("idiolect.background")


class Debounced:
    """Does ``work`` once nobody has asked for it for ``quiet_s`` seconds.

    Args:
        name: of the thread.
        work: what to do. What it raises is logged by its kind, and the next asking does it again.
        quiet_s: 0 begins at once, and does what is asked for meanwhile afterwards.
    """

    def __init__(self, name: str, work: Callable[[], None], *, quiet_s: float = 0.0) -> None:
        self._asked = threading.Event()
        self._at_once = False
        self._stopping = False
        self._work = work
        self._quiet_s = quiet_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, *, at_once: bool = False) -> None:
        """Let it be done, ``at_once`` without waiting for quiet; returns before it is."""
        self._at_once = self._at_once or at_once
        self._asked.set()

    def stop(self) -> None:
        """Do it no more; returns once what is under way is done."""
        self._stopping = True
        self._asked.set()
        self._thread.join()

    @property
    def _waits(self) -> bool:
        return self._quiet_s > 0 and not self._at_once

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            while self._waits and not self._stopping and self._asked.wait(self._quiet_s):
                self._asked.clear()
            if self._stopping:
                return
            self._at_once = False
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 (the thread must outlive what goes wrong once)
                log.warning("%s: %s", self._thread.name, getattr(error, "code", type(error).__name__))
