"""Forgetting: deletes text and everything learned from it, and reports what remains."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.steps import finish
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.privacy.remaining_traces import RemainingTraces, look, still_suggested
from idiolect.daemon.profile import unfinished_backups
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.speed_trial import Trial
from idiolect.daemon.serving.suggestions import without_secrets
from idiolect.daemon.storage.records import COMMANDS, ForgetReceipt, ForgottenMeanwhileError
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
        unfinished_backups.clear(self._store)  # so that no backup is told of that came to nothing
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

    def remains(self, selector: Selector) -> RemainingTraces:
        """What other entries hold that is nearly a text that was forgotten, or would be."""
        return look(self._store, selector, self._model.loaded.lexicon.__contains__)

    def still_suggested(
        self, selector: Selector, left: RemainingTraces
    ) -> Generator[RemainingTraces, None, None]:
        """Ask whether what was forgotten is still suggested, a little at a time; the last piece is all that is left.

        The store is read at once; the steps are the queue's.
        """
        has_commands = COMMANDS in self._store.entries.counts().sources
        return self._ask_for(selector, left, has_commands=has_commands)

    def _ask_for(
        self, selector: Selector, left: RemainingTraces, *, has_commands: bool
    ) -> Generator[RemainingTraces, None, None]:
        def asking() -> Callable[[str], Iterator[Suggestion]]:
            """What suggests as the service does, with caches of its own: those must not hold what it is asked with."""
            predictor = self._model.private_predictor()

            def ask(prefix: str) -> Iterator[Suggestion]:
                yield without_secrets(prefix, predictor.suggest(prefix, remember=False))
                if has_commands:
                    yield finish(self._model.commands.suggest(prefix, "", 3, 8, lambda: False))

            return ask

        try:
            for _ in self._model.commands.prepare() if has_commands else ():
                yield left
            yield from still_suggested(selector, left, self._model.loaded.lexicon.__contains__, asking)
        finally:
            self._model.commands.forget()  # it was asked with the text
