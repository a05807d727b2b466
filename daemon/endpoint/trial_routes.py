"""Routes for the trial of typing speed: start, stop and state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.serving.speed_trial import NoTrialError, TrialRunningError, TrialStatus

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.routing import Application
    from idiolect.daemon.service import Service


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
