"""Answers that take long: events over HTTP as newline-delimited JSON, one object a line.

An event is a dict with its kind under "event". An error that comes up on the way is the last event,
`{"event": "error", "code", "message", "exit_code"}`.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

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


class Streams:
    """Streams of events, each pulled in a thread and only as fast as its client reads.

    All of them end with the service.
    """

    def __init__(self, log_path: Path, home: Path) -> None:
        """`log_path` is where clients are sent that meet a mistake in the program; `home` the profile's folder."""
        self._log_path = log_path
        self._home = home
        self._stopping = threading.Event()
        self._rounds: set[_Detached] = set()

    @property
    def stopping(self) -> bool:
        """Whether the service ends."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End each stream at its next event, and at once where that may take long."""
        self._stopping.set()
        for detached in tuple(self._rounds):
            detached.put(StoppingError())

    def keep_running(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events, which go on happening when the client that follows them goes away."""
        detached = _Detached(events, self.known)
        self._rounds.add(detached)
        try:
            yield from detached.follow()
        finally:
            self._rounds.discard(detached)

    async def first(self, events: Iterator[Event]) -> Event:
        """The first event; raises what is wrong with the request, while there is still a status to set."""
        event = await run_sync(self._next, events)
        if event is None:
            raise RuntimeError("a stream without events")
        return event

    async def last(self, first: Event, rest: Iterator[Event]) -> Event:
        """The last event."""
        event: Event | None = first
        while event is not None:
            last, event = event, await run_sync(self._next, rest)
        return last

    def answer(self, first: Event, rest: Iterator[Event]) -> Lines:
        """All events as newline-delimited JSON; an error that comes up on the way is the last of them."""
        return Lines(self._lines(first, rest))

    async def _lines(self, first: Event, rest: Iterator[Event]) -> AsyncIterator[bytes]:
        event: Event | None = first
        try:
            while event is not None:
                yield encode(event) + b"\n"
                event = await run_sync(self._next, rest)
        except Exception as error:  # noqa: BLE001 (there is a status already, and a client to tell)
            yield encode({"event": "error", **error_body(self.known(error))}) + b"\n"
        finally:
            if isinstance(rest, Generator):
                with anyio.CancelScope(shield=True):
                    await run_sync(rest.close)

    def known(self, error: Exception) -> IdiolectError:
        """What a client is told of an error in the midst of an answer; a mistake in the program is logged."""
        if isinstance(error, IdiolectError):
            return error
        log.error("a stream failed", exc_info=error)
        if (refused := refusal(error, self._home)) is not None:
            return refused
        return internal(self._log_path)

    def _next(self, events: Iterator[Event]) -> Event | None:
        if self._stopping.is_set():
            raise StoppingError
        return next(events, None)


class _Detached:
    """Events that happen in a thread of their own, whether or not anyone follows them."""

    def __init__(self, events: Iterator[Event], known: Callable[[Exception], IdiolectError]) -> None:
        self._queue: queue.SimpleQueue[Event | Exception | None] = queue.SimpleQueue()
        self.put = self._queue.put
        self._known = known
        threading.Thread(target=self._run, args=(events,), name="round", daemon=True).start()

    def follow(self) -> Iterator[Event]:
        """The events as they come; raises what they raised."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def _run(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                self.put(event)
            self.put(None)
        except Exception as error:  # noqa: BLE001 (whoever follows is to hear of it)
            self.put(self._known(error))
