"""The routes by which a folder is shared with the user's other devices."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic
from anyio.to_thread import run_sync

from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.profile_paths import absolute_path
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service


class SyncBody(Body):
    """`share` an empty `folder`, `join` a folder by its `words`, `remove` a `device` from it, or `leave` it."""

    action: Literal["share", "join", "leave", "remove"]
    folder: Name | None = None
    words: Name | None = None
    device: Name | None = None

    @pydantic.model_validator(mode="after")
    def _what_is_needed(self) -> SyncBody:
        given = (self.folder is not None, bool(self.words), self.device is not None)
        if given != (self.action in ("share", "join"), self.action == "join", self.action == "remove"):
            raise ValueError("give folder with share and join, words with join, and device with remove")
        return self


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    sync = service.sync

    @app.get("/v1/sync", Scope.ADMIN)
    async def sync_state() -> JsonObject:
        return {"sharing": await run_sync(sync.state)}

    @app.post("/v1/sync", Scope.ADMIN)
    async def change_sync(asked: SyncBody) -> JsonObject:
        return await run_sync(_change, asked)

    def _change(asked: SyncBody) -> JsonObject:
        words, told = None, True
        if asked.device is not None:
            sync.remove(asked.device)
        elif asked.folder is None:
            told = sync.leave()
        elif asked.words is None:
            words = sync.share(absolute_path(Path(asked.folder)))
        else:
            sync.join(absolute_path(Path(asked.folder)), asked.words)
        service.following.start()
        return {"sharing": sync.state(), "words": words, "told": told}
