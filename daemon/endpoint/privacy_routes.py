"""The addresses by which the user decides what is known: forgetting, the audit, applications' rules, the pause."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from idiolect.daemon.endpoint import replies, shapes
from idiolect.daemon.endpoint.answers import answer, client_of, read_body, read_query
from idiolect.daemon.endpoint.queue import BusyError, Priority, Turns

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.endpoint.streams import Streams
    from idiolect.daemon.service import Service


def register(app: Application, service: Service, turns: Turns, streams: Streams) -> None:
    """Have `app` answer them."""
    _register_forgetting(app, service, turns)
    _register_audit(app, service, streams)
    _register_rules(app, service)


def _register_forgetting(app: Application, service: Service, turns: Turns) -> None:
    @app.post("/v1/forget", shapes.ForgetBody)
    async def forget(request: Request) -> Response:
        """Forget text and everything learned from it; `dry_run` tells what that would take."""
        asked = await read_body(request, shapes.ForgetBody)
        chosen, forgetting = asked.selector, service.forgetting
        receipt = await run_sync(forgetting.forget, chosen, asked.dry_run, asked.expect)
        left = await run_sync(forgetting.remains, chosen)
        if not asked.dry_run:
            # A step is a suggestion's work: what somebody types for goes before each.
            pieces = forgetting.still_suggested(chosen, left)
            work = turns.steps(client_of(request), Priority.GENERATING, pieces)
            try:
                async with contextlib.aclosing(work) as steps:
                    async for known in steps:  # the last is the answer
                        left = known
            except BusyError:  # it is forgotten all the same
                left = replace(left, asked_all=False)
        return answer(replies.forgotten(receipt, left, dry_run=asked.dry_run))

    @app.get("/v1/receipts")
    async def receipts(_request: Request) -> Response:
        """What was forgotten so far, in figures, oldest first."""
        return answer({"receipts": await run_sync(service.store.receipts.all)})


def _register_audit(app: Application, service: Service, streams: Streams) -> None:
    @app.get("/v1/audit", query=shapes.AuditQuery)
    async def audit(request: Request) -> Response:
        """What was taken, when and from where, what was redacted, who has seen it, what happened; never text."""
        since = read_query(request, shapes.AuditQuery).since
        return answer(await run_sync(service.store.audit, shapes.time(since)))

    @app.post("/v1/audit/secrets", shapes.SecretsBody)
    async def secrets(request: Request) -> Response:
        """Read all entries again with today's rules: which hold what looks like a secret; with events, without text."""
        asked = await read_body(request, shapes.SecretsBody)
        events = replies.secrets(service.stored_secrets.find(asked.since))
        return streams.answer(await streams.first(events), events)


def _register_rules(app: Application, service: Service) -> None:
    policy = service.ingest.app_policy

    @app.get("/v1/apps")
    async def app_rules(_request: Request) -> Response:
        """What is done in which applications; the first rule whose pattern fits decides."""
        return answer({"rules": policy.rules()})

    @app.post("/v1/apps", shapes.AppsBody)
    async def give_app_rule(request: Request) -> Response:
        """Give a rule for applications, or undo the last change; answers with all rules."""
        asked = await read_body(request, shapes.AppsBody)
        if asked.app is None or asked.rule is None:
            await run_sync(policy.undo)
        else:
            await run_sync(policy.give, asked.app, asked.rule)
        return answer({"rules": policy.rules()})

    @app.post("/v1/pause", shapes.PauseBody)
    async def pause(request: Request) -> Response:
        """Learn nothing for a while, or until resumed."""
        asked = await read_body(request, shapes.PauseBody)
        await run_sync(service.pause, asked.for_s)
        return answer({"paused": True, "for_s": asked.for_s})

    @app.post("/v1/resume")
    async def resume(_request: Request) -> Response:
        """Learn again."""
        await run_sync(service.resume)
        return answer({"paused": False})
