"""Routes for sources: imports, followed folders, the list of sources, and the words typical of the user."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from anyio.to_thread import run_sync
from pydantic import Field

from idiolect.daemon.endpoint.privacy_routes import forget_answer
from idiolect.daemon.endpoint.routing import Application, JsonObject, LineStream
from idiolect.daemon.endpoint.shapes import AnyPath, Body, Name, Number
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.profile.words.own_words import find_keywords
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service

MAX_LEARNED = 10_000


class ImportBody(Body):
    """Files, folders and other sources to read once; `me`: the names and addresses in them that are the user's."""

    paths: Annotated[list[AnyPath], Field(min_length=1, max_length=10_000)]
    me: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)


class WatchBody(Body):
    """A folder to follow, or to follow no longer; `confirmed`: however much it holds."""

    path: AnyPath
    remove: bool = False
    confirmed: bool = False


class FindBody(Body):
    """Where to look for what the user wrote; null: in their home folder."""

    path: AnyPath | None = None


class RemoveBody(Body):
    """The source to remove with all that it brought; `dry_run` only counts; `expect`: if it is that many entries."""

    path: AnyPath
    expect: Number | None = None
    dry_run: bool = False


class LearnedBody(Body):
    """How many words and phrases to list, and a text that each must contain."""

    limit: Annotated[int, Field(ge=1, le=MAX_LEARNED)] = 50
    contains: Annotated[str, Field(max_length=1000)] = ""


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @app.post("/v1/import", Scope.ADMIN)
    async def import_(asked: ImportBody) -> LineStream:
        events = await run_sync(service.imports.add, asked.paths, asked.me)
        return await streams.answer(streams.pull(events))

    @app.post("/v1/watch", Scope.ADMIN)
    async def watch(asked: WatchBody) -> JsonObject | LineStream:
        if asked.remove:
            return {"removed": await run_sync(service.imports.unwatch, asked.path)}
        events = await run_sync(partial(service.imports.watch, asked.path, confirmed=asked.confirmed))
        return await streams.answer(streams.pull(events))

    @app.get("/v1/sources", Scope.ADMIN)
    async def sources() -> JsonObject:
        return {"sources": await run_sync(service.inventory.sources)}

    @app.post("/v1/sources/find", Scope.ADMIN)
    async def find_sources(asked: FindBody) -> JsonObject:
        return {"sources": [*await run_sync(service.inventory.unread, asked.path or Path.home())]}

    @app.post("/v1/sources/remove", Scope.ADMIN)
    async def remove_source(asked: RemoveBody) -> JsonObject:
        remove = partial(service.inventory.remove, asked.path, dry_run=asked.dry_run, expect=asked.expect)
        return await forget_answer(service, remove, dry_run=asked.dry_run)

    @app.post("/v1/learned", Scope.ADMIN)
    async def learned(asked: LearnedBody) -> JsonObject:
        lexicon = service.model.loaded.lexicon
        return {"words": await run_sync(find_keywords, service.store, lexicon, asked.limit, asked.contains)}
