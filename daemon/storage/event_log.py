"""The audit trail: the table of what happened, with figures and names but never text."""

from __future__ import annotations

import json
from typing import cast

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import Event
from idiolect.daemon.storage.schema import moment, now_us

_EVENTS_KEPT = 10_000


class EventLog(Table):
    """The table of what happened; never text of the user's. The last 10,000 events are kept."""

    def add(self, kind: str, **detail: float | str) -> None:
        """Note that something happened, with figures and names but never text."""
        insert = "INSERT INTO events (at_us, kind, detail) VALUES (?, ?, ?)"
        with self._connection.writing() as db:
            number = cast("int", db.execute(insert, (now_us(), kind, json.dumps(detail))).lastrowid)
            db.execute("DELETE FROM events WHERE id <= ?", (number - _EVENTS_KEPT,))

    def all(self, since_us: int = 0, most: int = _EVENTS_KEPT) -> list[Event]:
        """What was noted from `since_us` on (microseconds since 1970), newest last: the last `most` events."""
        query = "SELECT at_us, kind, detail FROM events WHERE at_us >= ? ORDER BY id DESC LIMIT ?"
        rows = self._connection.rows(query, (since_us, most))
        return [Event(moment(at_us), kind, json.loads(detail)) for at_us, kind, detail in reversed(rows)]
