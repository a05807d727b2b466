"""The HTTP server: all routes together, behind the guard.

A request is checked for its host and token (`guard.py`), a route asks the service (`*_routes.py`, `openai.py`,
`llamacpp.py`), and the answer is JSON, or newline-delimited JSON where it takes long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from anyio.to_thread import run_sync

from idiolect.daemon.endpoint import (
    adapter_routes,
    base_routes,
    choice_routes,
    llamacpp,
    openai,
    place_routes,
    privacy_routes,
    source_routes,
    sync_routes,
    typing_routes,
)
from idiolect.daemon.endpoint.connection_limits import Connections, LimitedConnection, Watch
from idiolect.daemon.endpoint.error_answers import handle_errors
from idiolect.daemon.endpoint.guard import Guard
from idiolect.daemon.endpoint.page import add_page
from idiolect.daemon.endpoint.page_sessions import Sessions
from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.endpoint.streams import Streams, Texts
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.runtime.tokens import Scope, Tokens, files
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings

#: How long requests under way may take to finish once the service is asked to end.
_GRACE_S = 3
#: How long whoever was just taken has to send a request before the service ends.
_ASKING_S = 0.1
#: Between two looks whether the service may rest or must end, in ticks of uvicorn's, ten a second.
_TICKS, _TICKS_PER_S = 10, 10
#: Connections that are taken at once, and how many the system holds meanwhile. Whoever opens many at once must not use
#: up the file descriptors before the oldest of them are closed, nor have others wait for a place in the system's queue.
_ACCEPTED, _QUEUED = 4, 2048
#: A client keeps its connection while its user reads, or while it waits for a training round that another asked for.
_KEEP_ALIVE_S = 3600

log = logging.getLogger("idiolect.http")


def create_app(
    service: Service,
    *,
    running: Running,
    settings: Settings,
    sessions: Sessions | None = None,
    places: Callable[[], place_routes.Places] | None = None,
) -> Application:
    """The HTTP application over a service.

    `running` is what `/v1/status` says of the process; `places` finds and connects the programs that people type in.
    """
    sessions = sessions or Sessions()
    app = Application(lifespan=_lifespan)
    _protect(app, running, settings, sessions, lambda: service.ingest.pause.active)
    typing_routes.register(app, service)  # first: routes are looked through in their order
    add_page(app, sessions, running)
    app.state.streams = streams = Streams(settings.log_path, settings.home)
    handle_errors(app, settings.home)

    texts = Texts(service.model.generations, service.model.queue, streams)
    _add_health(app)
    _register_status(app, service, running, settings)
    if places is not None:
        place_routes.register(app, places)
    openai.register(app, texts)
    llamacpp.register(app, texts)
    adapter_routes.register(app, service, streams)
    base_routes.register(app, service)
    source_routes.register(app, service, streams)
    privacy_routes.register(app, service, streams)
    choice_routes.register(app, service)
    sync_routes.register(app, service)
    return app


def _register_status(
    app: Application,
    service: Service,
    running: Running,
    settings: Settings,
) -> None:
    where = {"url": running.url, "socket": running.socket, "moved_from": running.moved_from}
    about = {"version": running.version, "started_at": running.started_at}
    process = {"running": True, "pid": running.pid, **about, **where}

    @app.get("/v1/status", Scope.LEARN)
    async def status() -> JsonObject:
        return {**await run_sync(service.status), **process, **files(settings)}


def create_locked_app(*, running: Running, settings: Settings) -> Application:
    """What answers while the profile is locked: that it is, to whatever is asked with a token."""
    app, sessions = Application(lifespan=_lifespan), Sessions()
    _protect(app, running, settings, sessions, lambda: False, locked=True)
    add_page(app, sessions, running)
    app.state.streams = Streams(settings.log_path, settings.home)
    handle_errors(app, settings.home)
    _add_health(app)
    return app


def _add_health(app: Application) -> None:
    @app.get("/healthz", Scope.NONE)
    @app.get("/health", Scope.NONE)
    async def healthz() -> JsonObject:  # `/health` is llama.cpp's name for it
        return {"status": "ok"}


def _protect(
    app: Application,
    running: Running,
    settings: Settings,
    sessions: Sessions,
    paused: Callable[[], bool],
    *,
    locked: bool = False,
) -> None:
    """Have each request checked before anything else sees it."""
    app.state.tokens = tokens = Tokens(settings, replaced=sessions.end)
    app.add_middleware(
        Guard,
        tokens=tokens,
        sessions=sessions,
        needed=app.needed,
        port=running.port,
        log_path=settings.log_path,
        paused=paused,
        locked=locked,
    )


def make_server(
    app: Application, ready: Callable[[], None], idle: Callable[[float], bool] = lambda _seconds: False
) -> uvicorn.Server:
    """What answers requests with `app` until SIGTERM or SIGINT, once `run(sockets=[...])` is called on it.

    `ready` is called as soon as it answers. It ends, too, once `idle` returns True for the number of seconds in which
    there was no request.
    """
    connections = Connections()
    config = uvicorn.Config(
        Watch(app),
        loop="asyncio",
        http=partial(LimitedConnection, connections),  # type: ignore[arg-type] # called as a class would be
        ws="none",
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        backlog=_ACCEPTED,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config, ready, app.state.streams.stop, lambda: idle(connections.idle_s))


class _Server(uvicorn.Server):
    """uvicorn's server by the methods that it has for that; none of its attributes is looked at."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        stopping: Callable[[], None],
        idle: Callable[[], bool],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping
        self._idle = idle
        self._end: Callable[[], object] = lambda: None  # wakes the main loop, once it runs

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(_QUEUED)
        self._ready()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second, which takes six seconds of processor time in an idle hour.
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        ticks = 0
        while not await self.on_tick(ticks) and not self._idle():
            ticks += _TICKS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _TICKS / _TICKS_PER_S)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn closes a connection on which no request was read yet. Who was taken may ask and is answered; who
        # connects from now on waits in the socket's queue for the program that comes after this one.
        for sock in sockets or ():
            asyncio.get_running_loop().remove_reader(sock)
        await asyncio.sleep(_ASKING_S)
        self._stopping()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def _lifespan(_app: Application) -> AsyncIterator[None]:
    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncio's own report shows tasks and exceptions with what they hold, which may be text.
        log.error("event loop: %s", context["message"], exc_info=context.get("exception"))

    asyncio.get_running_loop().set_exception_handler(report)
    yield
