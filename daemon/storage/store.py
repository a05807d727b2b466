"""The store: all tables in one encrypted file, each change in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.storage import audit_report, store_copies
from idiolect.daemon.storage.adapters import Adapters
from idiolect.daemon.storage.audit_trail import Backups, EventLog, Receipts
from idiolect.daemon.storage.connection import StoreConnection
from idiolect.daemon.storage.entries import Entries, MatchingEntries
from idiolect.daemon.storage.errors import StoreBusyError, StoreFullError, StoreUnreadableError, busy
from idiolect.daemon.storage.feedback import FeedbackCounts
from idiolect.daemon.storage.matching import Phrases, folded, is_findable
from idiolect.daemon.storage.named_values import State
from idiolect.daemon.storage.records import (
    BASE,
    FORGOTTEN_AFTER,
    OF_ONE_BASE,
    ROUND_DUE,
    SLIPS,
    ForgetReceipt,
    NewAdapter,
    OtherCountError,
)
from idiolect.daemon.storage.rounds import Checkpoints, Rounds
from idiolect.daemon.storage.schema import microseconds
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.sources import FileStates, Sources, Watches
from idiolect.daemon.storage.sync_merge import Shared
from idiolect.daemon.storage.words import WordRules

_SCRUB: Final = "scrub"  # state: something was forgotten and the file is not yet rewritten


class Store:
    """The store of one profile, open. Safe to use from several threads: one connection, one lock.

    Each attribute is the repository of one kind of record; each of its methods is one transaction. What changes
    several kinds of record together, all or nothing, is a method here.
    Any method may raise the errors that `open` raises; then it has changed nothing (`forget` and `expire`, when
    only the rewriting of the file fails, say so).
    """

    def __init__(self, path: Path, key: str, busy_timeout_s: float, *, new: bool = True) -> None:
        """Use `open`, which also finishes what an earlier process left undone."""
        self._connection = connection = StoreConnection(path, key, busy_timeout_s, new=new)
        self.state = State(connection)
        self.events = EventLog(connection)
        self.file_states = FileStates(connection)
        try:
            self.shared = Shared(connection, self.state)
        except BaseException:  # a connection left open would write into the file when it goes
            connection.close()
            raise
        self.entries = Entries(connection, self.file_states, self.shared)
        self.sources = Sources(connection)
        self.watches = Watches(connection)
        self.feedback = FeedbackCounts(connection)
        self.adapters = Adapters(connection)
        self.checkpoints = Checkpoints(connection)
        self.rounds = Rounds(connection, self.checkpoints, self.adapters)
        self.receipts = Receipts(connection)
        self.backups = Backups(connection)
        self.words = WordRules(connection)

    @classmethod
    def open(cls, path: Path, key: str, *, busy_timeout_s: float = 5.0, new: bool = True) -> Store:
        """Open the store at `path`, creating it (if `new`) or bringing its schema up to date.

        That of a profile is opened by `opening.open_store`, which knows whether there must be one.

        `key` is 64 hexadecimal digits. Raises StoreNewerError, StoreUnreadableError (the key does not
        fit, or damage), StoreBusyError (after `busy_timeout_s`), StoreFullError, StorePermissionError.
        """
        store = cls(path, key, busy_timeout_s, new=new)
        try:
            if store.state.get(_SCRUB):
                # Damage elsewhere in the file, a full disk or another reader must not lock the user out
                # of the rest: then it is tried again at the next start.
                with suppress(StoreBusyError, StoreFullError, StoreUnreadableError):
                    store._scrub()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """In the block, all changes of the store are one transaction."""
        with self._connection.writing():
            yield

    @property
    def key(self) -> str:
        """The key that it is open with, 64 hexadecimal digits."""
        return self._connection.key

    def publish(self, round_id: int, made: NewAdapter, state: Mapping[str, Any] | None = None) -> int:
        """Keep the adapter that a round made, end the round and, if it `serves`, serve it; the adapter's id.

        `state` is kept as by `State.set`, with the adapter or not at all. Raises RoundNotRunningError, and
        ForgottenMeanwhileError when text that it has seen, or its parent, was forgotten while the round ran: the
        weights then hold forgotten text, and nothing is kept.
        """
        with self._connection.writing():
            self.checkpoints.drop(round_id)  # first: the adapter takes the room
            adapter_id = self.adapters.add(made)
            self.rounds.end(
                round_id,
                status="promoted" if made.serves else "refused",
                reason=made.reason,
                metrics=made.metrics,
                tokens_per_s=made.tokens_per_s,
                seconds=made.seconds,
                adapter=adapter_id,
            )
            for name, value in (state or {}).items():
                self.state.set(name, value)
            return adapter_id

    def use_base(
        self,
        base: str,
        tokenizer: str,
        encoder: Callable[[], Callable[[str], list[int]]],
        report: Callable[[float], None] = lambda _done: None,
    ) -> bool:
        """Bring the store to the base model that is to serve; whether it was at another one. One transaction.

        The token ids become those of its tokenizer. Its own adapter is active again, and what was learned of it holds
        again; the other one's waits. `base` and `tokenizer` are the SHA-256 of its source and of its tokenizer, which
        `encoder` loads: it returns what turns a text into token ids. `report` gets the share of the text that is
        encoded, 0 to 1.
        """
        known: dict[str, str] = self.state.get(BASE, {})
        wanted, former = {"sha256": base, "tokenizer": tokenizer}, known.get("sha256") or self._base_of_last()
        if known == wanted:
            return False
        with self._connection.writing():
            if known.get("tokenizer") != tokenizer:
                self.entries.encode_anew(encoder(), report)
            if former != base and former is not None:
                for name in OF_ONE_BASE:
                    self.state.rename(name, f"{name} {former}")
                    self.state.rename(f"{name} {base}", name)
            self.state.set(BASE, wanted)
            if former in (None, base):
                return False
            if self.adapters.active() is None and self.entries.last_id() > 0:
                self.state.set(ROUND_DUE, True)
            return True

    def _base_of_last(self) -> str | None:
        """The base model of the newest adapter, for a store that is older than the state that names its base model."""
        rows = self.adapters.all()
        return rows[-1].metrics.get("base_sha256") if rows else None

    @property
    def base(self) -> str | None:
        """The SHA-256 of the source of the base model that the store is at; None before the first service."""
        known: dict[str, str] = self.state.get(BASE, {})
        return known.get("sha256")

    def forget(
        self,
        selector: Selector,
        *,
        dry_run: bool = False,
        expect: int | None = None,
        record: Callable[[], object] = lambda: None,
    ) -> ForgetReceipt:
        """Delete the selected entries and whatever was learned from them, for good.

        Adapters that saw any of them go, with the adapters trained from these. The nearest sound ancestor of the active
        adapter serves instead, else the base, and a training round is due. Of a paragraph's hash in a file's state the
        beginning stays, so that the file is not read as new text again. Rules for words go where the selection reaches
        them, and counts of slips where no text is left. Then the file is rewritten; if that is cut off, the next `open`
        does it. A receipt without text is kept. Where rules go, `record` is called in the transaction.
        Devices that share the text forget these entries, too; where only texts select, all that have the same text.
        With `dry_run` nothing changes and the receipt says what would. Raises OtherCountError, and nothing changes,
        where it would not be the `expect`ed number of entries.
        """
        matches = self.entries.match(selector)
        alone = self._words_alone_in(selector, matches)
        with self._connection.writing():
            ids, total = self.entries.still_selected(selector, matches), self.entries.total()
            if expect is not None and len(ids) != expect:
                raise OtherCountError(
                    f"This would take {len(ids):,} of {total:,} entries now, not {expect:,} as expected. Nothing was "
                    "forgotten: look at what it takes with a dry run, and give the number that it tells."
                )
            tokens = self.entries.tokens_of(ids)
            dropped, active, bases = self.adapters.delete_tainted(ids, dry_run=dry_run)
            fell = tuple(stone.id for stone in dropped)
            rules = self.words.forget(selector, alone, dry_run=dry_run)
            holding = [
                row.path
                for row in self.backups.all()
                if row.holds(ids) or any(rule.at <= row.at for rule in rules)
            ]
            aside = self.backups.kept_aside() if ids or rules else ()
            backups = tuple(dict.fromkeys((*holding, *aside)))
            receipt = ForgetReceipt(
                len(ids),
                fell,
                active,
                tokens,
                backups=backups,
                total=total,
                words=len(rules),
                round_queued=not bases.isdisjoint((None, self.base)),
            )
            if rules and not dry_run:
                self.state.set(_SCRUB, True)
                record()
            if ids and not dry_run:
                # A source that is taken back may be read again, if its user wants it.
                self.entries.delete(ids, for_good=selector.origin is None, texts=selector.only_texts)
                self._forget_hand()
                receipt = replace(receipt, id=self.receipts.add(selector.conditions, receipt, dropped))
                for base in bases:
                    self.state.set(ROUND_DUE if base in (None, self.base) else f"{ROUND_DUE} {base}", True)
                self.checkpoints.drop_all()
                self.state.set(FORGOTTEN_AFTER, self.rounds.last_id())
                self.state.set(_SCRUB, True)
        if (ids or rules) and not dry_run:
            self._scrub_or_say_so()
        return receipt

    def _words_alone_in(self, selector: Selector, matches: MatchingEntries) -> frozenset[str]:
        """The words and phrases that were decided about and that stand in selected entries and in no others."""
        decided = {
            folded(text) for rule in self.words.kept() for text in (rule.text, rule.replacement) if text
        }
        if not decided or selector.only_texts:
            return frozenset()
        wanted = Phrases(filter(is_findable, decided))
        ids = frozenset(self.entries.still_selected(selector, matches))
        going = self.entries.select(selector=Selector(ids=tuple(ids))) if ids else ()
        found = {text for entry in going for text in wanted.find(entry.text)}
        others = Phrases(found)
        for entry in self.entries.select():
            if not found:
                break
            if entry.id not in ids:
                found.difference_update(others.find(entry.text))
        return frozenset(found)

    def expire(self, before: datetime | None, most_bytes: int | None) -> int:
        """Let go of text taken `before` a time, and of the oldest beyond `most_bytes`; of how many entries.

        It goes as in `forget`, but adapters that have seen it stay, and so does the entry without its text.
        """
        with self._connection.writing():
            count = self.entries.expire(before, most_bytes)
            if count:
                self._forget_hand()
                self.checkpoints.drop_all()
                self.state.set(_SCRUB, True)
        if count:
            self._scrub_or_say_so()
        return count

    def _forget_hand(self) -> None:
        if not self.entries.counts().entries:
            self.state.drop(SLIPS)

    def audit(self, since: datetime | None = None) -> audit_report.Audit:
        """What was taken and what happened, from `since` on, and what each adapter has seen; never text."""
        with self._connection.reading() as db:
            return audit_report.audit(
                db, microseconds(since) if since else 0, self.watches.all(), self.events
            )

    def copy_to(self, target: Path, key: str, noted: str | None = None) -> dict[str, int]:
        """Write all that is in the store now into the empty file `target`, encrypted with `key`.

        `key` and `noted` are as in `store_copies.py`. Returns how many rows each table has. Raises CopyFailedError.
        """
        with self._connection.outside_transaction(writing=False) as db:
            return store_copies.write(db, target, key, noted)

    def _scrub(self) -> None:
        """Rewrite the file without what was deleted, and empty the log that still holds it."""
        with self._connection.outside_transaction(writing=True) as db:
            db.execute("VACUUM")
            in_use, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if in_use:
                raise busy(self._connection.path)
            self.state.drop(_SCRUB)

    def _scrub_or_say_so(self) -> None:
        try:
            self._scrub()
        except (StoreBusyError, StoreFullError, StoreUnreadableError) as error:
            raise type(error)(
                f"The text is forgotten, but the store {self._connection.path} could not be rewritten, so that its "
                "bytes may still be inside the encrypted file. Make room on the disk, close other programs "
                "that use the store and start the service again: it then finishes this."
            ) from None
