"""Routes that clients call while somebody types: suggestions, feedback, new text, typing speed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from dataclasses import asdict
from functools import partial
from typing import Annotated, Literal, TypeVar

import pydantic
from anyio.to_thread import run_sync
from pydantic import BaseModel, Field
from starlette.requests import Request

from idiolect.adapters.mending.keyboards import ROWS
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.daemon.endpoint.routing import Application, JsonObject, client_of, unless_gone
from idiolect.daemon.endpoint.shapes import (
    MAX_PREFIX_CHARS,
    Amount,
    KeyMs,
    Name,
    PlacedBody,
    Time,
)
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service
from idiolect.daemon.serving.answered_text import MAX_ANSWERED_TEXTS
from idiolect.daemon.serving.model_queue import MAX_JOBS, BusyError, Priority
from idiolect.daemon.serving.speed_trial import Stretch
from idiolect.daemon.storage.records import Feedback, SuggestionKind
from idiolect.daemon.text.typed_text import MAX_TEXT_CHARS

MAX_REPORT_DAYS = 3650

AnsweredText = Annotated[str, Field(max_length=MAX_PREFIX_CHARS)]

Letters = Annotated[str, Field(pattern=r"^[\p{Ll}\p{Lm}\p{Lo}' ]{1,2}$")]

T = TypeVar("T")


class SuggestBody(PlacedBody):
    """What stands before and after the cursor, and how much to suggest.

    `context` is what the user answers, the newest last: for this suggestion alone. `corrections`: whether mistyped
    words are mended, too; `correct_before`: also the word before the last. `key_ms` is the time between two letters, in
    milliseconds, of the typist for whom ghosts are judged; `letter_ms` is what was measured of it of late, for the
    profile's median. `reasons`: whether to say why something is not shown.
    """

    prefix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)]
    suffix: Annotated[str, Field(max_length=MAX_PREFIX_CHARS)] = ""
    candidates: Annotated[int, Field(ge=0, le=20)] = 3
    ghost_words: Annotated[int, Field(ge=0, le=32)] = 8
    context: Annotated[tuple[AnsweredText, ...], Field(max_length=MAX_ANSWERED_TEXTS)] = ()
    corrections: bool = False
    correct_before: bool = False
    key_ms: KeyMs | None = None
    letter_ms: KeyMs | None = None
    reasons: bool = False

    def question(self, given_up: Callable[[], bool]) -> Question:
        """The question; `given_up` says that nobody waits for a ghost any more."""
        return Question(
            self.prefix,
            self.suffix,
            self.candidates,
            self.ghost_words,
            self.corrections,
            self.correct_before,
            self.key_ms,
            given_up=given_up,
        )


class HistoryBody(PlacedBody):
    """Something the user wrote, where, and when (now, if not given); `before`: what stood in front of it there.

    `before` is never kept, and only its end is read, so it may have any length.
    """

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    source: Name
    at: Time = None
    before: str = ""


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


class StretchBody(PlacedBody):
    """What was typed in a field from its first letter until it was left; see `speed_trial.Stretch`."""

    suggestions: bool
    characters: Annotated[int, Field(ge=0, le=10**6)]
    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
    keys: Annotated[int, Field(ge=0, le=10**6)]


class SlipBody(PlacedBody):
    """A slip of the hand that the user has mended themselves: the letters that were meant and typed, two at most."""

    meant: Letters
    typed: Letters


class ReportQuery(BaseModel):
    """Of how many days."""

    days: Annotated[int, Field(ge=1, le=MAX_REPORT_DAYS)] = 30


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    _register_suggestions(app, service)
    _register_learning(app, service)


def _register_suggestions(app: Application, service: Service) -> None:
    questions = _OpenQuestions()
    suggestions, policy, queue = service.suggestions, service.ingest.app_policy, service.model.queue

    @app.post("/v1/suggest", Scope.SUGGEST)
    async def suggest(asked: SuggestBody, request: Request) -> JsonObject:
        client = client_of(request)
        sees = policy.sees_context(asked.place)
        if (reason := policy.suggesting(asked.place)) is not None:
            found = Suggestion.silent(service.model.adapter_id, reason)
        else:
            superseded = questions.begin(client.program, asked.prefix)

            def given_up() -> bool:  # a ghost that keeps others waiting comes too late for all of them
                return superseded.is_set() or queue.crowded(client)

            question = asked.question(given_up)
            context = asked.context if sees else ()
            steps = suggestions.suggest_in_steps(question, asked.place, context, asked.letter_ms)
            try:
                work = queue.answer(client, Priority.TYPING, steps, typed=asked.prefix)
                found = await unless_gone(request, work)
            finally:
                questions.end(superseded)
        answer = _suggested(found, reason, with_reasons=asked.reasons)
        answer |= {"paused": service.ingest.pause.active, "sees_context": sees}
        chosen = {"quiet": suggestions.quiet.left_s > 0, "keys": service.model.served.switches.keys}
        answer |= {name: value for name, value in chosen.items() if value}
        return answer | ({"trial": True} if service.trial.running else {})


def _suggested(found: Suggestion, reason: Reason | None, *, with_reasons: bool) -> JsonObject:
    """An answer to `/v1/suggest`; fields that say nothing are left out."""
    words = [
        {
            "text": word.text,
            "p": word.p,
            **({"replace": word.replace} if word.replace else {}),
            **({"grey": True} if word.grey else {}),
        }
        for word in found.words
    ]
    answer: JsonObject = {
        "words": words,
        "ghost": found.ghost,
        "list": {"show": found.show_words},
        "adapter": found.adapter,
        "elapsed_ms": found.elapsed_ms,
        "reason": reason,
    }
    if (mended := found.correction) is not None:
        answer["correction"] = {
            "text": mended.text,
            "replace": mended.replace,
            "p": mended.p,
            "apply": mended.sure,
            **({"grey": True} if mended.grey and not mended.sure else {}),
        }
    if found.finished:
        answer["finished"] = found.finished
    if with_reasons:
        answer["reasons"] = [
            {"reason": why.value, "hides": why.hides, "why": why.why, "remedy": why.remedy}
            for why in found.reasons
        ]
    return answer


class _OpenQuestions:
    """Requests for suggestions that are under way. A superseded request needs no ghost any more."""

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

    @app.post("/v1/history", Scope.LEARN)
    async def history(asked: HistoryBody) -> JsonObject:
        where = {"source": asked.source, "at": asked.at, "before": asked.before, **asdict(asked.place)}
        stored = await run_limited(partial(service.ingest.add_text, **where), asked.text)
        return {**asdict(stored), "paused": service.ingest.pause.active}

    @app.post("/v1/feedback", Scope.SUGGEST)
    async def add_feedback(asked: FeedbackBody) -> JsonObject:
        if asked.kind == "correction":
            taken_back = asked.outcome == "dismissed"
            counted = await run_limited(
                service.suggestions.add_verdict, str(asked.word), taken_back, asked.place
            )
        else:
            took = (asked.characters, asked.keystrokes, asked.words)
            feedback = Feedback(asked.kind, asked.outcome, asked.p, asked.show, *took, asked.count)
            counted = await run_limited(service.suggestions.add_feedback, feedback, asked.place)
        answer = {"stored": counted.stored, "reason": counted.reason, "paused": service.ingest.pause.active}
        return answer | ({"never_corrected": True} if counted.never_corrected else {})

    @app.post("/v1/trial/stretch", Scope.SUGGEST)
    async def add_stretch(asked: StretchBody) -> JsonObject:
        stretch = Stretch(asked.suggestions, asked.characters, asked.seconds, asked.keys)
        counted = await run_limited(service.trial.add, stretch, asked.place)
        return {"counted": counted, "running": service.trial.running}

    @app.post("/v1/slip", Scope.LEARN)
    async def add_slip(asked: SlipBody) -> JsonObject:
        counted = await run_limited(service.suggestions.add_slip, asked.meant, asked.typed, asked.place)
        return {"counted": counted}

    @app.get("/v1/report", Scope.ADMIN)
    async def report(asked: ReportQuery) -> JsonObject:
        found = await run_sync(service.suggestions.report, asked.days)
        return {
            "days": asked.days,
            "savings": found.savings,
            "slips": (await run_sync(service.model.stats.read_hand)).slips,
            "keyboard": ROWS[service.model.loaded.channel.layout],
            "by_day": [
                {"day": day.isoformat(), "kind": kind, **asdict(savings)}
                for (day, kind), savings in found.by_day.items()
            ],
        }
