"""Hooks of schemathesis: whatever paths it thinks of, the service reads and writes in one folder only."""

import json
import os
import zlib
from pathlib import Path

import schemathesis

FOLDER = Path(os.environ["FUZZ_FOLDER"])
#: Names that no file system takes, or takes with a frown: too long in one part, too long in all, control characters.
HOSTILE = ("a" * 300, "notes/" * 1000, "notes/\x01\x1b[31m\n.txt", "notes.txt/below")
#: What comes of reading files, of rounds and of exports is found by parts that the endpoint does not import.
ELSEWHERE = ("/v1/import", "/v1/watch", "/v1/eval", "/v1/train", "/v1/export")
EVERYWHERE = ("invalid-request", "no-route")
PLACES = ("notes.txt", "notes", "absent", "notes/absent.txt", *HOSTILE)


@schemathesis.hook
def before_call(_context, case, _kwargs):
    # An evaluation of text that is there would take seconds each time.
    places = ("absent", *HOSTILE) if case.operation.path == "/v1/eval" else PLACES
    if isinstance(body := case.body, dict):
        if case.operation.path == "/v1/sources/find":  # a whole home would take seconds each time
            body = {"path": "notes", **body}
        case.body = {name: _kept_in(places, name, value) for name, value in body.items()}


@schemathesis.check
def errors_are_declared(_context, response, case):
    """What a route finds wrong is among the errors that the document names for it, unless any route may find it."""
    if response.status_code not in (404, 409, 422) or case.operation.path in ELSEWHERE:
        return
    error = response.json()["error"]
    if "exit_code" not in error or error["code"] in EVERYWHERE:
        return
    declared = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    assert f"`{error['code']}`" in declared.get("description", ""), error["code"]


@schemathesis.deserializer("application/x-ndjson")
def lines(_context, response):
    """All lines must be JSON; the last is the outcome."""
    return [json.loads(line) for line in response.content.splitlines()][-1]


def _kept_in(places, name, value):
    """Any path is one of these places, also what is none."""
    if isinstance(value, list) and name == "paths":
        return [_kept_in(places, "path", one) for one in value]
    if name in ("path", "context") and isinstance(value, str) and value and "\0" not in value:
        return str(FOLDER / places[zlib.crc32(value.encode("utf-8", "surrogatepass")) % len(places)])
    return value
