"""The daily integrity check: the whole store is read while nobody types, so that damage is found early.

Each page has a checksum (HMAC), which SQLCipher checks, and the structure of the tables is checked as well. It costs
a second or two of one core for 50 MB, without holding up anybody who reads or writes; the service's end, and what
rewrites the whole file, break it off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.integrity_read import Reading
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker

log = logging.getLogger("idiolect.checkup")

_EVERY: Final = timedelta(days=1)
_QUIET_S: Final = 120.0  # without a keystroke, before it begins
_AGAIN_S: Final = 3600.0  # after a check that could not be made


class IntegrityCheck:
    """Reads the whole store once a day.

    `quiet_s` tells for how many seconds nobody has typed; `now` is the present, with its zone.
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
        self._reading: Reading | None = None

    def break_off(self) -> None:
        """Break off a reading that is under way."""
        if self._reading is not None:
            self._reading.stop()

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

    def look(self, *, hastened: bool) -> None:
        """Read the store where that is due and nobody types, or where it is `hastened`. Raises the store's errors."""
        if not self.due or not (hastened or self._quiet_s() >= _QUIET_S):
            return
        done = None
        try:
            done = self.run()
        finally:
            if done is None:
                self._tried = time.monotonic()

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
