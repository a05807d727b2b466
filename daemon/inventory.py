"""What was read: the sources in the store, and removing one with all that it brought."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from idiolect.daemon.sources.table import document_at
from idiolect.daemon.storage.records import Selector
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.daemon.storage.records import ForgetReceipt, SourceRow
    from idiolect.daemon.storage.store import Store


class UnknownSourceError(IdiolectError):
    """Nothing was ever read from there under this name."""

    code: ClassVar[str] = "unknown-source"
    exit_code: ClassVar[int] = 53
    http_status: ClassVar[int] = 404


class Inventory:
    """The sources that were read."""

    def __init__(
        self,
        store: Store,
        forget: Callable[[Selector, bool], ForgetReceipt],
        unwatch: Callable[[Path], bool],
    ) -> None:
        """`forget` deletes what a selector takes and all that was learned from it; `unwatch` ends following a path."""
        self._store = store
        self._forget = forget
        self._unwatch = unwatch

    def sources(self) -> list[SourceRow]:
        """What was read, by path, with what each brought."""
        return self._store.sources()

    def remove(self, path: Path, *, dry_run: bool = False) -> ForgetReceipt:
        """Forget all that came from a source, and that it was read; follow it no longer.

        Entries that came from it before it was noted where entries come from are not among them. Where a watched
        folder that it is in still follows a file of it, it stays known what was in that file, so that nothing of it
        comes back by itself. With `dry_run` nothing changes. Raises UnknownSourceError.
        """
        path = Path(os.path.realpath(path))
        known = self._store.source(str(path))
        if known is None:
            raise UnknownSourceError(
                f"Nothing was read from {path} by that name. `idiolect sources list` shows what was."
            )
        if dry_run:
            return self._forget(Selector(origin=known[0]), True)
        self._unwatch(path)
        receipt = self._forget(Selector(origin=known[0]), False)
        watched = [Path(root) for root in self._store.watches()]
        self._store.drop_source(str(path), lambda file: _followed(Path(file), watched))
        return receipt


def _followed(file: Path, watched: list[Path]) -> bool:
    """Whether one of the watched paths brings what is written in the file."""
    return file in watched or (
        document_at(file) is not None and any(file.is_relative_to(root) for root in watched)
    )
