"""Forgetting: deletes text and everything learned from it, and reports what remains."""

from __future__ import annotations

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.privacy.near_matches import NearMatches, remaining
from idiolect.daemon.profile.backup_target import clear_drafts
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.speed_trial import Trial
from idiolect.daemon.storage.records import ForgetReceipt, ForgottenMeanwhileError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store


class Forgetting:
    """Forgets text in the store and in everything that was made from it."""

    def __init__(
        self, store: Store, model: LiveModel, ingest: Ingest, children: ChildProcesses, trial: Trial
    ) -> None:
        self._store = store
        self._model = model
        self._ingest = ingest
        self._children = children
        self._trial = trial

    def forget(
        self, selector: Selector, dry_run: bool, expect: int | None = None, *, everywhere: bool = True
    ) -> ForgetReceipt:
        """Delete entries and everything learned from them, or say what that would take.

        Devices that share the text are told so, unless `everywhere` is false: then one of them has said it.

        Raises OtherCountError, with nothing changed, where it would not be the ``expect``ed number of entries.
        """
        clear_drafts(self._store)  # what a killed backup has left may hold the text
        would = self._store.forget(selector, dry_run=True, expect=expect)
        if dry_run:
            return would
        if would.entries:
            self._children.cancel("text was forgotten while it ran", ForgottenMeanwhileError)
        try:
            receipt = self._store.forget(selector, expect=expect, everywhere=everywhere)
        finally:  # also where the text is deleted but the file could not be rewritten
            self._model.rebuild()
            self._ingest.refresh()  # it remembers hashes of what files held
        if receipt.entries and receipt.entries == receipt.total:
            self._trial.forget()
        self._store.events.add("forget", entries=receipt.entries, adapters=len(receipt.adapters_dropped))
        return receipt

    def remains(self, selector: Selector) -> NearMatches:
        """What other entries hold that is nearly a text that was forgotten, or would be."""
        return remaining(self._store, selector, self._model.loaded.lexicon.__contains__)
