"""The table of feedback on suggestions: counts by day, without text or applications."""

from __future__ import annotations

from datetime import date
from typing import Final, get_args

from sqlite_utils import Database

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.records import Feedback, FeedbackReport, Savings, SuggestionKind, Tenth

_TENTHS: Final = 10

_IN_SUM: Final = """
    SELECT coalesce(sum(accepted), 0), coalesce(sum(dismissed), 0),
        coalesce(sum(characters), 0), coalesce(sum(keystrokes), 0), coalesce(sum(words), 0)
    FROM feedback WHERE day >= ?
"""
_BY_DAY: Final = """
    SELECT day, kind, sum(accepted), sum(dismissed), sum(characters), sum(keystrokes), sum(words)
    FROM feedback WHERE day >= ? GROUP BY day, kind ORDER BY day, kind
"""
_BY_ADAPTER: Final = """
    SELECT adapter, sum(accepted), sum(dismissed), sum(characters), sum(keystrokes), sum(words)
    FROM feedback WHERE day >= ? GROUP BY adapter ORDER BY adapter
"""


class FeedbackCounts:
    """The table of what became of suggestions. Days are UTC's."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def add(self, given: Feedback, adapter: int | None, day: date) -> None:
        """Count what became of suggestions of `adapter` (None: the base) on `day`."""
        accepted = given.outcome == "accepted"
        taken = (given.characters, given.keystrokes, given.words) if accepted else (0, 0, 0)
        bucket = min(int(given.p * _TENTHS), _TENTHS - 1)  # a p of 1 belongs to the highest tenth
        with self._connection.writing() as db:
            db.execute(
                "INSERT INTO feedback"
                " (day, kind, bucket, adapter, show, accepted, dismissed, characters, keystrokes, words)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " accepted = accepted + excluded.accepted, dismissed = dismissed + excluded.dismissed,"
                " characters = characters + excluded.characters, keystrokes = keystrokes + excluded.keystrokes,"
                " words = words + excluded.words",
                (
                    day.isoformat(),
                    given.kind,
                    bucket,
                    adapter or 0,
                    int(given.show),
                    int(accepted),
                    0 if accepted else given.count,
                    *taken,
                ),
            )

    def savings(self, since: date = date.min) -> Savings:
        """The feedback of all days from `since` on, in sum."""
        with self._connection.reading() as db:
            return _savings_since(db, since)

    def report(self, since: date) -> FeedbackReport:
        """The feedback of all days from `since` on, in sum, by day, by adapter and by probability."""
        with self._connection.reading() as db:
            days = db.execute(_BY_DAY, _from(since)).fetchall()
            adapters = db.execute(_BY_ADAPTER, _from(since)).fetchall()
            return FeedbackReport(
                savings=_savings_since(db, since),
                by_day={(date.fromisoformat(row[0]), row[1]): _savings(row[2:]) for row in days},
                by_adapter={row[0] or None: _savings(row[1:]) for row in adapters},
                reliability={kind: _reliability(db, kind, since) for kind in get_args(SuggestionKind)},
            )

    def reliability(self, kind: SuggestionKind, since: date = date.min) -> tuple[Tenth, ...]:
        """For each tenth of the predicted probability, the lowest first: what became of suggestions from `since` on.

        Only those of `kind` are counted that the service judged worth showing: one that its user asked to see is
        accepted more often than one that appears by itself.
        """
        with self._connection.reading() as db:
            return _reliability(db, kind, since)


def _savings_since(db: Database, since: date) -> Savings:
    return _savings(db.execute(_IN_SUM, _from(since)).fetchone())


def _reliability(db: Database, kind: SuggestionKind, since: date) -> tuple[Tenth, ...]:
    rows = db.execute(
        "SELECT bucket, sum(accepted), sum(dismissed) FROM feedback"
        " WHERE kind = ? AND show AND day >= ? GROUP BY bucket",
        (kind, *_from(since)),
    )
    found = {row[0]: Tenth(row[1], row[2]) for row in rows}
    return tuple(found.get(bucket, Tenth(0, 0)) for bucket in range(_TENTHS))


def _from(since: date) -> tuple[str]:
    return (since.isoformat(),)


def _savings(sums: tuple[int, int, int, int, int]) -> Savings:
    accepted, dismissed, characters, keystrokes, words = sums
    return Savings(accepted, dismissed, characters, keystrokes, words, saved=characters - keystrokes)
