"""The route for setup: which programs to type in are installed, and which are connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from anyio.to_thread import run_sync
from typing_extensions import TypedDict

from idiolect.daemon.endpoint.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from idiolect.daemon.endpoint.routing import Application


class PlaceAnswer(TypedDict):
    """How a place stands: which program is there (null: none), whether it is connected, what to do next (or null).

    What is to be typed stands in backquotes.
    """

    place: str
    title: str
    found: str | None
    connected: bool
    next_step: str | None


class Places(TypedDict):
    """The places that one types in, those for most programs first."""

    places: list[PlaceAnswer]


def register(app: Application, survey: Callable[[], Sequence[object]]) -> None:
    """Have `app` answer it with what `survey` finds."""

    @app.get("/v1/places", Scope.ADMIN)
    async def places() -> Places:
        """Which programs that one types in are here, which are connected, and what is to be done for the others."""
        return {"places": cast("list[PlaceAnswer]", await run_sync(survey))}
