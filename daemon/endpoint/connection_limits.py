"""Limits on connections: how long a client may take, and how many connections may be open without a token.

uvicorn's `limit_concurrency` would not do: it refuses the newest, so any user of the machine could keep clients with a
token out. So a `LimitedConnection` is uvicorn's protocol with a timer and a place among the `Connections`. `Watch`, an
application around the service's own, says when requests begin and end.
"""

from __future__ import annotations

import asyncio
import resource
import time
from contextvars import ContextVar
from typing import Any, Final, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from idiolect.daemon.endpoint.routing import BODY_S

#: How long the head of a request may take to arrive; and how long a client whose token has not been seen may hold a
#: connection, whatever it does with it, counted from the connection's begin.
HEAD_S = 10.0
#: How many connections there may be whose clients have not shown a token.
MAX_WITHOUT_TOKEN: Final = 512
#: How many files and connections the process lets itself have open, where the system allows it.
_DESCRIPTORS: Final = 4096


class Connections:
    """The connections of a server; connections on which no token was shown stand in a list, the oldest first.

    Any user of the machine can open them. When there are too many, the oldest gives way to the newest, so that none of
    them keeps a client with a token out, and none of that client's is ever closed for them.
    """

    def __init__(self, most: int | None = None) -> None:
        """Keep at most `most` connections without a token; by default a quarter of the descriptors."""
        self.most = min(MAX_WITHOUT_TOKEN, _descriptors() // 4) if most is None else most
        self._without_token: dict[LimitedConnection, None] = {}
        self._requests = 0  # under way
        self._asked_at_s = time.monotonic()  # when the last request began or ended

    @property
    def idle_s(self) -> float:
        """For how many seconds nothing has been asked for."""
        return 0.0 if self._requests else time.monotonic() - self._asked_at_s

    def add(self, connection: LimitedConnection) -> None:
        """Add a connection without a token; close the oldest where there are more than `most`."""
        self._without_token[connection] = None
        if len(self._without_token) > self.most:
            oldest = next(iter(self._without_token))
            self.discard(oldest)
            oldest.end()

    def discard(self, connection: LimitedConnection) -> None:
        """It is closed, or its client has shown a token."""
        self._without_token.pop(connection, None)

    def count(self, more: int) -> None:
        """Count a request that begins (1) or ends (-1)."""
        self._requests += more
        self._asked_at_s = time.monotonic()


class LimitedConnection(H11Protocol):
    """A connection that is closed where its client shows no token in time, or sends a request byte by byte."""

    def __init__(self, limits: Connections, **server: Any) -> None:
        """One of the connections that `limits` counts; `server` are the arguments of uvicorn's protocol."""
        super().__init__(**server)
        self._limits = limits
        self._late: asyncio.TimerHandle | None = None
        self._has_token = False
        self._requests = 0  # under way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._await_token()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request; a task that begins by it finds the connection in its context."""
        here = _CONNECTION.set(self)
        try:
            super().data_received(data)
        finally:
            _CONNECTION.reset(here)
        if self._has_token and not self._requests:  # without a token its time runs on
            self._close_after(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio calls it so)
        """The connection is closed."""
        self._cancel_close()
        self._limits.discard(self)
        super().connection_lost(None)  # of an error uvicorn would keep a timer, and all that it refers to

    def end(self) -> None:
        """Close the connection, also where its client does not read what it was sent."""
        self._cancel_close()
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def begin_request(self) -> None:
        """A request's head has come."""
        self._requests += 1
        self._limits.count(1)
        if self._has_token:
            self._cancel_close()

    def end_request(self, *, unread: bool) -> None:
        """It is answered. Where its body was not read to the end, the rest is dropped as it comes, but not for long."""
        self._requests -= 1
        self._limits.count(-1)
        if unread and self._has_token:
            self._close_after(BODY_S)

    def token_checked(self, good: bool) -> None:
        """Note that a request showed a good token, or a token that is not good (any more)."""
        if good and not self._has_token:
            self._has_token = True
            self._limits.discard(self)
            self._cancel_close()
        elif not good and self._has_token:
            self._has_token = False
            self._cancel_close()
            self._await_token()

    def _await_token(self) -> None:
        self._close_after(HEAD_S)
        self._limits.add(self)

    def _close_after(self, within_s: float) -> None:
        """End it unless a request begins in time and, where none was shown yet, a token."""
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(within_s, self.end)

    def _cancel_close(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


_CONNECTION: ContextVar[LimitedConnection | None] = ContextVar("_CONNECTION", default=None)


def token_checked(good: bool) -> None:
    """Tell the connection of this request whether it showed a token that is good; where there is one."""
    if (connection := _CONNECTION.get()) is not None:
        connection.token_checked(good)


class Watch:
    """An application that tells connections of the requests that come over them."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass all requests on to `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, between its beginning and its end."""
        connection = _CONNECTION.get()
        if scope["type"] != "http" or connection is None:
            await self._app(scope, receive, send)
            return
        if scope["client"] is None:  # over a Unix socket; clients take turns by it
            scope["client"] = ("", id(connection))
        unread = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in scope["headers"]
        )

        async def noted() -> Message:
            nonlocal unread
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                unread = False
            return message

        connection.begin_request()
        try:
            await self._app(scope, noted, send)
        finally:
            connection.end_request(unread=unread)


def allow_many() -> None:
    """Let the process have many connections open: it begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _descriptors() -> int:
    """How many files and connections the process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4 * MAX_WITHOUT_TOKEN if soft == resource.RLIM_INFINITY else soft
