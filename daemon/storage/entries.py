"""The table of entries: the user's text."""

from __future__ import annotations

import json
import secrets
import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlite_utils import Database

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.records import (
    Counts,
    Entry,
    FileState,
    ForgottenMeanwhileError,
    NewEntry,
)
from idiolect.daemon.storage.schema import microseconds, moment, now_us
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.sources import FileStates
from idiolect.daemon.storage.sync_merge import IS_NEW, OWN, Shared
from idiolect.daemon.text.redaction.redact import kinds

_START: Final = (-(2**63), 0)  # a time and an id before the first row's
_BATCH = 256  # rows
#: Only the rows of the result are read: the index alone says which these are.
NEWEST_TEXTS: Final = (
    "SELECT id, text, source, app, at_us, tokens FROM entries WHERE id IN"
    " (SELECT id FROM entries WHERE source = ? AND expired_us IS NULL AND id < ? ORDER BY id DESC LIMIT ?)"
    " ORDER BY id DESC"
)


@dataclass(frozen=True)
class MatchingEntries:
    """The ids of entries whose text matches a selector, among all entries up to the id `last_id`."""

    ids: tuple[int, ...]
    last_id: int


class Entries:
    """The table of entries. Rows are read in batches, so that a slow reader holds no lock and no transaction."""

    def __init__(self, connection: StoreConnection, file_states: FileStates, shared: Shared) -> None:
        self._connection = connection
        self._file_states = file_states
        self._shared = shared
        self._last_match = b"", MatchingEntries((), 0)  # the hash of a selector, and its matches

    def add(
        self, new: Sequence[NewEntry], file: FileState | None = None, origin: int | None = None
    ) -> list[int | None]:
        """Keep entries, and the state of a `file` that was read from the source `origin`, together or not at all.

        Returns an id for each of `new`, in order; None where its key is kept already or is that of a forgotten entry,
        or where the same text of the same time is shared by another device or was forgotten there. Raises
        ForgottenMeanwhileError where a source that some of it came from was removed.
        """
        insert = (
            "INSERT INTO entries"  # noqa: S608 (no value in it)
            " (key, at_us, source, app, words, tokens, redactions, text, token_ids, taken_us, redacted, origin, shared)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
            f" WHERE NOT EXISTS (SELECT 1 FROM passed_over WHERE mark = ?14) AND {IS_NEW} ON CONFLICT (key) DO NOTHING"
        )
        ids: list[int | None] = []
        origins = json.dumps(sorted({entry.origin for entry in new if entry.origin} | ({origin} - {None})))
        removed = "SELECT 1 FROM json_each(?) WHERE value NOT IN (SELECT id FROM sources)"
        with self._connection.writing() as db:
            if db.execute(removed, [origins]).fetchone():
                raise ForgottenMeanwhileError(
                    "The source was removed while it was read, so nothing more of it was kept."
                )
            for entry in new:
                mark, owner = entry.shared or (self._shared.entry_mark(entry.text), OWN)
                values = (*_values(entry), mark, _mark(bytes.fromhex(entry.key)))
                cursor = db.execute(insert, values)
                ids.append(cursor.lastrowid if cursor.rowcount else None)
                if cursor.rowcount:
                    self._shared.added(db, mark, microseconds(entry.at), owner)
            if file is not None:
                self._file_states.put(file)
        return ids

    def select(self, *, selector: Selector | None = None) -> Iterator[Entry]:
        """Yield all entries, or the selected entries, in order of time and then id."""
        columns = "at_us, id, text, source, app, tokens"
        for at_us, id_, text, source, app, tokens in self._in_time(columns, selector):
            yield Entry(id_, text, source, app, moment(at_us), tokens)

    def ids_of(self, keys: Iterable[str]) -> dict[str, int]:
        """The ids of the entries that have one of these keys, by key."""
        query = "SELECT id FROM entries WHERE key = ?"
        with self._connection.reading():
            found = {key: self._connection.row(query, [bytes.fromhex(key)]) for key in keys}
        return {key: int(row[0]) for key, row in found.items() if row is not None}

    def token_ids(self) -> Iterator[tuple[int, bytes]]:
        """Yield the id and token ids (little-endian uint32) of each entry, by time and then id."""
        for _, id_, token_ids in self._in_time("at_us, id, token_ids", None):
            yield id_, token_ids

    def _in_time(self, columns: str, selector: Selector | None) -> Iterator[tuple[Any, ...]]:
        """Yield rows of `columns`, the first of which are at_us and id."""
        where, values = _where(selector) if selector else ("true", [])
        sql = (
            f"SELECT {columns} FROM entries"  # noqa: S608 (columns and conditions of ours, and no value)
            f" WHERE (at_us, id) > (?, ?) AND expired_us IS NULL AND {where} ORDER BY at_us, id LIMIT {_BATCH}"
        )
        last = _START
        while True:
            if not (rows := self._connection.rows(sql, [*last, *values])):
                return
            yield from rows
            last = rows[-1][:2]

    def newest_texts(self, source: str, limit: int, before: int | None = None) -> list[Entry]:
        """Return the texts of a source that were taken last, the newest first, up to the entry `before`."""
        rows = self._connection.rows(NEWEST_TEXTS, [source, 2**63 - 1 if before is None else before, limit])
        return [
            Entry(id_, text, of, app, moment(at_us), tokens) for id_, text, of, app, at_us, tokens in rows
        ]

    def last_id(self) -> int:
        """The highest id that an entry ever had; 0 before the first."""
        with self._connection.reading() as db:
            return last_id(db)

    def total(self) -> int:
        """The number of entries, with or without their text."""
        return int(self._connection.value("SELECT count(*) FROM entries"))

    def counts(self) -> Counts:
        """How much text is kept."""
        rows = self._connection.rows(
            "SELECT source, count(*), sum(words), sum(tokens) FROM entries WHERE expired_us IS NULL"
            " GROUP BY source ORDER BY source"
        )
        entries, words, tokens = (sum(row[column] for row in rows) for column in (1, 2, 3))
        return Counts(entries, words, tokens, sources={row[0]: row[1] for row in rows})

    def tokens_of(self, ids: Collection[int]) -> int:
        """The number of tokens in these entries."""
        sum_of = "SELECT coalesce(sum(tokens), 0) FROM entries WHERE id IN (SELECT value FROM json_each(?))"
        return int(self._connection.value(sum_of, [json.dumps(sorted(ids))]))

    def tokens_after(self, entry_id: int) -> int:
        """The number of tokens in the entries that arrived after this entry."""
        query = "SELECT coalesce(sum(tokens), 0) FROM entries WHERE id > ?"
        return int(self._connection.value(query, [entry_id]))

    def select_ids(self, selector: Selector) -> frozenset[int]:
        """The ids of the selected entries."""
        return frozenset(self.still_selected(selector, self.match(selector)))

    def match(self, selector: Selector) -> MatchingEntries:
        """Find the entries that are selected by their text; none where the selector looks for no text.

        Comparing texts takes seconds where there are many. So other threads read and write between two batches, each of
        which takes milliseconds (see `still_selected`), and the next search by the same selector looks at newer entries
        alone.
        """
        if not selector.texts:
            return MatchingEntries((), 0)
        upto = "SELECT max(id) FROM (SELECT id FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)"
        where, values = _where(selector)
        sql = f"SELECT id FROM entries WHERE id > ? AND id <= ? AND {where}"  # noqa: S608 (no value in it)
        searched, last = sha256(repr(selector).encode()).digest(), self.last_id()
        matched, before = self._last_match
        found, after = ([*before.ids], before.last_id) if matched == searched else ([], 0)
        while True:
            with self._connection.reading() as db:
                reached = db.execute(upto, [after, last, _BATCH]).fetchone()[0]
                if reached is None:
                    matches = MatchingEntries(tuple(found), last)
                    self._last_match = searched, matches
                    return matches
                found += [row[0] for row in db.execute(sql, [after, reached, *values])]
            after = reached

    def still_selected(self, selector: Selector, matches: MatchingEntries) -> list[int]:
        """The ids of all entries that are selected now, where `matches` is what `match` found before.

        Entries of `matches` that have gone or lost their text since are left out: nothing else of an entry ever
        changes. Entries that have come since are compared, too.
        """
        where, values = _where(selector)
        kept = "expired_us IS NULL" if selector.texts else "true"
        sql = (
            "SELECT id FROM entries WHERE"  # noqa: S608 (no value in it)
            f" (id IN (SELECT value FROM json_each(?)) AND {kept}) OR (id > ? AND {where})"
        )
        wanted = json.dumps(sorted(matches.ids))
        return [row[0] for row in self._connection.rows(sql, [wanted, matches.last_id, *values])]

    def delete(self, ids: Collection[int], *, for_good: bool, texts: bool) -> None:
        """Delete entries, and what files' states tell of their text.

        With `for_good`, they are not taken again where a file still holds them. With `texts`, devices that share them
        forget all entries that have the same text.
        """
        wanted = json.dumps(sorted(ids))
        with self._connection.writing() as db:
            keys = db.execute(
                "SELECT id, key FROM entries WHERE id IN (SELECT value FROM json_each(?))", [wanted]
            ).fetchall()
            self._shared.deleted(db, wanted, texts=texts)
            db.execute("DELETE FROM entries WHERE id IN (SELECT value FROM json_each(?))", [wanted])
            passed = self._file_states.blur_deleted(for_good=for_good)
            for id_, key in keys if for_good else ():
                if id_ not in passed and (mark := _mark(key)):
                    db.execute("INSERT OR IGNORE INTO passed_over (mark) VALUES (?)", [mark])

    def encode_anew(self, encode: Callable[[str], list[int]], report: Callable[[float], None]) -> None:
        """Replace all token ids by those of another tokenizer; the text stays as it is. One transaction.

        `report` gets the share that is done, 0 to 1.
        """
        after, last = 0, self.last_id()
        with self._connection.writing() as db:
            while True:
                rows = db.execute(
                    "SELECT id, text, token_ids FROM entries WHERE id > ? AND expired_us IS NULL ORDER BY id LIMIT ?",
                    (after, _BATCH),
                ).fetchall()
                if not rows:
                    return
                after = rows[-1][0]
                report(after / last)
                for id_, text, before in rows:
                    if (token_ids := packed(encode(text))) != before:
                        db.execute(
                            "UPDATE entries SET token_ids = ?, tokens = ? WHERE id = ?",
                            (token_ids, len(token_ids) // 4, id_),
                        )

    def expire(self, before: datetime | None, most_bytes: int | None) -> int:
        """Empty the entries taken before a time, and the oldest beyond `most_bytes` of text; how many that were.

        An emptied entry stays, so that what was taken is not taken again, and that forgetting finds who has seen it.
        """
        gone: list[int] = []
        with self._connection.writing() as db:
            if before is not None:
                rows = db.execute(
                    "SELECT id FROM entries WHERE expired_us IS NULL AND taken_us < ?",
                    (microseconds(before),),
                )
                gone += [row[0] for row in rows]
            if most_bytes is not None:
                rows = db.execute(
                    "SELECT id FROM (SELECT id, sum(octet_length(text)) OVER (ORDER BY at_us DESC, id DESC) AS held"
                    " FROM entries WHERE expired_us IS NULL AND id NOT IN (SELECT value FROM json_each(?)))"
                    " WHERE held > ?",
                    (json.dumps(gone), most_bytes),
                )
                gone += [row[0] for row in rows]
            db.execute(
                "UPDATE entries SET text = '', token_ids = x'', words = 0, tokens = 0, expired_us = ?"
                " WHERE id IN (SELECT value FROM json_each(?))",
                (now_us(), json.dumps(gone)),
            )
            self._shared.rewrite_files_of(db, json.dumps(gone))
        return len(gone)


def packed(token_ids: Sequence[int]) -> bytes:
    """Token ids as they are kept: little-endian uint32."""
    raw = array("I", token_ids)
    if sys.byteorder == "big":
        raw.byteswap()
    return raw.tobytes()


def last_id(db: Database) -> int:
    """The highest id that an entry in an open store, or in a copy of one, ever had; 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(row[0]) if row else 0


def _values(entry: NewEntry) -> tuple[object, ...]:
    if len(entry.token_ids) % 4:
        raise ValueError("token ids are uint32")
    words, tokens = len(entry.text.split()), len(entry.token_ids) // 4
    key, at_us = bytes.fromhex(entry.key), microseconds(entry.at)
    kept = (entry.source, entry.app, words, tokens, entry.redactions, entry.text, entry.token_ids)
    redacted = json.dumps(kinds(entry.text), sort_keys=True) if entry.redactions else None
    return key, at_us, *kept, now_us(), redacted, entry.origin


def unique_key() -> str:
    """A key for a text that is always new. It begins with zeros, which are no mark of anything forgotten."""
    return bytes(3).hex() + secrets.token_hex(29)


def _mark(key: bytes) -> int:
    """24 bits of an entry's key: enough to know it again, and so few that they belong to many texts. 0 is no mark."""
    return int.from_bytes(key[:3])


def _where(selector: Selector) -> tuple[str, list[object]]:
    """A selector as a condition on entries and its values."""
    # Texts are compared as bytes: to a function a string ends at its first NUL.
    given = {
        "found(CAST(text AS BLOB), ?, 0)": None if selector.text is None else selector.text.encode(),
        "found(CAST(text AS BLOB), ?, 1)": None if selector.phrase is None else selector.phrase.encode(),
        "found_any(CAST(text AS BLOB), ?)": None
        if selector.phrases is None
        else json.dumps(selector.phrases),
        "id IN (SELECT value FROM json_each(?))": None if selector.ids is None else json.dumps(selector.ids),
        "source = ?": selector.source,
        "app = ?": selector.app,
        "at_us >= ?": None if selector.since is None else microseconds(selector.since),
        "at_us < ?": None if selector.until is None else microseconds(selector.until),
        "origin = ?": selector.origin,
    }
    kept = {condition: value for condition, value in given.items() if value is not None}
    return " AND ".join(kept), list(kept.values())
