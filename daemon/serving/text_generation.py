"""Texts that other programs have generated: the models by name, and their writers, which are kept for a while.

A model is `idiolect`, which is what suggestions come from at the moment; `idiolect-base`, the base model that knows
nothing of the user; or `idiolect-adapter-N`, the same as `idiolect` with another adapter. Each writer holds a KV cache
of its own, so that none disturbs what serves suggestions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from idiolect.daemon.redaction.redact import hides
from idiolect.daemon.runtime.debounce import Debounced
from idiolect.daemon.storage.records import ForgottenMeanwhileError
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.adapters.generation.generator import Generator
    from idiolect.adapters.generation.requests import End, Piece, Prompt, SamplingParams
    from idiolect.daemon.serving.live_model import LiveModel

SERVED = "idiolect"
BASE = "idiolect-base"
_ADAPTER = "idiolect-adapter-"
_IDLE = 2  # writers that are kept, with 50 KB a token that they have read
_KEPT_S = 120.0  # without a request


class UnknownModelError(IdiolectError):
    """A model is asked for by a name that none has."""

    code: ClassVar[str] = "unknown-model"
    exit_code: ClassVar[int] = 91
    http_status: ClassVar[int] = 404


@dataclass(frozen=True)
class NamedModel:
    """A model that can be asked for; ``adapter`` is None for the base, ``created_at`` its adapter's, if it has one."""

    name: str
    adapter: int | None
    created_at: datetime | None


@dataclass(frozen=True)
class _Kind:
    """What makes two writers interchangeable."""

    adapter: int | None
    knowing: bool


class TextGeneration:
    """Generates text, of several requests in turn. Safe to use from several threads.

    Args:
        model: what serves, and what texts are written from.
    """

    def __init__(self, model: LiveModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._idle: list[tuple[_Kind, Generator]] = []  # the last used at the end
        self._era = 0  # raised when text is forgotten
        self._generation = 0  # raised when writers are let go
        self._resting = Debounced("writers", self.let_go, quiet_s=_KEPT_S)

    def close(self) -> None:
        """Keep no writer any more."""
        self._resting.stop()
        self.let_go()

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

    def generate(self, name: str, prompt: Prompt, wanted: SamplingParams) -> Iterator[Piece | End | None]:
        """What the model with this name writes, in short steps; see `Generator.write`. Nothing of it is kept.

        Raises:
            UnknownModelError: no model has this name.
            ForgottenMeanwhileError: meanwhile text was forgotten that it may know.
            IdiolectError: an adapter cannot be loaded.
        """
        kind = _Kind(self.model(name).adapter, knowing=name != BASE)
        era, generation = self._era, self._generation
        writer = self._take(kind)
        try:
            for part in writer.generate(prompt, wanted):
                if self._era != era:
                    raise ForgottenMeanwhileError(
                        "Text was forgotten while this was written with knowledge of it. Ask again."
                    )
                yield part
        finally:
            self._give_back(kind, writer, generation)

    def forget(self) -> None:
        """Let nothing more come from what was known until now."""
        with self._lock:
            self._era += 1
        self.let_go()

    def _take(self, kind: _Kind) -> Generator:
        # Here, since it loads the inference library.
        from idiolect.adapters.generation.generator import Generator

        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == kind:
                    return self._idle.pop(place)[1]
        voice = self._model.voice(kind.adapter, kind.knowing)
        return Generator(self._model.loaded.model, self._model.loaded.tokenizer, voice, self._must_hide)

    def _must_hide(self, before: str, offered: str) -> bool:
        return hides(before, offered) or self._model.preferences.forbids(before, offered)

    def _give_back(self, kind: _Kind, writer: Generator, generation: int) -> None:
        with self._lock:
            if self._generation == generation:
                self._idle = [*self._idle, (kind, writer)][-_IDLE:]
        self._resting.ask()

    def let_go(self) -> None:
        """Keep no writer that there is now, once nobody uses it."""
        with self._lock:
            self._generation += 1
            self._idle.clear()
