"""The command line's connection to the running service, which speaks JSON over HTTP, and the profile that it is of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import httpx

from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.runtime import peer_check, process
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

#: A service that runs says so within this time.
PROMPT_S = 15.0
_CONNECT_S = 5.0
_ANSWER_S = 120.0


class NotRunningError(IdiolectError):
    """No service runs for this profile."""

    code: ClassVar[str] = "not-running"
    exit_code: ClassVar[int] = 60
    http_status: ClassVar[int] = 503


class NotAnsweringError(IdiolectError):
    """The service runs, but does not answer, or broke off in the middle of an answer."""

    code: ClassVar[str] = "not-answering"
    exit_code: ClassVar[int] = 67
    http_status: ClassVar[int] = 503


class ServiceClient:
    """A connection to the service of one profile; a context manager.

    Every call raises RelayedError for what the service refuses, and NotAnsweringError where it falls silent.
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
        transport = httpx.HTTPTransport(uds=running.socket) if running.socket else None
        self._http = httpx.Client(
            base_url=running.url,
            headers={"Authorization": f"Bearer {process.read_token(settings)}"},
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            transport=transport,
            event_hooks={"request": [peer_check.only_to(settings, running)]},
            trust_env=False,  # no proxy may stand between two programs of one machine, or see the token
        )

    def __enter__(self) -> Self:
        """Keep the connection for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, *, timeout_s: float = _ANSWER_S, **query: int | str) -> dict[str, Any]:
        """Send GET for `path` with `query`, and return the answer; wait for it at most `timeout_s` seconds."""
        return self._ask("GET", path, params=query, timeout=timeout_s)

    def post(self, path: str, body: dict[str, Any] | None = None, *, patient: bool = False) -> dict[str, Any]:
        """Send `body` to `path` with POST, and return the answer; `patient` waits as long as it takes."""
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

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **what)
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


def find_profile() -> Settings:
    """Return the settings of the profile, also where there is a fault in them, which is then told on stderr.

    What stops the service or takes text away works so whatever the settings say: it needs only where the profile is.
    """
    settings, fault = Settings.tolerant()
    if fault is not None:
        Terminal().note(f"Warning: {fault} This command works all the same.")
    return settings


def connect(settings: Settings | None = None) -> ServiceClient:
    """Connect to the service of a profile, by default the one that `IDIOLECT_HOME` names (see `find_profile`).

    Raises NotRunningError, and UnauthorizedError if the token cannot be read.
    """
    return ServiceClient(find_profile() if settings is None else settings)


def _relay_error(answer: httpx.Response) -> process.RelayedError | NotAnsweringError:
    try:
        return process.RelayedError(answer.json()["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return NotAnsweringError(
            f"The service broke off (HTTP status {answer.status_code}): it was ended meanwhile, or something failed. "
            "`idiolect status` says whether it runs."
        )
