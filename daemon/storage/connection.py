"""The connection to the store's file that all tables share, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlite_utils import Database

from idiolect.daemon.storage.encrypted_file import connect, immediate, translated
from idiolect.daemon.storage.errors import StoreUnreadableError

#: Values of a statement, in the order of its question marks.
Values: TypeAlias = Sequence[object]
Row: TypeAlias = tuple[Any, ...]


class StoreConnection:
    """A connection to one store, behind one lock: safe to use from several threads.

    A block of `writing` is one transaction. A block within it, in the same thread, is part of the same transaction:
    so methods that each write in a transaction of their own can be combined into one, all or nothing. The arguments
    and the errors raised are those of `encrypted_file.connect`; in the blocks, those of `encrypted_file.translated`.
    """

    def __init__(self, path: Path, key: str, busy_timeout_s: float, *, new: bool = True) -> None:
        self.path = path
        self.key = key
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._db: Database = connect(path, key, busy_timeout_s, new=new)
        self._broken = False
        self._in_transaction = False

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Lend the connection for statements that change nothing."""
        with self._lock:
            if self._in_transaction:
                yield self._db
                return
            with self.outside_transaction(writing=False) as db:
                yield db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Begin a write transaction, or take part in the transaction that this thread has begun."""
        with self._lock:
            if self._in_transaction:
                yield self._db
                return
            with self.outside_transaction(writing=True) as db, immediate(db):
                self._in_transaction = True
                try:
                    yield db
                finally:
                    self._in_transaction = False

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows that a query finds."""
        with self.reading() as db:
            return db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> Row | None:
        """The first row that a query finds."""
        with self.reading() as db:
            found: Row | None = db.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Values = ()) -> Any:
        """The one value that a query finds, which must find a row."""
        with self.reading() as db:
            return db.execute(sql, values).fetchone()[0]

    def change(self, sql: str, values: Values = ()) -> int:
        """Run a statement in a write transaction, and return how many rows it changed."""
        with self.writing() as db:
            return db.execute(sql, values).rowcount

    @contextmanager
    def outside_transaction(self, *, writing: bool) -> Iterator[Database]:
        """Lend the connection without a transaction, for what SQLite does in none.

        `writing` says whether the block changes the file. Opens the file again where damage was found before.
        """
        with self._lock:
            if self._broken:
                self._db.close()
                self._db = connect(self.path, self.key, self._busy_timeout_s, new=False)
                self._broken = False
            try:
                with translated(self.path, writing=writing):
                    yield self._db
            except StoreUnreadableError:
                # After a page that fails its check SQLCipher refuses all writes on this connection.
                self._broken = True
                raise


class Table:
    """A table of a store, or several that belong together: the base of all repositories."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
