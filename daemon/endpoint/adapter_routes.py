"""The addresses for adapters: training rounds, evaluations, which adapter serves, and exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from anyio.to_thread import run_sync
from fastapi import FastAPI, Query, Request, Response

from idiolect.daemon.endpoint import replies, shapes
from idiolect.daemon.endpoint.answers import answer, post, read_body
from idiolect.daemon.storage.records import EvalRequest

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.streams import Streams
    from idiolect.daemon.service import Service


def register(app: FastAPI, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @post(app, "/v1/train", shapes.TrainBody)
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

    @post(app, "/v1/eval", shapes.EvalBody)
    async def evaluate(request: Request) -> Response:
        """Replay the typing of held-out text; answers with events, and ends when nobody follows them."""
        asked = await read_body(request, shapes.EvalBody)
        path = None if asked.path is None else Path(asked.path)
        wanted = EvalRequest(path, asked.chars, asked.seed, asked.train, asked.budget_s, asked.mistakes)
        events = service.evals.run(wanted)
        return streams.answer(await streams.first(events), events)

    @app.get("/v1/adapters", response_model=None)
    async def adapters() -> Response:
        """All adapters, oldest first, each with its parent, metrics and why it is or is not served."""
        return answer(replies.adapters(await run_sync(service.store.adapters.all)))

    @post(app, "/v1/use", shapes.UseBody)
    async def use(request: Request) -> Response:
        """Serve this adapter, or the base alone, from the next request on."""
        asked = await read_body(request, shapes.UseBody)
        await run_sync(service.model.use, asked.adapter)
        return answer({"adapter": asked.adapter})

    @app.get("/v1/examples", response_model=None)
    async def examples(count: Annotated[int, Query(ge=1, le=50)] = 6) -> Response:
        """Completions of held-out text, by the base and by what is served."""
        return answer({"examples": await run_sync(service.suggestions.examples, count)})

    @post(app, "/v1/export", shapes.ExportBody)
    async def export(request: Request) -> Response:
        """Write an adapter to a file or folder that other programs read."""
        asked = await read_body(request, shapes.ExportBody)
        path = await run_sync(service.exports.write, asked.kind, Path(asked.path), asked.adapter)
        return answer({"path": str(path)})
