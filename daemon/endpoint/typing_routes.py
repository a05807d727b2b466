"""The addresses that are asked while somebody types: suggestions, what was written, what became of suggestions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from idiolect.daemon.endpoint import replies, shapes
from idiolect.daemon.endpoint.answers import answer, client_of, read_body, read_query, unless_gone
from idiolect.daemon.endpoint.queue import MOST, BusyError, Priority, Turns, Typing
from idiolect.daemon.storage.records import Feedback

if TYPE_CHECKING:
    from idiolect.adapters.prediction.suggestion import Suggestion
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.service import Service

T = TypeVar("T")


def register(app: Application, service: Service, turns: Turns) -> None:
    """Have `app` answer them."""
    _register_suggestions(app, service, turns)
    _register_learning(app, service)


def _register_suggestions(app: Application, service: Service, turns: Turns) -> None:
    typing = Typing()
    suggestions = service.suggestions

    @app.post("/v1/suggest", shapes.SuggestBody)
    async def suggest(request: Request) -> Response:
        """Words to insert at the cursor, and a ghost text that continues there."""
        asked = await read_body(request, shapes.SuggestBody)
        if (reason := suggestions.withheld(asked.place)) is not None:
            serves = service.model.adapter_id
            return answer(replies.withheld(reason, serves, paused=service.ingest.paused))
        client = client_of(request)
        outdated = typing.begin(client.program, asked.prefix)
        reading = suggestions.read_ahead(asked.prefix, asked.source)

        def work(abandoned: Callable[[], bool]) -> Suggestion | None:
            def given_up() -> bool:  # a ghost that keeps others waiting comes too late for all of them
                return outdated.is_set() or abandoned() or turns.crowded(client)

            for _piece in reading:
                return None  # whoever waits comes between
            wanted = (asked.prefix, asked.suffix, asked.candidates, asked.ghost_words)
            return suggestions.suggest(
                *wanted, given_up, asked.place, asked.source, asked.corrections, asked.key_ms
            )

        try:
            found = await unless_gone(request, turns.run(client, Priority.TYPING, work))
        finally:
            typing.end(outdated)
        return answer(replies.suggestion(found, paused=service.ingest.paused))

    @app.post("/v1/explain", shapes.ExplainBody)
    async def explain(request: Request) -> Response:
        """Which part suggestions come from: base, adapter or memory. Slower than they are."""
        asked = await read_body(request, shapes.ExplainBody)
        if (reason := suggestions.withheld(asked.place)) is not None:
            serves = service.model.adapter_id
            return answer(replies.unexplained(reason, serves, paused=service.ingest.paused))
        wanted = (asked.prefix, asked.suffix, asked.candidates, asked.ghost_words)
        # Less urgent than what somebody types for: it is told beside a suggestion, not in its place.
        work = turns.run(
            client_of(request),
            Priority.GENERATING,
            lambda _given_up: suggestions.explain(*wanted, asked.place),
        )
        found = await unless_gone(request, work)
        return answer(replies.explained(*found, paused=service.ingest.paused))


def _register_learning(app: Application, service: Service) -> None:
    telling = asyncio.Semaphore(MOST[Priority.TYPING])

    async def tell(take: Callable[..., T], *told: object) -> T:
        """What `take` returns; as many as may wait for suggestions may wait for it. Raises BusyError."""
        if telling.locked():
            raise BusyError
        async with telling:
            return await run_sync(take, *told)

    @app.post("/v1/history", shapes.HistoryBody)
    async def history(request: Request) -> Response:
        """Learn something that the user wrote; the fast memory knows it on return."""
        asked = await read_body(request, shapes.HistoryBody)
        told = {"source": asked.source, "at": asked.at, "before": asked.before, **asdict(asked.place)}
        add = partial(service.ingest.add_text, **told)
        result = await tell(add, asked.text)
        return answer(replies.kept(result, paused=service.ingest.paused))

    @app.post("/v1/feedback", shapes.FeedbackBody)
    async def feedback(request: Request) -> Response:
        """Count what became of a suggestion; no text is kept, but for a word that is not to be corrected again."""
        asked = await read_body(request, shapes.FeedbackBody)
        if asked.kind == "correction":
            taken_back = asked.outcome == "dismissed"
            judged = await tell(service.suggestions.add_verdict, str(asked.word), taken_back, asked.place)
            return answer(replies.counted(judged, paused=service.ingest.paused))
        took = (asked.characters, asked.keystrokes, asked.words)
        given = Feedback(asked.kind, asked.outcome, asked.p, asked.show, *took, asked.count)
        result = await tell(service.suggestions.add_feedback, given, asked.place)
        return answer(replies.counted(result, paused=service.ingest.paused))

    @app.get("/v1/report", query=shapes.ReportQuery)
    async def report(request: Request) -> Response:
        """What suggestions have saved lately, and how often the likely ones were accepted."""
        days = read_query(request, shapes.ReportQuery).days
        return answer(replies.report(await run_sync(service.suggestions.report, days), days))
