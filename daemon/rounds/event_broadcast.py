"""Broadcast of a round's events, also to those who begin to follow it later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any


class EventBroadcast:
    """The events of one round. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.last: dict[str, Any] = {"event": "progress", "phase": "prepare", "done": 0.0}
        """The newest event."""
        self._count = 0
        self._over = False
        self._error: Exception | None = None
        self._changed = threading.Condition()

    def put(self, event: dict[str, Any]) -> None:
        """This is the newest event."""
        with self._changed:
            self.last, self._count = event, self._count + 1
            self._changed.notify_all()

    def end(self, error: Exception | None) -> None:
        """There are no more events; only the first call counts."""
        with self._changed:
            if not self._over:
                self._over, self._error = True, error
                self._changed.notify_all()

    def follow(self) -> Iterator[dict[str, Any]]:
        """The newest event, as often as there is a newer one, to the last; raises what ended the round."""
        seen, over = 0, False  # the first event of one who comes later is the newest that there is
        while not over:
            with self._changed:
                while not (self._over or self._count > seen):
                    self._changed.wait()
                event, newer, over = self.last, self._count > seen, self._over
                seen = self._count
            if newer:
                yield event
        if self._error is not None:
            raise self._error
