"""Routes for sources: imports, followed folders, the list of sources, and the words typical of the user."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from anyio.to_thread import run_sync
from pydantic import Field
from typing_extensions import TypedDict

from idiolect.adapters.memory.keyness import Keyword
from idiolect.daemon.endpoint.privacy_routes import ForgetTaken, forget_receipt
from idiolect.daemon.endpoint.routing import Application, LineStream
from idiolect.daemon.endpoint.shapes import AnyPath, Body, Name, Number
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.ingest.folder_watch import ManyFilesError
from idiolect.daemon.ingest.reader import ReaderEndedError
from idiolect.daemon.ingest.source_discovery import FoundSource
from idiolect.daemon.ingest.source_inventory import UnknownSourceError
from idiolect.daemon.profile.pause import PausedError
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.service import Service
from idiolect.daemon.storage.records import ForgottenMeanwhileError, OtherCountError, SourceRow

MAX_LEARNED = 10_000

_OF_READING = (NoSuchPathError, PausedError, ReaderEndedError, ForgottenMeanwhileError)


class ImportBody(Body):
    """Files, folders and other sources to read once; `me`: the names and addresses in them that are the user's."""

    paths: Annotated[list[AnyPath], Field(min_length=1, max_length=10_000)]
    me: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)


class WatchBody(Body):
    """A folder to follow, or to follow no longer; `confirmed`: however much it holds."""

    path: AnyPath
    remove: bool = False
    confirmed: bool = False


class Removed(TypedDict):
    """Whether the folder was followed."""

    removed: bool


class SourceList(TypedDict):
    """What was read."""

    sources: list[SourceRow]


class FindBody(Body):
    """Where to look for what the user wrote; null: in their home folder."""

    path: AnyPath | None = None


class FoundSources(TypedDict):
    """What there is to read, and was not read."""

    sources: list[FoundSource]


class RemoveBody(Body):
    """The source to remove with all that it brought; `dry_run` only counts; `expect`: if it is that many entries."""

    path: AnyPath
    expect: Number | None = None
    dry_run: bool = False


class LearnedBody(Body):
    """How many words and phrases to list, of those that contain some text."""

    limit: Annotated[int, Field(ge=1, le=MAX_LEARNED)] = 50
    contains: Annotated[str, Field(max_length=1000)] = ""


class Learned(TypedDict):
    """Words and phrases, the most characteristic first."""

    words: list[Keyword]


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @app.post("/v1/import", Scope.ADMIN, errors=_OF_READING)
    async def import_(asked: ImportBody) -> LineStream:
        """Read files and folders once; answers with events."""
        events = await run_sync(service.imports.add, [Path(path) for path in asked.paths], asked.me)
        return await streams.answer(streams.pull(events))

    @app.post("/v1/watch", Scope.ADMIN, errors=(*_OF_READING, ManyFilesError))
    async def watch(asked: WatchBody) -> Removed | LineStream:
        """Read a folder and then follow it (answers with events), or follow it no longer (`remove`).

        What holds very much is refused unless `confirmed`.
        """
        if asked.remove:
            return {"removed": await run_sync(service.imports.unwatch, Path(asked.path))}
        events = await run_sync(partial(service.imports.watch, Path(asked.path), confirmed=asked.confirmed))
        return await streams.answer(streams.pull(events))

    @app.get("/v1/sources", Scope.ADMIN)
    async def sources() -> SourceList:
        """What was read, and what each source brought."""
        return {"sources": await run_sync(service.inventory.sources)}

    @app.post("/v1/sources/find", Scope.ADMIN, errors=(NoSuchPathError,))
    async def find_sources(asked: FindBody) -> FoundSources:
        """Look what else there is to read: mail, notes, commits, histories. Takes some ten seconds at most."""
        home = Path.home() if asked.path is None else Path(asked.path)
        return {"sources": [*await run_sync(service.inventory.unread, home)]}

    @app.post("/v1/sources/remove", Scope.ADMIN, errors=(UnknownSourceError, OtherCountError))
    async def remove_source(asked: RemoveBody) -> ForgetTaken:
        """Forget all that a source brought, and that it was read; `dry_run` tells what that would take."""
        remove = partial(service.inventory.remove, dry_run=asked.dry_run, expect=asked.expect)
        receipt = await run_sync(remove, Path(asked.path))
        return ForgetTaken.of(receipt, **forget_receipt(receipt, dry_run=asked.dry_run))

    @app.post("/v1/learned", Scope.ADMIN)
    async def learned(asked: LearnedBody) -> Learned:
        """What sets the user's text apart from general English, most characteristic first."""
        words = await run_sync(service.keywords, asked.limit, asked.contains)
        return {"words": words}
