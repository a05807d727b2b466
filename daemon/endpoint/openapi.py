"""The OpenAPI document: what each route takes and answers, which errors it may give, and which scope it needs.

Each route says all of this itself (`routing.py`); fuzzing holds the answers against it (`tests/e2e/test_fuzz.py`).
Answers may gain fields, so none of them is closed.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.responses import Response
from typing_extensions import TypedDict

from idiolect.daemon.endpoint import error_answers
from idiolect.daemon.endpoint.routing import Application, EventStream, LineStream, Route
from idiolect.daemon.endpoint.tokens import Scope

_COMPONENT = "#/components/schemas/{model}"

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


class StreamedEvent(TypedDict):
    """One line of an answer that takes long; what else is in it depends on `event`."""

    event: Literal["progress", "done", "verdict", "result", "error"]


class _Request(GenerateJsonSchema):
    """The schema of a request: `required` says which fields may be left out, so a default of null does not."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        found = super().default_schema(schema)
        if found.get("default", ...) is None:
            del found["default"]
        return found


def document(app: Application) -> dict[str, Any]:
    """Describe the routes of `app` as OpenAPI 3.1."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route in app.answered:
        if route.include_in_schema:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
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


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """What one route takes and answers; the schemas that it refers to go into `schemas`."""
    path, scope = route.path, route.scope
    operation: dict[str, Any] = {
        "summary": route.name.replace("_", " ").title(),
        "description": inspect.getdoc(route.handler) or "",
        "operationId": re.sub(r"\W", "_", f"{route.name}{path}") + f"_{route.method.lower()}",
    }
    problems = dict(_ALWAYS)
    if scope is not Scope.NONE:
        problems |= _WITH_TOKEN
    if parameters := _parameters(route):
        problems |= _WITH_QUERY
        operation["parameters"] = parameters
    if route.asked is not None and route.method != "GET":
        problems |= _WITH_BODY
        asked = route.asked.model_json_schema(ref_template=_COMPONENT, schema_generator=_Request)
        schemas |= asked.pop("$defs", {})
        operation["requestBody"] = {"content": _json(asked), "required": bool(asked.get("required"))}
    if error_answers.status(path, 422) != 422 and "422" in problems:
        del problems["422"]
        problems["400"] = "The body is not JSON, or a field is missing or has a value that is not allowed."
    for error in route.errors:
        meaning = f"`{error.code}`: {(inspect.getdoc(error) or '').splitlines()[0]}"
        status = str(error.http_status)
        problems[status] = f"{problems[status]} {meaning}" if status in problems else meaning
    failed = _json(_schema(error_answers.failed(path), schemas))
    operation["responses"] = {
        **_answers(route, schemas),
        **{status: {"description": why, "content": failed} for status, why in sorted(problems.items())},
    }
    operation["security"] = [] if scope is Scope.NONE else [{"token": [scope.name.lower()]}]
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    """The fields of a route's path and of its query."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "title": name.title()}}
        for name in route.param_convertors
    ]
    if route.asked is not None and route.method == "GET":
        schema = route.asked.model_json_schema(schema_generator=_Request)
        for name, field in schema["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": field})
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


def _answers(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """The answers that are no errors; those that show a token hear whether learning is paused."""
    returned = route.hints["return"]
    kinds = typing.get_args(returned) if isinstance(returned, types.UnionType) else (returned,)
    json = [kind for kind in kinds if not (isinstance(kind, type) and issubclass(kind, Response))]
    content: dict[str, Any] = {}
    if json:
        content |= _json(_schema(typing.Union[tuple(json)], schemas))  # noqa: UP007 (of a list)
    if LineStream in kinds:
        content["application/x-ndjson"] = {"schema": _schema(StreamedEvent, schemas)}
    if EventStream in kinds:
        content["text/event-stream"] = {}
    paused = {"Idiolect-Paused": {"$ref": "#/components/headers/Idiolect-Paused"}}
    headers = {} if route.scope is Scope.NONE else paused
    found = {"200": {"description": "The answer.", "headers": headers, "content": content}}
    if route.accepted is not None:
        begun = _json(_schema(route.accepted, schemas))
        found["202"] = {"description": "It has begun.", "headers": headers, "content": begun}
    return found


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type, as a reference; it and what it refers to go into `schemas`."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(mode="serialization", ref_template=_COMPONENT)
    schemas |= schema.pop("$defs", {})
    if "title" not in schema:
        return schema
    schemas[schema["title"]] = schema
    return {"$ref": _COMPONENT.format(model=schema["title"])}
