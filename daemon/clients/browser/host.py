"""The native-messaging host: the program that a browser starts, between the extension and the service.

Each message is JSON behind its length: four bytes in the machine's order. A browser sends a question with a number
`id` and what to do in `do`; the answer has the same number and either `answer` or `problem`, a word of `PROBLEMS`.
The tokens stay here: the extension and pages never see one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import struct
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import IO, Any, ClassVar, Final

import httpx
import pydantic

from idiolect.daemon.clients.browser.typed_lines import Learn, newly_typed
from idiolect.daemon.clients.link import ServiceLink, open_client_log
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses
from idiolect.models.errors import ExitCode, IdiolectError

#: What the extension and this program say to each other; raised where an older extension would not understand.
PROTOCOL: Final = 2
APP: Final = "browser"
#: Why there is no answer; the extension says what to do about each.
PROBLEMS: Final = ("stopped", "locked", "busy", "refused", "unknown")

_MAX_BYTES: Final = 8 * 2**20  # of a message: what the service takes, and far below what browsers send
_MAX_AT_ONCE: Final = 16
_LENGTH: Final = struct.Struct("=I")
#: Messages and texts that wait for the service, at most: beyond that the oldest are dropped.
_MAX_WAITING: Final = 200
_RETRY_S: Final = 20.0
_FINISH_S: Final = 1.0  # browsers kill a program that ends no sooner than in two
#: What is handed on to the service, which checks what it is sent: the path, and what every such question has.
_RELAYED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "suggest": ("/v1/suggest", {"corrections": True}),
    "feedback": ("/v1/feedback", {}),
    "stretch": ("/v1/trial/stretch", {}),
}


class BrowserMessageError(IdiolectError):
    """What came on stdin is no message of a browser's extension."""

    code: ClassVar[str] = "browser-message"
    exit_code: ClassVar[ExitCode] = ExitCode.BAD_INPUT
    http_status: ClassVar[int] = 400


class _ProblemError(Exception):
    """There is no answer; its argument is one of `PROBLEMS`."""


class Host:
    """Answers one browser's questions, several at a time."""

    def __init__(self, settings: Settings, write: Callable[[bytes], None]) -> None:
        """`write` sends bytes to the browser."""
        self._asking = ServiceLink(settings, Scope.SUGGEST)
        self._learning = ServiceLink(settings, Scope.LEARN)
        self._write = write
        self._told: deque[Learn] = deque(maxlen=_MAX_WAITING)  # of which the pauses are not known yet
        self._texts: deque[dict[str, Any]] = deque(maxlen=_MAX_WAITING)
        self._sending = asyncio.Lock()
        self._retrying: asyncio.Task[None] | None = None
        self._work: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "hello": self._hello,
            **dict.fromkeys(_RELAYED, self._relay),
            "learn": self._learn,
            "state": self._state,
            "rest": self._rest,
        }

    async def serve(self, read: asyncio.StreamReader) -> None:
        """Answer until the browser closes its end. Raises BrowserMessageError."""
        turns = asyncio.Semaphore(_MAX_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while (message := await _received(read)) is not None:
                await turns.acquire()
                task = group.create_task(self._answer(message))
                task.add_done_callback(lambda _: turns.release())
        if self._retrying is not None:
            self._retrying.cancel()
        with contextlib.suppress(_ProblemError, TimeoutError):
            await asyncio.wait_for(self._send_waiting(), _FINISH_S)
        await self._asking.close()
        await self._learning.close()

    async def _answer(self, message: dict[str, Any]) -> None:
        do, number = message.get("do"), message.get("id")
        if not isinstance(do, str | None) or not isinstance(number, int | None):
            raise _not_ours()
        told: dict[str, Any]
        try:
            if (work := self._work.get(do or "")) is None:
                raise _ProblemError("unknown")
            told = {"answer": await work(message)}
        except _ProblemError as problem:
            told = {"problem": problem.args[0]}
        except (pydantic.ValidationError, RecursionError):  # no extension of ours sends that
            raise _not_ours() from None
        data = json.dumps({"id": number, **told}).encode()
        self._write(_LENGTH.pack(len(data)) + data)

    async def _hello(self, _message: dict[str, Any]) -> dict[str, Any]:
        return {"protocol": PROTOCOL}

    async def _relay(self, message: dict[str, Any]) -> dict[str, Any]:
        path, always = _RELAYED[message["do"]]
        body = {name: value for name, value in message.items() if name not in ("do", "id")}
        return await self._asked(self._asking, "POST", path, {**body, **always, "app": APP})

    async def _learn(self, message: dict[str, Any]) -> dict[str, Any]:
        """Have lines learned, now or once the service is there: until then they wait in memory."""
        self._told.append(Learn.model_validate(message))
        try:
            return await self._send_waiting()
        except _ProblemError:
            if self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._retry())
            raise

    async def _retry(self) -> None:
        while self._told or self._texts:
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(_ProblemError):
                await self._send_waiting()

    async def _send_waiting(self) -> dict[str, Any]:
        """Send what waits, in its order; whether learning is paused. Raises _ProblemError, and keeps the rest."""
        async with self._sending:
            if not (self._told or self._texts):
                return {}
            status = await self._asked(self._learning, "GET", "/v1/status")
            while self._told:
                told, pauses = self._told.popleft(), Pauses.of(status)
                place = {"source": source_of(told.site), "app": APP}
                self._texts.extend({**new._asdict(), **place} for new in newly_typed(told.lines, pauses))
            while self._texts:
                answer = await self._learning.answer("POST", "/v1/history", self._texts[0])
                problem = _problem_in(answer)
                if problem not in ("", "refused") or (answer is not None and answer.is_server_error):
                    raise _ProblemError(problem)
                self._texts.popleft()
            return {"paused": status["paused"]}

    async def _rest(self, _message: dict[str, Any]) -> dict[str, Any]:
        return {"waits": bool(self._told or self._texts)}

    async def _state(self, _message: dict[str, Any]) -> dict[str, Any]:
        told = await self._asked(self._learning, "GET", "/v1/status")
        nothing = {"prefix": "", "candidates": 0, "ghost_words": 0, "app": APP}
        asked = await self._asked(self._asking, "POST", "/v1/suggest", nothing)
        return {"paused": told["paused"], "sees_context": asked["sees_context"]}

    async def _asked(
        self, link: ServiceLink, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The service's answer. Raises _ProblemError."""
        answer = await link.answer(method, path, body)
        problem = _problem_in(answer)
        if answer is None or problem:
            raise _ProblemError(problem)
        found: dict[str, Any] = answer.json()
        return found


def _problem_in(answer: httpx.Response | None) -> str:
    """Why an answer is of no use, as a word of `PROBLEMS`; "" where it is."""
    if answer is None:
        return "stopped"
    if answer.status_code == httpx.codes.LOCKED:
        return "locked"
    if answer.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT):
        return "busy"
    return "" if answer.is_success else "refused"


def source_of(site: str) -> str:
    """What is written on a site is filed under its name; a name without a dot ends in one, as names of hosts may.

    So a host that is called as one of the program's own sources, such as `mail`, is no such source.
    """
    return site if "." in site else f"{site}."


def _not_ours() -> BrowserMessageError:
    return BrowserMessageError(
        "What came is no message of the extension. This command is for browsers, which start it."
    )


async def _received(read: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message; None where the browser has gone. Raises BrowserMessageError."""
    try:
        (size,) = _LENGTH.unpack(await read.readexactly(_LENGTH.size))
        if size > _MAX_BYTES:
            raise BrowserMessageError(
                f"A message has {_MAX_BYTES:,} bytes at most. This command is for browsers, which start it."
            )
        message = json.loads(await read.readexactly(size))
    except asyncio.IncompleteReadError:
        return None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise _not_ours()
    return message


def _comes_from_a_program(stream: IO[str]) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # it is closed, or nothing of the system's
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def serve(settings: Settings) -> None:
    """Serve one browser over stdin and stdout until it goes. Raises BrowserMessageError."""
    if not _comes_from_a_program(sys.stdin):
        raise BrowserMessageError("This program is for browsers, which start it and talk to it over a pipe.")
    open_client_log(settings)
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # what others print would be taken for a message
    asyncio.run(_serve(settings, sys.stdin.buffer, out))


async def _serve(settings: Settings, source: IO[bytes], out: IO[bytes]) -> None:
    read = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(read), source)

    def write(data: bytes) -> None:
        out.write(data)
        out.flush()

    try:
        await Host(settings, write).serve(read)
    except* BrowserMessageError as failed:
        raise failed.exceptions[0] from None
    except* BrokenPipeError:  # the browser has gone in the middle of an answer
        pass
