"""Reading a whole store to find damage: checksums of pages (SQLCipher), and the structure of tables.

SQLCipher checks a page's checksum (HMAC) whenever it reads the page, and SQLite's own check reads each page that is in
use: so one pass finds both kinds of damage. It sees the store as it is at one moment, whatever is written meanwhile.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import sqlcipher3.dbapi2 as sqlcipher

from idiolect.daemon.storage.encrypted_file import looked_at

_DAMAGED: Final = (sqlcipher.SQLITE_CORRUPT, sqlcipher.SQLITE_NOTADB)
_TIMES: Final = 3
_APART_S: Final = 3.0


def sound(path: Path, key: str) -> bool:
    """Whether a store that :func:`file.fits` is sound; reads it once. Raises the errors of `file`."""
    return bool(Reading(path, key).once())


class Reading:
    """One reading of a store in use. It holds nobody up, and any thread may break it off."""

    def __init__(self, path: Path, key: str) -> None:
        """`key` is 64 hexadecimal digits."""
        self._path = path
        self._key = key
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._connection: sqlcipher.Connection | None = None

    def stop(self) -> None:
        """Break it off. Where it is only about to begin it may go on: to be sure, call again until it has ended."""
        self._stopped.set()
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()

    def sound(self) -> bool | None:
        """Whether the store is sound; None: it was broken off.

        What seems damaged is read again some seconds later, and is damaged where it seems so each time: a disk may
        fail once. Raises the errors of `file` where the store cannot be read.
        """
        for _ in range(_TIMES - 1):
            found = self.once()
            if found is not False:
                return found
            self._stopped.wait(_APART_S)
        return self.once()

    def once(self) -> bool | None:
        """As `sound`, by a single pass."""
        with looked_at(self._path, self._key) as connection:
            with self._lock:
                self._connection = connection
            try:
                if self._stopped.is_set():
                    return None
                return bool(connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
            except sqlcipher.DatabaseError as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if code == sqlcipher.SQLITE_INTERRUPT:
                    return None
                if code in _DAMAGED:
                    return False
                raise
            finally:
                with self._lock:
                    self._connection = None
