"""The table of feedback on suggestions: counts by day, without text or applications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from idiolect.daemon.storage.connection import Row, Table
from idiolect.daemon.storage.records import Feedback, FeedbackReport, Savings, SuggestionKind, Tenth

_TENTHS: Final = 10

_SUMS: Final = "sum(accepted), sum(dismissed), sum(characters), sum(keystrokes), sum(words)"


class FeedbackCounts(Table):
    """The table of what became of suggestions. Days are UTC's."""

    def add(self, given: Feedback, adapter: int | None, day: date) -> None:
        """Count what became of suggestions of `adapter` (None: the base) on `day`."""
        accepted = given.outcome == "accepted"
        taken = (given.characters, given.keystrokes, given.words) if accepted else (0, 0, 0)
        counts = (int(accepted), 0 if accepted else given.count, *taken)
        bucket = min(int(given.p * _TENTHS), _TENTHS - 1)  # a p of 1 belongs to the highest tenth
        self._connection.change(
            "INSERT INTO feedback"
            " (day, kind, bucket, adapter, show, accepted, dismissed, characters, keystrokes, words)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " accepted = accepted + excluded.accepted, dismissed = dismissed + excluded.dismissed,"
            " characters = characters + excluded.characters, keystrokes = keystrokes + excluded.keystrokes,"
            " words = words + excluded.words",
            (day.isoformat(), given.kind, bucket, adapter or 0, int(given.show), *counts),
        )

    def savings(self, since: date = date.min) -> Savings:
        """The feedback of all days from `since` on, in sum."""
        row = self._connection.row(f"SELECT {_SUMS} FROM feedback WHERE day >= ?", [since.isoformat()])  # noqa: S608 (no value in it)
        return _savings(row or ())

    def report(self, since: date) -> FeedbackReport:
        """The feedback of all days from `since` on: in sum, by day, and by adapter."""
        with self._connection.reading():
            days, adapters = self._grouped("day, kind", since), self._grouped("adapter", since)
            return FeedbackReport(
                savings=self.savings(since),
                by_day={(date.fromisoformat(day), kind): _savings(sums) for day, kind, *sums in days},
                by_adapter={adapter or None: _savings(sums) for adapter, *sums in adapters},
            )

    def _grouped(self, columns: str, since: date) -> list[Row]:
        return self._connection.rows(
            f"SELECT {columns}, {_SUMS} FROM feedback WHERE day >= ? GROUP BY {columns} ORDER BY {columns}",  # noqa: S608 (no value in it)
            [since.isoformat()],
        )

    def reliability(self, kind: SuggestionKind, since: date = date.min) -> tuple[Tenth, ...]:
        """For each tenth of the predicted probability, the lowest first: what became of suggestions from `since` on.

        Only suggestions of `kind` that the service judged worth showing are counted: a suggestion that its user asked
        to see is accepted more often than a suggestion that appears by itself.
        """
        rows = self._connection.rows(
            "SELECT bucket, sum(accepted), sum(dismissed) FROM feedback"
            " WHERE kind = ? AND show AND day >= ? GROUP BY bucket",
            (kind, since.isoformat()),
        )
        found = {row[0]: Tenth(row[1], row[2]) for row in rows}
        return tuple(found.get(bucket, Tenth(0, 0)) for bucket in range(_TENTHS))


def _savings(sums: Sequence[int | None]) -> Savings:
    accepted, dismissed, characters, keystrokes, words = (number or 0 for number in sums)
    return Savings(accepted, dismissed, characters, keystrokes, words, saved=characters - keystrokes)
