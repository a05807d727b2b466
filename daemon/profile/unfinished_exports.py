"""Clean-up of unfinished exports: the store notes each draft's path, so that a killed one is removed.

What is exported is not encrypted. So the draft's path is noted before there is a byte of it, and the note goes once the
export has its name, or the draft is gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from idiolect.adapters.export import ExportError
from idiolect.daemon.storage.store import Store
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

_UNFINISHED: Final = "unfinished_exports"  # state: the paths of drafts
_NAME: Final = re.compile(r"\..+-[0-9a-f]{8}\.part", re.DOTALL)

log = logging.getLogger("idiolect")


class ExportDrafts:
    """The drafts of a profile's exports. One process writes them at a time: the service. Safe in several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._written: set[str] = set()

    @contextlib.contextmanager
    def published(self, path: Path) -> Iterator[Path]:
        """A path to write what is to be at `path`: it gets that name after the block, whole or not at all.

        Raises ExportError: there is something at `path`, or it cannot be written; and the store's errors.
        """
        draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
        try:
            _require_free(path)
            with self._noted(str(draft)):
                try:
                    draft.mkdir(mode=0o700)
                    made = draft / path.name
                    yield made
                    _sync(made)
                    _require_free(path)  # it may have been made meanwhile
                    _publish(made, path)
                finally:
                    _remove(draft)
        except OSError as error:
            raise ExportError(
                f"{path} can't be written ({error.strerror}). Give a path in a folder that exists and is yours."
            ) from error

    def clear(self) -> None:
        """Remove the drafts that nobody writes. What cannot be removed now waits for the next time."""
        with self._lock:
            for known in self._known():
                draft = Path(known)
                # On a disk that is away it is looked for later.
                if known in self._written or not draft.parent.is_dir():
                    continue
                try:
                    _remove(draft)
                    self._keep([one for one in self._known() if one != known])
                except (IdiolectError, OSError) as error:
                    log.warning("an unfinished export could not be removed: %s", type(error).__name__)
                else:
                    log.info("an export that was cut off was removed")

    @contextlib.contextmanager
    def _noted(self, draft: str) -> Iterator[None]:
        with self._lock:
            self._keep([*self._known(), draft])
            self._written.add(draft)
        try:
            yield
        finally:
            with self._lock:
                self._written.discard(draft)
                if not os.path.lexists(draft):
                    with contextlib.suppress(IdiolectError):  # else the next one does it
                        self._keep([one for one in self._known() if one != draft])

    def _known(self) -> list[str]:
        return list(self._store.state.get(_UNFINISHED, []))

    def _keep(self, drafts: list[str]) -> None:
        if drafts:
            self._store.state.set(_UNFINISHED, drafts)
        else:
            self._store.state.drop(_UNFINISHED)


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise ExportError(f"{path} exists already. Give a path that does not.")


def _sync(made: Path) -> None:
    """Force all of a file or folder to the disk. Raises OSError."""
    for path in (made, *made.rglob("*")):
        if path.is_dir():
            durable.sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _publish(made: Path, path: Path) -> None:
    made.rename(path)
    try:
        durable.sync_folder(path.parent)
    except OSError:
        path.rename(made)  # it may not be there after a power cut, so it is not said to be
        raise


def _remove(draft: Path) -> None:
    """Remove a draft, which has a name that was drawn at random. Raises OSError."""
    if _NAME.fullmatch(draft.name):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(draft)
            durable.sync_folder(draft.parent)
