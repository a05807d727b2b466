"""Texts that are generated for clients: each in its turns, for as long as its client is there, whole or as events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from idiolect.daemon.endpoint.errors import described
from idiolect.daemon.endpoint.routing import Events, client_of, unless_gone
from idiolect.daemon.endpoint.shapes import encode
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.serving.model_queue import ModelQueue, Priority, SlowReaderError, StoppingError
from idiolect.daemon.serving.text_generation import UnknownModelError
from idiolect.daemon.storage.records import ForgottenMeanwhileError

if TYPE_CHECKING:
    from starlette.requests import Request

    from idiolect.adapters.generation.requests import End, Piece, Prompt, SamplingParams
    from idiolect.daemon.serving.text_generation import TextGeneration

Part = TypeVar("Part")

#: How a request for generated text may fail.
OF_GENERATING = (UnknownModelError, ForgottenMeanwhileError, SlowReaderError)


def numbered(
    generations: TextGeneration, model: str, texts: Sequence[tuple[Prompt, SamplingParams]]
) -> Generator[tuple[int, Piece | End] | None, None, None]:
    """The steps of writing several texts, one after another, each part with its text's number."""
    for number, (prompt, wanted) in enumerate(texts):
        for part in generations.generate(model, prompt, wanted):
            yield None if part is None else (number, part)


class Texts:
    """Has texts written by an iterator that makes one step at a time and gives None where a step brought nothing."""

    def __init__(self, queue: ModelQueue, streams: Streams) -> None:
        """Steps wait for their turn in `queue`; texts end with `streams`."""
        self._queue = queue
        self._streams = streams

    async def whole(self, request: Request, steps: Generator[Part | None, None, None]) -> list[Part]:
        """All parts. Raises BusyError, what writing raises, and GoneError."""

        async def gather() -> list[Part]:
            async with aclosing(self._parts(request, steps)) as parts:
                return [part async for part in parts]

        return await unless_gone(request, gather())

    async def stream(
        self,
        request: Request,
        steps: Generator[Part | None, None, None],
        shape: Callable[[AsyncIterator[Part]], AsyncIterator[object]],
    ) -> Events:
        """Server-sent events that `shape` makes of the parts; an error that comes up on the way is the last of them.

        Raises what comes up before the first of them, while there is still a status to set.
        """
        parts = self._parts(request, steps)
        events = shape(parts)
        first = await unless_gone(request, _first(events))

        async def told() -> AsyncIterator[bytes]:
            async with aclosing(parts):
                try:
                    yield _event(first)
                    async for event in events:
                        yield _event(event)
                except Exception as error:  # noqa: BLE001 (there is a status already, and a client to tell)
                    known = self._streams.known(error)
                    yield _event({"error": described(request.url.path, known, known.http_status)})

        return Events(told(), headers={"cache-control": "no-cache"})

    async def _parts(
        self, request: Request, steps: Generator[Part | None, None, None]
    ) -> AsyncGenerator[Part, None]:
        pieces = self._queue.stream(client_of(request), Priority.REST, steps)
        async with aclosing(pieces) as made:
            async for part in made:
                if self._streams.stopping:
                    raise StoppingError
                if part is not None:
                    yield part


async def _first(events: AsyncIterator[object]) -> object:
    return await anext(events)


def _event(content: object) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else encode(content)) + b"\n\n"
