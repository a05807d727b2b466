"""The routes for adapters: training rounds, evaluations, which adapter serves, and exports."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from anyio.to_thread import run_sync
from pydantic import Field
from starlette.responses import Response

from idiolect.daemon.endpoint.routing import Application, JsonObject, LineStream, answer
from idiolect.daemon.endpoint.shapes import MAX_ID, AnyPath, Body, Id, Seconds
from idiolect.daemon.endpoint.streams import Streams
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service
from idiolect.daemon.storage.records import EvalRequest, public_metrics

MIN_EVAL_CHARS, MAX_EVAL_CHARS = 500, 200_000


class TrainBody(Body):
    """Whether to wait for the verdict, whether to stream the progress, and the round's time in seconds."""

    wait: bool = False
    stream: bool = False
    budget_s: Seconds | None = None


class EvalBody(Body):
    """Whose text to type (null: the user's own), how much of it, drawn how, whether and how long to train, and more.

    `context` is a JSON Lines file of texts that answer others: they are typed without the texts that they answer, and
    with them.
    """

    path: AnyPath | None = None
    chars: Annotated[int, Field(ge=MIN_EVAL_CHARS, le=MAX_EVAL_CHARS)] = 8000
    seed: Annotated[int, Field(ge=0, le=MAX_ID)] = 1
    train: bool = True
    budget_s: Seconds | None = None
    mistakes: bool = False
    context: AnyPath | None = None

    @pydantic.field_validator("train")
    @classmethod
    def _train_on_a_corpus(cls, value: bool, info: pydantic.ValidationInfo) -> bool:
        if not value and info.data.get("path") is None:
            raise ValueError("without a path nothing is trained, so leave it out")
        return value

    @pydantic.field_validator("budget_s")
    @classmethod
    def _time_for_training(cls, value: float | None, info: pydantic.ValidationInfo) -> float | None:
        if value is not None and (info.data.get("path") is None or not info.data.get("train")):
            raise ValueError("it is the time for training, which needs a path, so leave it out")
        return value

    @pydantic.field_validator("context")
    @classmethod
    def _alone(cls, value: Path | None, info: pydantic.ValidationInfo) -> Path | None:
        if value is not None and (info.data.get("path") is not None or info.data.get("mistakes")):
            raise ValueError("its texts are typed for themselves, so leave out path and mistakes")
        return value


class UseBody(Body):
    """The adapter to serve; null: the base model alone."""

    adapter: Id | None


class ExportBody(Body):
    """What to write where, of which adapter (null: the active one)."""

    kind: Literal["onnx_adapter", "peft", "onnx", "everything"]
    path: AnyPath
    adapter: Id | None = None


def register(app: Application, service: Service, streams: Streams) -> None:
    """Have `app` answer them."""

    @app.post("/v1/train", Scope.ADMIN)
    async def train(asked: TrainBody) -> JsonObject | LineStream | Response:
        events = streams.keep_running(partial(service.rounds.run, asked.budget_s, "asked"))
        if asked.stream:
            return await streams.answer(events)
        async with contextlib.aclosing(events):
            last = await anext(events)
            if not asked.wait:
                return answer({"started": True}, 202)
            async for event in events:
                last = event
        return {name: value for name, value in last.items() if name != "event"}

    @app.post("/v1/eval", Scope.ADMIN)
    async def evaluate(asked: EvalBody) -> LineStream:
        return await streams.answer(streams.pull(service.evals.run(EvalRequest(**asked.model_dump()))))

    @app.get("/v1/adapters", Scope.ADMIN)
    async def adapters() -> JsonObject:
        rows = await run_sync(service.store.adapters.all)
        return {"adapters": [replace(row, metrics=public_metrics(row.metrics)) for row in rows]}

    @app.post("/v1/use", Scope.ADMIN)
    async def use(asked: UseBody) -> JsonObject:
        await run_sync(service.model.use, asked.adapter)
        return {"adapter": asked.adapter}

    @app.post("/v1/export", Scope.ADMIN)
    async def export(asked: ExportBody) -> JsonObject:
        path = await run_sync(service.exports.write, asked.kind, asked.path, asked.adapter)
        return {"path": str(path)}
