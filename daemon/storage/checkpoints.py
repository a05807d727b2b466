"""Checkpoints of training rounds in the store: what a round that was cut off goes on from.

Functions over an open transaction; `Store` is the only caller. A round that runs has one row here; its parts are
written each in a transaction of its own, into the one of two slots that does not hold the last whole checkpoint.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from idiolect.daemon.storage.records import Checkpoint

if TYPE_CHECKING:
    from sqlite_utils import Database

#: State: the last round before something was forgotten; refusals up to it no longer count.
FORGOTTEN_AFTER = "forgotten_after_round"


def begin(db: Database, round_id: int, about: dict[str, Any]) -> None:
    """Make room for the checkpoints of a round that begins; those of others go."""
    db.execute("DELETE FROM checkpoints")
    db.execute(
        "INSERT INTO checkpoints (round, about, parts, spent_s) VALUES (?, ?, 0, 0)",
        (round_id, json.dumps(about)),
    )


def add_part(db: Database, round_id: int, part: int, data: bytes, spent_s: float | None) -> None:
    """Keep a part; with `spent_s` it is the last, and makes the checkpoint whole.

    Nothing is kept where the round's row is gone: text was forgotten meanwhile.
    """
    row = db.execute("SELECT slot FROM checkpoints WHERE round = ?", (round_id,)).fetchone()
    if row is None:
        return
    slot = 1 - row[0]
    db.execute(
        "INSERT OR REPLACE INTO checkpoint_parts (round, slot, part, data) VALUES (?, ?, ?, ?)",
        (round_id, slot, part, data),
    )
    if spent_s is not None:
        db.execute(
            "UPDATE checkpoints SET slot = ?, parts = ?, spent_s = ? WHERE round = ?",
            (slot, part + 1, spent_s, round_id),
        )


def last(db: Database) -> Checkpoint | None:
    """The checkpoint that is whole, of the round that was cut off."""
    row = db.execute("SELECT round, about, parts, spent_s FROM checkpoints WHERE parts > 0").fetchone()
    return None if row is None else Checkpoint(row[0], json.loads(row[1]), row[2], row[3])


def part(db: Database, round_id: int, number: int) -> bytes:
    """A part of the whole checkpoint of a round."""
    row = db.execute(
        "SELECT data FROM checkpoints JOIN checkpoint_parts USING (round, slot) WHERE round = ? AND part = ?",
        (round_id, number),
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def drop(db: Database, round_id: int) -> None:
    """The round has ended for good."""
    db.execute("DELETE FROM checkpoints WHERE round = ?", (round_id,))


def drop_torn(db: Database) -> None:
    """Drop what holds no whole checkpoint; for the start of the service."""
    db.execute("DELETE FROM checkpoints WHERE parts = 0")


def drop_all(db: Database) -> None:
    """Text is let go, and every checkpoint may hold some of it."""
    db.execute("DELETE FROM checkpoints")


def forget(db: Database) -> None:
    """Text is forgotten: checkpoints go, and refusals before no longer count."""
    drop_all(db)
    db.execute(
        "INSERT OR REPLACE INTO state (name, value) SELECT ?, coalesce(max(id), 0) FROM rounds",
        (FORGOTTEN_AFTER,),
    )
