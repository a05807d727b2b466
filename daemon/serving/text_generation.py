"""Generated text for other programs: the models by name, and their generators, kept for a while.

A model is `idiolect`, which is what suggestions come from at the moment; `idiolect-base`, the base model that knows
nothing of the user; or `idiolect-adapter-N`, the same as `idiolect` with another adapter. Each writer holds a KV cache
of its own, so that none disturbs what serves suggestions.
"""

from __future__ import annotations

from collections.abc import Generator as GeneratorType
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from idiolect.adapters.generation.generator import GenerationSource, Generator
from idiolect.adapters.generation.requests import End, Piece, Prompt, SamplingParams
from idiolect.adapters.memory.steps import in_one_step
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.lora import Lora
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.storage.records import ForgottenMeanwhileError
from idiolect.daemon.text.redaction.redact import hides
from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.serving.live_model import LiveModel  # which makes a `TextGeneration`

SERVED = "idiolect"
BASE = "idiolect-base"
_ADAPTER = "idiolect-adapter-"
_IDLE = 2  # writers that are kept, with 50 KB a token that they have read
_KEPT_S = 120.0  # without a request


class UnknownModelError(IdiolectError, code="unknown-model", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """A model is asked for by a name that none has."""


@dataclass(frozen=True)
class NamedModel:
    """A model that can be asked for; ``adapter`` is None for the base, ``created_at`` its adapter's, if it has one."""

    name: str
    adapter: int | None
    created_at: datetime | None


@dataclass(frozen=True)
class ChosenModel:
    """A model that was asked for, with what the store holds of it, so that no step of a text reads the store.

    ``lora`` and ``mixture`` are those of an adapter that was asked for by its own name.
    """

    model: NamedModel
    lora: Lora | None
    mixture: list[Any] | None
    times_forgotten: int


@dataclass(frozen=True)
class _Kind:
    """What makes two writers interchangeable."""

    adapter: int | None
    knowing: bool


class TextGeneration:
    """Generates text, of several requests in turn.

    :meth:`models`, :meth:`model` and :meth:`choose` read the store; all else is the model's thread's.

    Args:
        model: what serves, and what texts are written from.
    """

    def __init__(self, model: LiveModel) -> None:
        self._model = model
        self._idle: list[tuple[_Kind, Generator]] = []  # the last used at the end
        self._generation = 0  # raised when writers are let go
        self._times_forgotten = 0
        self._releasing = model.queue.delayed(
            "writers", lambda: in_one_step(self.let_go), Priority.REST, _KEPT_S
        )

    def models(self) -> list[NamedModel]:
        """All that can be asked for."""
        adapters, served = self._model.servable.all(), self._model.adapter_id
        since = None if served is None else adapters.get(served)
        others = [NamedModel(f"{_ADAPTER}{adapter}", adapter, made) for adapter, made in adapters.items()]
        return [NamedModel(SERVED, served, since), NamedModel(BASE, None, None), *others]

    def model(self, name: str) -> NamedModel:
        """The one with this name. Raises UnknownModelError."""
        for model in self.models():
            if model.name == name:
                return model
        raise UnknownModelError("There is no such model. `GET /v1/models` lists those that there are.")

    def choose(self, name: str) -> ChosenModel:
        """Read from the store what :meth:`generate` needs of the model with this name.

        Raises:
            UnknownModelError: no model has this name.
            IdiolectError: an adapter cannot be loaded.
        """
        forgotten = (
            self._times_forgotten
        )  # before the weights are read, which may know what is forgotten next
        model = self.model(name)
        if model.adapter is None or name == SERVED:
            return ChosenModel(model, None, None, forgotten)
        lora = self._model.servable.lora(model.adapter)
        return ChosenModel(model, lora, self._model.stats.mixture(model.adapter), forgotten)

    def generate(
        self, chosen: ChosenModel, prompt: Prompt, wanted: SamplingParams
    ) -> GeneratorType[Piece | End | None, None, None]:
        """What a model writes, in short steps; see `Generator.generate`. Nothing of it is kept.

        Raises:
            ForgottenMeanwhileError: since it was chosen text was forgotten that it may know.
        """
        self._model.learning.learn_postponed()
        name = chosen.model.name
        adapter = self._model.adapter_id if name == SERVED else chosen.model.adapter
        kind, generation = _Kind(adapter, knowing=name != BASE), self._generation
        writer = self._take(kind, chosen)
        try:
            with closing(writer.generate(prompt, wanted)) as pieces:
                for piece in chain(pieces, (None,)):
                    # The pieces may know the text that was forgotten.
                    if self._times_forgotten != chosen.times_forgotten:
                        raise ForgottenMeanwhileError(
                            "Text was forgotten while the answer was made with knowledge of it. Ask again."
                        )
                    yield piece
        finally:
            if self._generation == generation:
                self._idle = [*self._idle, (kind, writer)][-_IDLE:]
            self._releasing.ask()

    def let_go(self) -> None:
        """Keep no writer that there is now, once nobody uses it."""
        self._generation += 1
        self._idle.clear()

    def end_after_forgetting(self) -> None:
        """End all texts that are being written, and keep no writer: they may know text that was forgotten."""
        self._times_forgotten += 1
        self.let_go()

    def _take(self, kind: _Kind, chosen: ChosenModel) -> Generator:
        for place in reversed(range(len(self._idle))):
            if self._idle[place][0] == kind:
                return self._idle.pop(place)[1]
        loaded = self._model.loaded
        return Generator(loaded.model, loaded.tokenizer, self._source(kind, chosen), self._must_hide)

    def _source(self, kind: _Kind, chosen: ChosenModel) -> GenerationSource:
        """The adapter and the knowledge that a writer of this kind writes from."""
        if not kind.knowing:
            return GenerationSource(None, Mixture(), None)
        served = self._model.served
        if kind.adapter == served.predictor.adapter_id:
            return GenerationSource(served.predictor.adapter, served.predictor.mixture, served.user_model)
        tensors = None if chosen.lora is None else chosen.lora.tensors()
        mixture = Mixture() if chosen.mixture is None else Mixture.from_json(chosen.mixture)
        return GenerationSource(tensors, mixture, served.user_model)

    def _must_hide(self, before: str, offered: str) -> bool:
        return hides(before, offered) or self._model.preferences.forbids(before, offered)
