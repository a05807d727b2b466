"""Daily upkeep in one thread: old text is let go, and the store is checked for damage.

A machine may sleep, so the time of day is looked at every minute, and not waited for.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from idiolect.daemon.profile.integrity_check import IntegrityCheck
from idiolect.daemon.profile.retention import Retention

log = logging.getLogger("idiolect.upkeep")

_LOOK_EVERY_S: Final = 60.0
_STOP_AGAIN_S: Final = 0.05


class Upkeep:
    """Does at its time what a profile needs; whatever goes wrong with one thing, the rest goes on."""

    def __init__(self, retention: Retention, check: IntegrityCheck) -> None:
        self._retention = retention
        self._check = check
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch_clock, name="upkeep", daemon=True)

    def start(self) -> None:
        """Look at once, and then every minute."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns once text is let go of, and breaks off a reading of the store."""
        self._stopping = True
        self._wake.set()
        while self._thread.is_alive():
            self._check.break_off()
            self._thread.join(_STOP_AGAIN_S)

    def hasten(self) -> bool:
        """Before the service goes to rest: whether the store is to be read first, which begins at once."""
        if self._check.due:
            self._wake.set()
            return True
        return False

    def _watch_clock(self) -> None:
        hastened = False
        while not self._stopping:
            try:
                self._retention.look()
            except Exception as error:  # noqa: BLE001 (whatever it is: text must not outlive its limit for it)
                log.warning("text could not be let go: %s", getattr(error, "code", type(error).__name__))
            try:
                self._check.look(hastened=hastened)
            except Exception as error:  # noqa: BLE001 (busy, a full disk, or a mistake: it is tried again)
                log.warning("the store could not be read through: %s", type(error).__name__)
            hastened = self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
