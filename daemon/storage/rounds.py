"""The table of training rounds: what each started from, how it ended, and where an interrupted one goes on."""

from __future__ import annotations

import json
from typing import Any, cast

from idiolect.daemon.storage.adapters import Adapters
from idiolect.daemon.storage.connection import StoreConnection, Table
from idiolect.daemon.storage.records import Checkpoint, RoundNotRunningError, RoundRow, RoundStatus
from idiolect.daemon.storage.schema import moment, now_us


class Checkpoints(Table):
    """The tables of checkpoints and their parts.

    A round that runs has one row here; its parts are written each in a transaction of its own, into the one of two
    slots that does not hold the last whole checkpoint.
    """

    def begin(self, round_id: int, about: dict[str, Any]) -> None:
        """Make room for the checkpoints of a round that begins to do `about`, and drop those of other rounds."""
        with self._connection.writing() as db:
            db.execute("DELETE FROM checkpoints")
            new = {"round": round_id, "about": json.dumps(about), "parts": 0, "spent_s": 0.0}
            db.table("checkpoints").insert(new)

    def last(self) -> Checkpoint | None:
        """The checkpoint of the round that runs, or of the last round if it was cut off."""
        row = self._connection.row("SELECT round, about, parts, spent_s FROM checkpoints WHERE parts > 0")
        return None if row is None else Checkpoint(row[0], json.loads(row[1]), row[2], row[3])

    def part(self, round_id: int, number: int) -> bytes:
        """A part, numbered from 0, of the checkpoint that `last` returns."""
        query = "SELECT data FROM checkpoints JOIN checkpoint_parts USING (round, slot) WHERE round = ? AND part = ?"
        row = self._connection.row(query, (round_id, number))
        return b"" if row is None else bytes(row[0])

    def add_part(self, round_id: int, number: int, data: bytes, spent_s: float | None) -> None:
        """Keep a part of a new checkpoint of a running round.

        The last part has `spent_s`, the seconds of its budget that the round has used; only then does the checkpoint
        replace the last checkpoint. Nothing is kept where the round's row is gone: text was forgotten meanwhile.
        """
        with self._connection.writing() as db:
            row = self._connection.row("SELECT slot FROM checkpoints WHERE round = ?", (round_id,))
            if row is None:
                return
            slot = 1 - row[0]
            db.execute(
                "INSERT OR REPLACE INTO checkpoint_parts (round, slot, part, data) VALUES (?, ?, ?, ?)",
                (round_id, slot, number, data),
            )
            if spent_s is not None:
                db.execute(
                    "UPDATE checkpoints SET slot = ?, parts = ?, spent_s = ? WHERE round = ?",
                    (slot, number + 1, spent_s, round_id),
                )

    def drop(self, round_id: int) -> None:
        """Drop the checkpoints of a round that has ended for good."""
        self._connection.change("DELETE FROM checkpoints WHERE round = ?", (round_id,))

    def drop_torn(self) -> None:
        """Drop what holds no whole checkpoint; for the start of the service."""
        self._connection.change("DELETE FROM checkpoints WHERE parts = 0")

    def drop_all(self) -> None:
        """Drop every checkpoint: text is let go, and each may hold some of it."""
        self._connection.change("DELETE FROM checkpoints")


class Rounds:
    """The table of training rounds. At most one round runs; only a round that runs or was cut off has checkpoints."""

    def __init__(self, connection: StoreConnection, checkpoints: Checkpoints, adapters: Adapters) -> None:
        self._connection = connection
        self._checkpoints = checkpoints
        self._adapters = adapters

    def all(self) -> list[RoundRow]:
        """All training rounds, newest last."""
        with self._connection.reading() as db:
            return [_round(**row) for row in db.table("rounds").rows_where(order_by="id")]

    def last_id(self) -> int:
        """The id of the newest round; 0 before the first."""
        return int(self._connection.value("SELECT coalesce(max(id), 0) FROM rounds"))

    def begin(self, parent: int | None, about: dict[str, Any] | None = None) -> int:
        """Note that a round starts from adapter `parent` (None: the base); the round's id.

        With `about`, what it is asked to do, its checkpoints can be kept. Raises UnknownAdapterError.
        """
        with self._connection.writing() as db:
            if parent is not None:
                self._adapters.status(parent)
            new = {
                "parent": parent,
                "started_us": now_us(),
                "status": "running",
                "reason": "",
                "metrics": "{}",
            }
            round_id = cast("int", db.table("rounds").insert(new).last_pk)
            if about is not None:
                self._checkpoints.begin(round_id, about)
            return round_id

    def reopen(self, round_id: int) -> None:
        """Note that a round that was cut off runs again."""
        self._connection.change(
            "UPDATE rounds SET status = 'running', ended_us = NULL, reason = '' WHERE id = ?", (round_id,)
        )

    def end(
        self,
        round_id: int,
        *,
        status: RoundStatus,
        reason: str,
        metrics: dict[str, Any],
        tokens_per_s: float | None = None,
        seconds: float | None = None,
        adapter: int | None = None,
        resumable: bool = False,
    ) -> None:
        """Note how a running round ended and which adapter it made; with `resumable` its checkpoint stays.

        An adapter that is to be kept is published with its round: see `Store.publish`. Raises RoundNotRunningError.
        """
        with self._connection.writing() as db:
            if not resumable:
                self._checkpoints.drop(round_id)
            cursor = db.execute(
                "UPDATE rounds SET adapter = ?, ended_us = max(started_us, ?), status = ?, reason = ?, metrics = ?,"
                " tokens_per_s = ?, seconds = ? WHERE id = ? AND status = 'running'",
                (adapter, now_us(), status, reason, json.dumps(metrics), tokens_per_s, seconds, round_id),
            )
            if cursor.rowcount == 0:
                raise RoundNotRunningError(f"Training round {round_id} is not running: start another one.")

    def interrupt(self) -> int:
        """Note, at the service's start, that rounds that still seem to run were cut off; how many.

        What is left of their checkpoints stays where it is whole.
        """
        with self._connection.writing() as db:
            self._checkpoints.drop_torn()
            cursor = db.execute(
                "UPDATE rounds SET status = 'interrupted', ended_us = max(started_us, ?), reason = ?"
                " WHERE status = 'running'",
                (now_us(), "The service stopped in the middle of the round."),
            )
            return cursor.rowcount


def _round(*, started_us: int, ended_us: int | None, metrics: str, **rest: Any) -> RoundRow:
    ended_at = None if ended_us is None else moment(ended_us)
    return RoundRow(started_at=moment(started_us), ended_at=ended_at, metrics=json.loads(metrics), **rest)
