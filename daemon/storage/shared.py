"""What this profile shares with other devices: by which mark each thing is known, whose log has it, and in which file.

A row is an entry, the mark of one that was forgotten, or a decision of the user's. Rows are only ever joined with what
other devices say of the same mark: forgotten wins over an entry, and of two decisions the one with the higher clock.
So all devices come to the same, in whichever order they hear of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from sqlite_utils import Database

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.state import State

#: The owner of what is in this device's own log.
OWN: Final = ""
MARK_BYTES: Final = 12

_KEY: Final = "shared_key"  # state: what marks are made with; nothing is shared where there is none
_PAUSE: Final = "shared_pause"  # state: what was said of the pause when it was shared or heeded last
_LET_GO: Final = "-"  # in the place of a file's name: the text is kept no longer, and is in no file
_BATCH: Final = 2000  # rows
_CACHE_KB: Final = 65_536
#: What goes into one file, at most (a single entry may be longer).
_MAX_ENTRIES: Final = 5000
_MAX_CHARS: Final = 1 << 20


@dataclass(frozen=True)
class SharedEntry:
    """An entry as it is shared: its mark, when it was written (microseconds since 1970), and where."""

    mark: bytes
    at_us: int
    source: str
    app: str | None
    text: str


@dataclass(frozen=True)
class Decision:
    """A decision of the user's: JSON, null where it was taken back, and the clock by which the last one holds."""

    mark: bytes
    value: Any
    clock: str


@dataclass(frozen=True)
class SharedContents:
    """What goes into a file of the log, or comes out of one."""

    entries: Sequence[SharedEntry] = ()
    gone: Sequence[bytes] = ()
    decisions: Sequence[Decision] = ()

    @property
    def marks(self) -> list[bytes]:
        """All marks in it."""
        return [*(one.mark for one in self.entries), *self.gone, *(one.mark for one in self.decisions)]


@dataclass(frozen=True)
class SharedAdapter:
    """An adapter as it is shared: the SHA-256 of its base model, when it was made, the marks of what it has seen."""

    base: str
    at_us: int
    seen: Sequence[bytes]
    blob: bytes


@dataclass(frozen=True)
class Segment:
    """A file of this device's log: its size, the number of the key it is under, and whether it must be written anew.

    `of` are the files that it was made of: who has read those need not read it.
    """

    name: str
    size_bytes: int
    generation: int
    of: tuple[str, ...] = ()
    stale: bool = False


class Shared:
    """The tables of what is shared. Where nothing is, they are empty and cost nothing."""

    def __init__(self, connection: StoreConnection, state: State) -> None:
        #: Called when something is to be sent; with True where that must not wait. Within a transaction: it only notes.
        self.on_change: Callable[[bool], None] = lambda _: None
        self._connection = connection
        self._state = state
        key: str | None = state.get(_KEY)
        self._key = None if key is None else bytes.fromhex(key)

    @property
    def on(self) -> bool:
        """Whether anything is shared."""
        return self._key is not None

    @property
    def key(self) -> str:
        """The key of all marks, in hexadecimal digits."""
        return "" if self._key is None else self._key.hex()

    @property
    def pause(self) -> dict[str, Any] | None:
        """What `Pause.said` was here when the pause was shared last, or another device's was heeded."""
        return cast("dict[str, Any] | None", self._state.get(_PAUSE))

    @pause.setter
    def pause(self, said: dict[str, Any] | None) -> None:
        self._state.set(_PAUSE, said)

    @contextmanager
    def together(self) -> Iterator[None]:
        """In the block, all changes of the store are one transaction."""
        with self._connection.writing():
            yield

    def mark(self, *parts: str | int) -> bytes:
        """What a thing is known by on all devices: a keyed hash of its `parts`."""
        if self._key is None:
            raise ValueError("nothing is shared")
        return hmac.digest(self._key, json.dumps(parts).encode(), hashlib.sha256)[:MARK_BYTES]

    def entry_mark(self, at_us: int, text: str) -> bytes | None:
        """The mark of an entry; None where nothing is shared."""
        return None if self._key is None else self.mark(at_us, text)

    def begin(self, key: str) -> None:
        """Share from now on, with marks made with `key`: what is there already, too."""
        with self._connection.writing() as db, _with_room(db):
            self._state.set(_KEY, key)
            self._key = bytes.fromhex(key)
            last = 0
            while rows := db.execute(
                "SELECT id, at_us, text FROM entries WHERE id > ? AND expired_us IS NULL ORDER BY id LIMIT ?",
                (last, _BATCH),
            ).fetchall():
                marks = [(self.mark(at_us, text), id_) for id_, at_us, text in rows]
                db.conn.executemany("UPDATE entries SET shared = ? WHERE id = ?", marks)
                db.conn.executemany(
                    "INSERT OR IGNORE INTO shared (mark, kind, owner) VALUES (?, 'entry', '')",
                    [(mark,) for mark, _ in marks],
                )
                last = rows[-1][0]

    def end(self) -> None:
        """Share nothing any more; entries stay."""
        with self._connection.writing() as db:
            db.execute("UPDATE entries SET shared = NULL WHERE shared IS NOT NULL")
            db.execute("DELETE FROM shared")
            db.execute("DELETE FROM shared_segments")
            self._state.drop(_KEY)
            self._state.drop(_PAUSE)
        self._key = None

    # What the repository of entries tells, within its own transactions

    def added(self, db: Database, mark: bytes | None, owner: str) -> None:
        """Note an entry that was just added."""
        if mark is not None:
            self.on_change(False)
            db.execute("INSERT INTO shared (mark, kind, owner) VALUES (?, 'entry', ?)", (mark, owner))

    def deleted(self, db: Database, wanted: str) -> None:
        """Leave marks of entries (a JSON list of ids) that are deleted next."""
        if self._key is None:
            return
        self.on_change(True)
        marks = (
            "SELECT shared FROM entries WHERE id IN (SELECT value FROM json_each(?)) AND shared IS NOT NULL"
        )
        _make_stale(db, f"kind = 'entry' AND mark IN ({marks})", wanted)
        gone = "UPDATE shared SET kind = 'gone', owner = '', segment = NULL WHERE kind = 'entry' AND mark IN"
        db.execute(f"{gone} ({marks})", [wanted])

    def expired(self, db: Database, wanted: str) -> None:
        """Have files written anew whose entries (a JSON list of ids) have just lost their text."""
        if self._key is not None:
            marks = "SELECT shared FROM entries WHERE id IN (SELECT value FROM json_each(?))"
            _make_stale(db, f"mark IN ({marks})", wanted)

    # What is to be sent

    def stale(self) -> list[Segment]:
        """The files that must be written anew."""
        return [segment for segment in self.segments() if segment.stale]

    def segments(self) -> list[Segment]:
        """The files of this device's log, oldest first."""
        query = "SELECT name, size_bytes, generation, of, stale FROM shared_segments ORDER BY rowid"
        with self._connection.reading() as db:
            rows = db.execute(query).fetchall()
        return [
            Segment(name, size_bytes, generation, tuple(json.loads(of)), bool(stale))
            for name, size_bytes, generation, of, stale in rows
        ]

    def make_stale(self, names: Iterable[str]) -> None:
        """Have files written anew."""
        with self._connection.writing() as db:
            update = "UPDATE shared_segments SET stale = 1 WHERE name IN (SELECT value FROM json_each(?))"
            db.execute(update, [json.dumps([*names])])

    def waiting(self) -> int:
        """How many things of this device's are in no file yet."""
        with self._connection.reading() as db:
            where = (
                "owner = '' AND segment IS NULL AND (kind <> 'entry' OR mark IN"
                " (SELECT shared FROM entries WHERE shared IS NOT NULL AND expired_us IS NULL))"
            )
            return db.table("shared").count_where(where)

    def unsent(self, of: Collection[str] = ()) -> Iterator[SharedContents]:
        """Yield what is in no file yet, or what is in files that are written anew: as much as goes into one file."""
        where = "segment IN (SELECT value FROM json_each(?))" if of else "segment IS NULL AND ? = '[]'"
        where, names = f"owner = '' AND {where}", json.dumps([*of])
        with self._connection.reading() as db:
            shared = db.table("shared")
            gone = [row["mark"] for row in shared.rows_where(f"{where} AND kind = 'gone'", [names])]
            decisions = _decisions(db, f"{where} AND kind = 'decision'", [names])
        if gone or decisions:
            yield SharedContents((), gone, decisions)
        with self._connection.reading() as db:
            rows = db.execute(
                "SELECT shared, id FROM entries WHERE expired_us IS NULL AND shared IN"  # noqa: S608 (no value in it)
                f" (SELECT mark FROM shared WHERE {where}) ORDER BY at_us DESC, id DESC",
                [names],
            ).fetchall()
        ids = [*dict(rows).values()][::-1]  # one of those that are the same
        chosen: list[SharedEntry] = []
        chars = 0
        for start in range(0, len(ids), _BATCH):
            with self._connection.reading() as db:
                rows = db.execute(
                    "SELECT shared, at_us, source, app, text FROM entries WHERE id IN (SELECT value FROM json_each(?))"
                    " ORDER BY at_us, id",
                    [json.dumps(ids[start : start + _BATCH])],
                ).fetchall()
            for row in rows:
                chosen.append(SharedEntry(*row))
                chars += len(row[4])
                if chars > _MAX_CHARS or len(chosen) == _MAX_ENTRIES:
                    yield SharedContents(chosen)
                    chosen, chars = [], 0
        if chosen:
            yield SharedContents(chosen)

    def written(self, made: Sequence[tuple[Segment, Sequence[bytes]]], instead_of: Collection[str]) -> bool:
        """Note files that are on the disk, each with the marks in it, in the place of others; what else is to change
        with it changes in the same transaction.

        Whether none of what they hold was forgotten or changed meanwhile; else those are stale.
        """
        whole = True
        with self._connection.writing() as db, _with_room(db):
            old = json.dumps([*instead_of])
            among = "IN (SELECT value FROM json_each(?))"
            where = among if instead_of else "IS NULL"
            for segment, marks in made:
                found = db.conn.executemany(
                    f"UPDATE shared SET segment = ? WHERE mark = ? AND owner = '' AND segment {where}",  # noqa: S608 (no value in it)
                    [(segment.name, mark, *([old] if instead_of else [])) for mark in marks],
                ).rowcount
                whole = whole and found == len(marks)
                stale = found != len(marks)
                new = asdict(segment) | {"of": json.dumps(segment.of), "stale": stale}
                db.table("shared_segments").insert(new, replace=True)
            db.execute(f"UPDATE shared SET segment = '{_LET_GO}' WHERE owner = '' AND segment {among}", [old])  # noqa: S608 (no value in it)
            db.table("shared_segments").delete_where(f"name {among}", [old])
        return whole

    # What other devices say

    def forgotten_elsewhere(self, marks: Sequence[bytes], owner: str) -> None:
        """Note that things were forgotten, as another device says. What of them is here, `doomed` tells."""
        with self._connection.writing() as db:
            for mark in marks:
                known = db.execute("SELECT kind, owner FROM shared WHERE mark = ?", [mark]).fetchone()
                if known is None:
                    db.execute("INSERT INTO shared (mark, kind, owner) VALUES (?, 'gone', ?)", (mark, owner))
                elif known[0] != "gone":
                    _make_stale(db, "mark = ?", mark)
                    db.execute(
                        "UPDATE shared SET kind = 'gone', owner = ?, segment = NULL, value = NULL, clock = NULL"
                        " WHERE mark = ?",
                        (owner, mark),
                    )

    def marks_of(self, ids: Collection[int]) -> list[bytes] | None:
        """The marks of entries; None where one has none: its text was let go before anything was shared."""
        with self._connection.reading() as db:
            wanted = "SELECT DISTINCT shared FROM entries WHERE id IN (SELECT value FROM json_each(?))"
            marks = [row[0] for row in db.execute(wanted, [json.dumps([*ids])])]
        return None if None in marks else marks

    def entries_of(self, marks: Iterable[bytes]) -> frozenset[int] | None:
        """The ids of the entries with these marks; None where one of them was forgotten or is not here."""
        found: set[int] = set()
        with self._connection.reading() as db:
            for mark in marks:
                rows = db.execute("SELECT id FROM entries WHERE shared = ?", [mark]).fetchall()
                if not rows:
                    return None
                found.update(row[0] for row in rows)
        return frozenset(found)

    def doomed(self) -> tuple[int, ...]:
        """The ids of entries that were forgotten on another device and are still here."""
        with self._connection.reading() as db:
            rows = db.execute(
                "SELECT e.id FROM entries AS e JOIN shared AS s ON s.mark = e.shared AND s.kind = 'gone'"
            )
            return tuple(row[0] for row in rows)

    def missing(self, marks: Collection[bytes]) -> set[bytes]:
        """Those of some marks that nothing here has."""
        with self._connection.reading() as db:
            known = "SELECT 1 FROM shared WHERE mark = ?"
            return {mark for mark in marks if not db.execute(known, [mark]).fetchone()}

    def decide(self, decision: Decision, owner: str) -> bool:
        """Keep a decision unless a later one is known; whether it holds now and did not before."""
        with self._connection.writing() as db:
            known = db.execute("SELECT kind, clock FROM shared WHERE mark = ?", [decision.mark]).fetchone()
            if known is not None and (known[0] != "decision" or known[1] >= decision.clock):
                return False
            _make_stale(db, "mark = ?", decision.mark)
            db.execute(
                "INSERT OR REPLACE INTO shared (mark, kind, owner, value, clock) VALUES (?, 'decision', ?, ?, ?)",
                (decision.mark, owner, json.dumps(decision.value), decision.clock),
            )
            return True

    def decisions(self) -> list[Decision]:
        """All decisions, those that were taken back too, in the order in which they were made."""
        with self._connection.reading() as db:
            return _decisions(db, "kind = 'decision'")

    # Whose log has it

    def hand_over(self, marks: Collection[bytes], owner: str, *, of: Collection[str]) -> None:
        """Note that `owner` has things in its log now that were in those `of` devices which write none any more."""
        if not of:
            return
        with self._connection.writing() as db:
            former = json.dumps([*of])
            db.conn.executemany(
                "UPDATE shared SET owner = ? WHERE mark = ? AND owner IN (SELECT value FROM json_each(?))",
                [(owner, mark, former) for mark in marks],
            )

    def adopt(self, owner: str, heir: str = OWN) -> int:
        """Take what a device has in its log into this device's own, or say that it is `heir`'s; how much that is."""
        with self._connection.writing() as db:
            return db.execute(
                "UPDATE shared SET owner = ?, segment = NULL WHERE owner = ?", (heir, owner)
            ).rowcount

    def disown(self, owner: str) -> None:
        """Say that all that was sent is in the log of `owner`, which this device no longer is."""
        with self._connection.writing() as db:
            db.execute("DELETE FROM shared_segments")
            db.execute(
                "UPDATE shared SET owner = ?, segment = NULL WHERE owner = '' AND segment IS NOT NULL",
                [owner],
            )

    def owners(self) -> set[str]:
        """The devices in whose logs anything is that is known here."""
        with self._connection.reading() as db:
            return {row[0] for row in db.execute("SELECT DISTINCT owner FROM shared")}

    def counts(self) -> dict[str, int]:
        """How many entries each device's log has brought here; the own log is that of ""."""
        with self._connection.reading() as db:
            query = "SELECT owner, count(*) FROM shared WHERE kind = 'entry' GROUP BY owner"
            return dict(db.execute(query).fetchall())


@contextmanager
def _with_room(db: Database) -> Iterator[None]:
    """In the block, pages of the indexes that marks are spread over stay in memory, and are encrypted once."""
    db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    try:
        yield
    finally:
        db.execute("PRAGMA cache_size = -2000")  # SQLite's own


def _decisions(db: Database, where: str, values: Sequence[str] = ()) -> list[Decision]:
    rows = db.table("shared").rows_where(where, values, order_by="clock", select="mark, value, clock")
    return [Decision(row["mark"], json.loads(row["value"]), row["clock"]) for row in rows]


def _make_stale(db: Database, where: str, value: str | bytes) -> None:
    """Have the files of the own log written anew that hold what is meant."""
    held = "SELECT segment FROM shared WHERE owner = '' AND segment IS NOT NULL AND"
    db.execute(f"UPDATE shared_segments SET stale = 1 WHERE name IN ({held} {where})", [value])  # noqa: S608 (no value in it)
