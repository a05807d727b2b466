"""The tables of sources read once, of folders followed, and of files as they were when last read.

Paths are kept as bytes: a file name need not be valid UTF-8.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from sqlite_utils import Database

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.paragraphs import blurred, decoded
from idiolect.daemon.storage.records import FileState, SourceRow
from idiolect.daemon.storage.schema import moment, now_us

_MARK_DIGITS: Final = 10  # of a forgotten paragraph's hash: hardly any other paragraph shares so many
_COLUMNS = "SELECT path, size_bytes, mtime_ns, paragraphs FROM files"


class FileStates(Table):
    """The table of files that were read."""

    def get(self, path: str) -> FileState | None:
        """The file at `path` as it was when last read; None where it never was."""
        row = self._connection.row(f"{_COLUMNS} WHERE path = ?", [os.fsencode(path)])
        return None if row is None else _state(*row)

    def all(self) -> list[FileState]:
        """All files read, by path."""
        return [_state(*row) for row in self._connection.rows(f"{_COLUMNS} ORDER BY path")]

    def put(self, state: FileState) -> None:
        """Keep a file's state in the place of an earlier state; its paragraphs without the forgotten paragraphs."""
        with self._connection.writing() as db:
            state = replace(state, paragraphs=_without_deleted(db, state.paragraphs))
            db.execute(
                "INSERT OR REPLACE INTO files (path, size_bytes, mtime_ns, paragraphs) VALUES (?, ?, ?, ?)",
                (os.fsencode(state.path), state.size_bytes, state.mtime_ns, json.dumps(state.paragraphs)),
            )

    def renamed(self, status: os.stat_result) -> FileState | None:
        """The state of a file that had this size and time of saving and is gone from its place: it was renamed."""
        same = f"{_COLUMNS} WHERE size_bytes = ? AND mtime_ns = ?"
        rows = self._connection.rows(same, [status.st_size, status.st_mtime_ns])
        return next((_state(*row) for row in rows if not os.path.lexists(row[0])), None)

    def passes_over(self, digest: str) -> bool:
        """Whether a paragraph with this hash was forgotten for good."""
        query = "SELECT 1 FROM forgotten_paragraphs WHERE mark = ?"
        return self._connection.row(query, [_mark(digest)]) is not None

    def blur_deleted(self, *, for_good: bool) -> frozenset[int]:
        """Shorten the hashes of paragraphs that belong to deleted entries; `for_good` passes these over from now on.

        Returns the ids of the entries whose paragraphs are passed over from now on.
        """
        passed = set[int]()
        with self._connection.writing() as db:
            for path, held in db.execute("SELECT path, paragraphs FROM files").fetchall():
                paragraphs = tuple(json.loads(held))
                kept = _without_deleted(db, paragraphs)
                if kept != paragraphs:
                    for known in map(decoded, {*paragraphs} - {*kept}) if for_good else ():
                        if len(known.digest) >= _MARK_DIGITS:
                            passed.update(known.entries)
                            mark = [_mark(known.digest)]
                            db.execute("INSERT OR IGNORE INTO forgotten_paragraphs (mark) VALUES (?)", mark)
                    db.execute("UPDATE files SET paragraphs = ? WHERE path = ?", [json.dumps(kept), path])
        return frozenset(passed)


def _mark(digest: str) -> int:
    return int(digest[:_MARK_DIGITS], 16)


def _state(path: bytes, size_bytes: int, mtime_ns: int, paragraphs: str) -> FileState:
    return FileState(os.fsdecode(path), size_bytes, mtime_ns, tuple(json.loads(paragraphs)))


def _entries_of(paragraphs: Iterable[str]) -> Iterable[tuple[int, ...]]:
    return (decoded(coded).entries for coded in paragraphs if ":" in coded)


def _without_deleted(db: Database, paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    """A file's paragraphs without the whole hash of any whose entries are not all there."""
    named = json.dumps(sorted(set().union(*_entries_of(paragraphs))))
    missing = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM entries)"
    gone = frozenset(row[0] for row in db.execute(missing, [named]))
    return tuple(blurred(coded, gone) for coded in paragraphs) if gone else paragraphs


class Sources(Table):
    """The table of files, folders and repositories that were read."""

    def all(self) -> list[SourceRow]:
        """What was read, by path, with what each brought."""
        rows = self._connection.rows(
            "SELECT id, path, kind, me, read_us, count(origin), coalesce(sum(words), 0) FROM sources"
            " LEFT JOIN (SELECT origin, words FROM entries WHERE origin IS NOT NULL) ON origin = id"
            " GROUP BY id ORDER BY path"
        )
        return [
            SourceRow(
                row[0], os.fsdecode(row[1]), row[2], tuple(json.loads(row[3])), moment(row[4]), *row[5:]
            )
            for row in rows
        ]

    def get(self, path: str) -> tuple[int, tuple[str, ...]] | None:
        """The number of the source at `path` and the user's names in it; None where it was never read."""
        row = self._connection.row("SELECT id, me FROM sources WHERE path = ?", [os.fsencode(path)])
        return (int(row[0]), tuple(json.loads(row[1]))) if row else None

    def add(self, path: str, kind: str, me: Sequence[str] = ()) -> int:
        """Note that a source is read now; its number. Without `me` its names stay as they are."""
        with self._connection.writing() as db:
            db.execute(
                "INSERT INTO sources (path, kind, me, read_us) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " kind = excluded.kind, read_us = excluded.read_us,"
                " me = CASE WHEN excluded.me = '[]' THEN me ELSE excluded.me END",
                (os.fsencode(path), kind, json.dumps(me), now_us()),
            )
            return int(db.execute("SELECT id FROM sources WHERE path = ?", [os.fsencode(path)]).fetchone()[0])

    def drop(self, path: str, keep: Callable[[str], bool]) -> None:
        """Drop a source, and the states of the files there but the files to `keep`; its entries stay.

        Without its state, a file would be read as if for the first time.
        """
        at = os.fsencode(path)
        below = at.rstrip(b"/") + b"/"
        there = "SELECT path FROM files WHERE path = ? OR substr(path, 1, ?) = ?"
        with self._connection.writing() as db:
            db.execute("DELETE FROM sources WHERE path = ?", [at])
            for (file,) in db.execute(there, [at, len(below), below]).fetchall():
                if not keep(os.fsdecode(file)):
                    db.execute("DELETE FROM files WHERE path = ?", [file])


class Watches(Table):
    """The table of folders and files that are followed."""

    def all(self) -> list[str]:
        """The watched folders and files, by path."""
        return [
            os.fsdecode(path) for (path,) in self._connection.rows("SELECT path FROM watches ORDER BY path")
        ]

    def add(self, path: str) -> bool:
        """Remember a watched path; False where it was watched already."""
        insert = "INSERT OR IGNORE INTO watches (path) VALUES (?)"
        return self._connection.change(insert, (os.fsencode(path),)) == 1

    def remove(self, path: str) -> bool:
        """Watch a path no more; False where it was not watched."""
        return self._connection.change("DELETE FROM watches WHERE path = ?", (os.fsencode(path),)) == 1
