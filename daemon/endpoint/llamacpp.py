"""The endpoints of llama.cpp's server that its editor plug-ins speak to, llama.vim and llama.vscode.

What they ask and read is as in https://github.com/ggml-org/llama.cpp/tree/master/tools/server; fields that mean nothing
here are not looked at. Nothing of it is stored or learned.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio.to_thread import run_sync
from pydantic import Field
from starlette.requests import Request

from idiolect.adapters.generation.requests import (
    WINDOW,
    End,
    Piece,
    Prompt,
    SamplingParams,
    build_stop_pattern,
)
from idiolect.daemon.endpoint.routing import Application, EventStream, JsonObject
from idiolect.daemon.endpoint.shapes import Lenient
from idiolect.daemon.endpoint.streams import Part, Texts
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.serving.text_generation import SERVED
from idiolect.daemon.text.typed_text import MAX_TEXT_CHARS

_TEMPERATURE = 0.8  # llama.cpp's own defaults
_TOP_K, _TOP_P = 40, 0.95
_MAX_UNASKED = 128  # tokens of a text whose client names no number: some seconds on two cores

_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
_Count = Annotated[int, Field(ge=-1, le=2**31 - 1)]


class _Body(Lenient):
    prompt: _Text = ""
    model: Annotated[str, Field(max_length=1000)] = ""
    n_predict: _Count = -1
    n_cmpl: Annotated[int, Field(ge=1, le=8)] = 1
    temperature: Annotated[float, Field(ge=-(2**10), le=2**10)] = _TEMPERATURE
    top_k: _Count = _TOP_K
    top_p: Annotated[float, Field(ge=0, le=1)] = _TOP_P
    seed: Annotated[int, Field(ge=-1, le=2**63 - 1)] = -1
    samplers: Annotated[list[str], Field(max_length=100)] | None = None
    stop: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=16)] | None = None
    n_indent: Annotated[int, Field(ge=0, le=1000)] = 0
    t_max_predict_ms: Annotated[int, Field(ge=-1, le=2**31 - 1)] = -1
    stream: bool = False
    response_fields: Annotated[list[str], Field(max_length=100)] | None = None

    def wanted(self, text: int, suffix: str) -> SamplingParams:
        """How to write the text with the number `text`; where samplers leave temperature out, first the likeliest."""
        chance = self.samplers is None or "temperature" in self.samplers
        temperature = max(self.temperature, 0.0) if chance else _TEMPERATURE if text else 0.0
        line = suffix.partition("\n")[0]
        return SamplingParams(
            _MAX_UNASKED if self.n_predict < 0 else self.n_predict,
            temperature=min(temperature, 2.0),
            top_k=max(self.top_k, 0),
            top_p=self.top_p or 1e-6,
            seed=None if self.seed < 0 else self.seed + text,
            stop=build_stop_pattern(
                tuple(self.stop or ()), suffix=suffix, one_line=bool(line.strip()), indent=self.n_indent
            ),
            seconds=self.t_max_predict_ms / 1e3 if self.t_max_predict_ms > 0 else math.inf,
        )


class LlamaCompletionBody(_Body):
    """Text to go on from."""


class _Extra(Lenient):
    text: _Text = ""


class InfillBody(_Body):
    """What stands before and after the cursor's line, that line up to the cursor, and text from elsewhere."""

    input_prefix: _Text = ""
    input_suffix: _Text = ""
    input_extra: Annotated[list[_Extra], Field(max_length=1000)] | None = None


def register(app: Application, texts: Texts) -> None:
    """Have `app` answer as llama.cpp does."""

    @app.get("/props", Scope.SUGGEST)
    async def props() -> JsonObject:
        """How much can be read and written, in llama.cpp's form."""
        params = {"n_predict": -1, "temperature": _TEMPERATURE, "top_k": _TOP_K, "top_p": _TOP_P}
        return {
            "default_generation_settings": {"n_ctx": WINDOW, "params": params},
            "total_slots": 1,
            "model_alias": SERVED,
        }

    @app.post("/completion", Scope.SUGGEST)
    async def completion(
        asked: LlamaCompletionBody, request: Request
    ) -> JsonObject | list[JsonObject] | EventStream:
        """Text that goes on from a prompt, in llama.cpp's form."""
        return await _answer(request, texts, asked, Prompt(asked.prompt))

    @app.post("/infill", Scope.SUGGEST)
    async def infill(asked: InfillBody, request: Request) -> JsonObject | list[JsonObject] | EventStream:
        """Text for where the cursor is, in llama.cpp's form."""
        extra = tuple(one.text for one in asked.input_extra or ())
        prompt = Prompt(asked.input_prefix + asked.prompt, extra)
        return await _answer(request, texts, asked, prompt, asked.input_suffix)


async def _answer(
    request: Request,
    texts: Texts,
    asked: _Body,
    prompt: Prompt,
    suffix: str = "",
) -> JsonObject | list[JsonObject] | EventStream:
    model = asked.model or SERVED
    chosen = await run_sync(texts.generations.choose, model)
    wanted = [(prompt, asked.wanted(text, suffix)) for text in range(asked.n_cmpl)]
    settings = {"n_ctx": WINDOW, "n_predict": asked.n_predict, "seed": asked.seed}

    async def chunks(parts: AsyncIterator[Part]) -> AsyncIterator[object]:
        async for number, part in parts:
            content = part.text if isinstance(part, Piece) else ""
            end = _ended(part, content, model, settings) if isinstance(part, End) else {}
            yield _chosen({"index": number, "content": content, "stop": False, **end}, asked.response_fields)

    if asked.stream:
        return await texts.stream(request, chosen, wanted, chunks)
    parts = await texts.whole(request, chosen, wanted)
    found = list[JsonObject]()
    for number in range(len(wanted)):
        mine = [part for at, part in parts if at == number]
        content = "".join(part.text for part in mine if isinstance(part, Piece))
        [end] = [part for part in mine if isinstance(part, End)]
        whole = {"index": number, **_ended(end, content, model, settings)}
        found.append(_chosen(whole, asked.response_fields))
    return found[0] if len(found) == 1 else found


def _ended(end: End, content: str, model: str, settings: JsonObject) -> JsonObject:
    read = end.prompt_tokens - end.cached_tokens
    return {
        "content": content,
        "stop": True,
        "model": model,
        "tokens_predicted": end.tokens,
        "tokens_evaluated": end.prompt_tokens,
        "tokens_cached": end.prompt_tokens + end.tokens,
        "truncated": end.truncated,
        "stop_type": end.reason,
        "stopping_word": end.word,
        "generation_settings": settings,
        "timings": {
            "cache_n": end.cached_tokens,
            **_timings("prompt", read, end.prompt_s),
            **_timings("predicted", end.tokens, end.seconds),
        },
    }


def _timings(what: str, tokens: int, took_s: float) -> dict[str, float]:
    return {
        f"{what}_n": tokens,
        f"{what}_ms": 1e3 * took_s,
        f"{what}_per_token_ms": 1e3 * took_s / max(tokens, 1),
        f"{what}_per_second": tokens / took_s if took_s > 0 else 0.0,
    }


def _chosen(whole: JsonObject, fields: list[str] | None) -> JsonObject:
    """The fields that are asked for, under the names by which they are: "timings/prompt_n" is within another."""
    if fields is None:
        return whole
    found: JsonObject = {}
    for field in fields:
        value: Any = whole
        for name in field.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found[field] = value
    return found
