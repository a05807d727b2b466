"""The table of training rounds: what each started from, and how it ended."""

from __future__ import annotations

import json
from typing import Any, cast

from idiolect.daemon.storage.adapters import Adapters
from idiolect.daemon.storage.checkpoints import Checkpoints
from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.records import RoundNotRunningError, RoundRow, RoundStatus
from idiolect.daemon.storage.schema import moment, now_us


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
