"""HTTP from a program that runs long to the service of one profile, with a token of the profile's.

A client library for any server takes more than a millisecond of the processor for each request, a third of what a key
costs. This speaks to one server, which says how long each answer is. Whoever listens is checked as in :mod:`link`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from idiolect.daemon.runtime import process, service_unit, tokens
from idiolect.daemon.runtime.log import open_log
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

_ANSWER_S: Final = 10.0  # far longer than anyone waits for a suggestion
_RECONNECT_S = 2.0  # between two attempts to find the service
#: Libraries whose log records quote messages.
_LOGGING_TEXT: Final = ("asyncio", "concurrent", "httpcore", "httpx", "jeepney", "pygls")
#: A request with such an answer is worth a retry.
_NOT_NOW: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, HTTPStatus.TOO_MANY_REQUESTS)
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
_ENDS: Final = re.compile(rb"\r\nconnection: *close\r\n", re.I)


class Answer(NamedTuple):
    """An answer of the service: the status of HTTP, and what came."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the service did what was asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> Any:
        """Return what came. Raises ValueError."""
        return json.loads(self.content)


class _Connection:
    """A connection to a service that was found with a token; one request at a time goes over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.is_open = True  # a further request may go over it

    async def ask(self, request: bytes) -> Answer:
        """Send a request. Raises OSError and EOFError: the service has gone."""
        self._writer.write(request)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or length is None:
            raise ConnectionError
        content = await self._reader.readexactly(int(length[1]))
        self.is_open = _ENDS.search(head) is None
        return Answer(int(status[1]), content)

    @property
    def is_kept(self) -> bool:
        """Whether the service has not closed it meanwhile."""
        return self.is_open and not self._reader.at_eof()

    def close(self) -> None:
        """Close it; the service drops a request that is under way."""
        self._writer.close()

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class _Service(NamedTuple):
    """A service that was found, the head of each request to it, and the connections that wait for one."""

    running: process.Running
    head: str
    waiting: list[_Connection]

    async def connection(self, settings: Settings) -> _Connection:
        """Return a connection that waits, or a new one. Raises OSError: the service has gone.

        Another program may listen in its place.
        """
        while self.waiting:
            kept = self.waiting.pop()
            if kept.is_kept:
                return kept
            kept.close()
        at = urlsplit(self.running.url)
        if self.running.socket:
            opened = await asyncio.open_unix_connection(self.running.socket)
        else:
            opened = await asyncio.open_connection(at.hostname, at.port)
        connection = _Connection(*opened)
        if not await asyncio.to_thread(process.lives, settings, self.running):
            connection.close()
            raise ConnectionError
        return connection


class ServiceLink:
    """Asks the service of one profile, wherever it listens now; raises nothing if it does not answer.

    For one event loop. If the task of a request is cancelled, its connection ends, and the service drops the request.
    """

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Ask with the token of a scope; the first request connects."""
        self._settings = settings
        self._scope = scope
        self._service: _Service | None = None
        self._finding = asyncio.Lock()
        self._failed_s = float("-inf")

    async def start(self) -> str | None:
        """Start the service if it does not run. Return a sentence for the user if it cannot start."""
        try:
            await asyncio.to_thread(service_unit.start, self._settings)
        except IdiolectError as error:
            return str(error)
        return None

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Return the service's answer; None if it does not answer, or refuses."""
        answer = await self.request(method, path, body)
        return answer.json() if answer is not None and answer.is_success else None

    async def send(self, path: str, body: dict[str, Any]) -> bool:
        """Send a body to keep. Return whether the service took or refused it; else it is worth a retry."""
        answer = await self.request("POST", path, body)
        return (
            answer is not None
            and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
            and answer.status not in _NOT_NOW
        )

    async def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer | None:
        """Return the service's answer, also a refusal; None if it does not answer."""
        content = b"" if body is None else json.dumps(body).encode()
        for _ in range(2):  # the service may have been started anew, at another address
            service = self._service or await self._find()
            if service is None:
                return None
            head = f"{method} {path} HTTP/1.1\r\n{service.head}Content-Length: {len(content)}\r\n\r\n"
            try:
                async with asyncio.timeout(_ANSWER_S):
                    answer = await self._ask(service, head.encode() + content)
            except TimeoutError:
                return None
            except (OSError, EOFError, asyncio.LimitOverrunError):
                self._drop(service)
                continue
            if answer.status == HTTPStatus.UNAUTHORIZED:
                self._drop(service)
                continue
            return answer
        return None

    async def _ask(self, service: _Service, request: bytes) -> Answer:
        connection = await service.connection(self._settings)
        try:
            answer = await connection.ask(request)
        except BaseException:  # cut off, too: the rest of an answer may still come
            connection.close()
            raise
        if connection.is_open and service is self._service:
            service.waiting.append(connection)
        else:
            connection.close()
        return answer

    async def close(self) -> None:
        """Close the connections; the next request opens another."""
        if (service := self._service) is not None:
            self._drop(service)
            await asyncio.gather(*(one.wait_closed() for one in service.waiting))

    async def _find(self) -> _Service | None:
        async with self._finding:
            now_s = asyncio.get_running_loop().time()
            if self._service is None and now_s - self._failed_s >= _RECONNECT_S:
                self._service = await asyncio.to_thread(self._look)
                self._failed_s = now_s if self._service is None else float("-inf")
            return self._service

    def _look(self) -> _Service | None:
        running = process.find(self._settings)
        token = tokens.read(tokens.path_of(self._settings, self._scope)).decode()
        if running is None or not token:
            return None
        fields = {
            "Host": urlsplit(running.url).netloc,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            # An agent of its own: a client's newer request replaces its older ones.
            "User-Agent": f"idiolect-editor/{os.getpid()}",
        }
        return _Service(running, "".join(f"{name}: {value}\r\n" for name, value in fields.items()), [])

    def _drop(self, service: _Service) -> None:
        if self._service is service:
            self._service = None
        for connection in service.waiting:
            connection.close()


def open_client_log(settings: Settings) -> None:
    """Log to the profile's file, without the libraries' records that quote messages: these hold text."""
    open_log(settings.log_path)
    for name in _LOGGING_TEXT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
