"""Search for secrets in stored entries with today's rules, which may know more than those at their import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.records import Entry
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

_BATCH_CHARS: Final = 1 << 15  # what a child looks at before it answers
_BATCH_ENTRIES: Final = 256


@dataclass(frozen=True)
class SecretEntry:
    """An entry in which something looks like a secret: how many of each kind, and none of its text."""

    id: int
    at: datetime
    source: str
    app: str | None
    kinds: dict[str, int]


@dataclass(frozen=True)
class SecretsFound:
    """How far a search has come: `entries` and `words` that were looked at, out of `total` entries; what it found."""

    entries: int
    words: int
    total: int
    found: tuple[SecretEntry, ...]


class StoredSecrets:
    """Looks for secrets in the store. The patterns run in the process that reads files, some entries at a time."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._store = store
        self._reader = reader

    def find(self, since: datetime | None = None) -> Iterator[SecretsFound]:
        """Search the entries written from `since` on, and yield how far that has come, at first and after each batch.

        Raises ReaderEndedError.
        """
        total = self._store.entries.counts().entries
        entries, words, found = 0, 0, list[SecretEntry]()
        yield SecretsFound(entries, words, total, ())
        selector = None if since is None else Selector(since=since)
        for batch in _batches(self._store.entries.select(selector=selector)):
            texts = [entry.text for entry in batch]
            for entry, kinds in zip(batch, self._reader.secrets(texts), strict=True):
                entries += 1
                words += len(entry.text.split())
                if kinds:
                    found.append(SecretEntry(entry.id, entry.at, entry.source, entry.app, kinds))
            yield SecretsFound(entries, words, max(total, entries), tuple(found))


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    chars = 0
    for entry in entries:
        batch.append(entry)
        chars += len(entry.text)
        if chars >= _BATCH_CHARS or len(batch) >= _BATCH_ENTRIES:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
