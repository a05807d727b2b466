"""The decorator for routes: it declares a route's address, scope and request in one place.

    @app.post("/v1/use", Scope.ADMIN)
    async def use(asked: UseBody) -> JsonObject:

`asked` is the request's body, or the query of a GET, checked. The function may also take `request`, and each part of
the path by its name. Its return value is answered as JSON, unless it is a response already, such as the `LineStream`
or `EventStream` of an answer that takes long.
"""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as StarletteRoute
from starlette.types import Message

from idiolect.daemon.endpoint import shapes
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.serving.model_queue import Client
from idiolect.models.errors import ExitCode, IdiolectError

#: How long a body may take to arrive: from a program on the same machine the largest takes a tenth of a second.
BODY_S = 10.0

#: An answer whose fields docs/endpoint.md lists.
JsonObject: TypeAlias = dict[str, Any]
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[object]])
T = TypeVar("T")


class SlowBodyError(IdiolectError, code="slow-body", exit_code=ExitCode.NOT_RUNNING, http_status=408):
    """The request's body did not arrive in time."""


class GoneError(Exception):
    """The client closed its connection; nobody hears of it."""


class LineStream(StreamingResponse):
    """Events as newline-delimited JSON, one object a line."""

    media_type = "application/x-ndjson"


class EventStream(StreamingResponse):
    """Server-sent events, as clients of OpenAI and llama.cpp read them."""

    media_type = "text/event-stream"


class Route(StarletteRoute):
    """One method of one address; see the module's head."""

    def __init__(
        self, method: str, path: str, handler: Callable[..., Awaitable[object]], scope: Scope
    ) -> None:
        super().__init__(path, self._respond, name=handler.__name__)
        self.method = method
        self.methods = {method}  # Starlette adds HEAD to GET
        self.handler = handler
        self.scope = scope
        self._takes = handler.__annotations__.keys()

    @cached_property
    def asked(self) -> type[BaseModel] | None:
        """The type of the body or query."""
        return typing.get_type_hints(self.handler).get("asked")

    async def _respond(self, request: Request) -> Response:
        given: dict[str, Any] = dict(request.path_params)
        if "asked" in self._takes and self.asked is not None:
            if self.method == "GET":
                given["asked"] = shapes.parse_query(request.query_params, self.asked)
            else:
                given["asked"] = shapes.parse(await _body(request), self.asked)
        if "request" in self._takes:
            given["request"] = request
        found = await self.handler(**given)
        return found if isinstance(found, Response) else answer(found)


class Application(Starlette):
    """The routes of the service."""

    @property
    def answered(self) -> list[Route]:
        """All routes, in the order in which they are looked through."""
        return [route for route in self.routes if isinstance(route, Route)]

    def needed(self, path: str) -> Scope:
        """The scope that a request for `path` needs; any token will do to hear that there is no such address."""
        if (scope := self._scopes.get(path)) is not None:
            return scope
        fitting = [route for route in self.answered if route.path_regex.match(path)]
        return max((route.scope for route in fitting), default=Scope.SUGGEST)

    @cached_property
    def _scopes(self) -> dict[str, Scope]:
        """The scope that each path needs, whatever the method; as of the first request."""
        paths = {route.path for route in self.answered}
        return {path: max(route.scope for route in self.answered if route.path == path) for path in paths}

    def get(self, path: str, scope: Scope) -> Callable[[Handler], Handler]:
        """Register a function that answers a GET."""
        return self._register("GET", path, scope)

    def post(self, path: str, scope: Scope) -> Callable[[Handler], Handler]:
        """Register a function that answers a POST."""
        return self._register("POST", path, scope)

    def _register(self, method: str, path: str, scope: Scope) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, handler, scope))
            return handler

        return register


def answer(content: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(shapes.encode(content), status, media_type="application/json")


def client_of(request: Request) -> Client:
    """Who asks, for taking turns: the program by what it calls itself, and its connection."""
    return Client(request.headers.get("user-agent"), request.client)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises; it is cancelled if the client closes its connection. Raises GoneError.

    The request's body must have been read.
    """
    task, gone, waits = asyncio.current_task(), asyncio.ensure_future(_gone(request)), True

    def stop(gone: asyncio.Future[None]) -> None:
        if waits and task is not None and not gone.cancelled():
            task.cancel()

    gone.add_done_callback(stop)
    try:
        return await work
    except asyncio.CancelledError:
        if task is None or not gone.done():
            raise
        task.uncancel()
        raise GoneError from None
    finally:
        waits = False
        gone.cancel()


async def _gone(request: Request) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await request.receive()


async def _body(request: Request) -> bytes:
    """The request's body. Raises TooLargeError, SlowBodyError, and GoneError if the client leaves meanwhile."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > shapes.MAX_BODY_BYTES:
        raise shapes.too_large()
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > shapes.MAX_BODY_BYTES:
                    raise shapes.too_large()
    except TimeoutError:
        raise SlowBodyError(
            f"The body did not arrive within {BODY_S:.0f} seconds. Send it at once."
        ) from None
    except ClientDisconnect:
        raise GoneError from None
    return bytes(raw)
