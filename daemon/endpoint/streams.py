"""Streamed answers: events as newline-delimited JSON, and generated text as server-sent events.

An event is a dict with its kind under "event". An error that comes up on the way is the last event,
`{"event": "error", "code", "message", "exit_code"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request

from idiolect.adapters.generation.requests import End, Piece, Prompt, SamplingParams
from idiolect.daemon.endpoint.error_answers import described, internal
from idiolect.daemon.endpoint.routing import EventStream, LineStream, client_of, unless_gone
from idiolect.daemon.endpoint.shapes import encode, error_body
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.serving.model_queue import ModelQueue, Priority, StoppingError
from idiolect.daemon.serving.text_generation import ChosenModel, TextGeneration
from idiolect.models.errors import IdiolectError

Event = dict[str, Any]
#: Texts to generate, each from its prompt; a part of them is the text's number and what comes next of it.
Wanted = Sequence[tuple[Prompt, SamplingParams]]
Part = tuple[int, Piece | End]
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
        for events in self._rounds:
            events.put_nowait(StoppingError())

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

    async def keep_running(
        self, work: Callable[[Callable[[Event], None]], object]
    ) -> AsyncGenerator[Event, None]:
        """The events that `work` hands to its argument. It runs in a thread, also when nobody follows it any more."""
        loop, events = asyncio.get_running_loop(), asyncio.Queue[Event | Exception | None]()

        def put(event: Event | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the service has ended, and its loop
                loop.call_soon_threadsafe(events.put_nowait, event)

        def run() -> None:
            try:
                work(put)
                put(None)
            except Exception as error:  # noqa: BLE001 (whoever follows is to hear of it)
                put(self.known(error))

        threading.Thread(target=run, name="round", daemon=True).start()
        self._rounds.add(events)
        try:
            while (event := await events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self._rounds.discard(events)

    async def answer(self, events: AsyncGenerator[Event, None]) -> LineStream:
        """All events as newline-delimited JSON; an error that comes up on the way is the last of them.

        Raises what comes up before the first of them: there is still a status to set.
        """
        return LineStream(self._lines(await anext(events), events))

    async def _lines(self, first: Event, rest: AsyncGenerator[Event, None]) -> AsyncIterator[bytes]:
        async with aclosing(rest):
            try:
                yield encode(first) + b"\n"
                async for event in rest:
                    yield encode(event) + b"\n"
            except Exception as error:  # noqa: BLE001 (there is a status already, and a client to tell)
                yield encode({"event": "error", **error_body(self.known(error))}) + b"\n"

    def known(self, error: Exception) -> IdiolectError:
        """The error to show to a client in the midst of an answer; a mistake in the program is logged."""
        if isinstance(error, IdiolectError):
            return error
        log.error("a stream failed", exc_info=error)
        if (refused := refusal(error, self._home)) is not None:
            return refused
        return internal(self._log_path)


class Texts:
    """Has texts generated in steps, in turns with all else that is asked of the model; `generations` are what does."""

    def __init__(self, generations: TextGeneration, queue: ModelQueue, streams: Streams) -> None:
        """Steps wait for their turn in `queue`; texts end with `streams`."""
        self.generations = generations
        self._queue = queue
        self._streams = streams

    async def whole(self, request: Request, model: ChosenModel, wanted: Wanted) -> list[Part]:
        """All parts. Raises BusyError, what generating raises, and GoneError."""

        async def gather() -> list[Part]:
            async with aclosing(self._parts(request, model, wanted)) as parts:
                return [part async for part in parts]

        return await unless_gone(request, gather())

    async def stream(
        self,
        request: Request,
        model: ChosenModel,
        wanted: Wanted,
        shape: Callable[[AsyncIterator[Part]], AsyncIterator[object]],
    ) -> EventStream:
        """Server-sent events that `shape` makes of the parts; an error that comes up on the way is the last of them.

        Raises what comes up before the first of them, while there is still a status to set.
        """
        parts = self._parts(request, model, wanted)
        events = shape(parts)
        first = await unless_gone(request, _first(events))

        async def encoded() -> AsyncIterator[bytes]:
            async with aclosing(parts):
                try:
                    yield _event(first)
                    async for event in events:
                        yield _event(event)
                except Exception as error:  # noqa: BLE001 (there is a status already, and a client to tell)
                    known = self._streams.known(error)
                    yield _event({"error": described(request.url.path, known, known.http_status)})

        return EventStream(encoded(), headers={"cache-control": "no-cache"})

    async def _parts(
        self, request: Request, model: ChosenModel, wanted: Wanted
    ) -> AsyncGenerator[Part, None]:
        pieces = self._queue.stream(client_of(request), Priority.REST, self._steps(model, wanted))
        async with aclosing(pieces) as made:
            async for part in made:
                if self._streams.stopping:
                    raise StoppingError
                if part is not None:
                    yield part

    def _steps(self, model: ChosenModel, wanted: Wanted) -> Generator[Part | None, None, None]:
        """One text after another; None where a step brought nothing."""
        for number, (prompt, sampling) in enumerate(wanted):
            for part in self.generations.generate(model, prompt, sampling):
                yield None if part is None else (number, part)


async def _first(events: AsyncIterator[object]) -> object:
    return await anext(events)


def _event(content: object) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else encode(content)) + b"\n\n"
