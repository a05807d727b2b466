"""Lines typed in a field of a web page, as the extension sends them, and the texts in them to learn."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

import pydantic

from idiolect.daemon.text import typed_text
from idiolect.daemon.text.replies import is_quoted

_MAX_CHARS: Final = 200_000  # of a field; a longer one is not somebody's message
_MAX_LINES: Final = 2_000
_Count = Annotated[int, pydantic.Field(ge=1, le=_MAX_CHARS)]
_Mark = Annotated[float, pydantic.Field(allow_inf_nan=False)]


class Typed(NamedTuple):
    """A typed text, the text before it, and when its last character was typed (ISO 8601)."""

    text: str
    before: str
    at: str


class TypedLine(pydantic.BaseModel):
    """A line of a field with newly typed text.

    `marks` are runs of its UTF-16 units: how many, and when they were typed, in seconds since 1970, negative if they
    were sent before, and 0 if the user has not typed them. `before` is the text before the line.
    """

    model_config = pydantic.ConfigDict(frozen=True)

    text: Annotated[str, pydantic.Field(max_length=_MAX_CHARS)]
    marks: tuple[tuple[_Count, _Mark], ...]
    before: str = ""


class Learn(pydantic.BaseModel):
    """The extension's message of lines to learn, and of the page's site."""

    lines: Annotated[tuple[TypedLine, ...], pydantic.Field(max_length=_MAX_LINES)]
    site: Annotated[str, pydantic.Field(min_length=1, max_length=1000)]


def newly_typed(lines: tuple[TypedLine, ...], pauses: typed_text.Pauses) -> list[Typed]:
    """Return the runs of newly typed words: without quoted lines and words typed in a pause."""
    found = []
    for line in lines:
        if is_quoted(line.text):
            continue
        # In JavaScript's units: a mark may be of half a character.
        units = line.text.encode("utf-16-le", "surrogatepass")
        # Checked before they are spread: a mark may claim any number of characters.
        if len(units) != 2 * sum(count for count, _ in line.marks):
            continue
        marks = typed_text.spread(line.marks)
        text = "".join(chr(int.from_bytes(units[at : at + 2], "little")) for at in range(0, len(units), 2))
        for run in typed_text.runs(text, marks, pauses):
            before = (line.before + text[: run.start])[-typed_text.BEFORE_CHARS :]
            last_s = max(marks[run.start : run.start + len(run.text)])
            found.append(Typed(_characters(run.text), _characters(before), _time_of(last_s)))
    return found


def _time_of(at_s: float) -> str:
    return datetime.fromtimestamp(min(at_s, time.time()), UTC).isoformat()


def _characters(units: str) -> str:
    """Return UTF-16 units as characters, without halves."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
