"""The OpenAPI document: what each address answers, which errors it may give, and which scope it needs.

A row for each address in `ANSWERS` names the types of its answers (see `replies.py`); fuzzing holds the answers
against them (`tests/e2e/test_fuzz.py`). Answers may gain fields, so none of them is closed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from idiolect.daemon.endpoint import (
    dialects,
    llamacpp,
    openai,
    replies,
    setup_routes,
    source_routes,
    word_routes,
)
from idiolect.daemon.endpoint.scopes import Scope, needed
from idiolect.daemon.serving.switches import Switches
from idiolect.daemon.storage.audit import Audit

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Address, Application

_COMPONENT = "#/components/schemas/{model}"


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
    "GET /healthz": Answers(replies.Health),
    "POST /v1/suggest": Answers(replies.Suggested),
    "POST /v1/completions": Answers(openai.Completed, events=True),
    "GET /v1/models": Answers(openai.Models),
    "GET /v1/models/{model}": Answers(openai.Model),
    "POST /v1/explain": Answers(replies.Explained),
    "POST /v1/open": Answers(replies.Link),
    "GET /health": Answers(llamacpp.Health),
    "GET /props": Answers(llamacpp.Props),
    "POST /completion": Answers(llamacpp.Filled | list[llamacpp.Filled], events=True),
    "POST /infill": Answers(llamacpp.Filled | list[llamacpp.Filled], events=True),
    "POST /v1/history": Answers(replies.Kept),
    "POST /v1/feedback": Answers(replies.Counted),
    "GET /v1/report": Answers(replies.Report),
    "GET /v1/status": Answers(replies.Status),
    "POST /v1/train": Answers(replies.Verdict, replies.Line, begun=replies.Started),
    "POST /v1/eval": Answers(lines=replies.Line),
    "POST /v1/import": Answers(lines=replies.Line),
    "POST /v1/watch": Answers(replies.Removed, replies.Line),
    "GET /v1/sources": Answers(replies.Sources),
    "POST /v1/sources/find": Answers(source_routes.FoundSources),
    "POST /v1/sources/remove": Answers(replies.Receipt),
    "GET /v1/adapters": Answers(replies.Adapters),
    "POST /v1/use": Answers(replies.Serves),
    "POST /v1/forget": Answers(replies.ForgetAnswer),
    "GET /v1/audit": Answers(Audit),
    "POST /v1/audit/secrets": Answers(lines=replies.Line),
    "POST /v1/learned": Answers(replies.Learned),
    "GET /v1/receipts": Answers(replies.Receipts),
    "GET /v1/examples": Answers(replies.Examples),
    "POST /v1/export": Answers(replies.Written),
    "GET /v1/apps": Answers(replies.Rules),
    "POST /v1/apps": Answers(replies.Rules),
    "GET /v1/switches": Answers(Switches),
    "POST /v1/switches": Answers(Switches),
    "GET /v1/places": Answers(setup_routes.Places),
    "GET /v1/words": Answers(word_routes.WordRules),
    "POST /v1/words/add": Answers(word_routes.WordChanged),
    "POST /v1/words/remove": Answers(word_routes.WordChanged),
    "POST /v1/words/undo": Answers(word_routes.WordChanged),
    "POST /v1/pause": Answers(replies.Paused),
    "POST /v1/resume": Answers(replies.Resumed),
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


class _Request(GenerateJsonSchema):
    """The schema of a request: that a field may be left out is told by `required`, so no default of null is."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        found = super().default_schema(schema)
        if found.get("default", ...) is None:
            del found["default"]
        return found


def document(app: Application) -> dict[str, Any]:
    """What the addresses of `app` take and answer, as OpenAPI 3.1 tells it."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for address in app.addresses:
        if address.include_in_schema:
            paths.setdefault(address.path, {})[address.method.lower()] = _operation(address, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "idiolect",
            "summary": "Text prediction that learns from one person, on that person's machine.",
            "version": "0.1.0",
        },
        "paths": paths,
        "components": _components(schemas),
    }


def _operation(address: Address, schemas: dict[str, Any]) -> dict[str, Any]:
    """What one address takes and answers; the schemas that it refers to go into `schemas`."""
    path, scope = address.path, needed(address.path)
    answers = ANSWERS.get(f"{address.method} {path}", Answers(dict[str, Any]))
    operation: dict[str, Any] = {
        "summary": address.name.replace("_", " ").title(),
        "description": inspect.getdoc(address.endpoint) or "",
        "operationId": re.sub(r"\W", "_", f"{address.name}{path}") + f"_{address.method.lower()}",
    }
    errors = dict(_ALWAYS)
    if scope is not Scope.NONE:
        errors |= _WITH_TOKEN
    if parameters := _parameters(address):
        errors |= _WITH_QUERY
        operation["parameters"] = parameters
    if address.body is not None:
        errors |= _WITH_BODY
        asked = address.body.model_json_schema(ref_template=_COMPONENT, schema_generator=_Request)
        schemas |= asked.pop("$defs", {})
        operation["requestBody"] = {"content": _json(asked), "required": bool(asked.get("required"))}
    if dialects.status(path, 422) != 422 and "422" in errors:
        del errors["422"]
        errors["400"] = "The body is not JSON, or a field is missing or has a value that is not allowed."
    failed = _json(_schema(dialects.failed(path), schemas))
    operation["responses"] = {
        **_answers(answers, schemas, told=scope is not Scope.NONE),
        **{status: {"description": why, "content": failed} for status, why in sorted(errors.items())},
    }
    operation["security"] = [] if scope is Scope.NONE else [{"token": [scope.name.lower()]}]
    return operation


def _parameters(address: Address) -> list[dict[str, Any]]:
    """The fields of an address's path and of its query."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "title": name.title()}}
        for name in address.param_convertors
    ]
    if address.query is not None:
        for name, schema in address.query.model_json_schema()["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    return found


def _components(schemas: dict[str, Any]) -> dict[str, Any]:
    paused = {"description": "Whether nothing is learned now.", "schema": {"enum": ["true", "false"]}}
    return {
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
