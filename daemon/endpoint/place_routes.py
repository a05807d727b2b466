"""Routes for the programs that people type in: how each stands, and connecting one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from anyio.to_thread import run_sync

from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.runtime.tokens import Scope


class Places(Protocol):
    """What finds and connects them; it lives with the clients, which nothing here knows."""

    def survey(self) -> Sequence[object]:
        """How each of them stands."""

    def connect(self, name: str, *, learn: bool | None, dry_run: bool) -> JsonObject:
        """Connect one, or say what that would write."""


class ConnectBody(Body):
    """Which place to connect; `learn`: whether the keyboard learns; `dry_run` says what would be written."""

    place: Name
    learn: bool | None = None
    dry_run: bool = False


def register(app: Application, places: Callable[[], Places]) -> None:
    """Have `app` answer them."""

    @app.get("/v1/places", Scope.ADMIN)
    async def survey() -> JsonObject:
        return {"places": await run_sync(lambda: places().survey())}

    @app.post("/v1/places/connect", Scope.ADMIN)
    async def connect(asked: ConnectBody) -> JsonObject:
        found, place = places(), asked.place
        return await run_sync(lambda: found.connect(place, learn=asked.learn, dry_run=asked.dry_run))
