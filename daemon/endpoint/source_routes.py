"""The addresses for what is read: imports, followed folders, sources, and the words that they brought."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from idiolect.daemon.endpoint import replies, shapes
from idiolect.daemon.endpoint.answers import answer, read_body

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.endpoint.streams import Streams
    from idiolect.daemon.service import Service


class Found(TypedDict):
    """A place that holds text of the user's: what it is, whose text in it is theirs, and about how much there is."""

    path: str
    sort: str
    says: str
    me: tuple[str, ...]
    size_bytes: int
    words: int
    exact: bool


class FoundSources(TypedDict):
    """What there is to read, and was not read."""

    sources: list[Found]


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @app.post("/v1/import", shapes.ImportBody)
    async def import_(request: Request) -> Response:
        """Read files and folders once; answers with events."""
        asked = await read_body(request, shapes.ImportBody)
        events = await run_sync(service.imports.add, [Path(path) for path in asked.paths], asked.me)
        return streams.answer(await streams.first(events), events)

    @app.post("/v1/watch", shapes.WatchBody)
    async def watch(request: Request) -> Response:
        """Read a folder and then follow it (answers with events), or follow it no longer (`remove`).

        What holds very much is refused unless `confirmed`.
        """
        asked = await read_body(request, shapes.WatchBody)
        if asked.remove:
            return answer({"removed": await run_sync(service.imports.unwatch, Path(asked.path))})
        events = await run_sync(partial(service.imports.watch, Path(asked.path), confirmed=asked.confirmed))
        return streams.answer(await streams.first(events), events)

    @app.get("/v1/sources")
    async def sources(_request: Request) -> Response:
        """What was read, and what each source brought."""
        return answer({"sources": await run_sync(service.inventory.sources)})

    @app.post("/v1/sources/find", shapes.FindBody)
    async def find_sources(request: Request) -> Response:
        """Look what else there is to read: mail, notes, commits, histories. Takes some ten seconds at most."""
        asked = await read_body(request, shapes.FindBody)
        home = Path.home() if asked.path is None else Path(asked.path)
        found = await run_sync(service.inventory.unread, home)
        return answer({"sources": [{**asdict(place), "path": str(place.path)} for place in found]})

    @app.post("/v1/sources/remove", shapes.RemoveBody)
    async def remove_source(request: Request) -> Response:
        """Forget all that a source brought, and that it was read; `dry_run` tells what that would take."""
        asked = await read_body(request, shapes.RemoveBody)
        remove = partial(service.inventory.remove, dry_run=asked.dry_run, expect=asked.expect)
        return answer(replies.receipt(await run_sync(remove, Path(asked.path)), dry_run=asked.dry_run))

    @app.post("/v1/learned", shapes.LearnedBody)
    async def learned(request: Request) -> Response:
        """What sets the user's text apart from general English, most characteristic first, and what is no word."""
        asked = await read_body(request, shapes.LearnedBody)
        words = await run_sync(service.keywords.find, asked.limit, asked.contains)
        mistakes = await run_sync(service.keywords.find_mistakes, asked.limit, asked.contains)
        return answer({"words": words, "mistakes": mistakes})
