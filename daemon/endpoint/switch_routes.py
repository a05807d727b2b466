"""Routes for the switches: corrections, and how much is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydantic
from anyio.to_thread import run_sync

from idiolect.adapters.prediction.ghost_value import Show
from idiolect.daemon.endpoint.shapes import Body
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.serving.switches import Corrections, Switches

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.routing import Application
    from idiolect.daemon.service import Service


class SwitchesBody(Body):
    """What to set switches to; null leaves one as it is."""

    corrections: Corrections | None = None
    show: Show | None = None

    @pydantic.model_validator(mode="after")
    def _something(self) -> SwitchesBody:
        if self.corrections is None and self.show is None:
            raise ValueError("give corrections, show or both")
        return self


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""

    @app.get("/v1/switches", Scope.ADMIN)
    async def switches() -> Switches:
        """What the switches stand at."""
        return service.model.served.switches

    @app.post("/v1/switches", Scope.ADMIN)
    async def set_switches(asked: SwitchesBody) -> Switches:
        """Set switches from the next key on; answers with what all of them stand at."""
        return await run_sync(service.model.set_switches, asked.corrections, asked.show)
