"""The table of backups that were made of this store, so that a receipt of forgetting can name them.

The files themselves are written by `store_copies.py`. Paths are kept as bytes: a file name need not be valid UTF-8.
"""

from __future__ import annotations

import os
from pathlib import Path

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.records import BackupRow
from idiolect.daemon.storage.schema import microseconds, moment


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
