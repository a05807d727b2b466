"""A connection to the service for programs that run long: kept open, and made anew when it breaks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any, Final

import httpx

from idiolect.daemon.endpoint import tokens
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.runtime import peer_check, process, service_unit
from idiolect.daemon.runtime.log import open_log
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

_ANSWER_S = 10.0  # far longer than anyone waits for a suggestion
_AGAIN_S = 2.0  # between two looks for a service that was not there
#: Libraries that log messages.
_TALKERS: Final = ("asyncio", "concurrent", "httpcore", "httpx", "jeepney", "pygls")
#: It was too slow, the profile is locked, too many ask.
_NOT_NOW = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.LOCKED, httpx.codes.TOO_MANY_REQUESTS)


def open_client_log(settings: Settings) -> None:
    """Log to the profile's file, but nothing that libraries say of messages, which hold text."""
    open_log(settings.log_path)
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class ServiceLink:
    """Asks the service of one profile, wherever it listens now; never raises for what keeps it from answering.

    For one event loop. A request whose task is cancelled is dropped, and the service is told so by the end of its
    connection.
    """

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Ask with the token of a scope. Nothing is looked for yet."""
        self._settings = settings
        self._scope = scope
        self._http: httpx.AsyncClient | None = None
        self._finding = asyncio.Lock()
        self._looked_s = float("-inf")

    async def start(self) -> str | None:
        """Start the service if it does not run; why it cannot, in a sentence for its user."""
        try:
            await asyncio.to_thread(service_unit.start, self._settings)
        except IdiolectError as error:
            return str(error)
        return None

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The service's answer; None where there is none, or where it refuses."""
        answer = await self.answer(method, path, body)
        return answer.json() if answer is not None and answer.is_success else None

    async def send(self, path: str, body: dict[str, Any]) -> bool:
        """Send something to be kept; whether it has been dealt with, be it refused. Else it is to be sent once more."""
        answer = await self.answer("POST", path, body)
        return answer is not None and not answer.is_server_error and answer.status_code not in _NOT_NOW

    async def answer(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response | None:
        """The service's answer, a refusal too; None where there is none."""
        for _ in range(2):  # the second time at the address of a service that was started anew
            http = self._http or await self._find()
            if http is None:
                return None
            try:
                answer = await http.request(
                    method, path, content=json.dumps(body) if body is not None else None
                )
            except httpx.TimeoutException:
                return None
            except httpx.TransportError:
                await self._lose(http)
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                await self._lose(http)
                continue
            return answer
        return None

    async def close(self) -> None:
        """Close the connection; asking again opens another."""
        if self._http is not None:
            await self._lose(self._http)

    async def _find(self) -> httpx.AsyncClient | None:
        async with self._finding:
            now_s = asyncio.get_running_loop().time()
            if self._http is None and now_s - self._looked_s >= _AGAIN_S:
                self._http = await asyncio.to_thread(self._connected)
                self._looked_s = now_s if self._http is None else float("-inf")
            return self._http

    def _connected(self) -> httpx.AsyncClient | None:
        running = process.find(self._settings)
        token = tokens.read(tokens.path_of(self._settings, self._scope)).decode()
        if running is None or not token:
            return None
        return httpx.AsyncClient(
            base_url=running.url,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                # One of its own: a newer request of one client takes the place of its older ones.
                "User-Agent": f"idiolect-editor/{os.getpid()}",
            },
            timeout=_ANSWER_S,
            transport=httpx.AsyncHTTPTransport(uds=running.socket) if running.socket else None,
            event_hooks={"request": [peer_check.only_to_async(self._settings, running)]},
            trust_env=False,  # no proxy may stand between two programs of one machine, or see the token
        )

    async def _lose(self, http: httpx.AsyncClient) -> None:
        if self._http is http:
            self._http = None
        await http.aclose()
