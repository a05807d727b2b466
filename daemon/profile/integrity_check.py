"""Damage to the store is found before the damaged page is needed: once a day, while nobody types, all of it is read.

Each page has a checksum (HMAC), which SQLCipher checks, and the structure of the tables is checked as well. It costs
a second or two of one core for 50 MB, at the lowest priority and without holding up anybody who reads or writes; the
service's end, and what rewrites the whole file, break it off.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from idiolect.daemon.vault import marker
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.full_read import Reading
    from idiolect.daemon.storage.store import Store

log = logging.getLogger("idiolect.checkup")

_EVERY: Final = timedelta(days=1)
_LOOK_EVERY_S: Final = 60.0
_QUIET_S: Final = 120.0  # without a keystroke, before it begins
_AGAIN_S: Final = 3600.0  # after a check that could not be made
_STOP_AGAIN_S: Final = 0.05
_LOWEST: Final = 19


class IntegrityCheck:
    """Reads the whole store once a day.

    Args:
        settings: the profile's.
        store: its open store.
        quiet_s: for how many seconds nobody has typed.
        now: the present, with its zone.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        quiet_s: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._store = store
        self._quiet_s = quiet_s
        self._now = now
        self._tried = -_AGAIN_S  # a monotonic time
        self._wake = threading.Event()
        self._stopping = False
        self._reading: Reading | None = None
        self._thread = threading.Thread(target=self._watch_clock, name="checkup", daemon=True)

    def start(self) -> None:
        """Look every minute whether the store is to be read."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a reading that is under way is broken off."""
        self._stopping = True
        self._wake.set()
        while self._thread.is_alive():
            if self._reading is not None:
                self._reading.stop()
            self._thread.join(_STOP_AGAIN_S)

    @property
    def due(self) -> bool:
        """Whether the last reading is a day ago, or in a future that a clock had once shown."""
        if time.monotonic() - self._tried < _AGAIN_S:
            return False
        check = marker.last_check(self._settings)
        if check is None:
            return True
        # What was damaged may have been put right by hand.
        every = _EVERY if check.sound else timedelta(seconds=_AGAIN_S)
        return not timedelta(0) <= self._now() - check.at < every

    def hasten(self) -> bool:
        """Before the service goes to rest: whether the store is to be read first, which begins at once."""
        if self.due:
            self._wake.set()
            return True
        return False

    def run(self) -> marker.Check | None:
        """Read all of the store, and note in the marker what came of it; None: it was broken off.

        Raises the store's errors.
        """
        started = time.monotonic()
        inode = self._settings.store_path.stat().st_ino
        at, self._reading = self._now(), self._store.reading()
        sound = self._reading.sound()
        if sound is None:
            return None
        check = marker.Check(at, sound, inode)
        marker.note_check(self._settings, check)
        if check.sound:
            log.info("the store was read through in %.1f s and is sound", time.monotonic() - started)
        else:
            log.error("a part of the store is damaged; `idiolect doctor` says what to do")
        return check

    def _watch_clock(self) -> None:
        if sys.platform == "linux":  # where a thread has a priority of its own
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        while True:
            hastened = self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
            if self._stopping:
                return
            try:
                if self.due and (hastened or self._quiet_s() >= _QUIET_S) and self.run() is None:
                    self._tried = time.monotonic()
            except (IdiolectError, OSError) as error:  # busy, or a full disk: it is tried again
                log.warning("the store could not be read through: %s", type(error).__name__)
                self._tried = time.monotonic()
