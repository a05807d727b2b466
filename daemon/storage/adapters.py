"""The table of adapters: weights, ancestors, the text that each has seen, and which adapter is served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any, Final, cast

from sqlite_utils import Database

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.errors import StoreUnreadableError
from idiolect.daemon.storage.records import (
    AdapterDamagedError,
    AdapterRow,
    ForgottenMeanwhileError,
    NewAdapter,
    Tombstone,
    UnknownAdapterError,
    WeightsDroppedError,
)
from idiolect.daemon.storage.schema import BASE_OF_ADAPTER, moment, now_us

# The base model that the store is at; null until a service has opened it.
_BASE = "(SELECT json_extract(value, '$.sha256') FROM state WHERE name = 'base')"
_AMONG = "IN (SELECT value FROM json_each(?))"
_KEPT = "id IN (SELECT adapter FROM adapter_blobs)"
_OF_THIS_BASE = f"{BASE_OF_ADAPTER} = coalesce({_BASE}, {BASE_OF_ADAPTER})"
_KEPT_ADAPTERS: Final = 4  # superseded ones whose weights are kept, and as many refused ones
_KEPT_STATES: Final = 3  # of the training of the newest adapters: a forgotten text takes the newest ones away

# An adapter and its ancestors, nearest first: the status of each, and whether its weights are there.
_LINEAGE = """
    WITH RECURSIVE lineage (id, parent, status, depth) AS (
        SELECT id, parent, status, 0 FROM adapters WHERE id = ?
        UNION ALL
        SELECT a.id, a.parent, a.status, depth + 1 FROM adapters AS a JOIN lineage AS l ON a.id = l.parent
    )
    SELECT id, status, id IN (SELECT adapter FROM adapter_blobs) FROM lineage ORDER BY depth
"""

# The adapters that saw any of the entries in a JSON list, and their descendants.
_TAINTED = """
    WITH RECURSIVE tainted (id) AS (
        SELECT adapter FROM adapter_entries WHERE entry IN (SELECT value FROM json_each(?))
        UNION
        SELECT a.id FROM adapters AS a JOIN tainted AS t ON a.parent = t.id
    )
    SELECT id FROM tainted ORDER BY id
"""


class Adapters(Table):
    """The tables of adapters, their weights and the entries that they have seen."""

    def all(self) -> list[AdapterRow]:
        """All adapters, newest last."""
        columns = (
            "id, parent, created_us, metrics, reason, rank, size_bytes, entries_seen,"
            f" iif(status = 'active' AND NOT {_OF_THIS_BASE}, 'waiting', status) AS status, {_KEPT} AS kept"
        )
        with self._connection.reading() as db:
            return [_row(**row) for row in db.table("adapters").rows_where(order_by="id", select=columns)]

    def add(self, made: NewAdapter) -> int:
        """Keep an adapter with its weights and the ids of the entries that it has seen; its id.

        What its parent has seen is not repeated in its descendants' rows. Raises ForgottenMeanwhileError.
        """
        wanted = json.dumps(sorted(made.seen))
        with self._connection.writing() as db:
            _refuse_forgotten(db, made.parent, wanted)
            if made.serves:
                _retire(db, made.metrics.get("base_sha256", ""))
            new = {
                "parent": made.parent,
                "created_us": now_us(),
                "status": "active" if made.serves else "refused",
                "metrics": json.dumps(made.metrics),
                "reason": made.reason,
                "rank": made.rank,
                "size_bytes": len(made.blob),
                "sha256": hashlib.sha256(made.blob).digest(),
                "entries_seen": 0,
            }
            adapter_id = cast("int", db.table("adapters").insert(new).last_pk)
            db.table("adapter_blobs").insert({"adapter": adapter_id, "blob": made.blob})
            if made.state is not None:
                db.table("training_states").insert({"adapter": adapter_id, "state": made.state})
            db.execute(
                "INSERT INTO adapter_entries (adapter, entry) SELECT ?, value FROM json_each(?) WHERE value NOT IN"
                " (SELECT entry FROM adapter_entries WHERE adapter IN (SELECT value FROM json_each(?)))",
                (adapter_id, wanted, _line(db, made.parent)),
            )
            count = len(_seen(db, adapter_id))
            db.execute("UPDATE adapters SET entries_seen = ? WHERE id = ?", (count, adapter_id))
            return adapter_id

    def seen(self, adapter_id: int) -> frozenset[int]:
        """The ids of the entries that an adapter or any of its ancestors was trained on. Raises UnknownAdapterError."""
        with self._connection.reading() as db:
            _status(db, adapter_id)
            return _seen(db, adapter_id)

    def status(self, adapter_id: int) -> str:
        """An adapter's status. Raises UnknownAdapterError."""
        with self._connection.reading() as db:
            return _status(db, adapter_id)

    def weights(self, adapter_id: int) -> bytes:
        """An adapter's weights, as they were stored.

        Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError.
        """
        try:
            with self._connection.reading() as db:
                _refuse_dropped(db, adapter_id)
                row = db.execute(
                    "SELECT blob, sha256 FROM adapter_blobs JOIN adapters ON adapters.id = adapter WHERE adapter = ?",
                    (adapter_id,),
                ).fetchone()
        except StoreUnreadableError:  # pages of the file that hold these weights
            raise _damaged(adapter_id) from None
        if hashlib.sha256(row[0]).digest() != row[1]:
            raise _damaged(adapter_id)
        return bytes(row[0])

    def training_state(self, adapter_id: int) -> bytes | None:
        """What the training of an adapter goes on from; None: it was dropped, and the weights alone are there."""
        row = self._connection.row("SELECT state FROM training_states WHERE adapter = ?", (adapter_id,))
        return None if row is None else bytes(row[0])

    def active(self) -> int | None:
        """The adapter that serves; None: the base alone."""
        with self._connection.reading() as db:
            return _active(db)

    def activate(self, adapter_id: int | None) -> None:
        """Let another adapter (None: the base) serve.

        Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError.
        """
        with self._connection.writing() as db:
            if adapter_id is not None:
                if _status(db, adapter_id) == "damaged":
                    raise _damaged(adapter_id)
                _refuse_dropped(db, adapter_id)
                _retire(db, _base(db, adapter_id))
            else:
                db.execute("UPDATE adapters SET status = 'retired' WHERE id = ?", (_active(db),))
            db.execute("UPDATE adapters SET status = 'active' WHERE id = ?", (adapter_id,))

    def mark_damaged(self, adapter_id: int) -> None:
        """Never serve an adapter again. If it was serving, its nearest sound ancestor takes over, else the base.

        Raises UnknownAdapterError.
        """
        with self._connection.writing() as db:
            served = _status(db, adapter_id) == "active"
            successor = _successor(db, adapter_id, {adapter_id}) if served else None
            db.execute("UPDATE adapters SET status = 'damaged' WHERE id = ?", (adapter_id,))
            if successor is not None:
                self.activate(successor)

    def delete_tainted(
        self, entry_ids: Collection[int], *, dry_run: bool
    ) -> tuple[tuple[Tombstone, ...], int | None, set[str | None]]:
        """Delete the adapters that entries went into.

        For each base model whose active adapter is deleted, its nearest sound ancestor becomes active. With `dry_run`
        nothing changes. Returns the deleted adapters' tombstones, the adapter that serves afterwards, and the SHA-256
        of their base models.
        """
        with self._connection.writing() as db:
            tainted = [row[0] for row in db.execute(_TAINTED, (json.dumps(sorted(entry_ids)),))]
            rows = {row.id: row for row in self.all()}
            dropped = tuple(
                Tombstone(row.id, row.parent, row.created_at, row.status)
                for row in map(rows.__getitem__, tainted)
            )
            gone, active = set(tainted), _active(db)
            actives = [row[0] for row in db.execute("SELECT id FROM adapters WHERE status = 'active'")]
            successors = {one: _successor(db, one, gone) for one in actives}
            if not dry_run:
                db.table("adapters").delete_where(f"id {_AMONG}", [json.dumps(tainted)])
                for one, successor in successors.items():
                    if one in gone and successor is not None:
                        self.activate(successor)
        bases = {rows[stone.id].metrics.get("base_sha256") for stone in dropped}
        return dropped, None if active is None else successors[active], bases

    def prune(self, keep: int = _KEPT_ADAPTERS) -> tuple[int, ...]:
        """Drop the weights of all but the `keep` newest superseded adapters of a base model and as many refused ones.

        Their rows stay. The states of training of all but the newest adapters go as well. Returns the ids of the
        adapters whose weights went.
        """
        with self._connection.writing() as db:
            rows = db.execute(
                "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY status,"  # noqa: S608 (an expression of ours)
                f" {BASE_OF_ADAPTER} ORDER BY id DESC) AS place"
                " FROM adapters WHERE status IN ('retired', 'refused') AND id IN (SELECT adapter FROM adapter_blobs))"
                " WHERE place > ? ORDER BY id",
                (keep,),
            )
            dropped = tuple(row[0] for row in rows.fetchall())
            db.table("adapter_blobs").delete_where(f"adapter {_AMONG}", [json.dumps(dropped)])
            newest = "SELECT adapter FROM training_states ORDER BY adapter DESC LIMIT ?"
            db.table("training_states").delete_where(f"adapter NOT IN ({newest})", [_KEPT_STATES])
        return dropped


def _row(*, created_us: int, metrics: str, kept: int, **rest: Any) -> AdapterRow:
    return AdapterRow(created_at=moment(created_us), metrics=json.loads(metrics), kept=bool(kept), **rest)


def _line(db: Database, adapter_id: int | None) -> str:
    """An adapter and its ancestors: their ids as a JSON list."""
    return json.dumps([row[0] for row in db.execute(_LINEAGE, (adapter_id,))])


def _seen(db: Database, adapter_id: int) -> frozenset[int]:
    rows = db.execute(
        "SELECT entry FROM adapter_entries WHERE adapter IN (SELECT value FROM json_each(?))",
        (_line(db, adapter_id),),
    )
    return frozenset(row[0] for row in rows)


def _status(db: Database, adapter_id: int) -> str:
    row = db.execute("SELECT status FROM adapters WHERE id = ?", (adapter_id,)).fetchone()
    if row is None:
        raise UnknownAdapterError(f"There is no adapter {adapter_id}: `idiolect adapters` lists them.")
    return str(row[0])


def _active(db: Database) -> int | None:
    active = db.table("adapters").rows_where(f"status = 'active' AND {_OF_THIS_BASE}", select="id")
    return next((row["id"] for row in active), None)


def _damaged(adapter_id: int) -> AdapterDamagedError:
    return AdapterDamagedError(
        f"Adapter {adapter_id} is damaged and cannot be used: choose another one, or train again."
    )


def _successor(db: Database, active: int, gone: set[int]) -> int | None:
    """The adapter to serve without the adapters in `gone`: the `active` one, else a sound ancestor that has served."""
    line = db.execute(_LINEAGE, (active,))
    sound = (id_ for id_, status, kept in line if kept and status not in ("damaged", "refused"))
    return next((id_ for id_ in sound if id_ not in gone), None)


def _refuse_dropped(db: Database, adapter_id: int) -> None:
    _status(db, adapter_id)
    if not db.execute("SELECT 1 FROM adapter_blobs WHERE adapter = ?", (adapter_id,)).fetchone():
        raise WeightsDroppedError(
            f"The weights of adapter {adapter_id} were dropped to save space: choose another one, or train "
            f"again. Those of the {_KEPT_ADAPTERS} newest are kept."
        )


def _base(db: Database, adapter_id: int) -> str:
    [row] = db.table("adapters").rows_where("id = ?", [adapter_id], select=f"{BASE_OF_ADAPTER} AS base")
    return str(row["base"])


def _retire(db: Database, base: str) -> None:
    """Retire the active adapter of a base model; in a store that no service has opened yet, whichever is active."""
    which = f"status = 'active' AND ({BASE_OF_ADAPTER} = ? OR {_BASE} IS NULL)"
    db.execute(f"UPDATE adapters SET status = 'retired' WHERE {which}", (base,))  # noqa: S608 (no value in it)


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
