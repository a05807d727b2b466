"""The routes of the trial of one: begun, ended, told of, and the stretches of writing that it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from anyio.to_thread import run_sync
from pydantic import Field

from idiolect.daemon.endpoint.shapes import Answer, PlacedBody
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.serving.trial import NoTrialError, Stretch, TrialRunningError, TrialStatus

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.routing import Application
    from idiolect.daemon.service import Service


class StretchBody(PlacedBody):
    """What was typed in a field from its first letter until it was left; see `trial.Stretch`."""

    suggestions: bool
    characters: Annotated[int, Field(ge=0, le=10**6)]
    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
    keys: Annotated[int, Field(ge=0, le=10**6)]


class StretchCounted(Answer):
    """Whether a stretch counts, and whether the trial goes on."""

    counted: bool
    running: bool


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    trial = service.trial

    @app.get("/v1/trial", Scope.ADMIN)
    async def status() -> TrialStatus:
        """How the trial stands, or what came of the last one."""
        return await run_sync(trial.status)

    @app.post("/v1/trial/start", Scope.ADMIN, errors=(TrialRunningError,))
    async def start() -> TrialStatus:
        """Begin a trial: programs leave out suggestions in one of four stretches of writing."""
        return await run_sync(trial.start)

    @app.post("/v1/trial/stop", Scope.ADMIN, errors=(NoTrialError,))
    async def stop() -> TrialStatus:
        """End the trial; what was counted stays."""
        return await run_sync(trial.stop)

    @app.post("/v1/trial/stretch", Scope.SUGGEST)
    async def stretch(asked: StretchBody) -> StretchCounted:
        """Count a stretch of writing, with suggestions or without."""
        told = Stretch(asked.suggestions, asked.characters, asked.seconds, asked.keys)
        counted = await run_sync(trial.add, told, asked.place)
        return StretchCounted(counted=counted, running=trial.running)
