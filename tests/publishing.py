"""What a store is filled with: entries, and adapters as rounds leave them."""

import hashlib
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from idiolect.daemon.storage.records import NewAdapter, NewEntry
from idiolect.daemon.storage.store import Store

#: The key of the stores that tests make.
KEY = "5a" * 32
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def entry(
    text: str,
    *,
    minute: float = 0,
    source: str = "file",
    app: str | None = None,
    tokens: int = 3,
    redactions: int = 0,
) -> NewEntry:
    """Something that was written `minute` minutes after `NOON`."""
    key = hashlib.sha256(f"{text} {minute} {source}".encode()).hexdigest()
    at = NOON + timedelta(minutes=minute)
    return NewEntry(text, source, app, at, b"\1\0\0\0" * tokens, redactions, key)


def publish(
    store: Store,
    *,
    parent: int | None = None,
    seen: Iterable[int] = (),
    status: str = "active",
    blob: bytes = b"weights",
    rank: int = 4,
    reason: str = "better",
    metrics: dict[str, Any] | None = None,
    tokens_per_s: float | None = None,
    seconds: float | None = None,
    round_id: int | None = None,
    state: bytes | None = None,
) -> int:
    """End a round on `parent` with an adapter, which serves unless `status` is another; its number.

    The round is begun first, unless it has a `round_id`.
    """
    made = NewAdapter(
        blob, rank, parent, [*seen], status == "active", reason, metrics or {}, tokens_per_s, seconds, state
    )
    return store.publish(store.rounds.begin(parent) if round_id is None else round_id, made)


def execute(path: Path, sql: str, *values: object, key: str = KEY) -> list[Any]:
    """Run a statement on a store's file, past the store; the rows that it selects."""
    with closing(sqlcipher.connect(str(path), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA key = \"x'{key}'\"")
        return connection.execute(sql, values).fetchall()
