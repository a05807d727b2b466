"""HTTP from a command to the service of one profile, with the profile's token, and to no other program.

`ServiceClient` waits, and raises errors; a program that runs long asks through a `ServiceLink`.

Once a service has ended, any user of the machine may listen on its port. So after each connection is made, and before
a request is sent, the client checks that the service still holds the profile's lock. A service listens from before it
takes the lock until its end, and no two programs listen at one address: a living service is the one connected to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import httpx

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.models.errors import ExitCode, IdiolectError

#: A service that runs says so within this time.
PROMPT_S: Final = 15.0
_CONNECT_S: Final = 5.0
_PATIENT_S: Final = 120.0  # a command waits so long for an answer
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
            raise httpx.ConnectError("The service is gone, and another program may listen in its place.")

    def hook(request: httpx.Request) -> None:
        request.extensions["trace"] = check

    return hook
