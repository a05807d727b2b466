"""The addresses of the switches: what is done about mistyped words, and how much is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydantic
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from idiolect.adapters.prediction.ghost_value import Show
from idiolect.daemon.endpoint.answers import answer, read_body
from idiolect.daemon.serving.switches import Corrections

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.service import Service


class SwitchesBody(pydantic.BaseModel):
    """What to set switches to; null leaves one as it is."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    corrections: Corrections | None = None
    show: Show | None = None

    @pydantic.model_validator(mode="after")
    def _something(self) -> SwitchesBody:
        if self.corrections is None and self.show is None:
            raise ValueError("give corrections, show or both")
        return self


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""

    @app.get("/v1/switches")
    async def switches(_request: Request) -> Response:
        """What the switches stand at."""
        return answer(service.model.switches)

    @app.post("/v1/switches", SwitchesBody)
    async def set_switches(request: Request) -> Response:
        """Set switches from the next key on; answers with what all of them stand at."""
        asked = await read_body(request, SwitchesBody)
        return answer(await run_sync(service.model.set_switches, asked.corrections, asked.show))
