"""Exports that the user asks for: an adapter for other programs, or everything in the profile."""

from __future__ import annotations

from pathlib import Path

from idiolect.adapters.export import export
from idiolect.daemon.profile.export_everything import EVERYTHING, takeout
from idiolect.daemon.profile.unfinished_exports import ExportDrafts
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.servable_adapters import NoAdapterError
from idiolect.daemon.storage.store import Store


class Exports:
    """Writes what was learned to where the user wants it."""

    def __init__(self, store: Store, model: LiveModel) -> None:
        """Remove what an export has left that was cut off."""
        self._store = store
        self._model = model
        self._drafts = ExportDrafts(store)
        self._drafts.clear()

    def write(self, kind: str, path: Path, adapter_id: int | None) -> Path:
        """Write an adapter (None: the active one) for other programs, or everything; see the modules of these.

        Returns where it was written; it is whole there, or not at all. Raises NoAdapterError, ExportError, and what
        the modules raise.
        """
        self._drafts.clear()
        if kind == EVERYTHING:
            with self._drafts.published(path) as made:
                takeout(self._store, made)
                self._store.events.add("export", what=kind)
            return path
        chosen = adapter_id if adapter_id is not None else self._store.adapters.active()
        if chosen is None:
            raise NoAdapterError(
                "The base serves, so there is no active adapter to export. Name another one."
            )
        lora = self._model.servable.lora(chosen)
        with self._drafts.published(path) as made:
            export(kind, lora, self._model.base, made)
            self._store.events.add("export", what=kind, adapter=chosen)
        return path
