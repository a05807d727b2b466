"""The audit: what the store holds, from where, and what happened to it, in counts without text.

Everything is summed in the database, so that an answer is as long as there are days and sources, however many entries
there are.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from idiolect.daemon.storage.audit_trail import EventLog
from idiolect.daemon.storage.records import Event
from idiolect.daemon.storage.schema import moment

_EVENTS: Final = 1000

# What an adapter's own round showed it, summed, and then with what its ancestors have seen (never the same entries).
_SEEN: Final = """
    WITH RECURSIVE line (adapter, ancestor) AS (
        SELECT id, id FROM adapters
        UNION ALL
        SELECT adapter, parent FROM line JOIN adapters ON id = ancestor WHERE parent IS NOT NULL
    ),
    own (adapter, source, entries, first, last) AS MATERIALIZED (
        SELECT adapter, source, count(*), min(at_us), max(at_us)
        FROM adapter_entries JOIN entries ON id = entry GROUP BY adapter, source
    ),
    stored (source, entries) AS MATERIALIZED (SELECT source, count(*) FROM entries GROUP BY source)
    SELECT line.adapter, source, sum(own.entries), stored.entries, min(first), max(last)
    FROM line JOIN own ON own.adapter = ancestor JOIN stored USING (source)
    GROUP BY line.adapter, source ORDER BY line.adapter, source
"""


# Of the entries that have their text and were taken since a time, all where it is 0.
_TAKEN: Final = """
    SELECT date(taken_us / 1000000, 'unixepoch') AS day, source, app,
        count(*), sum(words), sum(tokens), sum(redactions)
    FROM entries WHERE expired_us IS NULL AND (:since_us = 0 OR taken_us >= :since_us)
    GROUP BY day, source, app ORDER BY day, source, app
"""
_REDACTED: Final = """
    SELECT redacted, count(*)
    FROM entries WHERE expired_us IS NULL AND (:since_us = 0 OR taken_us >= :since_us)
    GROUP BY redacted
"""


@dataclass(frozen=True)
class DailyIntake:
    """What was taken on one day (UTC, ISO) from one source and application."""

    day: str
    source: str
    app: str | None
    entries: int
    words: int
    tokens: int
    redactions: int


@dataclass(frozen=True)
class AdapterCoverage:
    """How many entries of a source an adapter has seen, its ancestors included, of how many that are `stored`, and when
    the entries that it has seen were written (UTC)."""

    adapter: int
    source: str
    entries: int
    stored: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Audit:
    """What the store tells of itself.

    `taken` is by day, the latest last; `redacted` counts redactions by kind; `seen` is for every adapter;
    `events` are the latest, newest last.
    """

    taken: tuple[DailyIntake, ...]
    redacted: dict[str, int]
    watches: tuple[str, ...]
    seen: tuple[AdapterCoverage, ...]
    events: tuple[Event, ...]


def audit(db: Database, since_us: int, watches: list[str], events: EventLog) -> Audit:
    """What was taken and what happened from `since_us` on (microseconds since 1970), and what adapters have seen."""
    days = tuple(DailyIntake(*row) for row in db.execute(_TAKEN, {"since_us": since_us}))
    return Audit(
        taken=days,
        redacted=_redacted(db, since_us),
        watches=tuple(watches),
        seen=tuple(
            AdapterCoverage(adapter, source, entries, stored, moment(first), moment(last))
            for adapter, source, entries, stored, first, last in db.execute(_SEEN)
        ),
        events=tuple(events.all(since_us, _EVENTS)),
    )


def _redacted(db: Database, since_us: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for kinds, entries in db.execute(_REDACTED, {"since_us": since_us}):
        for kind, count in json.loads(kinds or "{}").items():
            found[kind] += count * entries
    return dict(sorted(found.items()))
