"""The endpoint over a real socket: a service of the tiny model in this process, and a client that has its token."""

import asyncio
import contextlib
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from waiting import DEADLINE_S

from idiolect.adapters.memory.steps import in_one_step
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.daemon.clients.setup.place import Target
from idiolect.daemon.clients.setup.places import Connections
from idiolect.daemon.endpoint import server
from idiolect.daemon.endpoint.routing import Application
from idiolect.daemon.rounds.round_tuning import USUAL, RoundTuning
from idiolect.daemon.runtime import listen_address, process, tokens
from idiolect.daemon.service import Service
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.settings import Settings


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error that an answer tells, in the one shape of all of them."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "exit_code"}
    return error


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


@dataclass
class Site:
    """A running server, the service behind it, and a client with the token."""

    service: Service
    settings: Settings
    running: process.Running
    http: httpx.Client
    server: uvicorn.Server
    thread: threading.Thread
    app: Application
    left_over: int = 0

    @property
    def token(self) -> str:
        return process.read_token(self.settings)

    def stop(self) -> None:
        """End the server as a signal would, which wakes it at once."""
        self.server.handle_exit(signal.SIGTERM, None)

    def post(self, path: str, body: object = None, **more: Any) -> httpx.Response:
        return self.http.post(path, json=body, **more)

    def client(self, **headers: str) -> httpx.Client:
        """Another client, with a connection of its own."""
        given = {"Authorization": f"Bearer {self.token}", **headers}
        return httpx.Client(
            base_url=self.running.url,
            headers=given,
            timeout=DEADLINE_S,
            transport=_way(self),
            trust_env=False,
        )

    @contextlib.contextmanager
    def occupied(self, priority: Priority = Priority.TYPING) -> Iterator[None]:
        """The model's thread works on something until the block ends."""
        begun, go_on = threading.Event(), threading.Event()

        def work() -> Iterator[None]:
            begun.set()
            assert go_on.wait(DEADLINE_S)
            yield

        while len(self.service.model.queue):  # what a start has left to do
            threading.Event().wait(0.005)
        slow = threading.Thread(target=self.service.model.queue.run, args=(priority, work()))
        slow.start()
        assert begun.wait(DEADLINE_S)
        self.left_over = len(self.service.model.queue) - 1  # begun, and interrupted by this
        try:
            yield
        finally:
            go_on.set()
            slow.join(DEADLINE_S)

    def leave(self, path: str, body: object, begun: threading.Event | None = None) -> None:
        """Ask for something that waits for the model, and go away: once it waits, or once it has `begun`."""
        before = len(self.service.model.queue) - self.left_over
        way = httpx.AsyncHTTPTransport(uds=self.running.socket) if self.running.socket else None

        async def go() -> None:
            headers = {"Authorization": f"Bearer {self.token}"}
            async with httpx.AsyncClient(
                base_url=self.running.url, headers=headers, timeout=None, transport=way, trust_env=False
            ) as http:
                asking = asyncio.create_task(http.post(path, json=body))
                if begun is None:
                    await asyncio.to_thread(self.until_asked, before + 1)
                else:
                    assert await asyncio.to_thread(begun.wait, DEADLINE_S)
                asking.cancel()

        asyncio.run(go())

    def until_asked(self, count: int) -> None:
        """Wait until so much is asked of the model and not yet done, what occupies it counted."""
        while len(self.service.model.queue) - self.left_over < count:
            assert self.thread.is_alive()
            threading.Event().wait(0.005)


def _way(site: Site) -> httpx.HTTPTransport | None:
    return httpx.HTTPTransport(uds=site.running.socket) if site.running.socket else None


@contextlib.contextmanager
def answering(
    service: Service,
    settings: Settings,
    make_app: Callable[[Service, process.Running], Application] | None = None,
) -> Iterator[Site]:
    """A server of its own for a service that runs; `settings` say where it listens and which tokens are good."""
    sock, running = listen_address.listen(settings)
    for scope in tokens.SCOPES:
        tokens.make(settings, scope)
    if make_app is None:
        places = Connections(Target(settings))
        app = server.create_app(service, running=running, settings=settings, places=lambda: places)
    else:
        app = make_app(service, running)
    ready = threading.Event()
    made = server.make_server(app, ready.set)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    assert ready.wait(DEADLINE_S)
    site = Site(service, settings, running, httpx.Client(), made, thread, app)
    with site.client() as site.http:
        yield site
    if thread.is_alive():
        site.stop()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@contextlib.contextmanager
def serving(settings: Settings, tuning: RoundTuning = USUAL) -> Iterator[Site]:
    """Serve a profile, found as that of any service is: by its lock and its run file."""
    with (
        process.locked(settings),
        contextlib.closing(Service(settings, tuning=tuning)) as service,
        answering(service, settings) as site,
        process.announced(settings, site.running),
    ):
        yield site


def suggest(service: Service, prefix: str, **asked: Any) -> Suggestion:
    """What a service suggests, asked by a plain thread."""
    apart = {name: asked.pop(name) for name in ("place", "context", "letter_ms") if name in asked}
    steps = service.suggestions.suggest_in_steps(Question(prefix, **asked), **apart)
    return service.model.queue.run(Priority.TYPING, steps)


def learn_by_heart(service: Service, text: str) -> None:
    """Have the memory learn a text, as if redaction had let it through, in a step of the model's thread."""

    def learn() -> None:
        for _ in range(20):
            service.model.served.user_model.learn(text, service.model.loaded.tokenizer.encode(text))

    service.model.queue.run(Priority.TYPING, in_one_step(learn))
