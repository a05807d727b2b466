"""Whole copies of the store, each under its own key: written, opened, and verified page by page.

A key is a passphrase, or `raw(hex)` for one of 256 random bits. `Store` and `backup.py` are the only callers.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast

import sqlcipher3.dbapi2 as sqlcipher
from sqlite_utils import Database

from idiolect.daemon.storage.encrypted_file import unlocked
from idiolect.daemon.storage.entries import last_id
from idiolect.models.errors import ExitCode, IdiolectError


class CopyFailedError(IdiolectError, code="backup-failed", exit_code=ExitCode.NO_ROOM, http_status=507):
    """A backup cannot be written where it was asked for, or is not what was written."""


class CopyUnreadableError(
    IdiolectError, code="backup-unreadable", exit_code=ExitCode.BAD_INPUT, http_status=422
):
    """A backup cannot be opened: another passphrase, another kind of file, or damage."""


#: SQLite's codes for a fault of the file that is written, and not of the file that is read.
_WRITING: Final = (sqlcipher.SQLITE_FULL, sqlcipher.SQLITE_CANTOPEN, sqlcipher.SQLITE_READONLY)
_TABLES: Final = {"entries", "adapters", "_sqlite_migrations"}  # by which a store is known
_IOERR_READ: Final = sqlcipher.SQLITE_IOERR | 1 << 8  # of the store itself, not of the copy


def raw(hex_digits: str) -> str:
    """A key of 64 hexadecimal digits that is used as it is."""
    return f"x'{hex_digits}'"


def write(db: Database, target: Path, key: str, noted: str | None = None) -> dict[str, int]:
    """Write everything in `db`, as it is at one moment, into the empty file `target`; rows by table.

    With `noted`, the path at which this copy is remembered, the copy says there which entries there were at that
    moment. The file is not yet forced to the disk. Raises CopyFailedError for what is wrong with `target`.
    """
    with _about(target):
        db.execute("ATTACH ? AS copy KEY ?", (str(target), key))
    try:
        # Nothing of an unfinished copy is worth a journal; one transaction, so that nothing changes meanwhile.
        with _about(target):
            db.execute("PRAGMA copy.journal_mode = OFF").fetchall()
        db.execute("BEGIN")
        try:
            found = rows(db)
            with _about(target):
                db.execute("SELECT sqlcipher_export('copy')").fetchall()
                if noted is not None:
                    last = (last_id(db), os.fsencode(noted))
                    db.execute("UPDATE copy.backups SET last_entry = ? WHERE path = ?", last)
                db.execute("COMMIT")
        except BaseException:
            with suppress(sqlcipher.Error):
                db.rollback()
            raise
    finally:
        with suppress(sqlcipher.Error):
            db.execute("DETACH copy")
    return found


def rows(db: Database) -> dict[str, int]:
    """How many rows each table has."""
    named = db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return {name: db.table(name).count for (name,) in named}


@contextmanager
def opened(path: Path, key: str) -> Iterator[Database]:
    """A copy, for reading alone. Raises CopyUnreadableError, in the block too where a page is damaged."""
    try:
        if path.exists() and not path.is_file():  # reading a device or a pipe may never end
            raise CopyUnreadableError(f"{path} is no file. Name a backup that `idiolect backup` made.")
    except OSError:
        pass  # opening it below says what is wrong with it
    # Of a store that is not in use nothing but its file is read, and no log is begun beside it.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        connection = unlocked(f"{path.absolute().as_uri()}?{how}", key, uri=True)
    except sqlcipher.DatabaseError:
        raise CopyUnreadableError(f"{path} cannot be opened. Name a file that you may read.") from None
    try:
        yield Database(cast("sqlite3.Connection", connection), execute_plugins=False)
    except sqlcipher.DatabaseError:
        raise _unreadable(path) from None
    finally:
        connection.close()


def check(path: Path, key: str) -> dict[str, int]:
    """Read all of a copy: each page's HMAC, the tables' structure and their references; rows by table.

    Raises CopyUnreadableError.
    """
    with opened(path, key) as db:
        found = rows(db)
        unsound = db.execute("PRAGMA cipher_integrity_check").fetchall()
        unsound += [row for row in db.execute("PRAGMA integrity_check(1)").fetchall() if row[0] != "ok"]
        unsound += db.execute("PRAGMA foreign_key_check").fetchall()
        if unsound or not found.keys() >= _TABLES:
            raise _unreadable(path)
        return found


def _unreadable(path: Path) -> CopyUnreadableError:
    return CopyUnreadableError(
        f"{path} cannot be read: it is not a backup, is damaged, or was made under another passphrase or key. "
        "Try the passphrase again, or another backup."
    )


@contextmanager
def _about(target: Path) -> Iterator[None]:
    try:
        yield
    except sqlcipher.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in _WRITING or (code & 0xFF == sqlcipher.SQLITE_IOERR and code != _IOERR_READ):
            raise failed(target, "the disk is full, or it cannot be written") from None
        # Busy: a reader never waits for the store itself. Error: the export hands on what was wrong in words alone.
        if code & 0xFF in (sqlcipher.SQLITE_BUSY, sqlcipher.SQLITE_ERROR):
            raise failed(target, str(error)) from None
        raise


def failed(target: Path, why: str) -> CopyFailedError:
    """The error that says that no copy was made."""
    return CopyFailedError(
        f"No copy was made: {target}: {why}. Nothing was written. Mend that, or name another place."
    )


def uncertain(target: Path, why: str) -> CopyFailedError:
    """The error that says that a copy was made, and may not outlive a power cut."""
    return CopyFailedError(
        f"{target} was written, and all of it is there now, but the disk does not confirm that it stays: {why}. Mend "
        "that, and make another copy."
    )
