"""The encrypted database file (SQLCipher): opened with its key, brought up to date, and read."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import sqlcipher3.dbapi2 as sqlcipher
from sqlite_utils import Database

from idiolect.daemon.storage.errors import StoreNewerError, StoreUnreadableError, busy, full, no_permission
from idiolect.daemon.storage.matching import pattern, phrases
from idiolect.daemon.storage.schema import migrations
from idiolect.models.errors import IdiolectError

_LEAST_ROOM_BYTES = 2**17  # more than the index of a store's log begins with


def connect(path: Path, key: str, busy_timeout_s: float, *, new: bool = True) -> Database:
    """Open (or, if `new`, create for the user alone) the encrypted file and bring its schema up to date.

    `key` is 64 hexadecimal digits, used as they are: deriving a key from a password would cost a
    quarter of a second at each start and protect nothing, since the key is random already.
    Raises the errors of this module.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{64}", key):
        raise ValueError("a store's key is 64 hexadecimal digits")
    _make_private(path, os.O_CREAT if new else 0)
    with translated(path):
        connection = unlocked(str(path), f"x'{key}'", timeout=busy_timeout_s)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",
                "foreign_keys = ON",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            connection.create_function("found", 3, _found, deterministic=True)
            connection.create_function("found_any", 2, _found_any, deterministic=True)
            db = Database(cast("sqlite3.Connection", connection), execute_plugins=False)
            _migrate(db, path)
        except BaseException:
            connection.close()
            raise
    return db


def unlocked(name: str, key: str, **given: Any) -> sqlcipher.Connection:
    """A connection to a file under its key, a passphrase or `x'…'` with hexadecimal digits; nothing is read yet."""
    connection = sqlcipher.connect(name, isolation_level=None, check_same_thread=False, **given)
    try:
        # SQLCipher would write its own lines to stderr for each page that it cannot read.
        connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
        connection.set_key(key)
    except BaseException:
        connection.close()
        raise
    return connection


def fits(path: Path, key: str) -> bool:
    """Whether a store is there that opens with `key` (64 hexadecimal digits).

    Changes nothing of what it holds; what a killed service left in the journal is taken into the file.

    Raises the errors of this module where the file cannot be read at all.
    """
    if not path.exists():
        return False
    with translated(path), closing(unlocked(str(path), f"x'{key}'")) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlcipher.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlcipher.SQLITE_NOTADB:
                return False
            raise
    return True


def _found(text: bytes, wanted: bytes, whole: int) -> bool:
    """Whether a text holds a pattern. Both are blobs: of a string SQLite hands over no more than goes before a NUL."""
    return pattern(wanted.decode(), bool(whole)).found(text.decode())


def _found_any(text: bytes, wanted: str) -> bool:
    """Whether a text, a blob, holds one of the phrases of a JSON list."""
    return phrases(tuple(json.loads(wanted))).found(text.decode())


def _make_private(path: Path, create: int) -> None:
    """Create the file with mode 0600 before SQLite would do it with the umask's."""
    try:
        os.close(os.open(path, os.O_RDWR | create, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full(path) from None
        raise no_permission(path, error.strerror or "not permitted") from None


def _migrate(db: Database, path: Path) -> None:
    with closing(Database(memory=True, execute_plugins=False)) as empty:
        known = {migration.name for migration in migrations.pending(empty)}
    applied = migrations.applied(db)
    if applied and applied[-1].name not in known:
        raise StoreNewerError(
            f"The store {path} was written by a newer version of idiolect. Nothing was changed: "
            "install that version, or name another folder in IDIOLECT_HOME."
        )
    if migrations.pending(db):
        with translated(path, writing=True), immediate(db):
            migrations.apply(db)


@contextmanager
def immediate(db: Database) -> Iterator[Database]:
    """One write transaction: all of the block or nothing of it.

    It takes the write lock at its start: a transaction that reads first and then wants to write fails
    at once when another writer came between, whatever the busy timeout.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlcipher.Error):  # the error that led here says more
            db.rollback()
        raise


@contextmanager
def translated(path: Path, *, writing: bool = False) -> Iterator[None]:
    """Turn SQLCipher's errors about the file at `path` into this module's; its messages hold no values."""
    try:
        yield
    except sqlcipher.DatabaseError as error:
        code: int | None = getattr(error, "sqlite_errorcode", None)
        better = None if code is None else _explained(path, code & 0xFF, writing)
        if better is None:
            raise
        raise better from None


def _explained(path: Path, code: int, writing: bool) -> IdiolectError | None:
    """The error to show for SQLite's primary result code; None for a mistake of our own."""
    if code in (sqlcipher.SQLITE_BUSY, sqlcipher.SQLITE_LOCKED, sqlcipher.SQLITE_PROTOCOL):
        return busy(path)
    # Without room on the disk SQLite says FULL, but at a quota or a limit on file sizes only IOERR. Opening a store
    # writes, too: the index of its log.
    if code == sqlcipher.SQLITE_FULL or (code == sqlcipher.SQLITE_IOERR and (writing or _no_room(path))):
        return full(path)
    if code in (sqlcipher.SQLITE_READONLY, sqlcipher.SQLITE_CANTOPEN, sqlcipher.SQLITE_PERM):
        return no_permission(path, "it cannot be opened for writing")
    if code in (sqlcipher.SQLITE_NOTADB, sqlcipher.SQLITE_CORRUPT, sqlcipher.SQLITE_IOERR):
        return StoreUnreadableError(
            f"The store {path} cannot be read: its key does not fit, or the file is damaged. "
            "`idiolect doctor` says more; `idiolect restore FILE` puts back a backup."
        )
    return None


def _no_room(path: Path) -> bool:
    """Whether the disk is so full that not even what is beside an open store finds room."""
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM_BYTES
    return False
