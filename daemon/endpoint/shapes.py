"""What a request may hold, and what is wrong with a bad one; how answers look is in `replies.py`.

No message repeats what was sent, since it may be the user's text: a field is named, its value is not.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from idiolect.daemon.privacy.app_policy import AppRule, InputContext
from idiolect.daemon.storage.records import SuggestionKind, WordRuleKind
from idiolect.daemon.storage.selectors import MAX_CHARS, Selector
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BODY_BYTES = 8 * 2**20
MAX_PREFIX_CHARS = 100_000
MAX_TEXT_CHARS = 1_000_000
MAX_AMOUNT = 10_000  # far above any suggestion; so no sum of them is ever too large for the store
MAX_REPORT_DAYS = 3650
MAX_LEARNED = 10_000
MIN_KEY_MS, MAX_KEY_MS = 10.0, 10_000.0
MIN_EVAL_CHARS, MAX_EVAL_CHARS = 500, 200_000
MAX_PATH_BYTES = 4096  # of Linux; no system takes more
_MAX_ID = 2**63 - 1

#: A typist's median time between two letters, in milliseconds.
KeyMs: TypeAlias = Annotated[float, Field(ge=MIN_KEY_MS, le=MAX_KEY_MS, allow_inf_nan=False)]


class InvalidRequestError(IdiolectError):
    """A field of the request is missing, unknown or has a value that is not allowed."""

    code: ClassVar[str] = "invalid-request"
    exit_code: ClassVar[int] = 62
    http_status: ClassVar[int] = 422

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class TooLargeError(IdiolectError):
    """The request's body is over the limit."""

    code: ClassVar[str] = "too-large"
    exit_code: ClassVar[int] = 63
    http_status: ClassVar[int] = 413


class MalformedError(IdiolectError):
    """The request's body is not JSON."""

    code: ClassVar[str] = "malformed-json"
    exit_code: ClassVar[int] = 64
    http_status: ClassVar[int] = 400


class _Body(BaseModel):
    """A request's JSON. Unknown fields are errors: a misspelt selector must not widen a `forget`."""

    # What checks a body is made when the first one comes: all of them together take long at a start.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _whole_path(value: str) -> str:
    if not Path(value).is_absolute() or "\0" in value:
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


_AnyPath = Annotated[str, pydantic.AfterValidator(_whole_path)]
_Time = Annotated[datetime | None, pydantic.AfterValidator(_utc)]
_Id = Annotated[int, Field(ge=1, le=_MAX_ID)]
_Number = Annotated[int, Field(ge=0, le=_MAX_ID)]
_Seconds = Annotated[float, Field(gt=0, le=10 * 365 * 86400, allow_inf_nan=False)]
_Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
_Name = Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]


class _PlacedBody(_Body):
    """Where it is typed: see `offlimits.InputContext`."""

    app: _Name | None = None
    input_purpose: Annotated[str, Field(max_length=1000)] | None = None
    private: bool = False

    @property
    def place(self) -> InputContext:
        """Where it is typed."""
        return InputContext(self.app, self.input_purpose, self.private)


class ExplainBody(_PlacedBody):
    """What stands before and after the cursor, and how much to suggest."""

    prefix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)]
    suffix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)] = ""
    candidates: Annotated[int, Field(ge=0, le=20)] = 3
    ghost_words: Annotated[int, Field(ge=0, le=32)] = 8


class SuggestBody(ExplainBody):
    """The same; `source`: whether it is a shell that asks; `corrections`: whether mistyped words are mended, too.

    `key_ms` is the typist's median time between two letters, in milliseconds.
    """

    source: Literal["", "shell"] = ""
    corrections: bool = False
    key_ms: KeyMs | None = None


class HistoryBody(_PlacedBody):
    """Something the user wrote, where, and when (now, if not given); `before`: what stood in front of it there.

    `before` is never kept, and only its end is read, so it may have any length.
    """

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    source: _Name
    at: _Time = None
    before: str = ""


class FeedbackBody(_PlacedBody):
    """What became of a suggestion that was shown; see `records.Feedback`.

    Of a correction: whether it was accepted, or taken back; `word` is what was typed.
    """

    kind: SuggestionKind | Literal["correction"]
    outcome: Literal["accepted", "dismissed"]
    p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    show: bool = True
    characters: Annotated[_Amount, Field(validate_default=True)] = 0
    keystrokes: _Amount = 1
    words: _Amount = 1
    count: Annotated[_Amount, Field(ge=1)] = 1
    word: Annotated[_Name | None, Field(validate_default=True)] = None

    @pydantic.field_validator("word")
    @classmethod
    def _of_a_correction(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        if (info.data.get("kind") == "correction") is (value is None):
            raise ValueError("it is what was typed where a correction was made, and belongs to no other kind")
        return value

    @pydantic.field_validator("count")
    @classmethod
    def _of_dismissed(cls, value: int, info: pydantic.ValidationInfo) -> int:
        if value > 1 and (info.data.get("outcome") == "accepted" or info.data.get("kind") == "correction"):
            raise ValueError(
                "only dismissed words and ghosts are counted together; send each of the others alone"
            )
        return value

    @pydantic.field_validator("characters")
    @classmethod
    def _fit_the_outcome(cls, value: int, info: pydantic.ValidationInfo) -> int:
        outcome = info.data.get("outcome")
        if outcome == "accepted" and value == 0:
            raise ValueError("an accepted suggestion inserts at least one, so say how many")
        if outcome == "dismissed" and value > 0:
            raise ValueError("a dismissed suggestion inserts none; accepting a part of one is accepting")
        return value


class TrainBody(_Body):
    """Whether to wait for the verdict, whether to stream the progress, and the round's time in seconds."""

    wait: bool = False
    stream: bool = False
    budget_s: _Seconds | None = None


class EvalBody(_Body):
    """Whose text to type (null: the user's own), how much of it, drawn how, whether and how long to train, and more."""

    path: _AnyPath | None = None
    chars: Annotated[int, Field(ge=MIN_EVAL_CHARS, le=MAX_EVAL_CHARS)] = 8000
    seed: Annotated[int, Field(ge=0, le=_MAX_ID)] = 1
    train: bool = True
    budget_s: _Seconds | None = None
    mistakes: bool = False

    @pydantic.field_validator("train")
    @classmethod
    def _train_on_a_corpus(cls, value: bool, info: pydantic.ValidationInfo) -> bool:
        if not value and info.data.get("path") is None:
            raise ValueError("without a path nothing is trained, so leave it out")
        return value

    @pydantic.field_validator("budget_s")
    @classmethod
    def _time_for_training(cls, value: float | None, info: pydantic.ValidationInfo) -> float | None:
        if value is not None and (info.data.get("path") is None or not info.data.get("train")):
            raise ValueError("it is the time for training, which needs a path, so leave it out")
        return value


class ForgetBody(_Body):
    """What to forget; all conditions must hold. `dry_run` only counts; `expect`: if it is that many entries."""

    text: _Name | None = None
    phrase: _Name | None = None
    phrases: Annotated[list[_Name], Field(min_length=1, max_length=100)] | None = None
    ids: Annotated[list[_Id], Field(min_length=1, max_length=10_000)] | None = None
    source: _Name | None = None
    app: _Name | None = None
    since: _Time = None
    until: _Time = None
    expect: _Number | None = None
    dry_run: bool = False

    @property
    def selector(self) -> Selector:
        """The conditions. Raises EmptySelectorError, UnseenCharactersError."""
        return Selector(
            text=self.text,
            ids=None if self.ids is None else tuple(self.ids),
            source=self.source,
            app=self.app,
            since=self.since,
            until=self.until,
            phrase=self.phrase,
            phrases=None if self.phrases is None else tuple(self.phrases),
        )


class LearnedBody(_Body):
    """How many words and phrases to list, of those that contain some text."""

    limit: Annotated[int, Field(ge=1, le=MAX_LEARNED)] = 50
    contains: Annotated[str, Field(max_length=1000)] = ""


class PauseBody(_Body):
    """For how many seconds to learn nothing; null: until resumed."""

    for_s: _Seconds | None = None


class AppsBody(_Body):
    """A rule for the applications that match a pattern, or to undo the last change of the rules."""

    app: _Name | None = None
    rule: AppRule | None = None
    undo: bool = False

    @pydantic.model_validator(mode="after")
    def _one_or_the_other(self) -> AppsBody:
        if self.undo == (self.app is not None) or (self.app is None) != (self.rule is None):
            raise ValueError("give app and rule, or undo alone")
        return self


class WordBody(_Body):
    """What to decide about a word or phrase; `replacement` belongs to `always_correct` alone."""

    text: _Name
    kind: WordRuleKind
    replacement: _Name | None = None


class WordRemovalBody(_Body):
    """Of which word or phrase to take back what was decided, in all or of one kind."""

    text: _Name
    kind: WordRuleKind | None = None


class ImportBody(_Body):
    """Files, folders and other sources to read once; `me`: the names and addresses in them that are the user's."""

    paths: Annotated[list[_AnyPath], Field(min_length=1, max_length=10_000)]
    me: Annotated[list[_Name], Field(max_length=100)] = []


class SecretsBody(_Body):
    """From which time on entries were written; null: all."""

    since: _Time = None


class WatchBody(_Body):
    """A folder to follow, or to follow no longer; `confirmed`: however much it holds."""

    path: _AnyPath
    remove: bool = False
    confirmed: bool = False


class FindBody(_Body):
    """Where to look for what the user wrote; null: in their home folder."""

    path: _AnyPath | None = None


class RemoveBody(_Body):
    """The source to remove with all that it brought; `dry_run` only counts; `expect`: if it is that many entries."""

    path: _AnyPath
    expect: _Number | None = None
    dry_run: bool = False


class UseBody(_Body):
    """The adapter to serve; null: the base model alone."""

    adapter: _Id | None


class ExportBody(_Body):
    """What to write where, of which adapter (null: the active one)."""

    kind: Literal["onnx_adapter", "peft", "onnx", "everything"]
    path: _AnyPath
    adapter: _Id | None = None


class ExamplesQuery(BaseModel):
    """How many examples."""

    count: Annotated[int, Field(ge=1, le=50)] = 6


class ReportQuery(BaseModel):
    """Of how many days."""

    days: Annotated[int, Field(ge=1, le=MAX_REPORT_DAYS)] = 30


class AuditQuery(BaseModel):
    """From which time on; see :func:`time`."""

    since: str = ""


AnyBody = TypeVar("AnyBody", bound=BaseModel)


def parse(raw: bytes, kind: type[AnyBody]) -> AnyBody:
    """A request's body; an empty one counts as `{}`. Raises MalformedError and InvalidRequestError."""
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
        sentence(first["loc"], first["msg"]), ".".join(map(str, first["loc"][:1])) or None
    )


def parse_query(given: Mapping[str, str], kind: type[AnyBody]) -> AnyBody:
    """A request's query; what is not known here is let be. Raises InvalidRequestError."""
    try:
        return kind.model_validate(given)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    raise InvalidRequestError(sentence(first["loc"], first["msg"]))


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


def time(given: str) -> datetime | None:
    """A time of a query, ISO 8601, in UTC; without a zone it is this machine's. Raises InvalidRequestError."""
    try:
        return _utc(datetime.fromisoformat(given) if given else None)
    except ValueError:
        raise InvalidRequestError("since: a time is ISO 8601, such as 2026-01-31T09:30:00.") from None
