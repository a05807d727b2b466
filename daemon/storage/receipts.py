"""The table of receipts: what was forgotten, in figures, without text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import ForgetReceipt, KeptReceipt, Tombstone
from idiolect.daemon.storage.schema import microseconds, moment, now_us


class Receipts(Table):
    """The table of receipts."""

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
