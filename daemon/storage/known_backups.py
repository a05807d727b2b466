"""The table of backups: those made of this store, and those begun and perhaps unfinished.

The files themselves are written by `store_copies.py`. Paths are kept as bytes: a file name need not be valid UTF-8.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.records import BackupRow, Unfinished
from idiolect.daemon.storage.schema import microseconds, moment
from idiolect.daemon.storage.state import State

#: State: by the draft's path, an `Unfinished` and the row that it replaced.
UNFINISHED: Final = "unfinished_backups"


class Backups:
    """The table of backups, and the note of those that are being written."""

    def __init__(self, connection: StoreConnection, state: State) -> None:
        self._connection = connection
        self._state = state

    def all(self) -> list[BackupRow]:
        """The backups that are known, oldest first, whether or not their files are still there."""
        with self._connection.reading() as db:
            rows = db.execute("SELECT path, at_us, last_entry FROM backups ORDER BY at_us, path").fetchall()
        return [BackupRow(os.fsdecode(path), moment(at_us), last) for path, at_us, last in rows]

    def note(self, row: BackupRow) -> None:
        """Remember a backup; one that was noted at the same path before is replaced."""
        with self._connection.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO backups (path, at_us, last_entry) VALUES (?, ?, ?)",
                (os.fsencode(row.path), microseconds(row.at), row.last_entry),
            )

    def drop(self, path: str) -> None:
        """Do not speak of the backup at `path` any more."""
        with self._connection.writing() as db:
            db.execute("DELETE FROM backups WHERE path = ?", (os.fsencode(path),))

    def drop_deleted(self, but: BackupRow | None) -> None:
        """Do not speak any more of backups whose files were deleted, `but` of that one; a disk may also be away."""
        for row in self.all():
            if row != but and Path(row.path).parent.is_dir() and not Path(row.path).exists():
                self.drop(row.path)

    def begin(self, work: Unfinished, at: datetime) -> None:
        """Note a backup that is about to be written: from now on its target may hold anything."""
        with self._connection.writing():
            former = [(row.at, row.last_entry) for row in self.all() if row.path == work.target]
            known = [(microseconds(was), last) for was, last in former]
            self._keep({**self._unfinished(), work.draft: asdict(work) | {"former": known}})
            self.note(BackupRow(work.target, at, None))

    def end(self, work: Unfinished, row: BackupRow | None = None) -> None:
        """Note that a backup is whole and in its place, and what it holds; without `row` that is not known."""
        with self._connection.writing():
            self._keep({draft: kept for draft, kept in self._unfinished().items() if draft != work.draft})
            if row is not None:
                self.note(row)

    def give_up(self, work: Unfinished) -> None:
        """Take back what was noted of a backup that came to nothing, and note again what it was to replace."""
        with self._connection.writing():
            known = self._unfinished()
            kept = known.pop(work.draft, None)
            if kept is None:
                return
            self._keep(known)
            if any(other["target"] == work.target for other in known.values()):
                return  # another one is written for the same place
            self.drop(work.target)
            for at_us, last in kept["former"]:
                self.note(BackupRow(work.target, moment(at_us), last))

    def unfinished(self) -> list[Unfinished]:
        """The backups that were begun and of which it is not known that they ended."""
        return [
            Unfinished(kept["draft"], kept["target"], kept["salt"]) for kept in self._unfinished().values()
        ]

    def _unfinished(self) -> dict[str, dict[str, Any]]:
        return dict(self._state.get(UNFINISHED, {}))

    def _keep(self, known: dict[str, dict[str, Any]]) -> None:
        if known:
            self._state.set(UNFINISHED, known)
        else:
            self._state.drop(UNFINISHED)
