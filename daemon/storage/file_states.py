"""The table of files as they were when last read, so that only new text is taken.

Paths are kept as bytes: a file name need not be valid UTF-8.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.paragraphs import blurred, decoded
from idiolect.daemon.storage.records import FileState

_COLUMNS = "SELECT path, size_bytes, mtime_ns, paragraphs FROM files"


class FileStates:
    """The table of files that were read."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def get(self, path: str) -> FileState | None:
        """The file at `path` as it was when last read; None where it never was."""
        with self._connection.reading() as db:
            row = db.execute(f"{_COLUMNS} WHERE path = ?", [os.fsencode(path)]).fetchone()
        return None if row is None else _state(*row)

    def all(self) -> list[FileState]:
        """All files read, by path."""
        with self._connection.reading() as db:
            return [_state(*row) for row in db.execute(f"{_COLUMNS} ORDER BY path")]

    def put(self, state: FileState) -> None:
        """Keep a file's state, in the place of an earlier one; its paragraphs without those that were forgotten."""
        with self._connection.writing() as db:
            state = replace(state, paragraphs=_without_deleted(db, state.paragraphs))
            db.execute(
                "INSERT OR REPLACE INTO files (path, size_bytes, mtime_ns, paragraphs) VALUES (?, ?, ?, ?)",
                (os.fsencode(state.path), state.size_bytes, state.mtime_ns, json.dumps(state.paragraphs)),
            )

    def move(self, old: str, new: str) -> None:
        """Give a file's state another path; what was known of the file there before is dropped."""
        with self._connection.writing() as db:
            db.execute(
                "UPDATE OR REPLACE files SET path = ? WHERE path = ?", (os.fsencode(new), os.fsencode(old))
            )

    def drop(self, path: str) -> None:
        """Drop a file's state; the entries that came from it stay."""
        with self._connection.writing() as db:
            db.execute("DELETE FROM files WHERE path = ?", (os.fsencode(path),))

    def blur_deleted(self) -> frozenset[int]:
        """Shorten the hashes of paragraphs that belong to deleted entries.

        Returns the ids of all entries, deleted or not, that any file's state named before.
        """
        named = set[int]()
        with self._connection.writing() as db:
            for path, held in db.execute("SELECT path, paragraphs FROM files").fetchall():
                paragraphs = tuple(json.loads(held))
                named.update(*_entries_of(paragraphs))
                kept = _without_deleted(db, paragraphs)
                if kept != paragraphs:
                    db.execute("UPDATE files SET paragraphs = ? WHERE path = ?", [json.dumps(kept), path])
        return frozenset(named)


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
