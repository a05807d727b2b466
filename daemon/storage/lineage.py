"""Rounds and adapters in the store: who descends from whom, who has seen what, who serves.

Functions over an open transaction; `Store` is the only caller.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast

from idiolect.daemon.storage.records import (
    AdapterDamagedError,
    AdapterRow,
    ForgottenMeanwhileError,
    RoundNotRunningError,
    RoundRow,
    RoundStatus,
    Tombstone,
    UnknownAdapterError,
    WeightsDroppedError,
)
from idiolect.daemon.storage.schema import moment, now_us

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlite_utils import Database

# An adapter and those that it was trained from, nearest first.
_LINEAGE = """
    WITH RECURSIVE lineage (id, parent, status, depth) AS (
        SELECT id, parent, status, 0 FROM adapters WHERE id = ?
        UNION ALL
        SELECT a.id, a.parent, a.status, depth + 1 FROM adapters AS a JOIN lineage AS l ON a.id = l.parent
    )
"""

# The adapters that saw any of the entries in a JSON list, and all that were trained from those.
_TAINTED = """
    WITH RECURSIVE tainted (id) AS (
        SELECT adapter FROM adapter_entries WHERE entry IN (SELECT value FROM json_each(?))
        UNION
        SELECT a.id FROM adapters AS a JOIN tainted AS t ON a.parent = t.id
    )
    SELECT id FROM tainted ORDER BY id
"""

_KEPT = "id IN (SELECT adapter FROM adapter_blobs)"  # of an adapter: whether its weights are there


def begin_round(db: Database, parent: int | None) -> int:
    """Add a running round; its id. Raises UnknownAdapterError."""
    if parent is not None:
        status(db, parent)
    cursor = db.execute(
        "INSERT INTO rounds (parent, started_us, status, reason, metrics) VALUES (?, ?, 'running', '', '{}')",
        (parent, now_us()),
    )
    return cast("int", cursor.lastrowid)


def end_round(
    db: Database,
    round_id: int,
    adapter: int | None,
    ended: RoundStatus,
    reason: str,
    metrics: dict[str, Any],
    tokens_per_s: float | None,
    seconds: float | None,
) -> None:
    """Note how a running round ended. Raises RoundNotRunningError."""
    cursor = db.execute(
        "UPDATE rounds SET adapter = ?, ended_us = max(started_us, ?), status = ?, reason = ?, metrics = ?,"
        " tokens_per_s = ?, seconds = ? WHERE id = ? AND status = 'running'",
        (adapter, now_us(), ended, reason, json.dumps(metrics), tokens_per_s, seconds, round_id),
    )
    if cursor.rowcount == 0:
        raise RoundNotRunningError(f"Training round {round_id} is not running: start another one.")


def reopen_round(db: Database, round_id: int) -> None:
    """Let a round that was cut off run again."""
    db.execute("UPDATE rounds SET status = 'running', ended_us = NULL, reason = '' WHERE id = ?", (round_id,))


def interrupt_rounds(db: Database) -> int:
    """Note that no round runs any more; how many were cut off."""
    cursor = db.execute(
        "UPDATE rounds SET status = 'interrupted', ended_us = max(started_us, ?), reason = ? WHERE status = 'running'",
        (now_us(), "The service stopped in the middle of the round."),
    )
    return cursor.rowcount


def rounds(db: Database) -> list[RoundRow]:
    """All rounds, newest last."""
    rows = db.execute(
        "SELECT id, parent, adapter, started_us, ended_us, status, reason, metrics, tokens_per_s, seconds"
        " FROM rounds ORDER BY id"
    )
    return [
        RoundRow(
            id=row[0],
            parent=row[1],
            adapter=row[2],
            started_at=moment(row[3]),
            ended_at=None if row[4] is None else moment(row[4]),
            status=row[5],
            reason=row[6],
            metrics=json.loads(row[7]),
            tokens_per_s=row[8],
            seconds=row[9],
        )
        for row in rows
    ]


def adapters(db: Database) -> list[AdapterRow]:
    """All adapters, newest last."""
    rows = db.execute(
        "SELECT id, parent, created_us, status, metrics, reason, rank, size_bytes, entries_seen, "  # noqa: S608
        f"{_KEPT} FROM adapters ORDER BY id"
    )
    return [
        AdapterRow(
            id=row[0],
            parent=row[1],
            created_at=moment(row[2]),
            status=row[3],
            metrics=json.loads(row[4]),
            reason=row[5],
            rank=row[6],
            size_bytes=row[7],
            entries_seen=row[8],
            kept=bool(row[9]),
        )
        for row in rows
    ]


def add_adapter(
    db: Database,
    *,
    blob: bytes,
    rank: int,
    parent: int | None,
    seen_ids: Collection[int],
    serve: bool,
    reason: str,
    metrics: dict[str, Any],
) -> int:
    """Keep an adapter with its weights and what it has seen; its id. Raises ForgottenMeanwhileError.

    What `parent` has seen is not repeated in its descendants' rows.
    """
    wanted = json.dumps(sorted(seen_ids))
    _refuse_forgotten(db, parent, wanted)
    if serve:
        _retire(db)
    cursor = db.execute(
        "INSERT INTO adapters"
        " (parent, created_us, status, metrics, reason, rank, size_bytes, sha256, entries_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            parent,
            now_us(),
            "active" if serve else "refused",
            json.dumps(metrics),
            reason,
            rank,
            len(blob),
            hashlib.sha256(blob).digest(),
        ),
    )
    adapter_id = cast("int", cursor.lastrowid)
    db.execute("INSERT INTO adapter_blobs (adapter, blob) VALUES (?, ?)", (adapter_id, blob))
    db.execute(
        f"{_LINEAGE} INSERT INTO adapter_entries (adapter, entry)"  # noqa: S608 (no value in it)
        " SELECT ?, value FROM json_each(?) WHERE value NOT IN"
        " (SELECT entry FROM adapter_entries WHERE adapter IN (SELECT id FROM lineage))",
        (parent, adapter_id, wanted),
    )
    db.execute("UPDATE adapters SET entries_seen = ? WHERE id = ?", (len(seen(db, adapter_id)), adapter_id))
    return adapter_id


def seen(db: Database, adapter_id: int) -> frozenset[int]:
    """The ids of the entries that an adapter or any of its ancestors was trained on."""
    rows = db.execute(
        f"{_LINEAGE} SELECT entry FROM adapter_entries WHERE adapter IN (SELECT id FROM lineage)",  # noqa: S608
        (adapter_id,),
    )
    return frozenset(row[0] for row in rows)


def status(db: Database, adapter_id: int) -> str:
    """An adapter's status. Raises UnknownAdapterError."""
    row = db.execute("SELECT status FROM adapters WHERE id = ?", (adapter_id,)).fetchone()
    if row is None:
        raise UnknownAdapterError(f"There is no adapter {adapter_id}: `idiolect adapters` lists them.")
    return str(row[0])


def blob(db: Database, adapter_id: int) -> bytes:
    """An adapter's weights, as they were stored.

    Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError.
    """
    _refuse_dropped(db, adapter_id)
    row = db.execute(
        "SELECT blob, sha256 FROM adapter_blobs JOIN adapters ON adapters.id = adapter WHERE adapter = ?",
        (adapter_id,),
    ).fetchone()
    if hashlib.sha256(row[0]).digest() != row[1]:
        raise damaged(adapter_id)
    return bytes(row[0])


def damaged(adapter_id: int) -> AdapterDamagedError:
    """The error that says that an adapter cannot be used."""
    return AdapterDamagedError(
        f"Adapter {adapter_id} is damaged and cannot be used: choose another one, or train again."
    )


def active(db: Database) -> int | None:
    """The adapter that serves; None: the base alone."""
    row = db.execute("SELECT id FROM adapters WHERE status = 'active'").fetchone()
    return None if row is None else cast("int", row[0])


def activate(db: Database, adapter_id: int | None) -> None:
    """Let another adapter serve. Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError."""
    if adapter_id is not None:
        if status(db, adapter_id) == "damaged":
            raise damaged(adapter_id)
        _refuse_dropped(db, adapter_id)
    _retire(db)
    db.execute("UPDATE adapters SET status = 'active' WHERE id = ?", (adapter_id,))


def mark_damaged(db: Database, adapter_id: int) -> None:
    """Never serve an adapter again; a sound ancestor that has served takes over. Raises UnknownAdapterError."""
    status(db, adapter_id)
    successor = _successor(db, {adapter_id})
    db.execute("UPDATE adapters SET status = 'damaged' WHERE id = ?", (adapter_id,))
    activate(db, successor)


def forget(
    db: Database, entry_ids: Collection[int], *, dry_run: bool
) -> tuple[tuple[Tombstone, ...], int | None]:
    """Delete the adapters that entries went into; what is left of them, and the one that serves afterwards."""
    tainted = [row[0] for row in db.execute(_TAINTED, (json.dumps(sorted(entry_ids)),))]
    rows = {row.id: row for row in adapters(db)}
    dropped = tuple(
        Tombstone(row.id, row.parent, row.created_at, row.status) for row in map(rows.__getitem__, tainted)
    )
    successor = _successor(db, set(tainted))
    if not dry_run:
        db.execute(
            "DELETE FROM adapters WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(tainted),)
        )
        activate(db, successor)
    return dropped, successor


def retain(db: Database, keep: int) -> tuple[int, ...]:
    """Drop the weights of all but the `keep` newest superseded adapters and as many refused ones; whose."""
    rows = db.execute(
        "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY status ORDER BY id DESC) AS place"  # noqa: S608
        f" FROM adapters WHERE status IN ('retired', 'refused') AND {_KEPT}) WHERE place > ? ORDER BY id",
        (keep,),
    )
    dropped = tuple(row[0] for row in rows.fetchall())
    db.execute(
        "DELETE FROM adapter_blobs WHERE adapter IN (SELECT value FROM json_each(?))", (json.dumps(dropped),)
    )
    return dropped


def _successor(db: Database, gone: set[int]) -> int | None:
    """The adapter that serves when those in `gone` are no more: the active one, else a sound ancestor that once did."""
    line = db.execute(
        f"{_LINEAGE} SELECT id FROM lineage WHERE status NOT IN ('damaged', 'refused') AND {_KEPT} ORDER BY depth",  # noqa: S608
        (active(db),),
    )
    return next((row[0] for row in line if row[0] not in gone), None)


def _refuse_dropped(db: Database, adapter_id: int) -> None:
    status(db, adapter_id)
    if not db.execute("SELECT 1 FROM adapter_blobs WHERE adapter = ?", (adapter_id,)).fetchone():
        raise WeightsDroppedError(
            f"The weights of adapter {adapter_id} were dropped to save space: choose another one, or train "
            "again. The setting `keep_adapters` says how many are kept."
        )


def _retire(db: Database) -> None:
    db.execute("UPDATE adapters SET status = 'retired' WHERE status = 'active'")


def _refuse_forgotten(db: Database, parent: int | None, wanted: str) -> None:
    missing = db.execute(
        "SELECT (SELECT count(*) FROM json_each(?) WHERE value NOT IN (SELECT id FROM entries))"
        " + (? IS NOT NULL AND NOT EXISTS (SELECT 1 FROM adapters WHERE id = ?))",
        (wanted, parent, parent),
    ).fetchone()[0]
    if missing:
        raise ForgottenMeanwhileError(
            "Text that this training round learned from was forgotten while it ran, so its adapter is "
            "thrown away: train again."
        )
