"""A connection: who its client is, how long it may take, and how many there are of those that showed no token."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from idiolect.daemon.endpoint.routing import BODY_S

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

#: How long the head of a request may take to arrive, counted from its first byte; and how long a client whose token
#: has not been seen may hold a connection, whatever it does with it, counted from the connection's begin.
HEAD_S = 10.0
#: How many connections there may be whose clients have not shown a token.
MOST_STRANGERS: Final = 512
#: How many files and connections the process lets itself have open, where the system allows it.
_DESCRIPTORS: Final = 4096
#: In the `extensions` of a request: the function to call with whether the request showed a token that is good.
SHOWN: Final = "idiolect.shown"


class Strangers:
    """The connections of one server whose clients have not shown a token, the oldest first.

    Any user of the machine can open them. When there are too many, the oldest gives way to the newest, so that none of
    them keeps a client with a token out, and none of that client's is ever closed for them.
    """

    def __init__(self, most: int | None = None) -> None:
        """Keep at most `most`; by default as many as leave three quarters of the file descriptors to others."""
        self._most = min(MOST_STRANGERS, _descriptors() // 4) if most is None else most
        self._kept: dict[Connection, None] = {}

    def __len__(self) -> int:
        """How many there are now."""
        return len(self._kept)

    def add(self, connection: Connection) -> None:
        """Have one more, and the oldest no more where that is too many."""
        self._kept[connection] = None
        if len(self._kept) > self._most:
            oldest = next(iter(self._kept))
            self.discard(oldest)
            oldest.end()

    def discard(self, connection: Connection) -> None:
        """It is closed, or its client has shown a token."""
        self._kept.pop(connection, None)


def allow_many() -> None:
    """Let the process have many connections open: systems begin with few, 256 on macOS, 1,024 on Linux."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _descriptors() -> int:
    """How many files and connections the process may have open."""
    if sys.platform == "win32":  # there, connections are not counted with files
        return 4 * MOST_STRANGERS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4 * MOST_STRANGERS if soft == resource.RLIM_INFINITY else soft


class Connection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, over which nobody without a token stays, and nobody sends a request byte by byte.

    The guard says which requests showed a token, through a function among the request's `extensions`.
    """

    _late: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, strangers: Strangers, **named: Any) -> None:
        """As uvicorn makes it; `strangers` are those of its server."""
        super().__init__(*given, **named)
        self._strangers = strangers
        self._strange = True
        self.app = self._introduced(self.app)

    def _introduced(self, app: ASGIApp) -> ASGIApp:
        async def with_a_way_to_tell(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), SHOWN: self._shown}
            await app(scope, receive, send)

        return with_a_way_to_tell

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in its base class
        """A client has connected."""
        super().connection_made(transport)
        if self.client is None:  # over a Unix socket; clients take turns by it
            self.client = ("", id(self))
        self._meet()

    def data_received(self, data: bytes) -> None:
        """Something came: the head of a request, or a part of it, or of its body."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """A request is answered; what is left of its body is read and dropped, but not for long."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._in_time()
        self._strangers.discard(self)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # after an error uvicorn leaves it, and all that it refers to

    def end(self) -> None:
        """Close the connection, also where its client does not read what it was sent."""
        self._in_time()
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _shown(self, good: bool) -> None:
        """A request showed a token, or one that is no good (any more)."""
        if good and self._strange:
            self._strange = False
            self._strangers.discard(self)
            self._in_time()
        elif not good and not self._strange and not self.transport.is_closing():
            self._strange = True
            self._in_time()
            self._meet()

    def _meet(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self.end)
        self._strangers.add(self)

    def _look(self) -> None:
        """Give the client only so much time where a part of a request is still to come."""
        if self._strange or self.transport.is_closing():  # a stranger's time runs on
            return
        in_head = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        unread = self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE
        if not in_head and not unread:
            self._in_time()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_S if in_head else BODY_S, self.end)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
