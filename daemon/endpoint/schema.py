"""The OpenAPI document: what each address answers, which errors it may give, and which scope it needs.

The shapes of answers are types here, and a row for each address in `ANSWERS`; fuzzing holds the answers
against them (`tests/e2e/test_fuzz.py`). Answers may gain fields, so none of them is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from idiolect.adapters.keyness import Keyword
from idiolect.daemon.endpoint import dialects, llamacpp, openai
from idiolect.daemon.endpoint.scopes import Scope, needed
from idiolect.daemon.privacy.app_policy import AppRuleRow
from idiolect.daemon.storage.audit import Audit
from idiolect.daemon.storage.records import AdapterRow, Forgotten, Savings, SourceRow

_COMPONENT = "#/components/schemas/{model}"


class Health(TypedDict):
    """That the service answers."""

    status: Literal["ok"]


class Word(TypedDict):
    """A word, or the rest of one, to insert at the cursor, and how probable it is."""

    text: str
    p: float


class Ghost(TypedDict):
    """A continuation, how probable its first word is, and whether to show it."""

    text: str
    p: float
    show: bool


class Suggested(TypedDict):
    """Suggestions; where there are none, `reason` may say why."""

    words: list[Word]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float
    reason: str | None
    paused: bool


class Origin(TypedDict):
    """A word's probability: as it is served, to the base alone, with the adapter; and which part it is owed to."""

    text: str
    p: float
    base: float
    adapter: float | None
    part: Literal["base", "adapter", "memory"]


class Explained(TypedDict):
    """Where suggestions come from, and the first word of the ghost text."""

    words: list[Origin]
    ghost: Origin | None
    adapter: int | None
    reason: str | None
    paused: bool


class Link(TypedDict):
    """A link to the page that works once, and for how many seconds."""

    url: str
    expires_s: float


class Kept(TypedDict):
    """Whether the text was taken, under which number, how much of it was redacted, and else why not."""

    id: int | None
    stored: bool
    redactions: int
    reason: str | None
    paused: bool


class Counted(TypedDict):
    """Whether feedback was counted, and else why not."""

    stored: bool
    reason: str | None
    paused: bool


class Report(TypedDict):
    """What became of the suggestions of some days."""

    days: int
    savings: Savings
    by_day: list[dict[str, Any]]
    by_adapter: list[dict[str, Any]]
    reliability: dict[str, list[dict[str, Any]]]


class Status(TypedDict):
    """What the service knows, serves and does."""

    running: Literal[True]
    pid: int
    started_at: str
    url: str
    socket: str | None
    moved_from: int | None
    token_file: str
    token_files: dict[str, str]
    home: str
    base: str
    adapter: int | None
    entries: int
    tokens: int
    paused: bool
    training: dict[str, Any] | None


class Line(TypedDict):
    """One line of an answer that takes long; what else is in it depends on `event`."""

    event: Literal["progress", "done", "verdict", "result", "error"]


class Started(TypedDict):
    """A training round has begun."""

    started: Literal[True]


class Verdict(TypedDict):
    """What a training round came to."""

    status: str
    reason: str
    adapter: int | None
    tokens_per_s: float | None
    seconds: float | None
    metrics: dict[str, Any]


class Adapters(TypedDict):
    """All adapters, oldest first."""

    adapters: list[AdapterRow]


class Sources(TypedDict):
    """What was read."""

    sources: list[SourceRow]


class Receipt(TypedDict):
    """What forgetting took, or would take."""

    entries: int
    tokens: int
    adapters_dropped: list[int]
    active: int | None
    dry_run: bool
    receipt: int | None
    backups: list[str]
    round_queued: bool
    total: int
    large: bool


class Near(TypedDict):
    """What is nearly the text that is forgotten, and how many other entries hold it."""

    text: str
    entries: int


class ForgetAnswer(Receipt):
    """What forgetting took, or would take, and what is left."""

    near: list[Near]
    near_complete: bool
    still_suggested: list[str] | None
    still_suggested_why: str | None
    still_suggested_complete: bool


class Receipts(TypedDict):
    """What was forgotten so far."""

    receipts: list[Forgotten]


class Learned(TypedDict):
    """Words and phrases, the most characteristic first."""

    words: list[Keyword]


class Example(TypedDict):
    """A prefix, how the base and what is served go on from it, and how the user did."""

    prefix: str
    base: str
    adapted: str
    truth: str


class Examples(TypedDict):
    """Completions of held-out text."""

    examples: list[Example]


class Serves(TypedDict):
    """The adapter that serves; null is the base model alone."""

    adapter: int | None


class Written(TypedDict):
    """Where it was written."""

    path: str


class Removed(TypedDict):
    """Whether the folder was followed."""

    removed: bool


class Rules(TypedDict):
    """What is done in which applications."""

    rules: list[AppRuleRow]


class Paused(TypedDict):
    """That nothing is learned, and for how many seconds; null is until resumed."""

    paused: Literal[True]
    for_s: float | None


class Resumed(TypedDict):
    """That learning goes on."""

    paused: Literal[False]


@dataclass(frozen=True)
class Answers:
    """The shapes of an address's answers: JSON, the lines of one that takes long, and what it says of work begun.

    `events`: whether it may also come as server-sent events.
    """

    json: Any = None
    lines: Any = None
    events: bool = False
    begun: Any = None


#: A row for each address that is in the document.
ANSWERS: Mapping[str, Answers] = {
    "GET /healthz": Answers(Health),
    "POST /v1/suggest": Answers(Suggested),
    "POST /v1/completions": Answers(openai.Completed, events=True),
    "POST /v1/chat/completions": Answers(openai.Answered, events=True),
    "GET /v1/models": Answers(openai.Models),
    "GET /v1/models/{model}": Answers(openai.Model),
    "POST /v1/explain": Answers(Explained),
    "POST /v1/open": Answers(Link),
    "GET /health": Answers(llamacpp.Health),
    "GET /props": Answers(llamacpp.Props),
    "POST /completion": Answers(llamacpp.Filled | list[llamacpp.Filled], events=True),
    "POST /infill": Answers(llamacpp.Filled | list[llamacpp.Filled], events=True),
    "POST /v1/history": Answers(Kept),
    "POST /v1/feedback": Answers(Counted),
    "GET /v1/report": Answers(Report),
    "GET /v1/status": Answers(Status),
    "POST /v1/train": Answers(Verdict, Line, begun=Started),
    "POST /v1/eval": Answers(lines=Line),
    "POST /v1/import": Answers(lines=Line),
    "POST /v1/watch": Answers(Removed, Line),
    "GET /v1/sources": Answers(Sources),
    "POST /v1/sources/remove": Answers(Receipt),
    "GET /v1/adapters": Answers(Adapters),
    "POST /v1/use": Answers(Serves),
    "POST /v1/forget": Answers(ForgetAnswer),
    "GET /v1/audit": Answers(Audit),
    "POST /v1/learned": Answers(Learned),
    "GET /v1/receipts": Answers(Receipts),
    "GET /v1/examples": Answers(Examples),
    "POST /v1/export": Answers(Written),
    "GET /v1/apps": Answers(Rules),
    "POST /v1/apps": Answers(Rules),
    "POST /v1/pause": Answers(Paused),
    "POST /v1/resume": Answers(Resumed),
}

_ALWAYS = {"default": "What else may be wrong; `code` says what."}
_WITH_TOKEN = {
    "401": "No token is shown, or a wrong one.",
    "403": "The token, host or origin may not ask this.",
}
_WITH_QUERY = {"422": "A field is missing, unknown or has a value that is not allowed."}
_WITH_BODY = {
    **_WITH_QUERY,
    "400": "The body is not JSON.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "429": "Too many requests wait; `Retry-After` says when to ask again.",
}


def describe(app: FastAPI) -> None:
    """Complete what FastAPI says of `app` in its OpenAPI document."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            plain()
            app.openapi_schema = _completed(app.openapi_schema or {})
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for path, methods in document["paths"].items():
        scope, failed = needed(path), _json(_schema(dialects.failed(path), schemas))
        for method, operation in methods.items():
            answers = ANSWERS.get(f"{method.upper()} {path}", Answers(dict[str, Any]))
            errors = dict(_ALWAYS)
            if scope is not Scope.NONE:
                errors |= _WITH_TOKEN
            if operation.get("parameters"):
                errors |= _WITH_QUERY
            if body := operation.get("requestBody"):
                errors |= _WITH_BODY
                asked = body["content"]["application/json"]["schema"]
                schemas |= asked.pop("$defs", {})
                body["required"] = bool(asked.get("required"))
            operation["responses"] = {
                **_answers(answers, schemas, told=scope is not Scope.NONE),
                **{status: {"description": why, "content": failed} for status, why in sorted(errors.items())},
            }
            operation["security"] = [] if scope is Scope.NONE else [{"token": [scope.name.lower()]}]
    paused = {"description": "Whether nothing is learned now.", "schema": {"enum": ["true", "false"]}}
    document["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "headers": {"Idiolect-Paused": {**paused, "required": True}},
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of the scope that is named, or of a larger one: suggest, learn, admin.",
            }
        },
    }
    return document


def _answers(answers: Answers, schemas: dict[str, Any], *, told: bool) -> dict[str, Any]:
    """The answers that are no errors; `told`: they say whether learning is paused."""
    content: dict[str, Any] = {}
    if answers.json is not None:
        content |= _json(_schema(answers.json, schemas))
    if answers.lines is not None:
        content["application/x-ndjson"] = {"schema": _schema(answers.lines, schemas)}
    if answers.events:
        content["text/event-stream"] = {}
    headers = {"Idiolect-Paused": {"$ref": "#/components/headers/Idiolect-Paused"}} if told else {}
    found = {"200": {"description": "The answer.", "headers": headers, "content": content}}
    if answers.begun is not None:
        begun = _json(_schema(answers.begun, schemas))
        found["202"] = {"description": "It has begun.", "headers": headers, "content": begun}
    return found


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type, as a reference; it and what it refers to go into `schemas`."""
    schema = TypeAdapter(kind).json_schema(mode="serialization", ref_template=_COMPONENT)
    schemas |= schema.pop("$defs", {})
    if "title" not in schema:
        return schema
    schemas[schema["title"]] = schema
    return {"$ref": _COMPONENT.format(model=schema["title"])}
