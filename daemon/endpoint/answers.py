"""Reading requests and answering them: bodies with a limit, JSON, and errors in one form."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from idiolect.daemon.endpoint import dialects, shapes
from idiolect.daemon.endpoint.queue import BusyError, Client
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.runtime.process import UnauthorizedError
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from idiolect.daemon.endpoint.application import Application

#: How long a body may take to arrive: from a program on the same machine the largest takes a tenth of a second.
BODY_S = 10.0

T = TypeVar("T")


class NoRouteError(IdiolectError):
    """There is no such address, or it does not take this method."""

    code: ClassVar[str] = "no-route"
    exit_code: ClassVar[int] = 66
    http_status: ClassVar[int] = 404


class SlowBodyError(IdiolectError):
    """The request's body did not arrive in time."""

    code: ClassVar[str] = "slow-body"
    exit_code: ClassVar[int] = 98
    http_status: ClassVar[int] = 408


class GoneError(Exception):
    """The client closed its connection; nobody hears of it."""


async def read_body(request: Request, kind: type[shapes.AnyBody]) -> shapes.AnyBody:
    """The request's body, checked. Raises what `read_raw` does, MalformedError and InvalidRequestError."""
    return shapes.parse(await read_raw(request), kind)


def read_query(request: Request, kind: type[shapes.AnyBody]) -> shapes.AnyBody:
    """The request's query, checked. Raises InvalidRequestError."""
    return shapes.parse_query(request.query_params, kind)


async def read_raw(request: Request) -> bytes:
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


def client_of(request: Request) -> Client:
    """Who asks, for taking turns: the program by what it calls itself, and its connection."""
    return Client(request.headers.get("user-agent"), request.client)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises; it is cancelled if the client closes its connection. Raises GoneError.

    The request's body must have been read.
    """
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise GoneError
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer(content: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(shapes.encode(content), status, media_type="application/json")


class _Refusal(Response):
    """An error as an answer, in the form that clients of the address read."""

    def __init__(self, error: IdiolectError, status: int) -> None:
        super().__init__(status_code=status, media_type="application/json")
        self._error = error
        if isinstance(error, UnauthorizedError):
            self.headers["www-authenticate"] = "Bearer"
        elif isinstance(error, BusyError):
            self.headers["retry-after"] = str(error.retry_after_s)
        elif isinstance(error, SlowBodyError):
            self.headers["connection"] = "close"  # the rest of the body is not waited for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.status_code = dialects.status(scope["path"], self.status_code)
        self.body = shapes.encode({"error": dialects.error(scope["path"], self._error, self.status_code)})
        self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def refuse(error: IdiolectError, status: int | None = None) -> Response:
    """An error as an answer; `status` in the place of its own."""
    return _Refusal(error, status or error.http_status)


def handle_errors(app: Application, home: Path) -> None:
    """Have `app` answer with JSON also where a request fails; `home` is the profile's folder."""

    async def refused(_request: Request, error: Exception) -> Response:
        if (known := refusal(error, home)) is None:
            raise error
        return refuse(known)

    async def known(_request: Request, error: Exception) -> Response:
        return refuse(cast("IdiolectError", error))

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=499)  # as other servers note it; it goes nowhere

    async def no_route(request: Request, error: Exception) -> Response:
        unrouted = cast("HTTPException", error)
        message = "There is no such address or method; `GET /openapi.json` lists all."
        refusal = refuse(NoRouteError(message), unrouted.status_code)
        refusal.headers.update(unrouted.headers or {})
        if unrouted.status_code == 405:
            # Starlette names the methods of one route, and an address may have two.
            fitting = [one for one in app.addresses if one.matches(request.scope)[0] is not Match.NONE]
            refusal.headers["allow"] = ", ".join(sorted({address.method for address in fitting}))
        return refusal

    app.add_exception_handler(OSError, refused)
    app.add_exception_handler(IdiolectError, known)
    app.add_exception_handler(GoneError, gone)
    app.add_exception_handler(HTTPException, no_route)
