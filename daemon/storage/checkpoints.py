"""The table of checkpoints: the state from which an interrupted training round goes on.

A round that runs has one row here; its parts are written each in a transaction of its own, into the one of two slots
that does not hold the last whole checkpoint.
"""

from __future__ import annotations

import json
from typing import Any

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import Checkpoint


class Checkpoints(Table):
    """The tables of checkpoints and their parts."""

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
