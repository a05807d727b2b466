"""The profile and its five verbs: learn, forget, expire, decide, publish.

Each verb is one transaction of the store, followed by one event where anything changed. Nothing else changes what a
profile knows.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, TypeVar

from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.profile.events import Decided, Events, Forgotten, Learned, Published
from idiolect.daemon.profile.journal import Journal
from idiolect.daemon.profile.pause import Pause
from idiolect.daemon.storage.records import FileState, ForgetReceipt, NewAdapter, NewEntry, OtherCountError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.models.errors import IdiolectError

T = TypeVar("T")


class Profile:
    """One user's profile. Any thread may use it.

    Attributes:
        store: the tables. Read them freely; change entries, adapters and decisions through the verbs.
        pause: whether learning is paused.
        journal: what was decided, and when; `now` is the time of day for it, in seconds since 1970.
        events: what has happened.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self.pause = Pause(store)
        self.journal = Journal(store, now)
        self.events = Events()

    def learn(
        self,
        new: Sequence[NewEntry],
        file: FileState | None = None,
        origin: int | None = None,
        within: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> list[int | None]:
        """Store entries, and the state of the file of the source `origin` that they came from; then they are learned.

        Returns the ids, as `Entries.add`. They are stored, and not yet learned, `within` a context. Raises PausedError
        where there are entries and learning is paused, what the context raises, and the store's errors; then nothing
        was stored.
        """
        # Not longer than until they are stored: whoever begins a pause waits for it.
        with self.pause.learning() if new else nullcontext(), within():
            ids = self.store.entries.add(new, file, origin)
        learned = [
            (id_, array("I", entry.token_ids).tolist())
            for entry, id_ in zip(new, ids, strict=True)
            if id_ is not None
        ]
        if learned:
            self.events.publish(Learned(learned))
        return ids

    def forget(
        self, selector: Selector, *, dry_run: bool = False, expect: int | None = None
    ) -> ForgetReceipt:
        """Delete entries and everything learned from them, or (`dry_run`) say what that would take.

        Raises OtherCountError, with nothing changed, where it would not be the `expect`ed number of entries, and the
        store's errors.
        """
        try:
            receipt = self.store.forget(selector, dry_run=dry_run, expect=expect, record=self.journal.record)
        except OtherCountError:
            raise
        except IdiolectError:  # the text may be gone although the file could not be rewritten
            if not dry_run:
                self.events.publish(Forgotten())
            raise
        if not dry_run:
            if receipt.entries or receipt.words:
                self.events.publish(Forgotten(receipt))
            self.store.events.add("forget", entries=receipt.entries, adapters=len(receipt.adapters_dropped))
        return receipt

    def expire(self, before: datetime | None, most_bytes: int | None) -> int:
        """Forget the oldest text as `Store.expire` does, and return the number of its entries."""
        try:
            count = self.store.expire(before, most_bytes)
        except IdiolectError:  # as above
            self.events.publish(Forgotten(expired=True))
            raise
        if count:
            self.events.publish(Forgotten(expired=True))
            self.store.events.add("expired", entries=count)
        return count

    def decide(self, decision: Decision[T]) -> T:
        """Apply a decision of the user's and write it into the journal; what applying it returns.

        All of it is one transaction, during which nobody else decides or stores text: of two decisions at once none
        is lost. Raises what the decision raises, and the store's errors; then nothing was decided.
        """
        with self.pause.changing(), self.store.together():
            decided = decision.apply(self)
            self.journal.record()
        self.events.publish(Decided(decision))
        return decided

    def publish(
        self, round_id: int, made: NewAdapter, state: Mapping[str, Any] | None = None, *, serves: bool
    ) -> int:
        """Keep the adapter of a round and what came of the round, as `Store.publish` does; the adapter's id.

        `serves` says whether what is served changes with it.
        """
        adapter = self.store.publish(round_id, made, state)
        self.events.publish(Published(serves))
        return adapter
