"""Routes for privacy: forgetting, the audit, stored secrets, rules for applications, the pause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import pydantic
from anyio.to_thread import run_sync
from pydantic import BaseModel, Field

from idiolect.daemon.endpoint.routing import Application, JsonObject, LineStream
from idiolect.daemon.endpoint.shapes import MAX_SECONDS, Body, Id, Name, Number, Seconds, Time
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.ingest.stored_secrets import SecretsFound
from idiolect.daemon.profile.app_rules import AppRule, ContextRule, RemoveAppRules, SetAppRule
from idiolect.daemon.profile.near_matches import remaining
from idiolect.daemon.profile.pause import PauseLearning, ResumeLearning
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service
from idiolect.daemon.storage.audit_report import Audit
from idiolect.daemon.storage.records import ForgetReceipt
from idiolect.daemon.storage.selectors import Selector


class ForgetBody(Body):
    """What to forget; all conditions must hold. `dry_run` only counts; `expect`: if it is that many entries."""

    text: Name | None = None
    phrase: Name | None = None
    phrases: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)] | None = None
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10_000)] | None = None
    source: Name | None = None
    app: Name | None = None
    since: Time = None
    until: Time = None
    expect: Number | None = None
    dry_run: bool = False

    @property
    def selector(self) -> Selector:
        """The conditions. Raises EmptySelectorError, UnseenCharactersError."""
        return Selector(**self.model_dump(exclude={"expect", "dry_run"}))


def _iso(given: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(given)) if given else None
    except ValueError:
        raise ValueError("a time is ISO 8601, such as 2026-01-31T09:30:00") from None


class AuditQuery(BaseModel):
    """From which time on; without a zone it is this machine's."""

    since: Annotated[Time, pydantic.BeforeValidator(_iso)] = None


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
        if not self.app.strip():
            raise ValueError("there is nothing in it but white space: give the program's name")
        if sum((self.rule is not None, self.context is not None, self.remove)) != 1:
            raise ValueError("give app and one of rule, context and remove")
        return self


class TextsBody(Body):
    """Of which source to read texts, how many, and (`before`) only older ones than the entry of this number."""

    source: Name
    limit: Annotated[int, Field(ge=1, le=1000)] = 20
    before: Id | None = None


class PauseBody(Body):
    """For how many seconds to learn nothing (null: until resumed), and how many seconds ago that began."""

    for_s: Seconds | None = None
    ago_s: Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)] = 0.0


async def forget_answer(
    service: Service, forget: Callable[[], ForgetReceipt], *, dry_run: bool
) -> JsonObject:
    """Forget, and answer what that took, or with `dry_run` would take."""
    training = service.rounds.progress() is not None
    taken = await run_sync(forget)
    fields = asdict(taken)
    fields["receipt"] = fields.pop("id")
    return {
        **fields,
        "large": taken.large,
        "round_queued": taken.round_queued and not dry_run,
        "round_ended": training and bool(taken.entries) and not dry_run,
        "next_round": await run_sync(service.rounds.outlook),
        "dry_run": dry_run,
    }


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""
    policy, decide = service.ingest.app_policy, service.profile.decide

    @app.post("/v1/forget", Scope.ADMIN)
    async def forget(asked: ForgetBody) -> JsonObject:
        forget = partial(service.profile.forget, asked.selector, dry_run=asked.dry_run, expect=asked.expect)
        answer = await forget_answer(service, forget, dry_run=asked.dry_run)
        left = await run_sync(
            remaining, service.store, asked.selector, service.model.loaded.lexicon.__contains__
        )
        return {**answer, "near": left.near, "near_complete": left.complete}

    @app.get("/v1/receipts", Scope.ADMIN)
    async def receipts() -> JsonObject:
        return {"receipts": await run_sync(service.store.receipts.all)}

    @app.get("/v1/audit", Scope.ADMIN)
    async def audit(asked: AuditQuery) -> Audit:
        return await run_sync(service.store.audit, asked.since)

    @app.post("/v1/audit/secrets", Scope.ADMIN)
    async def secrets(asked: SecretsBody) -> LineStream:
        return await streams.answer(streams.pull(_secrets(service.stored_secrets.find(asked.since))))

    @app.post("/v1/audit/texts", Scope.ADMIN)
    async def texts(asked: TextsBody) -> JsonObject:
        read = service.store.entries.newest_texts
        return {"texts": await run_sync(read, asked.source, asked.limit, asked.before)}

    @app.get("/v1/apps", Scope.ADMIN)
    async def app_rules() -> JsonObject:
        return {"rules": policy.rules()}

    @app.post("/v1/apps", Scope.ADMIN)
    async def set_app_rule(asked: AppsBody) -> JsonObject:
        if (rule := asked.rule or asked.context) is not None:
            await run_sync(decide, SetAppRule(asked.app, rule))
        else:
            await run_sync(decide, RemoveAppRules(asked.app))
        return {"rules": policy.rules()}

    @app.post("/v1/pause", Scope.LEARN)
    async def pause(asked: PauseBody) -> JsonObject:
        await run_sync(decide, PauseLearning(asked.for_s, asked.ago_s))
        return {"paused": True, "for_s": asked.for_s}

    @app.post("/v1/resume", Scope.LEARN)
    async def resume() -> JsonObject:
        await run_sync(decide, ResumeLearning())
        return {"paused": False}


def _secrets(steps: Iterable[SecretsFound]) -> Iterator[dict[str, Any]]:
    """How far it has come, and in the end what was found."""
    for step in steps:
        share = step.entries / step.total if step.total else 1.0
        yield {"event": "progress", "phase": "Looking for secrets", "done": share}
    yield {"event": "result", "entries": step.entries, "words": step.words, "found": step.found}
