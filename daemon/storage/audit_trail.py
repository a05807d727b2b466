"""The audit trail: tables of what happened, of receipts of forgetting, and of backups, which a receipt can name.

None has a text of the user's. The files of backups are written by `store_copies.py`; their paths are kept as bytes,
since a file name need not be valid UTF-8.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import BackupRow, Event, ForgetReceipt, KeptReceipt, Tombstone
from idiolect.daemon.storage.schema import microseconds, moment, now_us


class Receipts(Table):
    """The table of receipts: what was forgotten, in figures."""

    def add(self, conditions: Sequence[str], receipt: ForgetReceipt, dropped: Sequence[Tombstone]) -> int:
        """Keep a receipt: the names of the conditions, what went, and what is left of the adapters; its number."""
        stones = [
            {
                "id": stone.id,
                "parent": stone.parent,
                "created_us": microseconds(stone.created_at),
                "status": stone.status,
            }
            for stone in dropped
        ]
        new = {
            "at_us": now_us(),
            "conditions": json.dumps(conditions),
            "entries": receipt.entries,
            "tokens": receipt.tokens,
            "adapters": json.dumps(stones),
            "active": receipt.active,
        }
        with self._connection.writing() as db:
            return cast("int", db.table("receipts").insert(new).last_pk)

    def all(self) -> list[KeptReceipt]:
        """What was forgotten, in figures, newest last."""
        rows = self._connection.rows(
            "SELECT id, at_us, conditions, entries, tokens, adapters, active FROM receipts ORDER BY id"
        )
        return [
            KeptReceipt(
                id=row[0],
                at=moment(row[1]),
                conditions=tuple(json.loads(row[2])),
                entries=row[3],
                tokens=row[4],
                adapters=tuple(map(_stone, json.loads(row[5]))),
                active=row[6],
            )
            for row in rows
        ]


def _stone(kept: dict[str, Any]) -> Tombstone:
    return Tombstone(kept["id"], kept["parent"], moment(kept["created_us"]), kept["status"])


class Backups(Table):
    """The table of backups."""

    def all(self) -> list[BackupRow]:
        """The backups that are known, oldest first, whether or not their files are still there."""
        rows = self._connection.rows("SELECT path, at_us, last_entry FROM backups ORDER BY at_us, path")
        return [BackupRow(os.fsdecode(path), moment(at_us), last) for path, at_us, last in rows]

    def note(self, row: BackupRow) -> None:
        """Remember a backup, in the place of an earlier backup at the same path."""
        new = {"path": os.fsencode(row.path), "at_us": microseconds(row.at), "last_entry": row.last_entry}
        with self._connection.writing() as db:
            db.table("backups").insert(new, replace=True)

    def drop(self, path: str) -> None:
        """Do not speak of the backup at `path` any more."""
        self._connection.change("DELETE FROM backups WHERE path = ?", (os.fsencode(path),))

    def drop_deleted(self, draft: str) -> None:
        """Do not speak any more of backups whose files were deleted; a disk may also be away.

        Another process may be making one: its file is called so far by the same name with `draft` behind it.
        """
        for row in self.all():
            # The draft first: it becomes the file.
            there = any(Path(path).exists() for path in (row.path + draft, row.path))
            if Path(row.path).parent.is_dir() and not there:
                self.drop(row.path)

    def kept_aside(self) -> list[str]:
        """The stores beside this one that a restore or a new beginning has put aside: they may hold anything."""
        store = self._connection.path
        found = (path for word in ("before", "lost") for path in store.parent.glob(f"{store.name}.{word}-*"))
        return sorted(str(path) for path in found if not path.name.endswith(("-wal", "-shm")))


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
