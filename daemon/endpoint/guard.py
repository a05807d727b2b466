"""The guard in front of all routes: it checks host, origin and token, and adds headers to each answer."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idiolect.daemon.endpoint.connection_limits import token_checked
from idiolect.daemon.endpoint.error_answers import internal, refuse
from idiolect.daemon.endpoint.page_sessions import Sessions, cookie_name
from idiolect.daemon.runtime.process import UnauthorizedError
from idiolect.daemon.runtime.tokens import Scope as Rights
from idiolect.daemon.runtime.tokens import Tokens
from idiolect.daemon.serving.model_queue import StoppingError
from idiolect.daemon.vault.store_key import LockedError
from idiolect.models.errors import ExitCode, IdiolectError

_LOOPBACK_NAMES = (b"127.0.0.1", b"localhost", b"[::1]")
_HOST = re.compile(rb"(?:%s)(?::[0-9]{1,5})?" % b"|".join(map(re.escape, _LOOPBACK_NAMES)), re.IGNORECASE)

log = logging.getLogger("idiolect.http")


class ForbiddenHostError(IdiolectError, code="forbidden-host", exit_code=ExitCode.BAD_INPUT, http_status=403):
    """The request names another host: a web page's name that was made to point here."""


class ForbiddenOriginError(
    IdiolectError, code="forbidden-origin", exit_code=ExitCode.BAD_INPUT, http_status=403
):
    """A web page of another origin sent the request."""


class ScopeError(IdiolectError, code="scope-too-small", exit_code=ExitCode.BAD_INPUT, http_status=403):
    """The token is right, but not for this."""


class Guard:
    """Lets a request through that names this machine, comes from no other page, and shows a token for what it asks.

    In the place of a token a page that this service serves may show the cookie of a session. Each answer but its own
    refusals tells in a header whether learning is paused, streams and errors too, but only whoever showed a token. It
    also answers where a mistake in the program left no answer. (Starlette's own handler for that passes the exception
    on to uvicorn, which then cuts the connection that the client means to keep.)
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: Tokens,
        sessions: Sessions,
        needed: Callable[[str], Rights],
        port: int | None,
        log_path: Path,
        paused: Callable[[], bool],
        locked: bool,
    ) -> None:
        """Guard `app`, which needs a scope for each path. Over a Unix socket (no `port`) any host will do.

        No web page reaches a Unix socket. Where the profile is `locked`, that is the answer to whatever needs a token.
        """
        self._app = app
        self._needed = needed
        self._tokens = tokens
        self._sessions = sessions
        self._any_host = port is None
        self._origins = (
            () if port is None else tuple(b"http://%s:%d" % (name, port) for name in _LOOPBACK_NAMES)
        )
        self._cookie = cookie_name(port)
        self._log_path = log_path
        self._paused = paused
        self._locked = locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        error, granted = self._judged(scope)
        known = granted is not Rights.NONE
        if known or isinstance(error, UnauthorizedError):
            token_checked(known)
        if error is not None:
            await refuse(error, scope["path"])(scope, receive, send)
        else:
            started = False

            async def marked(message: Message) -> None:
                nonlocal started
                if message["type"] == "http.response.start":
                    started = True
                    if known:  # a client without a token learns only that the service answers
                        paused = b"true" if self._paused() else b"false"
                        message = {**message, "headers": [*message["headers"], (b"idiolect-paused", paused)]}
                await send(message)

            try:
                await self._app(scope, receive, marked)
            except asyncio.CancelledError:  # the service ends, as when the profile is purged
                if not started:
                    await refuse(StoppingError(), scope["path"])(scope, receive, marked)
                raise
            except Exception:
                log.exception("a request failed")
                if started:  # a second beginning would say nothing: the connection is cut
                    raise
                await refuse(internal(self._log_path), scope["path"])(scope, receive, marked)

    def _judged(self, scope: Scope) -> tuple[IdiolectError | None, Rights]:
        """What is wrong with a request, if anything is, and what it may do by the token or cookie that it shows."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not self._any_host and not _names_this_machine(scope):
            message = "The request names another host. Address the service as 127.0.0.1 or localhost."
            return ForbiddenHostError(message), Rights.NONE
        if any(name == b"origin" and value not in self._origins for name, value in scope["headers"]):
            message = (
                "A web page that this service does not serve sent the request. "
                "Ask from a program, without `Origin`."
            )
            return ForbiddenOriginError(message), Rights.NONE
        self._tokens.refresh()
        shown = headers.get(b"authorization", b"")
        granted = self._tokens.scope_of(_bearer(shown)) if shown else self._in_session(headers)
        wanted = self._needed(scope["path"])
        if granted >= wanted:
            return LockedError() if self._locked and wanted is not Rights.NONE else None, granted
        if granted is not Rights.NONE:
            name = wanted.name.lower()
            message = (
                f"The token is good for less than this, which needs the scope {name}. "
                f"`idiolect status --token {name}` names the file of one."
            )
            return ScopeError(message), granted
        what = "The bearer token is wrong" if shown else "The request shows no bearer token"
        message = (
            f"{what}. Send `Authorization: Bearer` and the token of the file that `idiolect status` names."
        )
        return UnauthorizedError(message), granted

    def _in_session(self, headers: dict[bytes, bytes]) -> Rights:
        """What the session may do whose page asks.

        A cookie goes along with whatever a browser sends to this address, other pages' requests and those of other
        ports included; the browser itself says which page it was.
        """
        if headers.get(b"sec-fetch-site") != b"same-origin":
            return Rights.NONE
        for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self._cookie:
                return Rights.ADMIN if self._sessions.goes_on(value) else Rights.NONE
        return Rights.NONE


def _bearer(shown: bytes) -> bytes:
    scheme, _, token = shown.partition(b" ")
    return token if scheme.lower() == b"bearer" else b""


def _names_this_machine(scope: Scope) -> bool:
    """Whether the one `Host` of a request is a name of this machine, and nothing more than that and a port."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None
