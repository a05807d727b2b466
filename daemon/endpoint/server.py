"""HTTP: the routes, who may use them, and the threads that requests are worked on in.

A request is checked for its host and token, the service works on it in a thread so that none waits for
another's inference, and the answer is JSON, or newline-delimited JSON where it takes long. What the
service does is in `service.py`; how requests and answers look is in `shapes.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI, Query, Request, Response

from idiolect.daemon.endpoint import answers, llamacpp, openai, shapes
from idiolect.daemon.endpoint.answers import answer, client_of, handle_errors, read_body, unless_gone
from idiolect.daemon.endpoint.connection import Connection, Strangers
from idiolect.daemon.endpoint.guard import Guard, Locked
from idiolect.daemon.endpoint.page import add_page
from idiolect.daemon.endpoint.queue import MOST, BusyError, Priority, Turns, Typing
from idiolect.daemon.endpoint.schema import describe
from idiolect.daemon.endpoint.sessions import Sessions
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.endpoint.texts import Texts
from idiolect.daemon.endpoint.tokens import Tokens, files
from idiolect.daemon.storage.records import EvalRequest, Feedback

if TYPE_CHECKING:
    import socket

    from idiolect.adapters.prediction.predictor import Suggestion
    from idiolect.daemon.runtime.process import Running
    from idiolect.daemon.service import Service
    from idiolect.daemon.settings import Settings

#: How long requests under way may take to finish once the service is asked to end.
_GRACE_S = 3
#: Of a tenth of a second, between two looks whether the service may rest.
_IDLE_TICKS = 10
#: Connections that are taken at once, and how many the system holds meanwhile. Whoever opens many at once must not use
#: up the file descriptors before the oldest of them are closed, nor have others wait for a place in the system's queue.
_ACCEPTED, _QUEUED = 4, 2048
#: A client keeps its connection while its user reads, or while it waits for a training round that another asked for.
_KEEP_ALIVE_S = 3600

log = logging.getLogger("idiolect.http")
Handler = Callable[..., Awaitable[Response]]
T = TypeVar("T")


def create_app(
    service: Service, *, running: Running, settings: Settings, sessions: Sessions | None = None
) -> FastAPI:
    """The HTTP application over a service; `running` is what `/v1/status` tells about the process."""
    sessions = sessions or Sessions()
    app = FastAPI(
        title="idiolect",
        summary="Text prediction that learns from one person, on that person's machine.",
        docs_url=None,  # both pages would load their scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    _protect(app, running, settings, sessions, lambda: service.paused)
    add_page(app, sessions, running)
    app.state.streams = streams = Streams(settings.log_path, settings.home)
    handle_errors(app, settings.home)

    post = partial(answers.post, app)

    def about() -> dict[str, Any]:
        where = {"url": running.url, "socket": running.socket, "moved_from": running.moved_from}
        where |= files(settings)
        return {"running": True, "pid": running.pid, "started_at": running.started_at, **where}

    @app.get("/healthz", response_model=None)
    async def healthz() -> Response:
        """Whether the service answers; needs no token."""
        return answer({"status": "ok"})

    app.state.turns = turns = Turns()
    texts = Texts(turns, streams)
    openai.register(app, service, texts)
    llamacpp.register(app, service, texts)
    typing = Typing()
    telling = asyncio.Semaphore(MOST[Priority.TYPING])

    async def tell(take: Callable[..., T], *told: object) -> T:
        """What `take` returns; as many as may wait for suggestions may wait for it. Raises BusyError."""
        if telling.locked():
            raise BusyError
        async with telling:
            return await run_sync(take, *told)

    @post("/v1/suggest", shapes.SuggestBody)
    async def suggest(request: Request) -> Response:
        """Words to insert at the cursor, and a ghost text that continues there."""
        asked = await read_body(request, shapes.SuggestBody)
        if (reason := service.withheld(asked.place)) is not None:
            return answer(shapes.withheld(reason, service.serves, paused=service.paused))
        client = client_of(request)
        outdated = typing.begin(client.program, asked.prefix)
        reading = service.reading(asked.prefix, asked.source)

        def work(abandoned: Callable[[], bool]) -> Suggestion | None:
            def given_up() -> bool:  # a ghost that keeps others waiting comes too late for all of them
                return outdated.is_set() or abandoned() or turns.crowded(client)

            for _piece in reading:
                return None  # whoever waits comes between
            wanted = (asked.prefix, asked.suffix, asked.candidates, asked.ghost_words)
            return service.suggest(*wanted, given_up, asked.place, asked.source)

        try:
            found = await unless_gone(request, turns.run(client, Priority.TYPING, work))
        finally:
            typing.end(outdated)
        return answer(shapes.suggestion(found, paused=service.paused))

    @post("/v1/explain", shapes.ExplainBody)
    async def explain(request: Request) -> Response:
        """Which part suggestions come from: base, adapter or memory. Slower than they are."""
        asked = await read_body(request, shapes.ExplainBody)
        if (reason := service.withheld(asked.place)) is not None:
            return answer(shapes.unexplained(reason, service.serves, paused=service.paused))
        wanted = (asked.prefix, asked.suffix, asked.candidates, asked.ghost_words)
        # Less urgent than what somebody types for: it is told beside a suggestion, not in its place.
        work = turns.run(
            client_of(request), Priority.GENERATING, lambda _given_up: service.explain(*wanted, asked.place)
        )
        found = await unless_gone(request, work)
        return answer(shapes.explained(*found, paused=service.paused))

    @post("/v1/history", shapes.HistoryBody)
    async def history(request: Request) -> Response:
        """Learn something that the user wrote; the fast memory knows it on return."""
        asked = await read_body(request, shapes.HistoryBody)
        result = await tell(service.learn, asked.text, asked.source, asked.place, asked.at)
        return answer(shapes.learned(result, paused=service.paused))

    @post("/v1/feedback", shapes.FeedbackBody)
    async def feedback(request: Request) -> Response:
        """Count what became of a suggestion that was shown; no text is kept."""
        asked = await read_body(request, shapes.FeedbackBody)
        took = (asked.characters, asked.keystrokes, asked.words)
        given = Feedback(asked.kind, asked.outcome, asked.p, asked.show, *took)
        result = await tell(service.feedback, given, asked.place)
        return answer(shapes.noted(result, paused=service.paused))

    @app.get("/v1/report", response_model=None)
    async def report(days: Annotated[int, Query(ge=1, le=shapes.MAX_REPORT_DAYS)] = 30) -> Response:
        """What suggestions have saved lately, and how often the likely ones were accepted."""
        return answer(shapes.report(await run_sync(service.report, days), days))

    @app.get("/v1/status", response_model=None)
    async def status() -> Response:
        """What the service knows, serves and does."""
        return answer({**await run_sync(service.status), **about()})

    @post("/v1/train", shapes.TrainBody)
    async def train(request: Request) -> Response:
        """Begin a training round; answers at once, with the verdict (`wait`) or with events (`stream`)."""
        asked = await read_body(request, shapes.TrainBody)
        events = streams.keep_running(service.train(asked.budget_s, "asked"))
        first = await streams.first(events)
        if asked.stream:
            return streams.answer(first, events)
        if asked.wait:
            return answer(shapes.verdict(await streams.last(first, events)))
        return answer({"started": True}, 202)

    @post("/v1/eval", shapes.EvalBody)
    async def evaluate(request: Request) -> Response:
        """Replay the typing of held-out text; answers with events, and ends when nobody follows them."""
        asked = await read_body(request, shapes.EvalBody)
        path = None if asked.path is None else Path(asked.path)
        events = service.evaluate(EvalRequest(path, asked.chars, asked.seed, asked.train, asked.budget_s))
        return streams.answer(await streams.first(events), events)

    @post("/v1/import", shapes.ImportBody)
    async def import_(request: Request) -> Response:
        """Read files and folders once; answers with events."""
        asked = await read_body(request, shapes.ImportBody)
        events = service.add([Path(path) for path in asked.paths], asked.me)
        return streams.answer(await streams.first(events), events)

    @post("/v1/watch", shapes.WatchBody)
    async def watch(request: Request) -> Response:
        """Read a folder and then follow it (answers with events), or follow it no longer (`remove`).

        What holds very much is refused unless `confirmed`.
        """
        asked = await read_body(request, shapes.WatchBody)
        if asked.remove:
            return answer({"removed": await run_sync(service.unwatch, Path(asked.path))})
        events = await run_sync(partial(service.watch, Path(asked.path), confirmed=asked.confirmed))
        return streams.answer(await streams.first(events), events)

    @app.get("/v1/sources", response_model=None)
    async def sources() -> Response:
        """What was read, and what each source brought."""
        rows = await run_sync(service.inventory.sources)
        return answer({"sources": [asdict(row) for row in rows]})

    @post("/v1/sources/remove", shapes.RemoveBody)
    async def remove_source(request: Request) -> Response:
        """Forget all that a source brought, and that it was read; `dry_run` tells what that would take."""
        asked = await read_body(request, shapes.RemoveBody)
        receipt = await run_sync(
            partial(service.inventory.remove, Path(asked.path), dry_run=asked.dry_run, expect=asked.expect)
        )
        return answer(shapes.receipt(receipt, dry_run=asked.dry_run))

    @app.get("/v1/adapters", response_model=None)
    async def adapters() -> Response:
        """All adapters, oldest first, each with its parent, metrics and why it is or is not served."""
        return answer({"adapters": await run_sync(service.adapters)})

    @post("/v1/use", shapes.UseBody)
    async def use(request: Request) -> Response:
        """Serve this adapter, or the base alone, from the next request on."""
        asked = await read_body(request, shapes.UseBody)
        await run_sync(service.use, asked.adapter)
        return answer({"adapter": asked.adapter})

    @post("/v1/forget", shapes.ForgetBody)
    async def forget(request: Request) -> Response:
        """Forget text and everything learned from it; `dry_run` tells what that would take."""
        asked = await read_body(request, shapes.ForgetBody)
        chosen = asked.selector
        receipt = await run_sync(service.forget, chosen, asked.dry_run, asked.expect)
        left = await run_sync(service.remains, chosen)
        if not asked.dry_run:
            # A step is a suggestion's work: what somebody types for goes before each.
            work = turns.steps(client_of(request), Priority.GENERATING, service.still_suggested(chosen, left))
            try:
                async with contextlib.aclosing(work) as steps:
                    async for left in steps:  # noqa: B007 (the last is the answer)
                        pass
            except BusyError:  # it is forgotten all the same
                left = replace(left, asked_all=False)
        return answer({**shapes.receipt(receipt, dry_run=asked.dry_run), **shapes.remains(left)})

    @app.get("/v1/audit", response_model=None)
    async def audit(since: str = "") -> Response:
        """What was taken, when and from where, what was redacted, who has seen it, what happened; never text."""
        return answer(shapes.audit(await run_sync(service.audit, shapes.time(since))))

    @post("/v1/learned", shapes.LearnedBody)
    async def learned(request: Request) -> Response:
        """The words and phrases that set the user's text apart from general English, most characteristic first."""
        asked = await read_body(request, shapes.LearnedBody)
        return answer(shapes.keywords(await run_sync(service.learned, asked.limit, asked.contains)))

    @app.get("/v1/receipts", response_model=None)
    async def receipts() -> Response:
        """What was forgotten so far, in figures, oldest first."""
        return answer({"receipts": await run_sync(service.receipts)})

    @app.get("/v1/examples", response_model=None)
    async def examples(count: Annotated[int, Query(ge=1, le=50)] = 6) -> Response:
        """Completions of held-out text, by the base and by what is served."""
        return answer({"examples": await run_sync(service.examples, count)})

    @post("/v1/export", shapes.ExportBody)
    async def export(request: Request) -> Response:
        """Write an adapter to a file or folder that other programs read."""
        asked = await read_body(request, shapes.ExportBody)
        return answer(
            {"path": str(await run_sync(service.export, asked.kind, Path(asked.path), asked.adapter))}
        )

    @app.get("/v1/apps", response_model=None)
    async def app_rules() -> Response:
        """What is done in which applications; the first rule whose pattern fits decides."""
        return answer(shapes.app_rules(service.app_rules()))

    @post("/v1/apps", shapes.AppsBody)
    async def give_app_rule(request: Request) -> Response:
        """Give a rule for applications, or undo the last change; answers with all rules."""
        asked = await read_body(request, shapes.AppsBody)
        if asked.app is None or asked.rule is None:
            await run_sync(service.undo_app_rule)
        else:
            await run_sync(service.give_app_rule, asked.app, asked.rule)
        return answer(shapes.app_rules(service.app_rules()))

    @post("/v1/pause", shapes.PauseBody)
    async def pause(request: Request) -> Response:
        """Learn nothing for a while, or until resumed."""
        asked = await read_body(request, shapes.PauseBody)
        await run_sync(service.pause, asked.for_s)
        return answer({"paused": True, "for_s": asked.for_s})

    @app.post("/v1/resume", response_model=None)
    async def resume() -> Response:
        """Learn again."""
        await run_sync(service.resume)
        return answer({"paused": False})

    describe(app)
    return app


def create_locked_app(*, running: Running, settings: Settings) -> FastAPI:
    """What answers while the profile is locked: that it is, to whatever is asked with a token."""
    app = FastAPI(title="idiolect", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.add_middleware(Locked)
    sessions = Sessions()
    _protect(app, running, settings, sessions, lambda: False)
    add_page(app, sessions, running)
    app.state.streams = Streams(settings.log_path, settings.home)
    handle_errors(app, settings.home)

    @app.get("/healthz", response_model=None)
    @app.get("/health", response_model=None)
    async def healthz() -> Response:
        return answer({"status": "ok"})

    return app


def _protect(
    app: FastAPI, running: Running, settings: Settings, sessions: Sessions, paused: Callable[[], bool]
) -> None:
    """Have each request checked before anything else sees it."""
    app.state.tokens = tokens = Tokens(settings, replaced=sessions.end)
    app.add_middleware(
        Guard,
        tokens=tokens,
        sessions=sessions,
        port=running.port,
        log_path=settings.log_path,
        paused=paused,
    )


def make_server(
    app: FastAPI, ready: Callable[[], None], idle: Callable[[float], bool] = lambda _seconds: False
) -> uvicorn.Server:
    """What answers requests with `app` until SIGTERM or SIGINT, once `run(sockets=[...])` is called on it.

    `ready` is called as soon as it does. Where `idle`, told for how many seconds nothing was asked for, says so, it
    ends, too.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=partial(Connection, strangers=Strangers()),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        backlog=_ACCEPTED,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config, ready, app.state.streams.stop, idle)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        stopping: Callable[[], None],
        idle: Callable[[float], bool],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping
        self._idle = idle
        self._asked = 0
        self._asked_at = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(_QUEUED)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        state, now = self.server_state, time.monotonic()
        if state.tasks or state.total_requests != self._asked:
            self._asked, self._asked_at = state.total_requests, now
        ended = await super().on_tick(counter)
        return ended or (counter % _IDLE_TICKS == 0 and self._idle(now - self._asked_at))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncio's own report shows tasks and exceptions with what they hold, which may be text.
        log.error("event loop: %s", context["message"], exc_info=context.get("exception"))

    asyncio.get_running_loop().set_exception_handler(report)
    yield
