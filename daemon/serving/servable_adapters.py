"""Adapters that can be served: undamaged, and made for the present base model."""

from __future__ import annotations

import logging
from datetime import datetime

from idiolect.adapters.training.lora import AdapterFormatError, Lora
from idiolect.daemon.storage.records import AdapterDamagedError
from idiolect.daemon.storage.store import Store
from idiolect.models.build import BasePaths
from idiolect.models.errors import ExitCode, IdiolectError

log = logging.getLogger("idiolect.servable")


class NoAdapterError(IdiolectError, code="no-adapter", exit_code=ExitCode.TRAINING, http_status=409):
    """An adapter is asked for and there is none."""


class ServableAdapters:
    """The store's adapters, each looked at before it is served."""

    def __init__(self, store: Store, base: BasePaths) -> None:
        self._store = store
        self._base = base

    def active(self) -> tuple[int, Lora] | None:
        """The adapter to serve; a damaged one gives way to its nearest sound ancestor that has served, for good."""
        while (active := self._store.adapters.active()) is not None:
            try:
                return active, self.lora(active)
            except AdapterFormatError as error:
                log.error("adapter %d can't be served: %s", active, error)
                return None
            except AdapterDamagedError:
                now = self._store.adapters.active()
                log.error("in its place serves %s", "the base alone" if now is None else f"adapter {now}")
        return None

    def lora(self, adapter_id: int) -> Lora:
        """An adapter's weights. One that is damaged is never served again: a sound ancestor takes over.

        Raises:
            AdapterDamagedError: its weights are not what was stored.
            AdapterFormatError: it was made for another base model.
        """
        try:
            blob = self._store.adapters.weights(adapter_id)
        except AdapterDamagedError as error:
            log.error("adapter %d can't be served: %s", adapter_id, error)
            self._store.adapters.mark_damaged(adapter_id)
            self._store.events.add("adapter damaged", adapter=adapter_id)
            raise
        row = next(row for row in self._store.adapters.all() if row.id == adapter_id)
        if row.metrics.get("base_sha256") != self._base.source_sha256:
            raise AdapterFormatError(
                f"Adapter {adapter_id} was made for another base model, and waits for it. `idiolect base` lists those "
                "that there are; `idiolect base use` goes back to one."
            )
        return Lora.from_bytes(blob, self._base.config)

    def all(self) -> dict[int, datetime]:
        """The adapters that can be served, and when each was made, oldest first."""
        return {
            row.id: row.created_at
            for row in self._store.adapters.all()
            if row.kept
            and row.status != "damaged"
            and row.metrics.get("base_sha256") == self._base.source_sha256
        }

    def damaged(self, serving: int | None) -> list[int]:
        """Adapters whose weights are not what was stored, and that nothing has come after since."""
        return [
            row.id
            for row in self._store.adapters.all()
            if row.status == "damaged" and row.id > (serving or 0)
        ]
