"""The addresses for adapters: training rounds, evaluations, which adapter serves, and exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from idiolect.daemon.endpoint import replies, shapes
from idiolect.daemon.endpoint.answers import answer, read_body, read_query
from idiolect.daemon.storage.records import EvalRequest

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.endpoint.streams import Streams
    from idiolect.daemon.service import Service


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @app.post("/v1/train", shapes.TrainBody)
    async def train(request: Request) -> Response:
        """Begin a training round; answers at once, with the verdict (`wait`) or with events (`stream`)."""
        asked = await read_body(request, shapes.TrainBody)
        events = streams.keep_running(service.rounds.run(asked.budget_s, "asked"))
        first = await streams.first(events)
        if asked.stream:
            return streams.answer(first, events)
        if asked.wait:
            return answer(replies.verdict(await streams.last(first, events)))
        return answer({"started": True}, 202)

    @app.post("/v1/eval", shapes.EvalBody)
    async def evaluate(request: Request) -> Response:
        """Replay the typing of held-out text; answers with events, and ends when nobody follows them."""
        asked = await read_body(request, shapes.EvalBody)
        path = None if asked.path is None else Path(asked.path)
        wanted = EvalRequest(path, asked.chars, asked.seed, asked.train, asked.budget_s, asked.mistakes)
        events = service.evals.run(wanted)
        return streams.answer(await streams.first(events), events)

    @app.get("/v1/adapters")
    async def adapters(_request: Request) -> Response:
        """All adapters, oldest first, each with its parent, metrics and why it is or is not served."""
        return answer(replies.adapters(await run_sync(service.store.adapters.all)))

    @app.post("/v1/use", shapes.UseBody)
    async def use(request: Request) -> Response:
        """Serve this adapter, or the base alone, from the next request on."""
        asked = await read_body(request, shapes.UseBody)
        await run_sync(service.model.use, asked.adapter)
        return answer({"adapter": asked.adapter})

    @app.get("/v1/examples", query=shapes.ExamplesQuery)
    async def examples(request: Request) -> Response:
        """Completions of held-out text, by the base and by what is served."""
        count = read_query(request, shapes.ExamplesQuery).count
        return answer({"examples": await run_sync(service.suggestions.examples, count)})

    @app.post("/v1/export", shapes.ExportBody)
    async def export(request: Request) -> Response:
        """Write an adapter to a file or folder that other programs read."""
        asked = await read_body(request, shapes.ExportBody)
        path = await run_sync(service.exports.write, asked.kind, Path(asked.path), asked.adapter)
        return answer({"path": str(path)})
