"""Hooks of schemathesis: whatever paths it thinks of, the service reads and writes in one folder only."""

import json
import os
import zlib
from pathlib import Path

import schemathesis

FOLDER = Path(os.environ["FUZZ_FOLDER"])
#: Names that no file system takes, or takes with a frown: too long in one part, too long in all, control characters.
HOSTILE = ("a" * 300, "notes/" * 1000, "notes/\x01\x1b[31m\n.txt", "notes.txt/below")
PLACES = ("notes.txt", "notes", "absent", "notes/absent.txt", *HOSTILE)


@schemathesis.hook
def before_call(_context, case, _kwargs):
    # An evaluation of text that is there would take seconds each time.
    places = ("absent", *HOSTILE) if case.operation.path == "/v1/eval" else PLACES
    if isinstance(body := case.body, dict):
        if case.operation.path == "/v1/sources/find":  # a whole home would take seconds each time
            body = {"path": "notes", **body}
        case.body = {name: _kept_in(places, name, value) for name, value in body.items()}


@schemathesis.deserializer("application/x-ndjson")
def lines(_context, response):
    """All lines must be JSON; the last is the outcome."""
    return [json.loads(line) for line in response.content.splitlines()][-1]


def _kept_in(places, name, value):
    """Any path is one of these places, also what is none."""
    if isinstance(value, list) and name == "paths":
        return [_kept_in(places, "path", one) for one in value]
    if name == "path" and isinstance(value, str) and value and "\0" not in value:
        return str(FOLDER / places[zlib.crc32(value.encode("utf-8", "surrogatepass")) % len(places)])
    return value
