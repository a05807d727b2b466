"""What this profile shares with other devices: entries, decisions, and marks of what was forgotten.

A row is known on all devices by its mark, a keyed hash, its kind and its time. Rows are only ever joined with those of
other devices: what was forgotten wins over an entry, and the later of two decisions over the earlier. So all devices
come to the same, in whichever order they hear of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlite_utils import Database

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.named_values import State
from idiolect.daemon.storage.schema import now_us

#: The owner of what is in this device's own log.
OWN: Final = ""

_MARK_BYTES: Final = 12
_KEY: Final = "shared_key"  # state: what marks are made with; nothing is shared where there is none
_BATCH: Final = 2000  # rows
_CACHE_KB: Final = 65_536
#: What goes into one file, at most (a single entry may be longer).
_MAX_ROWS: Final = 5000
_MAX_CHARS: Final = 1 << 20
#: So many files of about one size, none of them large, are put together into one.
_ALIKE: Final = 8
_LARGE_BYTES: Final = 256 << 10
#: An entry `e` that was forgotten: itself, or all entries with its text up to a time.
_FORGOTTEN: Final = (
    "EXISTS (SELECT 1 FROM shared WHERE mark = {mark} AND"
    " (kind = 'gone' AND at_us = {at} OR kind = 'gone_before' AND at_us >= {at}))"
)
#: A condition on a new entry that has the mark ?13 and the time ?2: it is not known, and was not forgotten.
IS_NEW: Final = (
    "NOT EXISTS (SELECT 1 FROM shared WHERE kind = 'entry' AND mark = ?13 AND at_us = ?2)"  # noqa: S608 (no value in it)
    f" AND NOT {_FORGOTTEN.format(mark='?13', at='?2')}"
)
_TO_SEND: Final = (
    "FROM shared AS s JOIN entries AS e ON e.shared = s.mark AND e.at_us = s.at_us AND e.expired_us IS NULL"
    " WHERE s.kind = 'entry' AND s.owner = '' AND s.segment IS NULL"
)


@dataclass(frozen=True)
class SharedEntry:
    """An entry as it is shared: the mark of its text, when it was written (microseconds since 1970), and where."""

    mark: bytes
    at_us: int
    source: str
    app: str | None
    text: str


@dataclass(frozen=True)
class SharedRow:
    """What is shared besides entries.

    `gone`: the entry of this mark and time was forgotten; `gone_before`: all entries of this mark up to this time.
    `decision`: the user has decided `value` (JSON, null: it was taken back), and `at_us` is the clock by which the
    last decision holds.
    """

    kind: Literal["gone", "gone_before", "decision"]
    mark: bytes
    at_us: int
    value: Any = None


@dataclass(frozen=True)
class SharedContents:
    """What goes into a file of the log, or comes out of one."""

    entries: Sequence[SharedEntry] = ()
    rows: Sequence[SharedRow] = ()


class Shared:
    """The tables of what is shared. Where nothing is, they are empty and cost nothing."""

    def __init__(self, connection: StoreConnection, state: State) -> None:
        self._connection = connection
        self._state = state
        self.reload()

    def reload(self) -> None:
        """Read the key of sharing anew, after a transaction that began sharing has failed."""
        key: str | None = self._state.get(_KEY)
        self._key = None if key is None else bytes.fromhex(key)

    @property
    def on(self) -> bool:
        """Whether anything is shared."""
        return self._key is not None

    def mark(self, *parts: str | int) -> bytes:
        """The keyed hash of `parts`, by which all devices know a thing; an entry's parts are its text alone."""
        if self._key is None:
            raise ValueError("nothing is shared")
        return hmac.digest(self._key, json.dumps(parts).encode(), hashlib.sha256)[:_MARK_BYTES]

    def entry_mark(self, text: str) -> bytes | None:
        """The mark of an entry; None where nothing is shared."""
        return None if self._key is None else self.mark(text)

    def begin(self, key: str) -> None:
        """Share all that is here, and all that comes, by marks made with `key`. Part of a transaction."""
        with self._connection.writing() as db, self.with_large_cache():
            self._state.set(_KEY, key)
            self._key = bytes.fromhex(key)
            last = 0
            while rows := db.execute(
                "SELECT id, at_us, text FROM entries WHERE id > ? AND expired_us IS NULL ORDER BY id LIMIT ?",
                (last, _BATCH),
            ).fetchall():
                marks = [(self.mark(text), at_us, id_) for id_, at_us, text in rows]
                db.conn.executemany("UPDATE entries SET shared = ?1 WHERE id = ?3 AND at_us = ?2", marks)
                db.conn.executemany(
                    "INSERT OR IGNORE INTO shared (kind, mark, at_us, owner) VALUES ('entry', ?, ?, '')",
                    [(mark, at_us) for mark, at_us, _ in marks],
                )
                last = rows[-1][0]

    def end(self) -> None:
        """Share nothing any more; entries stay."""
        with self._connection.writing() as db:
            db.execute("UPDATE entries SET shared = NULL WHERE shared IS NOT NULL")
            db.execute("DELETE FROM shared")
            db.execute("DELETE FROM shared_segments")
            self._state.drop(_KEY)
        self._key = None

    @contextmanager
    def with_large_cache(self) -> Iterator[None]:
        """In the block, the pages of the indexes over which marks are spread stay in memory."""
        self._connection.rows(f"PRAGMA cache_size = -{_CACHE_KB}")
        try:
            yield
        finally:
            self._connection.rows("PRAGMA cache_size = -2000")  # the default

    # What the repository of entries tells, within its own transactions

    def added(self, db: Database, mark: bytes | None, at_us: int, owner: str) -> None:
        """Note an entry that was just added."""
        if mark is not None:
            insert = "INSERT INTO shared (kind, mark, at_us, owner) VALUES ('entry', ?, ?, ?)"
            db.execute(insert, (mark, at_us, owner))

    def deleted(self, db: Database, wanted: str, *, texts: bool) -> None:
        """Leave marks of entries (a JSON list of ids) that are deleted next; with `texts`, of all with their text."""
        if self._key is None:
            return
        self.rewrite_files_of(db, wanted)
        new = f"e.id IN (SELECT value FROM json_each(?)) AND e.shared IS NOT NULL AND NOT {_forgotten('e')}"  # noqa: S608 (no value in it)
        insert = "INSERT OR IGNORE INTO shared (kind, mark, at_us, owner) SELECT"
        if texts:
            until = f"max({now_us()}, max(e.at_us))"
            insert += f" 'gone_before', e.shared, {until}, '' FROM entries AS e WHERE {new} GROUP BY e.shared"
        else:
            insert += f" 'gone', e.shared, e.at_us, '' FROM entries AS e WHERE {new}"
        db.execute(insert, [wanted])
        db.execute(
            "DELETE FROM shared WHERE kind = 'entry' AND (mark, at_us) IN (SELECT shared, at_us FROM entries"
            " WHERE id IN (SELECT value FROM json_each(?)))",
            [wanted],
        )

    def rewrite_files_of(self, db: Database, wanted: str) -> None:
        """Have the files of the own log written anew that hold entries (a JSON list of ids)."""
        if self._key is not None:
            held = (
                "SELECT s.segment FROM shared AS s JOIN entries AS e ON e.shared = s.mark AND e.at_us = s.at_us"
                " WHERE s.kind = 'entry' AND s.owner = '' AND e.id IN (SELECT value FROM json_each(?))"
            )
            _release(db, db.execute(held, [wanted]).fetchall())

    # What is to be sent

    def segments(self) -> dict[str, int]:
        """The files of this device's log, oldest first, each with its size in bytes."""
        return dict(self._connection.rows("SELECT name, size_bytes FROM shared_segments ORDER BY rowid"))

    def release(self, names: Sequence[str]) -> None:
        """Have the contents of files written into new files."""
        if names:
            with self._connection.writing() as db:
                _release(db, [(name,) for name in names])

    def join_small(self) -> None:
        """Have many files of about one size written into one."""
        by_size: dict[int, list[str]] = {}
        for name, size in self.segments().items():
            if size < _LARGE_BYTES:
                by_size.setdefault(size.bit_length() // 2, []).append(name)
        self.release([name for names in by_size.values() if len(names) >= _ALIKE for name in names])

    def waiting(self) -> int:
        """The number of entries and rows of this device that are in no file yet."""
        return int(
            self._connection.value(
                "SELECT (SELECT count(*) FROM shared WHERE owner = '' AND segment IS NULL AND kind <> 'entry')"  # noqa: S608 (no value in it)
                f" + (SELECT count(*) FROM (SELECT DISTINCT s.mark, s.at_us {_TO_SEND}))"
            )
        )

    def unsent(self) -> Iterator[SharedContents]:
        """Yield the contents that are in no file yet, each as much as goes into one file."""
        with self._connection.reading() as db:
            found = db.execute(
                "SELECT kind, mark, at_us, value FROM shared WHERE owner = '' AND segment IS NULL AND kind <> 'entry'"
            ).fetchall()
            ids = [
                row[0]
                for row in db.execute(
                    f"SELECT min(e.id) {_TO_SEND} GROUP BY s.mark, s.at_us ORDER BY s.at_us, 1"
                )
            ]
        rows = [SharedRow(kind, mark, at_us, _value(value)) for kind, mark, at_us, value in found]
        for start in range(0, len(rows), _MAX_ROWS):
            yield SharedContents((), rows[start : start + _MAX_ROWS])
        chosen: list[SharedEntry] = []
        chars = 0
        for start in range(0, len(ids), _BATCH):
            batch = self._connection.rows(
                "SELECT shared, at_us, source, app, text FROM entries WHERE shared IS NOT NULL"
                " AND expired_us IS NULL AND id IN (SELECT value FROM json_each(?)) ORDER BY at_us, id",
                [json.dumps(ids[start : start + _BATCH])],
            )
            for row in batch:
                chosen.append(SharedEntry(*row))
                chars += len(row[4])
                if chars > _MAX_CHARS or len(chosen) == _MAX_ROWS:
                    yield SharedContents(chosen)
                    chosen, chars = [], 0
        if chosen:
            yield SharedContents(chosen)

    def written(self, name: str, size_bytes: int, contents: SharedContents) -> bool:
        """Note a file that is on the disk.

        False, and nothing is noted, where some of it was forgotten, or its text let go, meanwhile.
        """
        keys = [("entry", entry.mark, entry.at_us) for entry in contents.entries]
        keys += [(row.kind, row.mark, row.at_us) for row in contents.rows]
        update = (
            "UPDATE shared SET segment = ? WHERE kind = ? AND mark = ? AND at_us = ? AND owner = ''"
            " AND segment IS NULL AND (kind <> 'entry' OR EXISTS (SELECT 1 FROM entries AS e WHERE"
            " e.shared = shared.mark AND e.at_us = shared.at_us AND e.expired_us IS NULL))"
        )
        with self._connection.writing() as db, self.with_large_cache():
            if db.conn.executemany(update, [(name, *key) for key in keys]).rowcount != len(keys):
                db.execute("UPDATE shared SET segment = NULL WHERE owner = '' AND segment = ?", [name])
                return False
            insert = "INSERT OR REPLACE INTO shared_segments (name, size_bytes) VALUES (?, ?)"
            db.execute(insert, (name, size_bytes))
            return True

    # What other devices say

    def add_forgotten(self, rows: Sequence[SharedRow], owner: str) -> bool:
        """Note what was forgotten on another device; whether any of it is new. See `forgotten_elsewhere`."""
        gone = [(row.kind, row.mark, row.at_us, owner) for row in rows if row.kind != "decision"]
        with self._connection.writing() as db:
            insert = "INSERT OR IGNORE INTO shared (kind, mark, at_us, owner) VALUES (?, ?, ?, ?)"
            return bool(gone) and db.conn.executemany(insert, gone).rowcount > 0

    def forgotten_elsewhere(self) -> tuple[int, ...]:
        """The ids of entries that were forgotten on another device and are still here."""
        with self._connection.reading() as db:
            rows = db.execute(
                f"SELECT e.id FROM entries AS e WHERE e.shared IN (SELECT mark FROM shared WHERE kind LIKE 'gone%')"  # noqa: S608 (no value in it)
                f" AND {_forgotten('e')}"
            )
            return tuple(row[0] for row in rows)

    def missing(self, entries: Sequence[SharedEntry]) -> list[SharedEntry]:
        """The entries among some that are not here and were not forgotten."""
        known = f"SELECT 1 FROM (SELECT ?1 AS mark, ?2 AS at) AS n WHERE {_FORGOTTEN.format(mark='n.mark', at='n.at')}"  # noqa: S608 (no value in it)
        known += " OR EXISTS (SELECT 1 FROM shared WHERE kind = 'entry' AND mark = ?1 AND at_us = ?2)"
        return [entry for entry in entries if not self._connection.row(known, [entry.mark, entry.at_us])]

    def count_marks(self) -> int:
        """The number of marks of what was forgotten."""
        return int(self._connection.value("SELECT count(*) FROM shared WHERE kind LIKE 'gone%'"))

    def fate(self, entry: SharedEntry) -> Literal["forgotten", "kept", "unknown"]:
        """Whether an entry was forgotten, its text is kept here, or neither."""
        gone = f"SELECT 1 FROM (SELECT ?1 AS mark, ?2 AS at) AS n WHERE {_FORGOTTEN.format(mark='n.mark', at='n.at')}"  # noqa: S608 (no value in it)
        kept = "SELECT 1 FROM entries WHERE shared = ?1 AND at_us = ?2 AND expired_us IS NULL"
        if self._connection.row(gone, [entry.mark, entry.at_us]):
            return "forgotten"
        return "kept" if self._connection.row(kept, [entry.mark, entry.at_us]) else "unknown"

    def later(self, decisions: Sequence[SharedRow]) -> list[SharedRow]:
        """The decisions that are later than what is known here about the same things."""
        known = {row.mark: _order(row) for row in self.decisions()}
        return [row for row in decisions if row.mark not in known or known[row.mark] < _order(row)]

    def decide(self, row: SharedRow, owner: str) -> None:
        """Keep a decision in the place of the earlier decision about the same thing."""
        of_mark = "kind = 'decision' AND mark = ?"
        with self._connection.writing() as db:
            _release(db, db.execute(f"SELECT segment FROM shared WHERE {of_mark}", [row.mark]).fetchall())  # noqa: S608 (no value in it)
            db.execute(f"DELETE FROM shared WHERE {of_mark}", [row.mark])  # noqa: S608 (no value in it)
            db.execute(
                "INSERT INTO shared (kind, mark, at_us, owner, value) VALUES ('decision', ?, ?, ?, ?)",
                (row.mark, row.at_us, owner, _encoded(row.value)),
            )

    def decisions(self) -> list[SharedRow]:
        """All decisions, also decisions that were taken back, in the order in which they were made."""
        query = "SELECT mark, at_us, value FROM shared WHERE kind = 'decision' ORDER BY at_us, value"
        return [
            SharedRow("decision", mark, at_us, _value(value))
            for mark, at_us, value in self._connection.rows(query)
        ]

    def adopt(self, owner: str) -> bool:
        """Take what another device has in its log into this device's own; whether there was anything."""
        with self._connection.writing() as db:
            adopted = db.execute("UPDATE shared SET owner = '', segment = NULL WHERE owner = ?", [owner])
            return adopted.rowcount > 0

    def counts(self) -> dict[str, int]:
        """How many entries each device's log has brought here; the own log is that of ""."""
        with self._connection.reading() as db:
            query = "SELECT owner, count(*) FROM shared WHERE kind = 'entry' GROUP BY owner"
            return dict(db.execute(query).fetchall())


def _forgotten(entry: str) -> str:
    return _FORGOTTEN.format(mark=f"{entry}.shared", at=f"{entry}.at_us")


def _value(encoded: str | None) -> Any:
    return None if encoded is None else json.loads(encoded)


def _encoded(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _order(decision: SharedRow) -> tuple[int, str]:
    """By which of two decisions the later holds, on all devices alike."""
    return decision.at_us, _encoded(decision.value)


def _release(db: Database, names: Sequence[tuple[str | None]]) -> None:
    """Have what is in these files of the own log written into new ones; the next head no longer names them."""
    wanted = json.dumps(sorted({name for (name,) in names if name is not None}))
    among = "(SELECT value FROM json_each(?))"
    db.execute(f"UPDATE shared SET segment = NULL WHERE owner = '' AND segment IN {among}", [wanted])  # noqa: S608 (no value in it)
    db.execute(f"DELETE FROM shared_segments WHERE name IN {among}", [wanted])  # noqa: S608 (no value in it)
