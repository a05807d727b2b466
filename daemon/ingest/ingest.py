"""Ingest, the one way into the store: exclude, normalise, redact, de-duplicate, store, teach the memory."""

from __future__ import annotations

import glob
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from idiolect.adapters.prediction.reasons import Reason
from idiolect.daemon.ingest.entry_batch import EntryBatch, identity
from idiolect.daemon.ingest.file_import import FileImport, FoundSource
from idiolect.daemon.profile.app_policy import AppPolicy, InputContext
from idiolect.daemon.profile.events import Decided
from idiolect.daemon.profile.pause import PausedError
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources import kinds
from idiolect.daemon.sources.file_discovery import NOT_FINISHED, Exclusion, IgnoreRules
from idiolect.daemon.sources.items import (
    BinaryFileError,
    FoundFile,
    NothingToReadError,
    ReadReport,
    Skipped,
    UnreadableError,
    status,
)
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.entries import unique_key
from idiolect.daemon.storage.schema import moment
from idiolect.daemon.storage.sync_merge import SharedEntry
from idiolect.daemon.text.cleaning import cleaned
from idiolect.daemon.text.redaction.redact import placeholders
from idiolect.models.regular_files import is_linked

_log = logging.getLogger("idiolect")


#: Longer texts are cleaned in a child process: here they would keep suggestions waiting.
_TYPED_CHARS: Final = 10_000
#: How many texts of another device are cleaned at a time.
_PART: Final = 500


@dataclass(frozen=True)
class AddedText:
    """What became of a text: its entry's id if it was stored, else the reason why not."""

    id: int | None
    stored: bool
    redactions: int
    reason: Reason | None


@dataclass(frozen=True)
class ImportProgress:
    """How far an import has come in all; the last one carries the report."""

    path: Path
    entries: int
    words: int
    bytes_done: int
    bytes_total: int
    report: ReadReport | None = None


class Ingest:
    """Takes in text from all sources. Safe to use from several threads; no two read the same file at once."""

    def __init__(
        self,
        profile: Profile,
        encode: Callable[[str], list[int]],
        settings: Settings,
        reader: Reader | None = None,
    ) -> None:
        """`encode` turns a text into token ids; `reader` reads files, and is made here where it is None."""
        self._profile = profile
        self._store = profile.store
        self.reader = reader or Reader()
        self._encode = encode
        self._excluded_here = (
            *settings.exclude,
            *(
                glob.escape(str(path))
                for path in (settings.base_dir, settings.run_dir, settings.log_path.parent)
            ),
        )
        self._read_exclusions()
        profile.events.subscribe(Decided, self._follow_decision)
        self._ignored = IgnoreRules(lasting=True)
        self.app_policy = AppPolicy(profile, settings)
        self.pause = profile.pause
        self._busy: set[Path] = set()
        self._changed = threading.Condition()

    # Text that a program sends

    def add_text(
        self,
        text: str,
        *,
        source: str,
        app: str | None = None,
        at: datetime | None = None,
        input_purpose: str | None = None,
        private: bool = False,
        before: str = "",
    ) -> AddedText:
        """Take in one text; it can be suggested from when this returns.

        `before` is what stood in front of it in its field. It is read for what it says of secrets in the text, and
        never kept.

        It is not stored for the reasons of `AppPolicy.keeping`, EMPTY, ONLY_SECRETS and DUPLICATE.
        A text without `at` was written now, and is always stored. `at` without a time zone is UTC. Raises
        ReaderEndedError where one that is too long to have been typed takes too long to search for secrets.
        """
        if (reason := self.app_policy.keeping(InputContext(app, input_purpose, private))) is not None:
            return AddedText(None, False, 0, reason)
        clean = cleaned if len(text) <= _TYPED_CHARS else self.reader.clean
        text, redactions = clean(text, before)
        if not text:
            return AddedText(None, False, redactions, Reason.ONLY_SECRETS if redactions else Reason.EMPTY)
        if at is None:
            when = datetime.now(UTC)
            key = unique_key()
        else:
            when = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
            key = identity(source, app, when.isoformat(), text)
        ids: list[int] = []
        batch = self._batch()
        try:
            batch.put(text, source=source, app=app, at=when, key=key, redactions=redactions, ids=ids)
            batch.flush()
        except PausedError:  # it began just now
            return AddedText(None, False, 0, Reason.PAUSED)
        if not ids:
            return AddedText(None, False, redactions, Reason.DUPLICATE)
        return AddedText(ids[0], True, redactions, None)

    # Text that other devices share

    def _read_exclusions(self) -> None:
        """Read nothing, either, that the settings of the devices exclude that share a folder."""
        theirs = [
            one for excluded in self._profile.journal.excluded().values() for one in excluded["exclude"]
        ]
        self._exclude = (*self._excluded_here, *(one for one in theirs if one not in self._excluded_here))
        self._exclusion = Exclusion(self._exclude)

    def _follow_decision(self, event: Decided) -> None:
        if event.is_about("sharing"):
            self._read_exclusions()

    def add_shared(self, entries: Sequence[SharedEntry], owner: str) -> int:
        """Take in entries from the log of the device `owner`, as an import; how many were new.

        Raises PausedError, ReaderEndedError, and the store's errors.
        """
        batch = self._batch()
        for one, (text, _) in zip(entries, self._cleaned([(one.text, "") for one in entries]), strict=True):
            if text and self.app_policy.learning(InputContext(one.app)) is None:
                batch.put(
                    text,
                    source=one.source,
                    app=one.app,
                    at=moment(one.at_us),
                    key=identity("shared", one.mark.hex(), one.at_us),
                    redactions=placeholders(text),
                    ids=[],
                    shared=(one.mark, owner),
                )
        batch.flush()
        return batch.report.entries

    def _cleaned(self, texts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        """Texts as they may be stored; of many, a child process does some while the caller stores those before."""
        if sum(len(text) for text, _ in texts) <= _TYPED_CHARS:
            yield from (cleaned(*text) for text in texts)
            return
        parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
        with ThreadPoolExecutor(2, "cleaning") as ahead:
            for part in ahead.map(self.reader.clean_all, parts):
                yield from part

    def _batch(self, report: ReadReport | None = None) -> EntryBatch:
        return EntryBatch(self._profile, self._encode, report)

    # Files, folders and repositories

    def add_paths(self, paths: Sequence[Path], asked: AuthorFilter | None = None) -> Iterator[ImportProgress]:
        """Import files, folders and other sources (see `kinds.KINDS`), in transactions.

        `asked` says whose text to take where there is more than one person's. If it names nobody, the names given
        earlier for this source hold; if there are none, they are guessed. Everything is found and checked at the
        call; the reading goes with the iteration. Files that have not changed since they were read are counted as
        "unchanged". Raises PausedError, NoSuchPathError, UnreadableError, NothingToReadError, BinaryFileError,
        GitError.
        """
        if self.pause.active:
            raise self.pause.refusal()
        report = ReadReport()
        found: dict[Path, FoundSource] = {}
        for path in paths:
            self._find(path.absolute(), asked or AuthorFilter(), found, report)
        if not found:
            raise kinds.refuse_nothing(report)
        if len(found) == 1:
            self._probe(*found)
        return self._import(found, report)

    def _find(
        self, path: Path, asked: AuthorFilter, found: dict[Path, FoundSource], report: ReadReport
    ) -> None:
        status(path)
        path = real_path(path)
        files: dict[Path, int] = {}
        for one in self.reader.find(path, self._exclude):
            if isinstance(one, Skipped):
                report.skip(one)
            else:
                files[one.path] = one.size_bytes
        kind = self.reader.look(path).kind if path in files else None
        known = self._store.sources.get(str(path))
        again = known is not None and asked.me not in ((), known[1])  # other people's text is asked for now
        whole = AuthorFilter(asked.me or (known[1] if known else ()))
        for file, size in files.items():
            found.setdefault(file, FoundSource(size, whole, again, path, kind or "folder"))

    def _probe(self, path: Path) -> None:
        """Refuse the only file to read if there is nothing in it."""
        kind = kinds.BY_NAME.get(self.reader.look(path).kind or "")
        if path.is_dir() or kind is None or not kind.is_document:
            return
        first = next(iter(tuple(self.reader.pieces(path, kind.name, (), most=1))), None)
        if first is None:
            raise NothingToReadError(
                f"{path} is empty, or holds nothing but code. Give a file with text in it."
            )
        if isinstance(first, Skipped) and first.reason == "binary":
            raise BinaryFileError(f"{path} is not text. Give {kinds.SAID}.")

    def _import(self, found: dict[Path, FoundSource], report: ReadReport) -> Iterator[ImportProgress]:
        batch = self._batch(report)
        imported = FileImport(self._store, self.reader, batch)
        total = sum(one.size_bytes for one in found.values())
        done = 0
        path = next(iter(found))
        given = {one.root: one for one in found.values()}.values()
        origins = {one.root: self._store.sources.add(str(one.root), one.kind, one.asked.me) for one in given}
        try:
            for path, one in found.items():
                with self._alone(path):
                    for read_bytes in self._one(imported, path, one, origins[one.root]):
                        yield ImportProgress(
                            path, report.entries, report.words, done + min(read_bytes, one.size_bytes), total
                        )
                done += one.size_bytes
        except GeneratorExit:  # nobody wants to know more; what was read is kept
            with suppress(PausedError):
                batch.flush()
            raise
        batch.flush()
        if not report.files and not {"unchanged", "already known"} & report.skipped.keys():
            raise kinds.refuse_nothing(report)
        yield ImportProgress(path, report.entries, report.words, total, total, report)

    def _one(self, imported: FileImport, path: Path, one: FoundSource, origin: int) -> Iterator[int]:
        report = imported.report
        if path != one.root and self.excludes(path, one.root):  # since it was found
            report.skip(Skipped(path, "excluded"))
            return
        try:
            looked = self.reader.look(path)
            kind = kinds.BY_NAME.get(looked.kind or "")
            if kind is None:
                report.skip(Skipped(path, "other file type"))
            elif kind is kinds.BY_NAME["git"]:
                yield from imported.repository(path, looked, one.asked, origin=origin)
            elif path.is_file() and not one.again and not self.is_changed(path):
                report.skip(Skipped(path, "unchanged"))
            else:
                yield from imported.file(path, kind, one.asked, origin=origin)
        except (NoSuchPathError, UnreadableError):  # gone, or closed to us, since it was found
            report.skip(Skipped(path, "unreadable", f"{path} cannot be read"))

    def is_changed(self, path: Path) -> bool:
        """Whether the file is new or was saved since it was last read, by its size and time."""
        state = self._store.file_states.get(str(path))
        try:
            now = path.stat()
        except OSError:
            return False
        return state is None or (state.size_bytes, state.mtime_ns) != (now.st_size, now.st_mtime_ns)

    def changed(self, path: Path) -> Iterator[Path]:
        """The files at or below `path` that are new or were saved since they were last read.

        Raises NoSuchPathError, UnreadableError.
        """
        for found in self.reader.find(path, self._exclude):
            if isinstance(found, FoundFile) and self.is_changed(found.path) and not found.path.is_dir():
                yield found.path

    def count(self, path: Path, *, most: int, within_s: float) -> tuple[int, bool]:
        """How many files at or below `path` would be read, and whether these are all.

        The count ends at more than `most`, and after `within_s`. Raises NoSuchPathError, UnreadableError.
        """
        found = list(self.reader.find(path, self._exclude, most=most + 1, within_s=within_s))
        count = sum(isinstance(one, FoundFile) for one in found)
        if count > most:
            return most, False
        return count, all(isinstance(one, FoundFile) or one.reason != NOT_FINISHED for one in found)

    def excludes(self, path: Path, root: Path) -> bool:
        """Whether `path`, which is `root` or below it, is not to be read.

        That is by the settings, by an `.idiolectignore`, or because it is a link or in a folder that is one.
        """
        return (
            is_linked(path, root)
            or self._exclusion.covers(path, root)
            or self._ignored.covers(path, root, folder=path.is_dir())
        )

    def follows(self, path: Path, root: Path) -> bool:
        """Whether a file at `path`, which is the watched `root` or below it, would be read."""
        wanted = kinds.document_at(path) is not None or (path == root and not path.suffix)
        return wanted and not self.excludes(path, root)

    def update_file(
        self,
        path: Path,
        *,
        root: Path | None = None,
        off_record: bool = False,
        storing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> int:
        """A file below the watched `root` was saved, moved or deleted: take in what is newly written.

        Returns how many entries that made. What was saved off the record (or while learning was paused, by
        the file's date) is not learned, then or later. A file that is gone keeps its entries. Text is stored within
        `storing`, which may raise. Raises PausedError where a pause begins meanwhile, ForgottenMeanwhileError where
        the source is removed, and the store's errors.
        """
        root = path.parent if root is None else root
        report = ReadReport()
        batch = EntryBatch(self._profile, self._encode, report, storing)
        imported = FileImport(self._store, self.reader, batch)
        with self._alone(path):
            if not self.follows(path, root):
                return 0
            if not os.path.isfile(path):
                return 0
            try:
                kind = kinds.BY_NAME.get(self.reader.look(path).kind or "")
                known = self._store.sources.get(str(root))
                origin, me = known or (self._store.sources.add(str(root), "folder"), ())
                if kind is not None:
                    off_record = off_record or self.pause.active or self.pause.covers(path.stat().st_mtime)
                    for _ in imported.file(
                        path, kind, AuthorFilter(me), origin=origin, off_record=off_record
                    ):
                        pass
            except (NoSuchPathError, UnreadableError, OSError):
                pass  # it is gone, or closed to us
            batch.flush()
        return report.entries

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """Hold the file at `path` against other threads. (A lock would not do: an import is a generator,
        which may go on in another thread.)
        """
        with self._changed:
            self._changed.wait_for(lambda: path not in self._busy)
            self._busy.add(path)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(path)
                self._changed.notify_all()
