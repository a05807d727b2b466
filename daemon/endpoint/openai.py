"""OpenAI's endpoints, for the clients that speak to them: text completions and the list of models.

What is asked for and answered is as in https://platform.openai.com/docs/api-reference; fields that mean nothing here
are not looked at. Nothing of it is stored or learned.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from pydantic import AfterValidator, Field
from starlette.requests import Request

from idiolect.adapters.generation.requests import (
    WINDOW,
    End,
    Prompt,
    SamplingParams,
    build_stop_pattern,
)
from idiolect.daemon.endpoint.routing import Application, EventStream, JsonObject
from idiolect.daemon.endpoint.shapes import MAX_PREFIX_CHARS, InvalidRequestError, Lenient
from idiolect.daemon.endpoint.streams import Part, Texts
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.serving.text_generation import SERVED, NamedModel
from idiolect.daemon.text.typed_text import MAX_TEXT_CHARS

_MAX_TEXTS = 32  # in one answer


def _asks_for_nothing(value: object) -> None:
    if value:
        raise ValueError("this service does not do that, so leave it out")


_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
_Stop = Annotated[str, Field(min_length=1, max_length=1000)]
_Unsupported = Annotated[object, AfterValidator(_asks_for_nothing)]
"""What clients send though they want nothing of it: null, false and 0 are taken."""


class _StreamOptions(Lenient):
    include_usage: bool = False


class CompletionBody(Lenient):
    """Text to go on from, and how."""

    model: Annotated[str, Field(max_length=1000)] = SERVED
    prompt: _Text | Annotated[list[_Text], Field(min_length=1, max_length=_MAX_TEXTS)] = ""
    suffix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)] | None = None
    max_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=16)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    logprobs: _Unsupported = None
    echo: _Unsupported = None
    frequency_penalty: _Unsupported = None
    presence_penalty: _Unsupported = None

    @property
    def texts(self) -> list[tuple[Prompt, SamplingParams]]:
        """What to write: `n` texts for each prompt. Raises InvalidRequestError."""
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        each = self.n or 1
        if len(prompts) * each > _MAX_TEXTS:
            raise InvalidRequestError(f"n: no more than {_MAX_TEXTS} texts in all can be asked for.", "n")
        return [(Prompt(prompt), self._sampling(number)) for prompt in prompts for number in range(each)]

    def _sampling(self, number: int) -> SamplingParams:
        words = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        suffix = self.suffix or ""
        line = suffix.partition("\n")[0]
        return SamplingParams(
            16 if self.max_tokens is None else self.max_tokens,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=None if self.seed is None else self.seed + number,
            stop=build_stop_pattern(words, suffix=suffix, one_line=bool(line.strip())),
        )

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with its usage."""
        return self.stream_options is not None and self.stream_options.include_usage


def register(app: Application, texts: Texts) -> None:
    """Have `app` answer as OpenAI does."""
    generations = texts.generations

    @app.post("/v1/completions", Scope.SUGGEST)
    async def completions(asked: CompletionBody, request: Request) -> JsonObject | EventStream:
        """Text that goes on from a prompt, in OpenAI's form."""
        wanted = asked.texts
        chosen = await run_sync(generations.choose, asked.model)
        completion = _Completion(asked, chosen.model)
        if asked.stream:
            return await texts.stream(request, chosen, wanted, completion.stream)
        return completion.whole(await texts.whole(request, chosen, wanted))

    @app.get("/v1/models", Scope.SUGGEST)
    async def models() -> JsonObject:
        """The models that can be asked for, in OpenAI's form."""
        found = await run_sync(generations.models)
        return {"object": "list", "data": [_model(one) for one in found]}

    @app.get("/v1/models/{model}", Scope.SUGGEST)
    async def model(model: str) -> JsonObject:
        """One of these models."""
        return _model(await run_sync(generations.model, model))


def _model(model: NamedModel) -> JsonObject:
    created = 0 if model.created_at is None else int(model.created_at.timestamp())
    return {
        "id": model.name,
        "object": "model",
        "created": created,
        "owned_by": "idiolect",
        "context_length": WINDOW,
    }


class _Completion:
    """How the texts that were asked for are answered, whole or as a stream of chunks."""

    def __init__(self, asked: CompletionBody, chosen: NamedModel) -> None:
        self._each = asked.n or 1
        self._usage_in_stream = asked.wants_usage
        self._head: dict[str, Any] = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": asked.model,
            "system_fingerprint": "base" if chosen.adapter is None else f"adapter-{chosen.adapter}",
        }

    def whole(self, parts: list[Part]) -> JsonObject:
        """The answer in one piece."""
        pieces: dict[int, list[str]] = {}
        ends = list[End]()
        for number, part in parts:
            pieces.setdefault(number, [])
            if isinstance(part, End):
                ends.append(part)
            else:
                pieces[number].append(part.text)
        choices = [_choice(number, "".join(pieces[number]), end) for number, end in enumerate(ends)]
        return {**self._head, "choices": choices, "usage": self._usage(ends)}

    async def stream(self, parts: AsyncIterator[Part]) -> AsyncIterator[object]:
        """The answer in chunks, and the mark of its end."""
        head = {**self._head, **({"usage": None} if self._usage_in_stream else {})}
        ends = list[End]()
        async for number, part in parts:
            if isinstance(part, End):
                ends.append(part)
                yield {**head, "choices": [_choice(number, "", part)]}
            else:
                yield {**head, "choices": [_choice(number, part.text, None)]}
        if self._usage_in_stream:
            yield {**head, "choices": [], "usage": self._usage(ends)}
        yield b"[DONE]"

    def _usage(self, ends: list[End]) -> JsonObject:
        prompts = ends[:: self._each]
        read, written = sum(end.prompt_tokens for end in prompts), sum(end.tokens for end in ends)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": sum(end.cached_tokens for end in prompts)},
        }


def _choice(number: int, text: str, end: End | None) -> JsonObject:
    reason: Literal["length", "stop"] | None = None
    if end is not None:
        reason = "length" if end.reason == "limit" else "stop"
    return {"index": number, "text": text, "logprobs": None, "finish_reason": reason}
