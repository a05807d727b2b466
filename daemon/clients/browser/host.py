"""The native-messaging host: the program that a browser starts, between the extension and the service.

Each message is JSON behind its length: four bytes in the machine's order. A browser sends a request with a number `id`
and a verb `do`; the answer has the same number and either `answer` or `problem`, a word of `PROBLEMS`. What a frame
tells of typing has no number (`page_door.py`), nor has what goes to a frame then, or a `problem` that has come or gone.
The tokens stay here: the extension and pages never see a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import stat
import struct
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import IO, Any, Final

from idiolect.daemon.clients.browser.page_door import BrowserSession
from idiolect.daemon.clients.service_link import Answer, ServiceLink, open_client_log
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.session.field import PAGE_APP
from idiolect.daemon.settings import Settings
from idiolect.models.errors import ExitCode, IdiolectError

#: The version of the messages; raised when an older extension would not understand them.
PROTOCOL: Final = 5
#: Why there is no answer; the extension tells the user what to do.
PROBLEMS: Final = ("stopped", "locked", "busy", "refused", "unknown")

_MAX_BYTES: Final = 8 * 2**20  # of a message, as the service's limit
_MAX_AT_ONCE: Final = 16
_LENGTH: Final = struct.Struct("=I")
_FINISH_S: Final = 1.0  # browsers kill a program that ends no sooner than in two
log = logging.getLogger("idiolect.browser")


class BrowserMessageError(
    IdiolectError, code="browser-message", exit_code=ExitCode.BAD_INPUT, http_status=400
):
    """Standard input holds no message of the extension."""


class _ProblemError(Exception):
    """There is no answer; its argument is one of `PROBLEMS`."""


class Host:
    """Answers one browser's requests, several at a time."""

    def __init__(self, settings: Settings, write: Callable[[bytes], None]) -> None:
        """`write` sends bytes to the browser."""
        self._asking = ServiceLink(settings, Scope.SUGGEST)
        self._learning = ServiceLink(settings, Scope.LEARN)
        self._write = write
        self._typing = BrowserSession(settings, self._send)
        self._typing.requests.on_answer = self._note_answer
        self._is_silent = False  # the service did not answer the last question
        self._work: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "hello": self._hello,
            "menu": self._menu,
            "choose": self._choose,
            "state": self._state,
            "rest": self._rest,
        }

    async def serve(self, read: asyncio.StreamReader) -> None:
        """Answer until the browser closes its end. Raises BrowserMessageError."""
        turns = asyncio.Semaphore(_MAX_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while (message := await _receive(read)) is not None:
                if message.get("do") == "typed":  # in the order of keys, and behind nothing that waits
                    self._take_typed(message)
                    continue
                await turns.acquire()
                task = group.create_task(self._answer(message))
                task.add_done_callback(lambda _: turns.release())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._typing.finish(), _FINISH_S)
        await self._asking.close()
        await self._learning.close()

    async def _answer(self, message: dict[str, Any]) -> None:
        do, number = message.get("do"), message.get("id")
        if not isinstance(do, str | None) or not isinstance(number, int | None):
            raise _make_message_error()
        result: dict[str, Any]
        try:
            if (work := self._work.get(do or "")) is None:
                raise _ProblemError("unknown")
            result = {"answer": await work(message)}
        except _ProblemError as problem:
            result = {"problem": problem.args[0]}
        self._send({"id": number, **result})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        self._write(_LENGTH.pack(len(data)) + data)

    def _take_typed(self, message: dict[str, Any]) -> None:
        """Hand the session what a frame tells: its events, none once it has gone."""
        match message:
            case {"frame": int(frame), "events": [*told], "site": str() | None as site}:
                try:
                    happened = self._typing.read(frame, told, site)
                except ValueError:
                    raise _make_message_error() from None
                try:
                    self._typing.tell(frame, happened)
                except Exception as error:
                    log.error("an event of a page failed", exc_info=error)
            case {"frame": int(frame)} if "events" not in message:
                self._typing.forget(frame)
            case _:
                raise _make_message_error()

    def _note_answer(self, answered: bool) -> None:
        """Tell the browser when questions about typing go unanswered, and when they are answered again."""
        if self._is_silent is answered:
            self._is_silent = not answered
            self._typing.requests.start_task(self._tell_problem())

    async def _tell_problem(self) -> None:
        problem = ""
        if self._is_silent:
            problem = _find_problem(await self._learning.request("GET", "/v1/status"))
        self._send({"problem": problem})

    async def _hello(self, _message: dict[str, Any]) -> dict[str, Any]:
        return {"protocol": PROTOCOL}

    async def _menu(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer with the lines of the menu that fit where these frames are."""
        frames = message.get("frames")
        lines = self._typing.menu(frames if isinstance(frames, list) else [])
        return {"lines": [vars(line) for line in lines]}

    async def _choose(self, message: dict[str, Any]) -> dict[str, Any]:
        self._typing.choose(str(message.get("line")))
        return {}

    async def _rest(self, _message: dict[str, Any]) -> dict[str, Any]:
        return {"waits": self._typing.waits}

    async def _state(self, _message: dict[str, Any]) -> dict[str, Any]:
        status = await self._request(self._learning, "GET", "/v1/status")
        nothing = {"prefix": "", "candidates": 0, "ghost_words": 0, "app": PAGE_APP}
        asked = await self._request(self._asking, "POST", "/v1/suggest", nothing)
        return {"paused": status["paused"], "sees_context": asked["sees_context"]}

    async def _request(
        self, link: ServiceLink, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the service's answer. Raises _ProblemError."""
        answer = await link.request(method, path, body)
        problem = _find_problem(answer)
        if answer is None or problem:
            raise _ProblemError(problem)
        found: dict[str, Any] = answer.json()
        return found


def _find_problem(answer: Answer | None) -> str:
    """Return a word of `PROBLEMS` for an answer; "" if there is no problem."""
    if answer is None:
        return "stopped"
    if answer.status == HTTPStatus.LOCKED:
        return "locked"
    if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT):
        return "busy"
    return "" if answer.is_success else "refused"


def _make_message_error() -> BrowserMessageError:
    return BrowserMessageError(
        "What came is no message of the extension. This command is for browsers, which start it."
    )


async def _receive(read: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the next message; None if the browser has gone. Raises BrowserMessageError."""
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
        raise _make_message_error()
    return message


def _is_pipe(stream: IO[str]) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # closed, or without a descriptor
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def serve(settings: Settings) -> None:
    """Serve one browser over stdin and stdout until it goes. Raises BrowserMessageError."""
    if not _is_pipe(sys.stdin):
        raise BrowserMessageError("This program is for browsers, which start it and talk to it over a pipe.")
    open_client_log(settings)
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # printed text would be taken for a message
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
