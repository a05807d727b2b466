"""The tables of sources read once and of folders followed.

Paths are kept as bytes: a file name need not be valid UTF-8.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import SourceRow
from idiolect.daemon.storage.schema import moment, now_us


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
