"""Base classes and field types of requests and answers, and the message for a bad request.

No message repeats what was sent, since it may be the user's text: a field is named, its value is not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails, to_json

from idiolect.daemon.profile.app_policy import InputContext
from idiolect.daemon.storage.selectors import MAX_CHARS
from idiolect.models.errors import ExitCode, IdiolectError

MAX_BODY_BYTES = 8 * 2**20
#: Strings, commas and opening brackets of a body: 10,000 paths, the most that a request may have, are half of it.
#: Pydantic finds all that is wrong with a body before it tells of any: a million errors would keep everybody waiting.
MAX_BODY_PARTS = 25_000
_PART = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)
MAX_PREFIX_CHARS = 100_000
MAX_AMOUNT = 10_000  # far above any suggestion; so no sum of them is ever too large for the store
MIN_KEY_MS, MAX_KEY_MS = 10.0, 10_000.0
MAX_PATH_BYTES = 4096  # of Linux; no system takes more
MAX_ID = 2**63 - 1
MAX_SECONDS = 10 * 365 * 86400

#: A typist's median time between two letters, in milliseconds.
KeyMs: TypeAlias = Annotated[float, Field(ge=MIN_KEY_MS, le=MAX_KEY_MS, allow_inf_nan=False)]


class InvalidRequestError(
    IdiolectError, code="invalid-request", exit_code=ExitCode.BAD_INPUT, http_status=422
):
    """A field of the request is missing, unknown or has a value that is not allowed."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class TooLargeError(IdiolectError, code="too-large", exit_code=ExitCode.BAD_INPUT, http_status=413):
    """The request's body is over the limit, in bytes or in parts."""


class MalformedError(IdiolectError, code="malformed-json", exit_code=ExitCode.BAD_INPUT, http_status=400):
    """The request's body is not JSON."""


class Body(BaseModel):
    """A request's JSON. Unknown fields are errors: a misspelt selector must not widen a `forget`."""

    # A validator is built when its first body comes: building all of them at the start takes long.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Lenient(BaseModel):
    """A request of a client that was written for another program: fields that are not known are not looked at."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, defer_build=True)


def _absolute(value: Path) -> Path:
    if not value.is_absolute() or "\0" in str(value):
        raise ValueError("a path must be absolute")
    if len(os.fsencode(value)) > MAX_PATH_BYTES:
        raise ValueError(f"a path has {MAX_PATH_BYTES:,} bytes at most")
    return value


def _utc(value: datetime | None) -> datetime | None:
    """In UTC; a time without a zone is this machine's local time."""
    try:
        return value.astimezone(UTC) if value else None
    except (OverflowError, OSError):
        raise ValueError("the time is out of range") from None


AnyPath = Annotated[Path, pydantic.AfterValidator(_absolute)]
Time = Annotated[datetime | None, pydantic.AfterValidator(_utc)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Number = Annotated[int, Field(ge=0, le=MAX_ID)]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]


class PlacedBody(Body):
    """Where it is typed: see `app_policy.InputContext`."""

    app: Name | None = None
    input_purpose: Annotated[str, Field(max_length=1000)] | None = None
    private: bool = False

    @property
    def place(self) -> InputContext:
        """Where it is typed."""
        return InputContext(self.app, self.input_purpose, self.private)


AnyBody = TypeVar("AnyBody", bound=BaseModel)


def parse(raw: bytes, kind: type[AnyBody]) -> AnyBody:
    """A request's body; an empty one counts as `{}`. Raises TooLargeError, MalformedError, InvalidRequestError."""
    if next(islice(_PART.finditer(raw), MAX_BODY_PARTS, None), None) is not None:
        raise TooLargeError(f"The body has more than {MAX_BODY_PARTS:,} parts. Send less at a time.")
    try:
        return kind.model_validate_json(raw or b"{}")
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    if first["type"] == "json_invalid":
        raise MalformedError("The body is not valid JSON in UTF-8. Send one JSON object.")
    if first["type"] == "extra_forbidden":
        known = ", ".join(kind.model_fields)
        raise InvalidRequestError(f"The request has a field that is not known here; known are: {known}.")
    raise InvalidRequestError(
        sentence(first["loc"], _plain(first)), ".".join(map(str, first["loc"][:1])) or None
    )


def parse_query(given: Mapping[str, str], kind: type[AnyBody]) -> AnyBody:
    """A request's query; what is not known here is let be. Raises InvalidRequestError."""
    try:
        return kind.model_validate(given)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    raise InvalidRequestError(sentence(first["loc"], _plain(first)))


def _plain(found: ErrorDetails) -> str:
    """What pydantic found to be wrong, in everyday words where its own are a programmer's."""
    limits = found.get("ctx", {})
    match found["type"]:
        case "missing":
            return "this field is needed"
        case "string_too_short" | "too_short" if limits["min_length"] == 1:
            return "there is nothing in it. Nothing was done: give what is meant, or leave it out"
        case "string_too_long":
            return f"this is longer than {limits['max_length']:,} characters. Give less"
        case "greater_than_equal":
            return f"give a number from {limits['ge']:,} on"
        case "less_than_equal":
            return f"give a number up to {limits['le']:,}"
    return found["msg"].replace("Input should", "this must")


def sentence(where: Sequence[int | str], message: str) -> str:
    """One sentence on what is wrong with which field, from pydantic's location and message."""
    message = message.removeprefix("Value error, ")
    # Where one of several types would do, pydantic adds which it tried, such as "list[str]".
    name = ".".join(str(part) for part in where if isinstance(part, int) or part.isidentifier())
    return f"{name}: {message}." if name else f"The request: {message}."


def too_large() -> TooLargeError:
    """The error for a body over MAX_BODY_BYTES."""
    return TooLargeError(f"The body is larger than {MAX_BODY_BYTES:,} bytes. Send less at a time.")


def encode(content: object) -> bytes:
    """An answer as JSON; numbers that JSON does not have become null."""
    return to_json(content, inf_nan_mode="null")


def error_body(error: IdiolectError) -> dict[str, Any]:
    """An error as its client sees it."""
    return {"code": error.code, "message": str(error), "exit_code": error.exit_code}
