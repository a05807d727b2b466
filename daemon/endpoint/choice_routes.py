"""Routes for what the user decides: rules for words, the switches, quiet, and the trial of typing speed."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, get_args

import pydantic
from anyio.to_thread import run_sync

from idiolect.adapters.prediction.look_value import Show
from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.profile.quiet import BeQuiet
from idiolect.daemon.profile.switches import Corrections, SetSwitches
from idiolect.daemon.profile.words.own_words import count_own_words, find_general
from idiolect.daemon.profile.words.word_rules import (
    AddWord,
    ImportWords,
    RemoveWord,
    UndoWord,
    WordChange,
    WordImport,
)
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service
from idiolect.daemon.serving.speed_trial import TrialStatus
from idiolect.daemon.session.choices import MAX_QUIET_MINUTES, QUIET_MINUTES
from idiolect.daemon.session.key_table import KeyTable, choose_keys, find_uses
from idiolect.daemon.settings import Language
from idiolect.daemon.storage.records import WordRuleKind


class WordBody(Body):
    """What to decide about a word or phrase; `replacement` belongs to `always_correct` alone."""

    text: Name
    kind: WordRuleKind
    replacement: Name | None = None


class WordRemovalBody(Body):
    """Of which word or phrase to take back what was decided, in all or of one kind."""

    text: Name
    kind: WordRuleKind | None = None


class WordListBody(Body):
    """The words and phrases of a list; `dry_run` says what they would change."""

    texts: Annotated[list[Name], pydantic.Field(min_length=1, max_length=10_000)]
    dry_run: bool = False


class KeysBody(Body):
    """The key that does something in the typing session, by its name; a key that is left out is the usual one."""

    grey: Name | None = None
    next: Name | None = None
    word: Name | None = None
    hide: Name | None = None
    ask: Name | None = None
    quiet: Name | None = None

    @pydantic.model_validator(mode="after")
    def _fit(self) -> KeysBody:
        self.chosen()
        return self

    def chosen(self) -> dict[str, str]:
        """Return the keys that are not the usual ones. Raises ValueError with a sentence."""
        return choose_keys(self.model_dump(exclude_none=True))


class SwitchesBody(Body):
    """The switches to set; null leaves a switch as it is. An empty list of languages has them found in the text."""

    corrections: Corrections | None = None
    show: Show | None = None
    speed: Annotated[int, pydantic.Field(ge=0, le=300)] | None = None
    languages: Annotated[list[Language], pydantic.Field(max_length=len(get_args(Language)))] | None = None
    keys: KeysBody | None = None

    @pydantic.field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[Language] | None) -> list[Language] | None:
        return languages and list(dict.fromkeys(languages))

    @pydantic.model_validator(mode="after")
    def _something(self) -> SwitchesBody:
        if not self.model_dump(exclude_none=True):
            raise ValueError("give corrections, show, speed, languages or keys")
        return self


class QuietBody(Body):
    """For how many minutes nothing is shown, a day at most."""

    minutes: Annotated[int, pydantic.Field(ge=1, le=MAX_QUIET_MINUTES)] = QUIET_MINUTES


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    words, decide, trial = service.store.words, service.profile.decide, service.trial

    @app.get("/v1/words", Scope.ADMIN)
    async def word_rules() -> JsonObject:
        return {"rules": await run_sync(words.all)}

    @app.post("/v1/words/add", Scope.LEARN)
    async def add_word_rule(asked: WordBody) -> WordChange:
        return await run_sync(decide, AddWord(asked.kind, asked.text, asked.replacement))

    @app.post("/v1/words/remove", Scope.LEARN)
    async def remove_word_rule(asked: WordRemovalBody) -> WordChange:
        return await run_sync(decide, RemoveWord(asked.text, asked.kind))

    @app.post("/v1/words/import", Scope.ADMIN)
    async def import_words(asked: WordListBody) -> WordImport:
        general = await run_sync(service.model.read_known, partial(find_general, texts=asked.texts))
        words = ImportWords(asked.texts, general)
        if asked.dry_run:
            return await run_sync(partial(words.on, service.store, dry_run=True))
        return await run_sync(decide, words)

    @app.get("/v1/words/export", Scope.ADMIN)
    async def export_words() -> JsonObject:
        own = [rule.text for rule in await run_sync(words.all) if rule.kind == "mine"]
        counts = dict(await run_sync(service.model.read_known, count_own_words))
        counts |= {text: 0 for text in own if text not in counts}
        return {"words": [{"text": text, "count": count} for text, count in counts.items()]}

    @app.post("/v1/words/undo", Scope.LEARN)
    async def undo_word_rule() -> WordChange:
        return await run_sync(decide, UndoWord())

    async def stand() -> JsonObject:
        switches = service.model.served.switches
        question = await run_sync(service.model.find_mending_question)
        keys = {"keys": KeyTable.read(switches.keys).names(), "key_uses": find_uses(switches.keys)}
        return {**asdict(switches), **keys, "mending_question": question}

    @app.get("/v1/switches", Scope.ADMIN)
    async def switches() -> JsonObject:
        return await stand()

    @app.post("/v1/switches", Scope.ADMIN)
    async def set_switches(asked: SwitchesBody) -> JsonObject:
        keys = {} if asked.keys is None else {"keys": asked.keys.chosen()}
        await run_sync(decide, SetSwitches({**asked.model_dump(exclude_none=True), **keys}))
        return await stand()

    @app.post("/v1/quiet", Scope.LEARN)
    async def be_quiet(asked: QuietBody) -> JsonObject:
        await run_sync(decide, BeQuiet(asked.minutes * 60.0))
        return {"quiet": True, "minutes": asked.minutes}

    @app.post("/v1/quiet/end", Scope.LEARN)
    async def end_quiet() -> JsonObject:
        await run_sync(decide, BeQuiet(0))
        return {"quiet": False}

    @app.get("/v1/trial", Scope.ADMIN)
    async def trial_status() -> TrialStatus:
        return await run_sync(trial.status)

    @app.post("/v1/trial/start", Scope.ADMIN)
    async def start_trial() -> TrialStatus:
        return await run_sync(trial.start)

    @app.post("/v1/trial/stop", Scope.ADMIN)
    async def stop_trial() -> TrialStatus:
        return await run_sync(trial.stop)
