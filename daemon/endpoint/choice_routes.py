"""Routes for what the user decides: rules for words, the switches, and the trial of typing speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_args

import pydantic
from anyio.to_thread import run_sync
from typing_extensions import TypedDict

from idiolect.adapters.prediction.ghost_value import Show
from idiolect.daemon.endpoint.routing import Application
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.profile.word_rules import WordChange
from idiolect.daemon.service import Service
from idiolect.daemon.serving.mending_question import MendingQuestion
from idiolect.daemon.serving.speed_trial import NoTrialError, TrialRunningError, TrialStatus
from idiolect.daemon.serving.switches import Corrections, Switches
from idiolect.daemon.settings import Language
from idiolect.daemon.storage.records import NothingToUndoError, WordRule, WordRuleKind
from idiolect.daemon.storage.words import UnknownWordError, WordRefusedError


class WordRuleList(TypedDict):
    """What was decided about words and phrases, oldest first."""

    rules: list[WordRule]


class WordBody(Body):
    """What to decide about a word or phrase; `replacement` belongs to `always_correct` alone."""

    text: Name
    kind: WordRuleKind
    replacement: Name | None = None


class WordRemovalBody(Body):
    """Of which word or phrase to take back what was decided, in all or of one kind."""

    text: Name
    kind: WordRuleKind | None = None


@dataclass(frozen=True)
class SwitchesFound(Switches):
    """The switches, and the question whether sure slips are mended; null once corrections were switched."""

    mending_question: MendingQuestion | None = None


class SwitchesBody(Body):
    """What to set switches to; null leaves one as it is. With no languages they are found in the user's text."""

    corrections: Corrections | None = None
    show: Show | None = None
    speed: Annotated[int, pydantic.Field(ge=0, le=300)] | None = None
    languages: Annotated[list[Language], pydantic.Field(max_length=len(get_args(Language)))] | None = None

    @pydantic.field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[Language] | None) -> list[Language] | None:
        return languages and list(dict.fromkeys(languages))

    @pydantic.model_validator(mode="after")
    def _something(self) -> SwitchesBody:
        if not self.model_dump(exclude_none=True):
            raise ValueError("give corrections, show, speed or languages")
        return self


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    _register_words(app, service)
    _register_switches(app, service)
    _register_trial(app, service)


def _register_words(app: Application, service: Service) -> None:
    rules = service.words

    @app.get("/v1/words", Scope.ADMIN)
    async def word_rules() -> WordRuleList:
        """What was decided about words and phrases, oldest first."""
        return {"rules": await run_sync(rules.all)}

    @app.post("/v1/words/add", Scope.LEARN, errors=(WordRefusedError,))
    async def decide(asked: WordBody) -> WordChange:
        """Decide about a word or phrase; answers with what changed by that."""
        return await run_sync(rules.add, asked.kind, asked.text, asked.replacement)

    @app.post("/v1/words/remove", Scope.LEARN, errors=(WordRefusedError, UnknownWordError))
    async def take_back(asked: WordRemovalBody) -> WordChange:
        """Take back what was decided about a word or phrase; answers with what changed by that."""
        return await run_sync(rules.remove, asked.text, asked.kind)

    @app.post("/v1/words/undo", Scope.LEARN, errors=(NothingToUndoError,))
    async def undo() -> WordChange:
        """Undo the newest change of words by hand; asked again, the one before."""
        return await run_sync(rules.undo)


def _register_switches(app: Application, service: Service) -> None:
    @app.get("/v1/switches", Scope.ADMIN)
    async def switches() -> SwitchesFound:
        """What the switches stand at, and what its user was not asked yet."""
        model = service.model
        question = await run_sync(model.find_mending_question)
        return SwitchesFound(**vars(model.served.switches), mending_question=question)

    @app.post("/v1/switches", Scope.ADMIN)
    async def set_switches(asked: SwitchesBody) -> Switches:
        """Set switches from the next key on; answers with what all of them stand at."""
        return await run_sync(service.model.set_switches, asked.model_dump(exclude_none=True))


def _register_trial(app: Application, service: Service) -> None:
    trial = service.trial

    @app.get("/v1/trial", Scope.ADMIN)
    async def status() -> TrialStatus:
        """How the trial stands, or what came of the last one."""
        return await run_sync(trial.status)

    @app.post("/v1/trial/start", Scope.ADMIN, errors=(TrialRunningError,))
    async def start() -> TrialStatus:
        """Begin a trial: programs leave out suggestions in one of four stretches of writing."""
        return await run_sync(trial.start)

    @app.post("/v1/trial/stop", Scope.ADMIN, errors=(NoTrialError,))
    async def stop() -> TrialStatus:
        """End the trial; what was counted stays."""
        return await run_sync(trial.stop)
