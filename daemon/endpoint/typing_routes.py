"""Routes that clients call while somebody types: suggestions, feedback, new text, typing speed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from anyio.to_thread import run_sync
from pydantic import BaseModel, Field
from starlette.requests import Request
from typing_extensions import TypedDict

from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import NO_GHOST, Suggestion
from idiolect.daemon.endpoint.routing import Application, client_of, unless_gone
from idiolect.daemon.endpoint.shapes import (
    MAX_PREFIX_CHARS,
    MAX_TEXT_CHARS,
    Amount,
    Answer,
    KeyMs,
    Name,
    PlacedBody,
    Time,
)
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.ingest.reader import ReaderEndedError
from idiolect.daemon.service import Service
from idiolect.daemon.serving.answered_text import MAX_ANSWERED_TEXTS
from idiolect.daemon.serving.model_queue import MAX_JOBS, BusyError, Priority
from idiolect.daemon.serving.speed_trial import Stretch
from idiolect.daemon.storage.records import Feedback, FeedbackReport, Savings, SuggestionKind, Tenth
from idiolect.daemon.storage.words import WordRefusedError

MAX_REPORT_DAYS = 3650

AnsweredText = Annotated[str, Field(max_length=MAX_PREFIX_CHARS)]

T = TypeVar("T")


class SuggestBody(PlacedBody):
    """What stands before and after the cursor, and how much to suggest.

    `context` is what the user answers, the newest last: for this suggestion alone. `corrections`: whether mistyped
    words are mended, too. `key_ms` is the time between two letters, in milliseconds, of the typist for whom ghosts are
    judged; `letter_ms` is what was measured of it of late, for the profile's median. `reasons`: whether to say why
    something is not shown.
    """

    prefix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)]
    suffix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)] = ""
    candidates: Annotated[int, Field(ge=0, le=20)] = 3
    ghost_words: Annotated[int, Field(ge=0, le=32)] = 8
    context: Annotated[tuple[AnsweredText, ...], Field(max_length=MAX_ANSWERED_TEXTS)] = ()
    corrections: bool = False
    key_ms: KeyMs | None = None
    letter_ms: KeyMs | None = None
    reasons: bool = False


class WordAnswer(Answer):
    """A word, or the rest of one, to insert at the cursor, and how probable it is.

    A correction says how many characters before the cursor go away first.
    """

    text: str
    p: float
    replace: int = 0


class GhostAnswer(Answer):
    """A continuation, how probable its first word is, and whether to show it.

    `words` are its pieces, each with the probability that all up to it is right.
    """

    text: str
    p: float
    show: bool
    words: list[WordAnswer]


class List(Answer):
    """Whether the words are worth a look for whoever has not asked for them."""

    show: bool


class CorrectionAnswer(Answer):
    """What was meant by the word that just ended: `text` for the last `replace` characters; `apply`: without asking."""

    text: str
    replace: int
    p: float
    apply: bool = Field(validation_alias="sure")


class ReasonAnswer(Answer):
    """A reason for which something is not shown, what that is, why, and what to do."""

    reason: str
    hides: str
    why: str
    remedy: str


class Suggested(Answer):
    """Suggestions; where there are none, `reason` may say why.

    `list`: whether to show the words by themselves; grey text says so in `ghost`. `finished`: the probability that the
    word under the cursor ends there; absent where it cannot. `sees_context`: whether `context` is heeded at this place.
    `trial`: there while one runs. `reasons`: where they were asked for, why something is not shown.
    """

    words: list[WordAnswer]
    ghost: GhostAnswer
    list: List
    adapter: int | None
    elapsed_ms: float
    reason: str | None
    paused: bool
    correction: CorrectionAnswer | None = None
    finished: float = 0.0
    sees_context: bool
    trial: bool = False
    reasons: tuple[ReasonAnswer, ...] | None = None


class HistoryBody(PlacedBody):
    """Something the user wrote, where, and when (now, if not given); `before`: what stood in front of it there.

    `before` is never kept, and only its end is read, so it may have any length.
    """

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    source: Name
    at: Time = None
    before: str = ""


class StoredAnswer(Answer):
    """Whether the text was taken, under which number, how much of it was redacted, and else why not."""

    id: int | None
    stored: bool
    redactions: int
    reason: str | None
    paused: bool


class FeedbackBody(PlacedBody):
    """What became of a suggestion that was shown; see `records.Feedback`.

    Of a correction: whether it was accepted, or taken back; `word` is what was typed.
    """

    kind: SuggestionKind | Literal["correction"]
    outcome: Literal["accepted", "dismissed"]
    p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    show: bool = True
    characters: Annotated[Amount, Field(validate_default=True)] = 0
    keystrokes: Amount = 1
    words: Amount = 1
    count: Annotated[Amount, Field(ge=1)] = 1
    word: Annotated[Name | None, Field(validate_default=True)] = None

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
                "only dismissed words and grey texts are counted together; send each of the others alone"
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


class Counted(Answer):
    """Whether feedback was counted, and else why not. `never_corrected`: the word is not corrected any more."""

    stored: bool
    reason: str | None
    paused: bool
    never_corrected: bool = False


class StretchBody(PlacedBody):
    """What was typed in a field from its first letter until it was left; see `speed_trial.Stretch`."""

    suggestions: bool
    characters: Annotated[int, Field(ge=0, le=10**6)]
    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
    keys: Annotated[int, Field(ge=0, le=10**6)]


class StretchCounted(Answer):
    """Whether a stretch counts, and whether the trial goes on."""

    counted: bool
    running: bool


class ReportQuery(BaseModel):
    """Of how many days."""

    days: Annotated[int, Field(ge=1, le=MAX_REPORT_DAYS)] = 30


class Report(TypedDict):
    """What became of the suggestions of some days."""

    days: int
    savings: Savings
    by_day: list[dict[str, Any]]
    by_adapter: list[dict[str, Any]]
    reliability: dict[str, list[dict[str, Any]]]


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    _register_suggestions(app, service)
    _register_learning(app, service)


def _register_suggestions(app: Application, service: Service) -> None:
    questions = _OpenQuestions()
    suggestions, queue = service.suggestions, service.model.queue

    def suggested(
        asked: SuggestBody, found: Suggestion, reason: Reason | None, *, sees_context: bool
    ) -> Suggested:
        reasons = found.reasons if reason is None else (reason,)
        return Suggested.of(
            found,
            list={"show": found.show_words},
            reason=reason,
            paused=service.ingest.pause.active,
            trial=service.trial.running,
            sees_context=sees_context,
            reasons=_explained(reasons) if asked.reasons else None,
        )

    @app.post("/v1/suggest", Scope.SUGGEST)
    async def suggest(asked: SuggestBody, request: Request) -> Suggested:
        """Words to insert at the cursor, and grey text that continues there."""
        if (reason := suggestions.withheld(asked.place)) is not None:
            nothing = Suggestion((), NO_GHOST, service.model.adapter_id, 0.0, show_words=False)
            return suggested(asked, nothing, reason, sees_context=False)
        client = client_of(request)
        superseded = questions.begin(client.program, asked.prefix)

        def given_up() -> bool:  # a ghost that keeps others waiting comes too late for all of them
            return superseded.is_set() or queue.crowded(client)

        sees = suggestions.sees_context(asked.place)
        steps = suggestions.suggest_in_steps(
            asked.prefix,
            asked.suffix,
            asked.candidates,
            asked.ghost_words,
            given_up=given_up,
            place=asked.place,
            corrections=asked.corrections,
            key_ms=asked.key_ms,
            letter_ms=asked.letter_ms,
            context=asked.context if sees else (),
        )
        try:
            work = queue.answer(client, Priority.TYPING, steps, typed=asked.prefix)
            found = await unless_gone(request, work)
        finally:
            questions.end(superseded)
        return suggested(asked, found, None, sees_context=sees)


def _explained(reasons: Sequence[Reason]) -> list[ReasonAnswer]:
    return [
        ReasonAnswer(reason=reason.value, hides=reason.hides, why=reason.why, remedy=reason.remedy)
        for reason in reasons
    ]


class _OpenQuestions:
    """Requests for suggestions that are under way. One that a newer one supersedes needs no ghost any more."""

    def __init__(self) -> None:
        self._open: dict[threading.Event, tuple[Hashable, str]] = {}  # the program, and its prefix

    def begin(self, program: Hashable, prefix: str) -> threading.Event:
        """Note a request; the event is set once a newer one of the same program goes on from its prefix, or back."""
        for superseded, (asker, typed) in self._open.items():
            # A text that begins elsewhere goes on from none.
            related = prefix and (prefix.startswith(typed) or typed.startswith(prefix))
            if asker == program and typed != prefix and related:
                superseded.set()
        superseded = threading.Event()
        self._open[superseded] = program, prefix
        return superseded

    def end(self, superseded: threading.Event) -> None:
        """Note that it is answered, or its client has gone."""
        del self._open[superseded]
        superseded.set()


def _register_learning(app: Application, service: Service) -> None:
    places = asyncio.Semaphore(MAX_JOBS[Priority.TYPING])

    async def run_limited(work: Callable[..., T], *arguments: object) -> T:
        """Return what `work` returns; it has as many places as suggestions. Raises BusyError."""
        if places.locked():
            raise BusyError
        async with places:
            return await run_sync(work, *arguments)

    @app.post("/v1/history", Scope.LEARN, errors=(ReaderEndedError,))
    async def history(asked: HistoryBody) -> StoredAnswer:
        """Learn something that the user wrote; the fast memory knows it on return."""
        where = {"source": asked.source, "at": asked.at, "before": asked.before, **asdict(asked.place)}
        add = partial(service.ingest.add_text, **where)
        return StoredAnswer.of(await run_limited(add, asked.text), paused=service.ingest.pause.active)

    @app.post("/v1/feedback", Scope.SUGGEST, errors=(WordRefusedError,))
    async def add_feedback(asked: FeedbackBody) -> Counted:
        """Count what became of a suggestion; no text is kept, but for a word that is not to be corrected again."""
        if asked.kind == "correction":
            taken_back = asked.outcome == "dismissed"
            result = await run_limited(
                service.suggestions.add_verdict, str(asked.word), taken_back, asked.place
            )
        else:
            took = (asked.characters, asked.keystrokes, asked.words)
            feedback = Feedback(asked.kind, asked.outcome, asked.p, asked.show, *took, asked.count)
            result = await run_limited(service.suggestions.add_feedback, feedback, asked.place)
        return Counted.of(result, paused=service.ingest.pause.active)

    @app.post("/v1/trial/stretch", Scope.SUGGEST)
    async def add_stretch(asked: StretchBody) -> StretchCounted:
        """Count a stretch of writing, with suggestions or without."""
        stretch = Stretch(asked.suggestions, asked.characters, asked.seconds, asked.keys)
        counted = await run_limited(service.trial.add, stretch, asked.place)
        return StretchCounted(counted=counted, running=service.trial.running)

    @app.get("/v1/report", Scope.ADMIN)
    async def report(asked: ReportQuery) -> Report:
        """What suggestions have saved lately, and how often the likely ones were accepted."""
        return _report(await run_sync(service.suggestions.report, asked.days), asked.days)


def _report(found: FeedbackReport, days: int) -> Report:
    return {
        "days": days,
        "savings": found.savings,
        "by_day": [
            {"day": day.isoformat(), "kind": kind, **asdict(savings)}
            for (day, kind), savings in found.by_day.items()
        ],
        "by_adapter": [
            {"adapter": adapter, **asdict(savings)} for adapter, savings in found.by_adapter.items()
        ],
        "reliability": {
            kind: [_tenth(place, tenth) for place, tenth in enumerate(tenths)]
            for kind, tenths in found.reliability.items()
        },
    }


def _tenth(place: int, tenth: Tenth) -> dict[str, Any]:
    shown = tenth.accepted + tenth.dismissed
    rate = tenth.accepted / shown if shown else None
    return {"from": place / 10, "to": (place + 1) / 10, **asdict(tenth), "rate": rate}
