"""The inventory of sources: what was read, what else there is to read, and removal of a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.sources.kinds import document_at
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.sources.source_discovery import FoundSource
from idiolect.daemon.storage.records import ForgetReceipt, SourceRow
from idiolect.daemon.storage.selectors import Selector
from idiolect.models.errors import ExitCode, IdiolectError


class UnknownSourceError(IdiolectError, code="unknown-source", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """Nothing was ever read from there under this name."""


class SourceInventory:
    """The sources that were read."""

    def __init__(
        self,
        profile: Profile,
        unwatching: Callable[[Path], AbstractContextManager[None]],
        exclude: Sequence[str],
        reader: Reader,
    ) -> None:
        """Sources of a `profile`.

        `unwatching` ends following a path, if it is followed, and follows it again where its block fails. Paths that
        match `exclude` are left out; `reader` looks.
        """
        self._store = profile.store
        self._forget = profile.forget
        self._unwatching = unwatching
        self._exclude = exclude
        self._reader = reader

    def sources(self) -> list[SourceRow]:
        """What was read, by path, with what each brought."""
        return self._store.sources.all()

    def unread(self, home: Path) -> list[FoundSource]:
        """What there is to read below a folder and was not read; looks for some ten seconds at most."""
        read = {Path(source.path) for source in self._store.sources.all()}
        found = self._reader.places(home, self._exclude)
        return [place for place in found if not _is_read(place, read) and _is_text(place.path)]

    def remove(self, path: Path, *, dry_run: bool = False, expect: int | None = None) -> ForgetReceipt:
        """Forget all that came from a source, and that it was read; follow it no longer.

        Entries that came from it before it was noted where entries come from are not among them. Where a watched
        folder that it is in still follows a file of it, it stays known what was in that file, so that nothing of it
        comes back by itself. With `dry_run` nothing changes. Raises UnknownSourceError, OtherCountError where it
        did not bring the `expect`ed number of entries, and what the store raises; then it is followed as before.
        """
        path = Path(os.path.realpath(path))
        known = self._store.sources.get(str(path))
        if known is None:
            raise UnknownSourceError(
                f"Nothing was read from {path} by that name. `idiolect audit` shows what was."
            )
        brought = Selector(origin=known[0])
        would = self._forget(brought, dry_run=True, expect=expect)
        if dry_run:
            return would
        with self._unwatching(path):
            receipt = self._forget(brought, expect=expect)
        watched = [Path(root) for root in self._store.watches.all()]
        self._store.sources.drop(str(path), lambda file: _followed(Path(file), watched))
        if self._store.entries.select_ids(brought):  # an import has gone on until it was dropped
            self._forget(brought)
        return receipt


def _is_text(path: Path) -> bool:
    """Return True unless a path can't be said in an answer, since its bytes are no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_read(place: FoundSource, read: set[Path]) -> bool:
    """Return True if a place was read. With a folder only its notes are, all else where it is given itself."""
    real = Path(os.path.realpath(place.path))
    return any(real == other or (place.sort == "notes" and real.is_relative_to(other)) for other in read)


def _followed(file: Path, watched: list[Path]) -> bool:
    """Whether one of the watched paths brings what is written in the file."""
    return file in watched or (
        document_at(file) is not None and any(file.is_relative_to(root) for root in watched)
    )
