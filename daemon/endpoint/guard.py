"""The guard: which requests are let through, and what every answer tells."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.daemon.endpoint import shapes
from idiolect.daemon.endpoint.answers import refuse
from idiolect.daemon.endpoint.streams import internal
from idiolect.daemon.process import UnauthorizedError
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK_NAMES = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})

log = logging.getLogger("idiolect.http")


class Guard:
    """Lets a request through that names this machine and shows the token; `/healthz` needs no token.

    Each answer but its own refusals tells in a header whether learning is paused, streams and errors too.
    It also answers where a mistake in the program left no answer. (Starlette's own handler for that passes
    the exception on to uvicorn, which then cuts the connection that the client means to keep.)
    """

    def __init__(
        self, app: ASGIApp, *, token: str, any_host: bool, log_path: Path, paused: Callable[[], bool]
    ) -> None:
        """Guard `app`; over a Unix socket, which no web page reaches, `any_host` will do."""
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._any_host = any_host
        self._log_path = log_path
        self._paused = paused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif error := self._wrong(scope):
            await refuse(error)(scope, receive, send)
        else:

            async def marked(message: Message) -> None:
                if message["type"] == "http.response.start":
                    paused = b"true" if self._paused() else b"false"
                    message = {**message, "headers": [*message["headers"], (b"idiolect-paused", paused)]}
                await send(message)

            try:
                await self._app(scope, receive, marked)
            except Exception:
                log.exception("a request failed")
                await refuse(internal(self._log_path))(scope, receive, marked)

    def _wrong(self, scope: Scope) -> IdiolectError | None:
        headers = dict(scope["headers"])
        if not self._any_host and _host_name(headers.get(b"host", b"")) not in _LOOPBACK_NAMES:
            return shapes.ForbiddenHostError(
                "The request names another host. Address the service as 127.0.0.1 or localhost."
            )
        if scope["path"] == "/healthz":
            return None
        shown = headers.get(b"authorization", b"")
        if hmac.compare_digest(shown, self._expected):
            return None
        what = "The bearer token is wrong" if shown else "The request shows no bearer token"
        return UnauthorizedError(
            f"{what}. Send `Authorization: Bearer` and the token of the file that `idiolect status` names."
        )


def _host_name(value: bytes) -> bytes:
    if value.startswith(b"["):
        return value.partition(b"]")[0] + b"]"
    return value.partition(b":")[0].lower()
