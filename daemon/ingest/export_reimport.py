"""Import of the program's own export: entries return as they were kept, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from idiolect.daemon.ingest.entry_batch import EntryBatch
from idiolect.daemon.ingest.reader import Reader
from idiolect.daemon.profile.app_policy import AppPolicy, InputContext
from idiolect.daemon.redaction.redact import placeholders
from idiolect.daemon.sources.items import Kept, Skipped, status
from idiolect.daemon.sources.kinds import Kind
from idiolect.daemon.storage.records import STORE_ID
from idiolect.daemon.storage.store import Store


def left_alone(path: Path) -> Skipped:
    """That a file of an own export is not read where it was not named itself."""
    note = (
        f"{path} is of an export of this program's and was left alone: `idiolect add` with the name of its "
        "entries.jsonl restores the entries"
    )
    return Skipped(path, "of an own export", note)


class Restoring:
    """Restores entries with application, source and time.

    What is there already is passed over, and so is what this store has forgotten since: it knows that from the number
    that the entry had. The user's rules about applications hold, and redaction does.
    """

    def __init__(self, store: Store, reader: Reader, policy: AppPolicy, batch: EntryBatch) -> None:
        """`reader` reads; `batch` gets the entries, and its report what was passed over."""
        self._store = store
        self._reader = reader
        self._policy = policy
        self._batch = batch
        self._number = store.state.get(STORE_ID)

    def file(self, path: Path, kind: Kind, *, origin: int) -> Iterator[int]:
        """Restore the entries at `path`, of the source `origin`.

        It yields how many bytes were read, after each transaction. Raises NoSuchPathError, UnreadableError,
        PausedError, and the store's errors.
        """
        report, size_bytes = self._batch.report, status(path).st_size
        last = self._store.entries.last_id()  # what is restored now has higher numbers
        report.files += 1
        for found in self._reader.pieces(path, kind.name, ()):
            if isinstance(found, Skipped):
                report.skip(found)
                continue
            kept = found.kept
            if kept is None or found.at is None:  # of another kind; the reader gives none
                continue
            if (reason := self._policy.learning(InputContext(kept.app))) is not None:
                report.skip(Skipped(path, reason))
                continue
            text = found.text
            if not text:
                report.skip(Skipped(path, "only secrets" if found.redactions else "empty"))
            elif self._is_forgotten(kept, last):
                report.skip(Skipped(path, "forgotten since the export"))
            elif self._batch.put(
                text,
                source=kept.source,
                app=kept.app,
                at=found.at,
                key=kept.key,
                redactions=placeholders(text),
                ids=[],
                origin=origin,
            ):
                yield found.offset_bytes
        self._batch.flush()
        yield size_bytes

    def _is_forgotten(self, kept: Kept, last: int) -> bool:
        """Whether the entry was in this store and is no more."""
        return (
            kept.store is not None
            and kept.store == self._number
            and kept.id <= last
            and not self._store.entries.has(kept.key)
        )
