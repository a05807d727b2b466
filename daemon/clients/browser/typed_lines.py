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
    """A text that was typed in a field, what stands before it there, and when its last character came (ISO 8601)."""

    text: str
    before: str
    at: str


class TypedLine(pydantic.BaseModel):
    """A line of a field in which its user typed something new.

    `marks` says of its characters, as UTF-16 units, in their order: how many are alike, and when they were typed, in
    seconds since 1970: negative for what was told of before, and 0 for what its user has not typed. `before` is what
    stood in front of the line.
    """

    model_config = pydantic.ConfigDict(frozen=True)

    text: Annotated[str, pydantic.Field(max_length=_MAX_CHARS)]
    marks: tuple[tuple[_Count, _Mark], ...]
    before: str = ""


class Learn(pydantic.BaseModel):
    """What the extension tells to be learned: the lines, and the site of the page."""

    lines: Annotated[tuple[TypedLine, ...], pydantic.Field(max_length=_MAX_LINES)]
    site: Annotated[str, pydantic.Field(min_length=1, max_length=1000)]


def newly_typed(lines: tuple[TypedLine, ...], pauses: typed_text.Pauses) -> list[Typed]:
    """Each run of words that is new and its user's, and what stood before it: nothing quoted or typed in a pause."""
    found = []
    for line in lines:
        if is_quoted(line.text):
            continue
        # By units as JavaScript counts them, so that half of a character that two of them make stays in its place.
        units = line.text.encode("utf-16-le", "surrogatepass")
        # Before they are spread, since they may be of any number of characters.
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
    """A text of UTF-16 units as characters; half of one that is alone is left out."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
