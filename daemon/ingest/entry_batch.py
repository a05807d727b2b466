"""Batches of entries on their way into the store, committed some hundred at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final

from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.sources.items import ReadReport
from idiolect.daemon.storage.entries import packed
from idiolect.daemon.storage.records import FileState, NewEntry

TRACKED_PARAGRAPHS: Final = 50_000
"""How many paragraphs of a file are remembered one by one."""

_TRANSACTION_ENTRIES: Final = 500


def identity(*parts: str | int | None) -> str:
    """The key by which an entry is known again: SHA-256 of what makes it one, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class EntryBatch:
    """Entries on their way into the profile, which learns them some hundred at a time."""

    def __init__(
        self,
        profile: Profile,
        encode: Callable[[str], list[int]],
        report: ReadReport | None = None,
        storing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`encode` turns a text into token ids.

        Once learning is paused, nothing that waits or comes is stored: `put` and `flush` raise PausedError. Each
        transaction is made within `storing`, which may raise.
        """
        self._storing = storing
        self._profile = profile
        self.report = ReadReport() if report is None else report
        self._store = profile.store
        self._encode = encode
        self._waiting: list[tuple[NewEntry, list[int]]] = []
        self._known: dict[str, list[int]] = {}
        self._state: FileState | None = None
        self._origin: int | None = None

    def put(
        self,
        text: str,
        *,
        source: str,
        at: datetime,
        key: str,
        redactions: int,
        ids: list[int],
        app: str | None = None,
        origin: int | None = None,
        shared: tuple[bytes, str] | None = None,
    ) -> bool:
        """Add an entry, to be committed with others; its id comes into `ids`, if it was not stored before.

        True if that made a whole transaction, which is now committed. Raises PausedError.
        """
        tokens = packed(self._encode(text))
        entry = NewEntry(text, source, app, at, tokens, redactions, key, origin, shared)
        self._waiting.append((entry, ids))
        if len(self._waiting) < _TRANSACTION_ENTRIES and not self._profile.pause.active:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Commit what waits; entries not while learning is paused: then they are dropped.

        Raises PausedError, and ForgottenMeanwhileError where their source was removed.
        """
        waiting, self._waiting = self._waiting, []
        state, self._state = self._state, None
        if waiting or state is not None:
            stored = self._profile.learn(
                [entry for entry, _ in waiting], state, self._origin, within=self._storing
            )
            self._count(waiting, stored)

    def _count(self, waiting: list[tuple[NewEntry, list[int]]], stored: Sequence[int | None]) -> None:
        for (entry, ids), id_ in zip(waiting, stored, strict=True):
            if id_ is None:
                self.report.skip_known()
                if len(self._known) < TRACKED_PARAGRAPHS:
                    self._known[entry.key] = ids
                continue
            ids.append(id_)
            self.report.entries += 1
            self.report.words += len(entry.text.split())
            self.report.redactions += entry.redactions

    def end_file(self, state: Callable[[], FileState], origin: int | None) -> None:
        """Commit what waits, and leave the state of a file of the source `origin` to the next transaction.

        A state names the ids of the file's entries, so it comes after them. If the program is killed
        in between, the file is read once more, and nothing of it is stored twice.
        """
        self.flush()
        self._known.clear()
        self._state, self._origin = state(), origin

    def recall(self) -> None:
        """Commit what waits; find the ids of those texts that turned out to be stored before."""
        self.flush()
        for key, id_ in self._store.entries.ids_of(self._known).items():
            self._known[key].append(id_)
