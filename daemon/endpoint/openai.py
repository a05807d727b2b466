"""OpenAI's endpoints, for the clients that speak to them: text completions, chat completions and the list of models.

What is asked for and answered is as in https://platform.openai.com/docs/api-reference; fields that mean nothing here
are not looked at. Nothing of it is stored or learned.
"""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from anyio.to_thread import run_sync
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from idiolect.adapters.generation.requests import (
    WINDOW,
    Chat,
    End,
    Piece,
    Prompt,
    SamplingParams,
    Token,
    build_stop_pattern,
)
from idiolect.daemon.endpoint.answers import answer, read_body
from idiolect.daemon.endpoint.shapes import MAX_PREFIX_CHARS, MAX_TEXT_CHARS, InvalidRequestError
from idiolect.daemon.endpoint.texts import Texts, numbered
from idiolect.daemon.serving.text_generation import SERVED

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.serving.text_generation import NamedModel, TextGeneration

_MAX_TEXTS = 32  # in one answer

_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
_Stop = Annotated[str, Field(min_length=1, max_length=1000)]
_Penalty = Annotated[float, Field(ge=-2, le=2)]
_Tokens = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Part = tuple[int, Piece | End]
"""Which of an answer's texts it belongs to, and what comes next of it."""


class Lenient(BaseModel):
    """A request of a client that was written for another program: fields that are not known are not looked at."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, defer_build=True)


class _StreamOptions(Lenient):
    include_usage: bool = False


class _Body(Lenient):
    model: Annotated[str, Field(max_length=1000)] = SERVED
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=16)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    def wanted(self, text: int, tokens: int, alternatives: int, suffix: str = "") -> SamplingParams:
        """How to write the text with the number `text`."""
        words = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        line = suffix.partition("\n")[0]
        return SamplingParams(
            tokens,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            frequency_penalty=self.frequency_penalty or 0.0,
            presence_penalty=self.presence_penalty or 0.0,
            seed=None if self.seed is None else self.seed + text,
            alternatives=alternatives,
            stop=build_stop_pattern(words, suffix=suffix, one_line=bool(line.strip())),
        )

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with its usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class CompletionBody(_Body):
    """Text to go on from."""

    prompt: _Text | Annotated[list[_Text], Field(min_length=1, max_length=_MAX_TEXTS)] = ""
    suffix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)] | None = None
    max_tokens: _Tokens | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None


class _TextPart(Lenient):
    type: Literal["text"]
    text: _Text


class _Message(Lenient):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: _Text | list[_TextPart] | None = None

    @property
    def spoken(self) -> tuple[str, str]:
        """Its role, of those that the model knows, and its text."""
        role = {"developer": "system", "tool": "user", "function": "user"}.get(self.role, self.role)
        content = self.content or ""
        return role, content if isinstance(content, str) else "".join(part.text for part in content)


class ChatBody(_Body):
    """A conversation to answer in."""

    messages: Annotated[list[_Message], Field(min_length=1, max_length=10_000)]
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None


class _Usage(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]


class Completed(TypedDict):
    """Texts that go on from prompts."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[dict[str, Any]]
    usage: _Usage


class Answered(TypedDict):
    """Answers in a conversation."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[dict[str, Any]]
    usage: _Usage


class Model(TypedDict):
    """A model that can be asked for."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    context_length: int


class Models(TypedDict):
    """All of them."""

    object: Literal["list"]
    data: list[Model]


def register(app: Application, generations: TextGeneration, texts: Texts) -> None:
    """Have `app` answer as OpenAI does."""

    @app.post("/v1/completions", CompletionBody)
    async def completions(request: Request) -> Response:
        """Text that goes on from a prompt, in OpenAI's form."""
        asked = await read_body(request, CompletionBody)
        return await _answer(request, generations, texts, asked, _Completions(asked))

    @app.post("/v1/chat/completions", ChatBody)
    async def chat_completions(request: Request) -> Response:
        """An answer in a conversation, in OpenAI's form."""
        asked = await read_body(request, ChatBody)
        return await _answer(request, generations, texts, asked, _Chats(asked))

    @app.get("/v1/models")
    async def models(_request: Request) -> Response:
        """The models that can be asked for, in OpenAI's form."""
        found = await run_sync(generations.models)
        return answer({"object": "list", "data": [_model(one) for one in found]})

    @app.get("/v1/models/{model}")
    async def model(request: Request) -> Response:
        """One of these models."""
        return answer(_model(await run_sync(generations.model, request.path_params["model"])))


def _model(model: NamedModel) -> dict[str, Any]:
    created = 0 if model.created_at is None else int(model.created_at.timestamp())
    limits = {"context_length": WINDOW}
    return {"id": model.name, "object": "model", "created": created, "owned_by": "idiolect", **limits}


async def _answer(
    request: Request, generations: TextGeneration, texts: Texts, asked: _Body, shape: _Shape
) -> Response:
    chosen = await run_sync(generations.model, asked.model)
    shape.fingerprint = "base" if chosen.adapter is None else f"adapter-{chosen.adapter}"

    steps = numbered(generations, asked.model, shape.texts)
    if asked.stream:
        return await texts.stream(request, steps, lambda parts: shape.stream(parts, usage=asked.tells_usage))
    return answer(shape.whole(await texts.whole(request, steps)))


class _Shape(ABC):
    """How an answer looks, whole or as a stream of chunks; texts that go on from one prompt come one after another."""

    name: ClassVar[str]
    chunk_name: ClassVar[str]

    def __init__(self, prefix: str, asked: _Body) -> None:
        self.model = asked.model
        self.fingerprint = ""
        self.texts: list[tuple[Prompt | Chat, SamplingParams]] = []
        self._each = asked.n or 1
        self._id = f"{prefix}-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def whole(self, parts: list[_Part]) -> dict[str, Any]:
        """The answer in one piece."""
        choices = []
        for number in range(len(self.texts)):
            mine = [part for place, part in parts if place == number]
            pieces = [part for part in mine if isinstance(part, Piece)]
            [end] = [part for part in mine if isinstance(part, End)]
            text, tokens = (
                "".join(piece.text for piece in pieces),
                [*chain(*(piece.tokens for piece in pieces))],
            )
            choices.append(self.choice(number, text, tokens, end))
        ends = [part for _, part in parts if isinstance(part, End)]
        return {**self._head(self.name), "choices": choices, "usage": self._usage(ends)}

    async def stream(self, parts: AsyncIterator[_Part], *, usage: bool) -> AsyncIterator[object]:
        """The answer in chunks, and the mark of its end."""
        head = {**self._head(self.chunk_name), **({"usage": None} if usage else {})}
        ends, begun = list[End](), set[int]()
        async for number, part in parts:
            if number not in begun:
                begun.add(number)
                for choice in self.opening(number):
                    yield {**head, "choices": [choice]}
            if isinstance(part, End):
                ends.append(part)
                yield {**head, "choices": [self.chunk(number, "", [], part)]}
            else:
                yield {**head, "choices": [self.chunk(number, part.text, [*part.tokens], None)]}
        if usage:
            yield {**head, "choices": [], "usage": self._usage(ends)}
        yield b"[DONE]"

    def _head(self, name: str) -> dict[str, Any]:
        about = {"model": self.model, "system_fingerprint": self.fingerprint}
        return {"id": self._id, "object": name, "created": self._created, **about}

    def _usage(self, ends: list[End]) -> dict[str, Any]:
        prompts = ends[:: self._each]
        read, written = sum(end.prompt_tokens for end in prompts), sum(end.tokens for end in ends)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": sum(end.cached_tokens for end in prompts)},
        }

    @abstractmethod
    def opening(self, number: int) -> list[dict[str, Any]]:
        """Chunks that come before a text's first."""

    @abstractmethod
    def choice(self, number: int, text: str, tokens: list[Token], end: End) -> dict[str, Any]:
        """One of the texts, whole."""

    @abstractmethod
    def chunk(self, number: int, text: str, tokens: list[Token], end: End | None) -> dict[str, Any]:
        """A part of one of the texts; the last part has no text but its end."""


class _Completions(_Shape):
    name = chunk_name = "text_completion"

    def __init__(self, asked: CompletionBody) -> None:
        super().__init__("cmpl", asked)
        prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
        if len(prompts) * self._each > _MAX_TEXTS:
            raise InvalidRequestError(f"n: no more than {_MAX_TEXTS} texts in all can be asked for.", "n")
        if asked.echo and asked.logprobs is not None:
            raise InvalidRequestError(
                "echo: the prompt's own logprobs are not told, so leave one out.", "echo"
            )
        self._logprobs = asked.logprobs
        self._prompts = [prompt for prompt in prompts for _ in range(self._each)]
        self._echo = bool(asked.echo)
        self._offsets = [len(prompt) for prompt in self._prompts]  # of the next token in each text
        tokens = 16 if asked.max_tokens is None else asked.max_tokens
        suffix = asked.suffix or ""
        self.texts = [
            (Prompt(prompt), asked.wanted(number % self._each, tokens, asked.logprobs or 0, suffix))
            for number, prompt in enumerate(self._prompts)
        ]

    def opening(self, number: int) -> list[dict[str, Any]]:
        return [self.chunk(number, self._prompts[number], [], None)] if self._echo else []

    def choice(self, number: int, text: str, tokens: list[Token], end: End) -> dict[str, Any]:
        return self.chunk(number, (self._prompts[number] if self._echo else "") + text, tokens, end)

    def chunk(self, number: int, text: str, tokens: list[Token], end: End | None) -> dict[str, Any]:
        logprobs = None if self._logprobs is None else self._told(number, tokens)
        return {"index": number, "text": text, "logprobs": logprobs, "finish_reason": _reason(end)}

    def _told(self, number: int, tokens: list[Token]) -> dict[str, Any]:
        texts = [_shown(token.raw) for token in tokens]
        offsets = [*accumulate(map(len, texts), initial=self._offsets[number])]
        self._offsets[number] = offsets.pop()
        likeliest = [
            {**{_shown(raw): logprob for raw, logprob in token.likeliest}, text: token.logprob}
            for token, text in zip(tokens, texts, strict=True)
        ]
        logprobs = [token.logprob for token in tokens]
        top = likeliest if self._logprobs else None
        return {"tokens": texts, "token_logprobs": logprobs, "top_logprobs": top, "text_offset": offsets}


class _Chats(_Shape):
    name = "chat.completion"
    chunk_name = "chat.completion.chunk"

    def __init__(self, asked: ChatBody) -> None:
        super().__init__("chatcmpl", asked)
        self._logprobs = bool(asked.logprobs)
        alternatives = (asked.top_logprobs or 0) if self._logprobs else 0
        given = (asked.max_completion_tokens, asked.max_tokens)
        tokens = next((most for most in given if most is not None), WINDOW)
        chat = Chat(tuple(message.spoken for message in asked.messages))
        self.texts = [(chat, asked.wanted(number, tokens, alternatives)) for number in range(self._each)]

    def opening(self, number: int) -> list[dict[str, Any]]:
        delta = {"role": "assistant", "content": ""}
        return [{"index": number, "delta": delta, "logprobs": None, "finish_reason": None}]

    def choice(self, number: int, text: str, tokens: list[Token], end: End) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        about = {"logprobs": self._told(tokens), "finish_reason": _reason(end)}
        return {"index": number, "message": message, **about}

    def chunk(self, number: int, text: str, tokens: list[Token], end: End | None) -> dict[str, Any]:
        delta = {"content": text} if end is None else {}
        about = {"logprobs": self._told(tokens) if end is None else None, "finish_reason": _reason(end)}
        return {"index": number, "delta": delta, **about}

    def _told(self, tokens: list[Token]) -> dict[str, Any] | None:
        if not self._logprobs:
            return None
        content = [
            {
                **_one(token.raw, token.logprob),
                "top_logprobs": [_one(raw, logprob) for raw, logprob in token.likeliest],
            }
            for token in tokens
        ]
        return {"content": content, "refusal": None}


def _one(raw: bytes, logprob: float) -> dict[str, Any]:
    return {"token": _shown(raw), "logprob": logprob, "bytes": [*raw]}


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _reason(end: End | None) -> str | None:
    return None if end is None else "length" if end.reason == "limit" else "stop"
