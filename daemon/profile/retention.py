"""Retention: deletes the oldest text once a day, by the limits of age and size in the settings.

What is let go is gone from the store, its pages and the fast memory. But adapters that have learned from it go on
serving: every adapter has seen the oldest text. `forget --until` takes them, too: the store still knows when those
entries were written and who has seen them.

A machine may sleep, so the time of day is looked at every minute, and not waited for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.models.errors import code_of

log = logging.getLogger("idiolect.retention")

_MEGABYTE: Final = 1_000_000
_LOOK_EVERY_S: Final = 60.0
_DONE: Final = "expired_on"  # state: the day (UTC, ISO) on which text was last let go


class Retention:
    """Lets go of the oldest text once a day, where `keep_days` or `keep_mb` limits it; 0 is no limit.

    `now` is the present in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._profile = profile
        self._store = profile.store
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch_clock, name="retention", daemon=True)

    def start(self) -> None:
        """Run now and on each new day, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a deletion that has begun is finished first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch_clock(self) -> None:
        while not self._stopping.is_set():
            try:
                self.expire_if_due()
            except Exception as error:  # noqa: BLE001 (whatever it is: text must not outlive its limit for it)
                log.warning("text could not be let go: %s", code_of(error))
            self._stopping.wait(_LOOK_EVERY_S)

    def expire_if_due(self) -> None:
        """Let go of text where there is a limit and a new day has begun. Raises the store's errors."""
        limited = self._settings.keep_days or self._settings.keep_mb
        if limited and self._store.state.get(_DONE) != self._now().date().isoformat():
            self.run()

    def run(self) -> int:
        """Let go of what is too old, and of the oldest of what is too much; how many entries that were."""
        before = self._now() - timedelta(days=self._settings.keep_days) if self._settings.keep_days else None
        most_bytes = round(self._settings.keep_mb * _MEGABYTE) or None
        count = self._profile.expire(before, most_bytes)
        if count:
            log.info("%d entries were let go: older, or more, than is to be kept", count)
        self._store.state.set(_DONE, self._now().date().isoformat())
        return count
