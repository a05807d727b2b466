"""Import of a file or git repository: only what is new since the last reading is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from idiolect.daemon.ingest.entry_batch import TRACKED_PARAGRAPHS, EntryBatch, identity
from idiolect.daemon.sources.commit_messages import MISSING
from idiolect.daemon.sources.items import BEYOND_LIMIT, Skipped, status
from idiolect.daemon.sources.kinds import Kind
from idiolect.daemon.sources.people import AuthorFilter, not_known
from idiolect.daemon.sources.reader import Reader, SourceAtPath
from idiolect.daemon.storage.paragraphs import KnownParagraph, Ledger, Originals, digest, passed_over
from idiolect.daemon.storage.records import FileState
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.text.normalise import has_words, pieces
from idiolect.daemon.text.redaction.redact import placeholders

_HELD_CHARS: Final = 4 << 20  # new text of a file that waits to be compared with what was removed from it
_EDITS: Final = 200  # entries that are remembered of one paragraph
_COMPARED: Final = 2000  # removed paragraphs that it is compared with


@dataclass(frozen=True)
class FoundSource:
    """A file or source to read: its size, whose text, whether even if unchanged, and what it was given as part of."""

    size_bytes: int
    asked: AuthorFilter
    again: bool
    root: Path
    kind: str


@dataclass(slots=True)
class _Paragraph:
    digest: str
    entries: list[int] = field(default_factory=list)
    off_record: bool = False


def _bounded(entries: list[int]) -> tuple[int, ...]:
    """The entries that hold a paragraph's words: of one that was edited very often, the first and last."""
    unique = tuple(dict.fromkeys(entries))
    return unique if len(unique) <= _EDITS else (*unique[: _EDITS // 4], *unique[-3 * _EDITS // 4 :])


@dataclass(frozen=True, slots=True)
class _New:
    """A paragraph that was not in the file before; the `ordinal`-th of its equals in it."""

    paragraph: _Paragraph
    text: str
    at: datetime | None
    redactions: int
    ordinal: int
    stamp: str = ""

    def redacted_in(self, part: str) -> int:
        """How many of the paragraph's secrets were in this part of it."""
        return min(self.redactions, placeholders(part)) if self.redactions else 0


def saved_at(status: os.stat_result) -> datetime:
    """When a file was saved, as far as its clock can be believed."""
    now = datetime.now(UTC)
    try:
        return min(datetime.fromtimestamp(status.st_mtime, UTC), now)
    except (ValueError, OverflowError, OSError):
        return now


@dataclass(frozen=True, slots=True)
class _Place:
    """Where text is read: the path, what its entries are filed under, and the number of the source."""

    path: Path
    source: str
    origin: int | None


class _FileParagraphs:
    """A file while it is read: what it held before, and what it holds now."""

    def __init__(
        self, status: os.stat_result, known: tuple[str, ...], passes_over: Callable[[str], bool]
    ) -> None:
        """`passes_over` says of a hash whether its paragraph was forgotten, in any file."""
        self.ledger = Ledger(known)
        self._passes_over = passes_over
        self.written_at = saved_at(status)
        self._status = status
        self._paragraphs: list[_Paragraph] | None = []
        self._seen: dict[str, int] = {}

    def see(self, text: str, at: datetime | None, redactions: int = 0, stamp: str = "") -> _New | None:
        """Note a paragraph; it comes back if it was not in the file before.

        `stamp`: its time as the file has it, where another machine or zone would read another time from that.
        """
        stamp = stamp or (at.isoformat() if at else "")
        name = digest(f"{stamp}\n{text}" if stamp else text)
        known = self.ledger.take(name)
        if known is None and self._passes_over(name):
            known = passed_over(name)
        # Of what was forgotten no whole hash may come back into the state.
        paragraph = (
            _Paragraph(known.digest, list(known.entries), known.off_record) if known else _Paragraph(name)
        )
        if self._paragraphs is not None:
            self._paragraphs.append(paragraph)
            if len(self._paragraphs) > TRACKED_PARAGRAPHS:
                self._paragraphs = None
        ordinal = self._seen.get(name, 0)
        if ordinal or len(self._seen) < TRACKED_PARAGRAPHS:
            self._seen[name] = ordinal + 1
        return None if known else _New(paragraph, text, at, redactions, ordinal, stamp)

    def state(self, path: Path) -> FileState:
        """The file as it is now; of a very long one, no paragraphs (its entries' keys have to do)."""
        held = self._paragraphs
        known = (
            ()
            if held is None
            else self.ledger.state(
                KnownParagraph(paragraph.digest, _bounded(paragraph.entries), paragraph.off_record)
                for paragraph in held
            )
        )
        return FileState(str(path), self._status.st_size, self._status.st_mtime_ns, known)


def _keyed(place: _Place, new: _New) -> Iterator[tuple[str, str]]:
    """The pieces of a paragraph, each with its key: the same wherever the paragraph stands."""
    for part, piece in enumerate(pieces(new.text)):
        if new.at is None:
            yield piece, identity(place.source, piece, new.ordinal, part)
        else:
            yield piece, identity(place.source, None, new.stamp, piece)


class FileImport:
    """Brings files and repositories into the store, one after the other."""

    def __init__(self, store: Store, reader: Reader, batch: EntryBatch) -> None:
        """`reader` reads; `batch` gets the entries, and its report what was read and skipped."""
        self._store = store
        self._reader = reader
        self._batch = batch
        self.report = batch.report

    def file(
        self,
        path: Path,
        kind: Kind,
        asked: AuthorFilter,
        *,
        origin: int | None = None,
        off_record: bool = False,
    ) -> Iterator[int]:
        """Take in what is newly written at `path`, a source of this kind; yields how many bytes of it were read.

        It yields after each transaction. Entries remember that they came from the source `origin`. Off the record,
        nothing is stored, and what is there now is never learned later. Raises NoSuchPathError, UnreadableError,
        and the store's errors.
        """
        before = status(path)  # a save that comes while we read is then seen as a change
        state = self._store.file_states.get(str(path)) or self._store.file_states.renamed(before)
        page = _FileParagraphs(before, state.paragraphs if state else (), self._store.file_states.passes_over)
        compares = bool(page.ledger) and kind.is_document and kind.name != "jsonl"
        place = _Place(path, kind.source, origin)
        held: list[_New] = []
        held_chars = known = 0
        spoken = complained = False
        for found in self._reader.pieces(path, kind.name, asked.me):
            if isinstance(found, Skipped):
                self.report.skip(found)
                complained = True
                continue
            if not found.text:
                continue
            spoken = True
            new = page.see(found.text, found.at, found.redactions, found.stamp)
            if new is None:
                known += 1
            elif off_record:
                new.paragraph.off_record = True
            elif compares and held_chars < _HELD_CHARS:
                held.append(new)
                held_chars += len(found.text)
            elif self._whole(place, page, new):
                yield found.offset_bytes
        self._edited(place, page, held)
        self._batch.recall()
        if known:
            self.report.skip_known(known)
        if spoken:
            self.report.files += 1
        elif not complained:
            self.report.skip(Skipped(path, "empty"))
        self._batch.end_file(lambda: page.state(path), origin)
        yield before.st_size

    def repository(
        self, folder: Path, looked: SourceAtPath, asked: AuthorFilter, *, origin: int | None = None
    ) -> Iterator[int]:
        """Take in the user's commit messages of the git folder `folder` that are new since the last time."""
        newest, me = looked.newest, asked.me or looked.me
        state = self._store.file_states.get(str(folder))
        if not me:
            self.report.skip(not_known(folder))
            return
        whose = digest("\n".join(me))
        read = state.paragraphs if state else ()
        if newest is None or read == (newest, whose):
            self.report.skip(Skipped(folder, "unchanged" if newest else "empty"))
            return
        since = read[0] if read[1:] == (whose,) else None
        whole = True
        for found in self._reader.pieces(folder, "git", asked.me if since is None else me, since=since):
            if isinstance(found, Skipped):
                self.report.skip(found)
                whole = whole and found.reason not in (MISSING, BEYOND_LIMIT)
                continue
            at = (found.at or datetime.now(UTC)).astimezone(UTC)
            for piece in pieces(found.text):
                key = identity("git", None, at.isoformat() if found.at else None, piece)
                hidden = min(found.redactions, placeholders(piece))
                if self._batch.put(
                    piece, source="git", at=at, key=key, redactions=hidden, ids=[], origin=origin
                ):
                    yield 0
        self.report.files += 1
        if whole:  # else it is read again, as once git has completed it
            self._batch.end_file(lambda: FileState(str(folder), 0, 0, (newest, whose)), origin)
        yield 0

    def _whole(self, place: _Place, page: _FileParagraphs, new: _New) -> bool:
        """Put a paragraph of which nothing is known; True if that made a transaction."""
        committed = False
        for piece, key in _keyed(place, new):
            committed |= self._batch.put(
                piece,
                source=place.source,
                origin=place.origin,
                at=new.at or page.written_at,
                key=key,
                redactions=new.redacted_in(piece),
                ids=new.paragraph.entries,
            )
        return committed

    def _edited(self, place: _Place, page: _FileParagraphs, held: list[_New]) -> None:
        """Put what is new in paragraphs that may have been edited from some that are gone."""
        removed = page.ledger.removed()
        stored, all_known = self._stored(removed)
        originals = Originals([texts for _, texts in stored])
        for new in held:
            edit = originals.compare(new.text)
            made_from = [stored[place] for place in edit.originals] if edit else []
            if all_known if edit is None else all(len(texts) == len(k.entries) for k, texts in made_from):
                for known, _ in made_from:
                    new.paragraph.entries.extend(known.entries)
                if edit is None:
                    self._whole(place, page, new)
                else:
                    self._runs(place, page, new, tuple(new.text[start:end] for start, end in edit.runs))
            else:
                new.paragraph.off_record = True

    def _runs(self, place: _Place, page: _FileParagraphs, new: _New, runs: tuple[str, ...]) -> None:
        """Put the new words of an edited paragraph."""
        for part, run in enumerate(runs):
            if has_words(run):
                self._batch.put(
                    run,
                    source=place.source,
                    origin=place.origin,
                    at=page.written_at,
                    key=identity(place.source, str(place.path), new.paragraph.digest, run, part),
                    redactions=new.redacted_in(run),
                    ids=new.paragraph.entries,
                )

    def _stored(self, removed: list[KnownParagraph]) -> tuple[list[tuple[KnownParagraph, list[str]]], bool]:
        """Return the removed paragraphs with their stored texts, and whether a paragraph unlike all of them may be new.

        It may not be where one of them was off the record or was forgotten: what looks new may be an
        edit of that one, and so stays off the record too.
        """
        compared = removed[:_COMPARED]
        ids = tuple(id_ for known in compared for id_ in known.entries)
        rows = self._store.entries.select(selector=Selector(ids=ids)) if ids else ()
        texts = {entry.id: entry.text for entry in rows}
        found = []
        all_known = not any(known.off_record for known in removed)
        for known in compared:
            kept = [texts[id_] for id_ in known.entries if id_ in texts]
            all_known = all_known and len(kept) == len(known.entries)
            if kept:
                found.append((known, kept))
        return found, all_known
