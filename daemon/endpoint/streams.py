"""Answers that take long: events over HTTP as newline-delimited JSON, one object a line.

An event is a dict with its kind under "event". An error that comes up on the way is the last event,
`{"event": "error", "code", "message", "exit_code"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.to_thread import run_sync

from idiolect.daemon.endpoint.errors import internal
from idiolect.daemon.endpoint.routing import Lines
from idiolect.daemon.endpoint.shapes import encode, error_body
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.serving.model_queue import StoppingError
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]
log = logging.getLogger("idiolect.http")

_MAX_THREADS: Final = 16  # in which events are made; the threads of other requests are not used up by streams


class Streams:
    """Streams of events, made only as fast as their clients read. All of them end with the service."""

    def __init__(self, log_path: Path, home: Path) -> None:
        """`log_path` is where clients are sent that meet a mistake in the program; `home` the profile's folder."""
        self._log_path = log_path
        self._home = home
        self._stopping = False
        self._rounds: set[asyncio.Queue[Event | Exception | None]] = set()
        self._threads = anyio.CapacityLimiter(_MAX_THREADS)

    @property
    def stopping(self) -> bool:
        """Whether the service ends."""
        return self._stopping

    def stop(self) -> None:
        """End each stream at its next event, and at once where that may take long."""
        self._stopping = True
        for told in self._rounds:
            told.put_nowait(StoppingError())

    async def pull(self, events: Iterator[Event]) -> AsyncGenerator[Event, None]:
        """The events, each made in a thread once it is asked for."""
        try:
            while not self._stopping:
                event = await run_sync(next, events, None, limiter=self._threads)
                if event is None:
                    return
                yield event
            raise StoppingError
        finally:
            if isinstance(events, Generator):
                with anyio.CancelScope(shield=True):
                    await run_sync(events.close, limiter=self._threads)

    async def keep_running(self, events: Iterator[Event]) -> AsyncGenerator[Event, None]:
        """The events, made in a thread of their own, which go on happening when nobody follows them any more."""
        loop, told = asyncio.get_running_loop(), asyncio.Queue[Event | Exception | None]()

        def tell(item: Event | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the service has ended, and its loop
                loop.call_soon_threadsafe(told.put_nowait, item)

        def run() -> None:
            try:
                for event in events:
                    tell(event)
                tell(None)
            except Exception as error:  # noqa: BLE001 (whoever follows is to hear of it)
                tell(self.known(error))

        threading.Thread(target=run, name="round", daemon=True).start()
        self._rounds.add(told)
        try:
            while (item := await told.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._rounds.discard(told)

    async def answer(self, events: AsyncGenerator[Event, None]) -> Lines:
        """All events as newline-delimited JSON; an error that comes up on the way is the last of them.

        Raises what comes up before the first of them: there is still a status to set.
        """
        return Lines(self._lines(await anext(events), events))

    async def _lines(self, first: Event, rest: AsyncGenerator[Event, None]) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(rest):
            try:
                yield encode(first) + b"\n"
                async for event in rest:
                    yield encode(event) + b"\n"
            except Exception as error:  # noqa: BLE001 (there is a status already, and a client to tell)
                yield encode({"event": "error", **error_body(self.known(error))}) + b"\n"

    def known(self, error: Exception) -> IdiolectError:
        """What a client is told of an error in the midst of an answer; a mistake in the program is logged."""
        if isinstance(error, IdiolectError):
            return error
        log.error("a stream failed", exc_info=error)
        if (refused := refusal(error, self._home)) is not None:
            return refused
        return internal(self._log_path)
