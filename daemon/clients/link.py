"""HTTP from a client to the service of one profile, with the profile's token, and to no other program.

`ServiceClient` is for a command: it waits, and raises errors. `ServiceLink` is for a program that runs long: it
reconnects, and raises nothing.

Once a service has ended, any user of the machine may listen on its port. So after each connection is made, and before
a request is sent, the client checks that the service still holds the profile's lock. A service listens from before it
takes the lock until its end, and no two programs listen at one address: a living service is the one connected to.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Self

import httpx

from idiolect.daemon.runtime import process, service_unit, tokens
from idiolect.daemon.runtime.log import open_log
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.models.errors import ExitCode, IdiolectError

#: A service that runs says so within this time.
PROMPT_S: Final = 15.0
_CONNECT_S: Final = 5.0
_PATIENT_S: Final = 120.0  # a command waits so long for an answer
_ANSWER_S: Final = 10.0  # far longer than anyone waits for a suggestion
_RECONNECT_S = 2.0  # between two attempts to find the service
#: Libraries whose log records quote messages.
_LOGGING_TEXT: Final = ("asyncio", "concurrent", "httpcore", "httpx", "jeepney", "pygls")
#: A request with such an answer is worth a retry.
_NOT_NOW: Final = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.LOCKED, httpx.codes.TOO_MANY_REQUESTS)
#: Events of httpx's `trace` extension for a new connection.
_CONNECTED: Final = ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete")


class NotRunningError(IdiolectError, code="not-running", exit_code=ExitCode.NOT_RUNNING, http_status=503):
    """No service runs for this profile."""


class NotAnsweringError(IdiolectError, code="not-answering", exit_code=ExitCode.NOT_RUNNING, http_status=503):
    """The service runs, but does not answer, or ended in the middle of an answer."""


class ServiceClient:
    """A connection to the service of one profile; a context manager.

    Every call raises RelayedError if the service refuses, and NotAnsweringError if it does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        """Find the service. Raises NotRunningError, and UnauthorizedError if the token cannot be read."""
        running = process.find(settings)
        if running is None:
            raise NotRunningError(
                f"No service runs for the profile {settings.home}. Start it with `idiolect start`."
            )
        self.running = running
        self._settings = settings
        self._http = httpx.Client(
            base_url=running.url,
            headers=_headers(process.read_token(settings)),
            timeout=httpx.Timeout(_PATIENT_S, connect=_CONNECT_S),
            transport=httpx.HTTPTransport(uds=running.socket) if running.socket else None,
            event_hooks={"request": [_only_to(settings, running)]},
            trust_env=False,  # no proxy may stand between two programs of one machine, or see the token
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, *, timeout_s: float = _PATIENT_S, **query: int | str) -> dict[str, Any]:
        """Send GET for `path` with `query`, and return the answer, within `timeout_s` seconds."""
        return self._ask("GET", path, params=query, timeout=timeout_s)

    def post(self, path: str, body: dict[str, Any] | None = None, *, patient: bool = False) -> dict[str, Any]:
        """Send `body` to `path` with POST, and return the answer; `patient` waits without a limit."""
        timeout = httpx.Timeout(None, connect=_CONNECT_S) if patient else httpx.USE_CLIENT_DEFAULT
        return self._ask("POST", path, json=body or {}, timeout=timeout)

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Send `body` to `path` with POST, and yield the events of the answer as they happen."""
        timeout = httpx.Timeout(None, connect=_CONNECT_S)
        try:
            with self._http.stream("POST", path, json=body, timeout=timeout) as answer:
                if answer.is_error:
                    answer.read()
                    raise _relay_error(answer)
                for line in answer.iter_lines():
                    event: dict[str, Any] = json.loads(line)
                    if event.get("event") == "error":
                        raise process.RelayedError(event)
                    yield event
        except (httpx.TransportError, ValueError):
            raise self._make_silence_error() from None

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError:
            raise self._make_silence_error() from None
        if answer.is_error:
            raise _relay_error(answer)
        try:
            content: dict[str, Any] = answer.json()
        except ValueError:
            raise self._make_silence_error() from None
        return content

    def _make_silence_error(self) -> NotAnsweringError:
        log = f"Its log is {self._settings.log_path}."
        if process.holder(self._settings) is None:
            return NotAnsweringError(
                f"The service (pid {self.running.pid}) has ended. What it has stored is kept; `idiolect start` starts "
                f"it again. {log}"
            )
        return NotAnsweringError(
            f"The service (pid {self.running.pid}) does not answer. `idiolect stop` and then `idiolect start` start it "
            f"again; what it has stored is kept. {log}"
        )


class ServiceLink:
    """Asks the service of one profile, wherever it listens now; raises nothing if it does not answer.

    For one event loop. If the task of a request is cancelled, its connection ends, and the service drops the request.
    """

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Ask with the token of a scope; the first request connects."""
        self._settings = settings
        self._scope = scope
        self._http: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()
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
        return answer is not None and not answer.is_server_error and answer.status_code not in _NOT_NOW

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response | None:
        """Return the service's answer, also a refusal; None if it does not answer."""
        for _ in range(2):  # the service may have been started anew, at another address
            http = self._http or await self._connect()
            if http is None:
                return None
            try:
                answer = await http.request(
                    method, path, content=json.dumps(body) if body is not None else None
                )
            except httpx.TimeoutException:
                return None
            except httpx.TransportError:
                await self._drop(http)
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                await self._drop(http)
                continue
            return answer
        return None

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._http is not None:
            await self._drop(self._http)

    async def _connect(self) -> httpx.AsyncClient | None:
        async with self._connecting:
            now_s = asyncio.get_running_loop().time()
            if self._http is None and now_s - self._failed_s >= _RECONNECT_S:
                self._http = await asyncio.to_thread(self._open)
                self._failed_s = now_s if self._http is None else float("-inf")
            return self._http

    def _open(self) -> httpx.AsyncClient | None:
        running = process.find(self._settings)
        token = tokens.read(tokens.path_of(self._settings, self._scope)).decode()
        if running is None or not token:
            return None
        return httpx.AsyncClient(
            base_url=running.url,
            headers={
                **_headers(token),
                "Content-Type": "application/json",
                # An agent of its own: a client's newer request replaces its older ones.
                "User-Agent": f"idiolect-editor/{os.getpid()}",
            },
            timeout=_ANSWER_S,
            transport=httpx.AsyncHTTPTransport(uds=running.socket) if running.socket else None,
            event_hooks={"request": [_only_to_async(self._settings, running)]},
            trust_env=False,  # no proxy may stand between two programs of one machine, or see the token
        )

    async def _drop(self, http: httpx.AsyncClient) -> None:
        if self._http is http:
            self._http = None
        await http.aclose()


def open_client_log(settings: Settings) -> None:
    """Log to the profile's file, without the libraries' records that quote messages: these hold text."""
    open_log(settings.log_path)
    for name in _LOGGING_TEXT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _relay_error(answer: httpx.Response) -> process.RelayedError | NotAnsweringError:
    try:
        return process.RelayedError(answer.json()["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return NotAnsweringError(
            f"The service broke off (HTTP status {answer.status_code}): it was ended meanwhile, or something failed. "
            "`idiolect status` says whether it runs."
        )


def _only_to(located: Settings, running: process.Running) -> Callable[[httpx.Request], None]:
    """Return a request hook for `httpx.Client` that raises `httpx.ConnectError` if the service is gone."""

    def check(event: str, info: dict[str, Any]) -> None:
        if event in _CONNECTED and not process.lives(located, running):
            info["return_value"].close()
            raise _make_gone_error()

    def hook(request: httpx.Request) -> None:
        request.extensions["trace"] = check

    return hook


def _only_to_async(located: Settings, running: process.Running) -> Callable[[httpx.Request], Awaitable[None]]:
    """Return the same hook for `httpx.AsyncClient`."""

    async def check(event: str, info: dict[str, Any]) -> None:
        if event in _CONNECTED and not await asyncio.to_thread(process.lives, located, running):
            await info["return_value"].aclose()
            raise _make_gone_error()

    async def hook(request: httpx.Request) -> None:
        request.extensions["trace"] = check

    return hook


def _make_gone_error() -> httpx.ConnectError:
    return httpx.ConnectError("The service is gone, and another program may listen in its place.")
