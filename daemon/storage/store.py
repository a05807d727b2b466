"""The encrypted store: everything learned about the user, in one file, each change in one transaction."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from idiolect.daemon.storage import audit, checkpoints, copies, feedback, lineage, receipts, texts
from idiolect.daemon.storage.errors import StoreBusyError, StoreFullError, StoreUnreadableError, busy
from idiolect.daemon.storage.file import connect, immediate, translated
from idiolect.daemon.storage.full_read import Reading
from idiolect.daemon.storage.records import (
    COMMANDS,
    ROUND_DUE,
    AdapterRow,
    BackupRow,
    Checkpoint,
    Counts,
    Entry,
    Event,
    Feedback,
    FeedbackReport,
    FileState,
    ForgetReceipt,
    Forgotten,
    NewEntry,
    OtherCountError,
    RoundRow,
    Savings,
    SourceRow,
    SuggestionKind,
    Tenth,
    Unfinished,
)
from idiolect.daemon.storage.schema import microseconds, moment, now_us
from idiolect.daemon.storage.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sqlite_utils import Database

_EVENTS_KEPT = 10_000
_SCRUB = "scrub"  # state: something was forgotten and the file is not yet rewritten


class Store:
    """The store of one profile, open. Safe to use from several threads: one connection, one lock.

    Any method may raise the errors that `open` raises; one that fails has changed nothing (`forget`, when
    only the rewriting of the file fails, says so).
    Rows are streamed in batches, so that a slow reader holds no lock and no transaction.
    """

    def __init__(self, path: Path, key: str, busy_timeout_s: float, *, new: bool = True) -> None:
        """Use `open`, which also finishes what an earlier process left undone."""
        self._path = path
        self._key = key
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._db: Database = connect(path, key, busy_timeout_s, new=new)
        self._broken = False
        self._through: Reading | None = None

    @classmethod
    def open(cls, path: Path, key: str, *, busy_timeout_s: float = 5.0, new: bool = True) -> Store:
        """Open the store at `path`, creating it (if `new`) or bringing its schema up to date.

        That of a profile is opened by `opening.open_store`, which knows whether there must be one.

        `key` is 64 hexadecimal digits. Raises StoreNewerError, StoreUnreadableError (the key does not
        fit, or damage), StoreBusyError (after `busy_timeout_s`), StoreFullError, StorePermissionError.
        """
        store = cls(path, key, busy_timeout_s, new=new)
        try:
            if store.get(_SCRUB):
                # Damage elsewhere in the file, a full disk or another reader must not lock the user out
                # of the rest: then it is tried again at the next start.
                with suppress(StoreBusyError, StoreFullError, StoreUnreadableError):
                    store._scrub()
        except BaseException:
            store.close()
            raise
        return store

    def rekey(self, key: str) -> None:
        """Encrypt the file anew, with another key of 64 hexadecimal digits; killed on the way, it has the old one."""
        if not re.fullmatch(r"[0-9a-f]{64}", key):
            raise ValueError("a store's key is 64 hexadecimal digits")
        with self._using(writing=True) as db:
            db.execute(f"PRAGMA rekey = \"x'{key}'\"").fetchall()
            self._key = key
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    @property
    def key(self) -> str:
        """The key that it is open with, 64 hexadecimal digits."""
        return self._key

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            self._db.close()

    # Text

    def add(self, new: Sequence[NewEntry], file: FileState | None = None) -> list[int | None]:
        """Keep entries, and the state of the file they came from, together or not at all.

        Returns an id for each of `new`, in order; None where an entry with the same key is kept already.
        """
        with self._writing() as db:
            return texts.add(db, new, file)

    def entries(self, *, selector: Selector | None = None, prose: bool = False) -> Iterator[Entry]:
        """All entries, or those selected, in order of time and then id; with `prose`, no commands of a shell."""
        columns = "at_us, id, text, source, app, tokens"
        for at_us, id_, text, source, app, tokens in self._in_time(columns, selector, prose=prose):
            yield Entry(id_, text, source, app, moment(at_us), tokens)

    def token_ids(self, *, commands: bool = False) -> Iterator[tuple[int, bytes]]:
        """The id and token ids (little-endian uint32) of prose, or of `commands`, in order of time and then id."""
        selector = Selector(source=COMMANDS) if commands else None
        for _, id_, token_ids in self._in_time("at_us, id, token_ids", selector, prose=not commands):
            yield id_, token_ids

    def _in_time(
        self, columns: str, selector: Selector | None, *, prose: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        last = texts.START
        while True:
            with self._reading() as db:
                rows = texts.page(db, columns, selector, last, prose=prose)
            if not rows:
                return
            yield from rows
            last = rows[-1][:2]

    def last_id(self) -> int:
        """The highest id that an entry ever had; 0 before the first."""
        with self._reading() as db:
            return texts.last_id(db)

    def counts(self) -> Counts:
        """How much text is kept."""
        with self._reading() as db:
            return texts.counts(db)

    def tokens_after(self, entry_id: int) -> int:
        """How many tokens the entries have that came after this one and are learned from, in order of arrival."""
        query = "SELECT coalesce(sum(tokens), 0) FROM entries WHERE id > ? AND source <> ?"
        return int(self._rows(query, entry_id, COMMANDS)[0][0])

    # Files and watched folders

    def file_state(self, path: str) -> FileState | None:
        """The file at `path` as it was when last read; None where it never was."""
        with self._reading() as db:
            return next(iter(texts.file_states(db, path)), None)

    def file_states(self) -> list[FileState]:
        """All files read, by path."""
        with self._reading() as db:
            return texts.file_states(db)

    def move_file(self, old: str, new: str) -> None:
        """Give a file's state another path; what was known of the file there before is dropped."""
        with self._writing() as db:
            texts.move_file(db, old, new)

    def drop_file(self, path: str) -> None:
        """Drop a file's state; the entries that came from it stay."""
        with self._writing() as db:
            texts.drop_file(db, path)

    def sources(self) -> list[SourceRow]:
        """What was read, by path, with what each brought."""
        with self._reading() as db:
            return texts.sources(db)

    def source(self, path: str) -> tuple[int, tuple[str, ...]] | None:
        """The number of the source at `path` and the names given for it; None where it was never read."""
        with self._reading() as db:
            return texts.source(db, path)

    def add_source(self, path: str, kind: str, me: Sequence[str] = ()) -> int:
        """Note that a source is read now; its number. Without `me` the names that were given before stay."""
        with self._writing() as db:
            return texts.add_source(db, path, kind, me)

    def drop_source(self, path: str, keep: Callable[[str], bool]) -> None:
        """Forget that a source was read, with the states of its files but those to `keep`; entries are for `forget`."""
        with self._writing() as db:
            texts.drop_source(db, path, keep)

    def watches(self) -> list[str]:
        """The watched folders and files, by path."""
        with self._reading() as db:
            return texts.watches(db)

    def add_watch(self, path: str) -> bool:
        """Remember a watched path; False where it was watched already."""
        with self._writing() as db:
            return texts.add_watch(db, path)

    def remove_watch(self, path: str) -> bool:
        """Watch a path no more; False where it was not watched."""
        with self._writing() as db:
            return texts.remove_watch(db, path)

    # What became of suggestions

    def add_feedback(self, given: Feedback, adapter: int | None, day: date) -> None:
        """Count what became of a suggestion of `adapter` (None: the base) on `day` (UTC)."""
        with self._writing() as db:
            feedback.add(db, given, adapter, day)

    def savings(self, since: date = date.min) -> Savings:
        """The feedback of all days (UTC) from `since` on, in sum."""
        with self._reading() as db:
            return feedback.savings(db, since)

    def feedback_report(self, since: date) -> FeedbackReport:
        """The feedback of all days (UTC) from `since` on, in sum, by day, by adapter and by probability."""
        with self._reading() as db:
            return feedback.report(db, since)

    def reliability(self, kind: SuggestionKind, since: date = date.min) -> tuple[Tenth, ...]:
        """For each tenth of the predicted probability, the lowest first: what became of suggestions.

        Counted are those of `kind`, on days (UTC) from `since` on, that the service judged worth showing.
        """
        with self._reading() as db:
            return feedback.reliability(db, kind, since)

    # Training rounds and adapters

    def begin_round(self, parent: int | None, about: dict[str, Any] | None = None) -> int:
        """Note that a round starts from adapter `parent` (None: the base); the round's id.

        With `about`, what it is asked to do, its checkpoints can be kept. Raises UnknownAdapterError.
        """
        with self._writing() as db:
            round_id = lineage.begin_round(db, parent)
            if about is not None:
                checkpoints.begin(db, round_id, about)
            return round_id

    def reopen_round(self, round_id: int) -> None:
        """Note that the round of the :meth:`checkpoint` goes on."""
        with self._writing() as db:
            lineage.reopen_round(db, round_id)

    def checkpoint(self) -> Checkpoint | None:
        """What the round that runs, or the last one if it was cut off, can go on from."""
        with self._reading() as db:
            return checkpoints.last(db)

    def checkpoint_part(self, round_id: int, part: int) -> bytes:
        """A part, from 0, of what :meth:`checkpoint` told of."""
        with self._reading() as db:
            return checkpoints.part(db, round_id, part)

    def add_checkpoint_part(self, round_id: int, part: int, data: bytes, spent_s: float | None) -> None:
        """Keep a part of a new checkpoint of a running round; with `spent_s` it is the last.

        Only then does the checkpoint take the place of the one before.
        """
        with self._writing() as db:
            checkpoints.add_part(db, round_id, part, data, spent_s)

    def end_round(
        self,
        round_id: int,
        *,
        status: Literal["refused", "failed", "interrupted", "skipped"],
        reason: str,
        metrics: dict[str, Any],
        tokens_per_s: float | None = None,
        seconds: float | None = None,
        resumable: bool = False,
    ) -> None:
        """Note how a round ended that made no adapter to keep; `resumable`: its checkpoint stays.

        Raises RoundNotRunningError.
        """
        with self._writing() as db:
            if not resumable:
                checkpoints.drop(db, round_id)
            lineage.end_round(db, round_id, None, status, reason, metrics, tokens_per_s, seconds)

    def publish(
        self,
        round_id: int,
        *,
        blob: bytes,
        rank: int,
        parent: int | None,
        seen: Collection[int],
        status: Literal["active", "refused"],
        reason: str,
        metrics: dict[str, Any],
        tokens_per_s: float | None,
        seconds: float | None,
        state: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep the adapter that a round made, end the round and, if "active", serve it; the adapter's id.

        `seen` are the ids of the entries that the round trained on; what `parent` has seen is added. `state`
        is kept as by `set`, with the adapter or not at all.
        Raises RoundNotRunningError, and ForgottenMeanwhileError when any of `seen`, or `parent`, was
        forgotten while the round ran: the weights then hold forgotten text, and nothing is kept.
        """
        serve = status == "active"
        with self._writing() as db:
            checkpoints.drop(db, round_id)
            adapter_id = lineage.add_adapter(
                db,
                blob=blob,
                rank=rank,
                parent=parent,
                seen_ids=seen,
                serve=serve,
                reason=reason,
                metrics=metrics,
            )
            ended: Final = "promoted" if serve else "refused"
            lineage.end_round(db, round_id, adapter_id, ended, reason, metrics, tokens_per_s, seconds)
            for name, value in (state or {}).items():
                _set(db, name, value)
            return adapter_id

    def interrupt_rounds(self) -> int:
        """For the start of the service: rounds that still seem to run were cut off. Returns how many."""
        with self._writing() as db:
            checkpoints.drop_torn(db)
            return lineage.interrupt_rounds(db)

    def rounds(self) -> list[RoundRow]:
        """All training rounds, newest last."""
        with self._reading() as db:
            return lineage.rounds(db)

    def adapters(self) -> list[AdapterRow]:
        """All adapters, newest last."""
        with self._reading() as db:
            return lineage.adapters(db)

    def adapter_blob(self, adapter_id: int) -> bytes:
        """An adapter's weights, checked. Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError."""
        try:
            with self._reading() as db:
                return lineage.blob(db, adapter_id)
        except StoreUnreadableError:  # pages of the file that hold these weights
            raise lineage.damaged(adapter_id) from None

    def active(self) -> int | None:
        """The adapter that serves; None: the base alone."""
        with self._reading() as db:
            return lineage.active(db)

    def activate(self, adapter_id: int | None) -> None:
        """Let another adapter (None: the base) serve.

        Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError.
        """
        with self._writing() as db:
            lineage.activate(db, adapter_id)

    def mark_damaged(self, adapter_id: int) -> None:
        """Never serve an adapter again; if it served, the nearest sound ancestor that has does, else the base.

        Raises UnknownAdapterError.
        """
        with self._writing() as db:
            lineage.mark_damaged(db, adapter_id)

    def seen(self, adapter_id: int) -> frozenset[int]:
        """The ids of the entries that an adapter has seen, those of its ancestors included.

        Raises UnknownAdapterError.
        """
        with self._reading() as db:
            lineage.status(db, adapter_id)
            return lineage.seen(db, adapter_id)

    def forget(
        self, selector: Selector, *, dry_run: bool = False, expect: int | None = None
    ) -> ForgetReceipt:
        """Delete the selected entries and whatever was learned from them, for good.

        Adapters that saw any of them go, and so do those trained from these; the nearest ancestor of the
        active one that has served and saw none does so instead, else the base. Then the file is rewritten, so that no
        page still holds the text; if that is cut off, the next `open` does it. Of a paragraph's hash in a
        file's state the beginning stays, so that the file, as long as it exists, is not read as new text
        again. A receipt without text is kept, and a training round is due if any adapter went.
        With `dry_run` nothing changes and the receipt says what would. Raises OtherCountError, and nothing changes,
        where it would not be the `expect`ed number of entries.
        """
        found, last = self._found(selector)
        with self._writing() as db:
            ids, total = texts.still_selected(db, selector, found, last), texts.total(db)
            if expect is not None and len(ids) != expect:
                raise OtherCountError(
                    f"This would take {len(ids):,} of {total:,} entries now, not {expect:,} as expected. Nothing was "
                    "forgotten: look at what it takes with a dry run, and give the number that it tells."
                )
            tokens = texts.tokens(db, ids)
            dropped, active = lineage.forget(db, ids, dry_run=dry_run)
            fell = tuple(stone.id for stone in dropped)
            backups = tuple(row.path for row in copies.backups(db) if row.holds(ids))
            receipt = ForgetReceipt(len(ids), fell, active, tokens, backups=backups, total=total)
            if ids and not dry_run:
                # A source that is taken back may be read again, if its user wants it.
                texts.forget(db, ids, for_good=selector.origin is None)
                number = receipts.add(db, selector.conditions, receipt, dropped)
                receipt = replace(receipt, id=number)
                if dropped:
                    _set(db, ROUND_DUE, True)
                checkpoints.forget(db)
                _set(db, _SCRUB, True)
        if ids and not dry_run:
            self._scrub_or_say_so()
        return receipt

    def selected(self, selector: Selector) -> frozenset[int]:
        """The ids of the selected entries."""
        found, last = self._found(selector)
        with self._reading() as db:
            return frozenset(texts.still_selected(db, selector, found, last))

    def _found(self, selector: Selector) -> tuple[list[int], int]:
        """The ids of entries that are selected by their text, and the highest id that was looked at.

        Comparing texts takes seconds where there are many; so others read and write between two batches.
        """
        found: list[int] = []
        if not selector.texts:
            return found, 0
        last = self.last_id()
        after: int | None = 0
        while after is not None:
            with self._reading() as db:
                more, after = texts.selected(db, selector, after, last)
            found += more
        return found, last

    def receipts(self) -> list[Forgotten]:
        """What was forgotten, in figures, newest last."""
        with self._reading() as db:
            return receipts.all_of(db)

    def retain(self, keep: int) -> tuple[int, ...]:
        """Drop the weights of all but the `keep` newest superseded adapters and as many refused ones.

        Their rows stay. Returns the ids of the adapters whose weights went.
        """
        with self._writing() as db:
            return lineage.retain(db, keep)

    # Backups

    def backups(self) -> list[BackupRow]:
        """The backups that were made of this store, oldest first, whether or not their files are still there."""
        with self._reading() as db:
            return copies.backups(db)

    def note_backup(self, row: BackupRow) -> None:
        """Remember a backup; one that was noted at the same path before is replaced."""
        with self._writing() as db:
            copies.note(db, row)

    def drop_backup(self, path: str) -> None:
        """Do not speak of the backup at `path` any more."""
        with self._writing() as db:
            copies.drop(db, path)

    def begin_backup(self, work: Unfinished, at: datetime) -> None:
        """Note a backup that is about to be written: from now on its target may hold anything."""
        with self._writing() as db:
            copies.begin(db, work, at)

    def end_backup(self, work: Unfinished, row: BackupRow | None = None) -> None:
        """Note that a backup is whole and in its place, and what it holds; without `row` that is not known."""
        with self._writing() as db:
            copies.end(db, work, row)

    def give_up_backup(self, work: Unfinished) -> None:
        """Take back what was noted of a backup that came to nothing, and note again what it was to replace."""
        with self._writing() as db:
            copies.give_up(db, work)

    def unfinished_backups(self) -> list[Unfinished]:
        """The backups that were begun and of which it is not known that they ended."""
        with self._reading() as db:
            return copies.unfinished(db)

    def copy_to(self, target: Path, key: str, noted: str | None = None) -> dict[str, int]:
        """Write all that is in the store now into the empty file `target`, encrypted with `key`.

        `key` and `noted` are as in `copies`. Returns how many rows each table has. Raises CopyFailedError.
        """
        with self._reading() as db:
            return copies.write(db, target, key, noted)

    def expire(self, before: datetime | None, most_bytes: int | None) -> int:
        """Let go of text taken `before` a time, and of the oldest beyond `most_bytes`; of how many entries.

        It goes as in `forget`, but adapters that have seen it stay, and so does the entry without its text.
        """
        before_us = None if before is None else microseconds(before)
        with self._writing() as db:
            count = texts.expire(db, before_us, most_bytes)
            if count:
                checkpoints.drop_all(db)
                _set(db, _SCRUB, True)
        if count:
            self._scrub_or_say_so()
        return count

    # Damage

    def reading(self) -> Reading:
        """A reading through of all of it, to be begun. Whatever rewrites the file breaks it off."""
        self._through = Reading(self._path, self._key)
        return self._through

    # Small state and events

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value kept under `name`."""
        rows = self._rows("SELECT value FROM state WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else default

    def set(self, name: str, value: Any) -> None:
        """Keep a JSON value under `name`."""
        with self._writing() as db:
            _set(db, name, value)

    def event(self, kind: str, **detail: float | str) -> None:
        """Note that something happened, with figures and names but never text; the last 10,000 are kept."""
        with self._writing() as db:
            cursor = db.execute(
                "INSERT INTO events (at_us, kind, detail) VALUES (?, ?, ?)",
                (now_us(), kind, json.dumps(detail)),
            )
            db.execute("DELETE FROM events WHERE id <= ?", (cast("int", cursor.lastrowid) - _EVENTS_KEPT,))

    def events(self) -> list[Event]:
        """What was noted, newest last."""
        rows = self._rows("SELECT at_us, kind, detail FROM events ORDER BY id")
        return [Event(moment(at_us), kind, json.loads(detail)) for at_us, kind, detail in rows]

    def audit(self, since: datetime | None = None) -> audit.Audit:
        """What was taken and what happened, from `since` on, and what each adapter has seen; never text."""
        with self._reading() as db:
            return audit.audit(db, microseconds(since) if since else 0, texts.watches(db))

    # The connection

    @contextmanager
    def _using(self, *, writing: bool) -> Iterator[Database]:
        with self._lock:
            if self._broken:
                self._db.close()
                self._db = connect(self._path, self._key, self._busy_timeout_s, new=False)
                self._broken = False
            try:
                with translated(self._path, writing=writing):
                    yield self._db
            except StoreUnreadableError:
                # After a page that fails its check SQLCipher refuses all writes on this connection.
                self._broken = True
                raise

    def _reading(self) -> AbstractContextManager[Database]:
        return self._using(writing=False)

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with self._using(writing=True) as db, immediate(db):
            yield db

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._reading() as db:
            return db.execute(sql, values).fetchall()

    def _scrub(self) -> None:
        """Rewrite the file without what was deleted, and empty the log that still holds it."""
        if self._through is not None:
            self._through.stop()  # as long as anybody reads, the log cannot be emptied
        with self._using(writing=True) as db:
            db.execute("VACUUM")
            in_use, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if in_use:
                raise busy(self._path)
            with immediate(db):
                db.execute("DELETE FROM state WHERE name = ?", (_SCRUB,))

    def _scrub_or_say_so(self) -> None:
        try:
            self._scrub()
        except (StoreBusyError, StoreFullError, StoreUnreadableError) as error:
            raise type(error)(
                f"The text is forgotten, but the store {self._path} could not be rewritten, so that its "
                "bytes may still be inside the encrypted file. Make room on the disk, close other programs "
                "that use the store and start the service again: it then finishes this."
            ) from None


def _set(db: Database, name: str, value: object) -> None:
    db.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", (name, json.dumps(value)))
