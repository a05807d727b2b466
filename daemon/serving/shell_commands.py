"""Shell commands, kept apart from prose: suggested only where a shell asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.preferences import WordPreferences
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.steps import Steps
from idiolect.daemon.storage.store import Store


class ShellCommands:
    """Suggestions from the commands in the store alone, by the base model without an adapter.

    They are made at the first request: who never asks pays nothing.
    """

    def __init__(self, store: Store, serving: LoadedModel, preferences: WordPreferences) -> None:
        """Nothing is read before `suggest`."""
        self._store = store
        self._serving = serving
        self._preferences = preferences
        self._predictor: Predictor | None = None
        self._known: UserModel | None = None
        self._newest = 0
        self._times_forgotten = 0

    def suggest(
        self, prefix: str, suffix: str, candidates: int, ghost_words: int, given_up: Callable[[], bool]
    ) -> Steps[Suggestion]:
        """What goes on from `prefix` at a prompt; as `Predictor.suggest`, and nothing is remembered of it."""
        predictor = yield from self._up_to_date()
        return predictor.suggest(prefix, suffix, candidates, ghost_words, given_up=given_up, remember=False)

    def forget(self) -> None:
        """Know nothing, until asked again."""
        self._predictor = self._known = None
        self._times_forgotten += 1

    def forget_typed(self) -> None:
        """Forget what was asked about, but not the commands."""
        if self._predictor is not None:
            self._predictor.forget_texts()

    def _up_to_date(self) -> Steps[Predictor]:
        while self._predictor is None or self._known is None:
            yield from self._build()
        newest = self._store.entries.last_id()
        if newest != self._newest:
            for entry, raw in self._held(after=self._newest):
                ids = np.frombuffer(raw, "<u4").tolist()
                self._known.learn(self._serving.tokenizer.decode(ids), ids)
                newest = max(newest, entry)
        self._newest = newest
        return self._predictor

    def _build(self) -> Steps[None]:
        """Know all commands, unless some are forgotten meanwhile, or another question was quicker."""
        times, newest = self._times_forgotten, self._store.entries.last_id()
        held = [(entry, np.frombuffer(ids, "<u4")) for entry, ids in self._held(after=0)]
        known = yield from self._serving.build_user_model_in_steps(
            [ids for _, ids in held], self._preferences
        )
        if self._times_forgotten == times and self._predictor is None:
            self._known = known
            self._predictor = self._serving.build_predictor(known, None, is_prose=False)
            self._newest = max([newest, *(entry for entry, _ in held)])  # one may have come meanwhile

    def _held(self, after: int) -> Iterator[tuple[int, bytes]]:
        return self._store.entries.token_ids(commands=True, after=after)
