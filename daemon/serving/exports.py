"""Exports that the user asks for: an adapter for other programs, or everything in the profile.

What is exported is not encrypted. So the path of each draft is noted in the store before there is a byte of it, and the
note goes once the export has its name, or the draft is gone: what a killed one leaves is removed at the next start.
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

from idiolect.adapters.training.export import ExportError, export
from idiolect.daemon.profile.export_everything import EVERYTHING, takeout
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.servable_adapters import NoAdapterError
from idiolect.daemon.storage.store import Store
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

_UNFINISHED: Final = "unfinished_exports"  # state: the paths of drafts
_NAME: Final = re.compile(r"\..+-[0-9a-f]{8}\.part", re.DOTALL)

log = logging.getLogger("idiolect")


class Exports:
    """Writes what was learned to where the user wants it. Only the service does. Safe in several threads."""

    def __init__(self, store: Store, model: LiveModel) -> None:
        """Remove the drafts of a service that was killed. A draft that cannot be removed waits for the next start."""
        self._store = store
        self._model = model
        self._lock = threading.Lock()
        for known in self._known():
            draft = Path(known)
            if not draft.parent.is_dir():  # on a disk that is away
                continue
            try:
                _remove(draft)
                self._keep([one for one in self._known() if one != known])
            except (IdiolectError, OSError) as error:
                log.warning("an unfinished export could not be removed: %s", type(error).__name__)
            else:
                log.info("an export that was cut off was removed")

    def write(self, kind: str, path: Path, adapter_id: int | None) -> Path:
        """Write an adapter (None: the active one) for other programs, or everything; see the modules of these.

        Returns where it was written; it is whole there, or not at all. Raises NoAdapterError, ExportError, and what
        the modules raise.
        """
        if kind == EVERYTHING:
            with self.published(path) as made:
                takeout(self._store, made)
                self._store.events.add("export", what=kind)
            return path
        chosen = adapter_id if adapter_id is not None else self._store.adapters.active()
        if chosen is None:
            raise NoAdapterError(
                "The base serves, so there is no active adapter to export. Name another one."
            )
        lora = self._model.servable.lora(chosen)
        with self.published(path) as made:
            export(kind, lora, self._model.base, made)
            self._store.events.add("export", what=kind, adapter=chosen)
        return path

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

    @contextlib.contextmanager
    def _noted(self, draft: str) -> Iterator[None]:
        with self._lock:
            self._keep([*self._known(), draft])
        try:
            yield
        finally:
            if not os.path.lexists(draft):
                with self._lock, contextlib.suppress(IdiolectError):  # else the next start does it
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
