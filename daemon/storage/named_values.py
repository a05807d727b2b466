"""The table of small named values of the service."""

from __future__ import annotations

import json
from typing import Any

from idiolect.daemon.storage.connection import Table


class State(Table):
    """The table of named JSON values."""

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value kept under `name`."""
        row = self._connection.row("SELECT value FROM state WHERE name = ?", (name,))
        return json.loads(row[0]) if row else default

    def set(self, name: str, value: Any) -> None:
        """Keep a JSON value under `name`."""
        insert = "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)"
        self._connection.change(insert, (name, json.dumps(value)))

    def drop(self, name: str) -> None:
        """Keep no value under `name`."""
        self._connection.change("DELETE FROM state WHERE name = ?", (name,))

    def rename(self, name: str, other: str) -> None:
        """Keep what is kept under `name`, if anything is, under the `other` name, in the place of what was there."""
        self._connection.change("UPDATE OR REPLACE state SET name = ? WHERE name = ?", (other, name))
