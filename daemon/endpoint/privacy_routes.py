"""Routes for privacy: forgetting, the audit, stored secrets, rules for applications, the pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import pydantic
from anyio.to_thread import run_sync
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from idiolect.daemon.endpoint.routing import Application, LineStream
from idiolect.daemon.endpoint.shapes import Answer, Body, Id, Name, Number, Seconds, Time
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.ingest.stored_secrets import SecretsFound
from idiolect.daemon.profile.app_policy import (
    AppRule,
    AppRuleRow,
    ContextRule,
    NoSuchAppRuleError,
    ProtectedAppError,
)
from idiolect.daemon.service import Service
from idiolect.daemon.storage.audit_report import Audit
from idiolect.daemon.storage.records import Entry, ForgetReceipt, Forgotten, OtherCountError
from idiolect.daemon.storage.selectors import EmptySelectorError, Selector, UnseenCharactersError


class ForgetBody(Body):
    """What to forget; all conditions must hold. `dry_run` only counts; `expect`: if it is that many entries."""

    text: Name | None = None
    phrase: Name | None = None
    phrases: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    ids: Annotated[list[Id], Field(min_length=1, max_length=10_000)] | None = None
    source: Name | None = None
    app: Name | None = None
    since: Time = None
    until: Time = None
    expect: Number | None = None
    dry_run: bool = False

    @property
    def selector(self) -> Selector:
        """The conditions. Raises EmptySelectorError, UnseenCharactersError."""
        return Selector(
            text=self.text,
            ids=None if self.ids is None else tuple(self.ids),
            source=self.source,
            app=self.app,
            since=self.since,
            until=self.until,
            phrase=self.phrase,
            phrases=None if self.phrases is None else tuple(self.phrases),
        )


class ForgetTaken(Answer):
    """What forgetting took, or would take."""

    entries: int
    tokens: int
    adapters_dropped: list[int]
    active: int | None
    dry_run: bool
    receipt: int | None
    backups: list[str]
    round_queued: bool
    total: int
    large: bool
    words: int


class Near(Answer):
    """What is nearly the text that is forgotten, and how many other entries hold it."""

    text: str
    entries: int


class ForgetAnswer(ForgetTaken):
    """What forgetting took, or would take, and what is left."""

    near: list[Near]
    near_complete: bool


class ReceiptList(TypedDict):
    """What was forgotten so far."""

    receipts: list[Forgotten]


def _iso(given: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(given)) if given else None
    except ValueError:
        raise ValueError("a time is ISO 8601, such as 2026-01-31T09:30:00") from None


class AuditQuery(BaseModel):
    """From which time on; without a zone it is this machine's."""

    # Described as a string, since it may be a day alone, which JSON Schema's "date-time" is not.
    since: Annotated[Time, pydantic.BeforeValidator(_iso), pydantic.WithJsonSchema({"type": "string"})] = None


class SecretsBody(Body):
    """From which time on entries were written; null: all."""

    since: Time = None


class AppsBody(Body):
    """A rule for the applications that match a pattern, or to remove the pattern's rules.

    `context`: whether what the user answers there is seen.
    """

    app: Name
    rule: AppRule | None = None
    context: ContextRule | None = None
    remove: bool = False

    @pydantic.model_validator(mode="after")
    def _one_or_the_other(self) -> AppsBody:
        if sum((self.rule is not None, self.context is not None, self.remove)) != 1:
            raise ValueError("give app and one of rule, context and remove")
        return self


class Rules(TypedDict):
    """What is done in which applications."""

    rules: list[AppRuleRow]


class TextsBody(Body):
    """Of which source to read texts, how many, and (`before`) only older ones than the entry of this number."""

    source: Name
    limit: Annotated[int, Field(ge=1, le=1000)] = 20
    before: Id | None = None


class Texts(TypedDict):
    """Texts that are kept, the newest first."""

    texts: list[Entry]


class PauseBody(Body):
    """For how many seconds to learn nothing; null: until resumed."""

    for_s: Seconds | None = None


class Paused(TypedDict):
    """That nothing is learned, and for how many seconds; null is until resumed."""

    paused: Literal[True]
    for_s: float | None


class Resumed(TypedDict):
    """That learning goes on."""

    paused: Literal[False]


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""
    _register_forgetting(app, service)
    _register_audit(app, service, streams)
    _register_rules(app, service)


def forget_receipt(taken: ForgetReceipt, *, dry_run: bool) -> dict[str, Any]:
    """The fields of `ForgetTaken` that the receipt calls otherwise or does not have."""
    queued = bool(taken.adapters_dropped) and not dry_run
    return {"receipt": taken.id, "round_queued": queued, "dry_run": dry_run}


def _register_forgetting(app: Application, service: Service) -> None:
    @app.post("/v1/forget", Scope.ADMIN, errors=(EmptySelectorError, UnseenCharactersError, OtherCountError))
    async def forget(asked: ForgetBody) -> ForgetAnswer:
        """Forget text and everything learned from it; `dry_run` tells what that would take."""
        forget = partial(service.profile.forget, dry_run=asked.dry_run, expect=asked.expect)
        receipt = await run_sync(forget, asked.selector)
        left = await run_sync(service.near_matches, asked.selector)
        return ForgetAnswer.of(
            receipt,
            **forget_receipt(receipt, dry_run=asked.dry_run),
            near=left.near,
            near_complete=left.complete,
        )

    @app.get("/v1/receipts", Scope.ADMIN)
    async def receipts() -> ReceiptList:
        """What was forgotten so far, in figures, oldest first."""
        return {"receipts": await run_sync(service.store.receipts.all)}


def _register_audit(app: Application, service: Service, streams: Streams) -> None:
    @app.get("/v1/audit", Scope.ADMIN)
    async def audit(asked: AuditQuery) -> Audit:
        """What was taken, when and from where, what was redacted, who has seen it, what happened; never text."""
        return await run_sync(service.store.audit, asked.since)

    @app.post("/v1/audit/secrets", Scope.ADMIN)
    async def secrets(asked: SecretsBody) -> LineStream:
        """Read all entries again with today's rules: which hold what looks like a secret; with events, without text."""
        return await streams.answer(streams.pull(_secrets(service.stored_secrets.find(asked.since))))

    @app.post("/v1/audit/texts", Scope.ADMIN)
    async def texts(asked: TextsBody) -> Texts:
        """Read the newest texts of a source, to forget some by their number."""
        read = service.store.entries.newest_texts
        return {"texts": await run_sync(read, asked.source, asked.limit, asked.before)}


def _secrets(steps: Iterable[SecretsFound]) -> Iterator[dict[str, Any]]:
    """How far it has come, and in the end what was found."""
    for step in steps:
        share = step.entries / step.total if step.total else 1.0
        yield {"event": "progress", "phase": "Looking for secrets", "done": share}
    yield {"event": "result", "entries": step.entries, "words": step.words, "found": step.found}


def _register_rules(app: Application, service: Service) -> None:
    policy = service.ingest.app_policy

    @app.get("/v1/apps", Scope.ADMIN)
    async def app_rules() -> Rules:
        """What is done in which applications; the first rule whose pattern fits decides."""
        return {"rules": policy.rules()}

    @app.post("/v1/apps", Scope.ADMIN, errors=(ProtectedAppError, NoSuchAppRuleError))
    async def give_app_rule(asked: AppsBody) -> Rules:
        """Give or remove a rule for applications; answers with all rules."""
        if (rule := asked.rule or asked.context) is not None:
            await run_sync(policy.set_rule, asked.app, rule)
        else:
            await run_sync(policy.remove, asked.app)
        return {"rules": policy.rules()}

    @app.post("/v1/pause", Scope.LEARN)
    async def pause(asked: PauseBody) -> Paused:
        """Learn nothing for a while, or until resumed."""
        await run_sync(service.pause, asked.for_s)
        return {"paused": True, "for_s": asked.for_s}

    @app.post("/v1/resume", Scope.LEARN)
    async def resume() -> Resumed:
        """Learn again."""
        await run_sync(service.resume)
        return {"paused": False}
