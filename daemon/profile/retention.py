"""Keeping text no longer, and no more of it, than the settings say: once a day the oldest is let go.

What is let go is gone from the store, its pages and the fast memory, as if it were forgotten. But its owner has not
taken it back, so adapters that have learned from it go on serving: every adapter has seen the oldest text, and to drop
it each day would be to learn nothing. Who wants that text out of the adapters as well says so with `forget --until`:
the store still knows when those entries were written and who has seen them.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.store import Store

log = logging.getLogger("idiolect.retention")

_MEGABYTE: Final = 1_000_000
_LOOK_EVERY_S: Final = 600.0  # a machine may sleep: the time of day is looked at, not waited for
_DONE: Final = "expired_on"  # state: the day (UTC, ISO) on which text was last let go


class Retention:
    """Lets go of the oldest text once a day, where the settings limit it.

    Args:
        settings: the profile's, with `keep_days` and `keep_mb`; 0 is no limit.
        store: where the text is.
        expired: called after text was let go.
        today: the day it is, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        expired: Callable[[], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._store = store
        self._expired = expired
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch_clock, name="retention", daemon=True)

    def start(self) -> None:
        """Look at once, and then every few minutes, whether a new day has begun."""
        if self._settings.keep_days or self._settings.keep_mb:
            self._thread.start()

    def stop(self) -> None:
        """Look no more; returns once a run that is under way has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> int:
        """Let go of what is too old, and of the oldest of what is too much; how many entries that were."""
        before = self._now() - timedelta(days=self._settings.keep_days) if self._settings.keep_days else None
        most_bytes = round(self._settings.keep_mb * _MEGABYTE) or None
        try:
            count = self._store.expire(before, most_bytes)
        except IdiolectError:  # it may be gone although the file could not be rewritten
            self._expired()
            raise
        if count:
            self._expired()
            log.info("%d entries were let go: older, or more, than is to be kept", count)
            self._store.events.add("expired", entries=count)
        self._store.state.set(_DONE, self._now().date().isoformat())
        return count

    def _watch_clock(self) -> None:
        while True:
            try:
                if self._store.state.get(_DONE) != self._now().date().isoformat():
                    self.run()
            except Exception as error:  # noqa: BLE001 (whatever it is: text must not outlive its limit for it)
                log.warning("text could not be let go: %s", getattr(error, "code", type(error).__name__))
            if self._stopping.wait(_LOOK_EVERY_S):
                return
