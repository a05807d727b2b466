"""The keyboard's requests to the service: the newest question for suggestions, and a queue of texts and counts."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeAlias

from idiolect.daemon.clients.outbox import Outbox
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings

#: Requests under way at once: one that is computed, and a newer one, for which the service drops the older one.
_MAX_ASKED: Final = 2
#: Questions about an ended word that wait beside the newest question: a fast typist's last words.
_MAX_ENDED: Final = 8
_MAX_COUNTS: Final = 200  # that are collected; equal outcomes share one
#: Dismissed suggestions are counted together for so long before the service is told of them.
_COUNTING_S: Final = 10.0
_ONCE_MORE_S = 0.4  # after this the newest question is asked again if the service was too busy to answer it
_Body: TypeAlias = dict[str, Any]

log = logging.getLogger("idiolect.keyboard")


class _Question(NamedTuple):
    """A request's body, the function that takes the answer, and whether a word ended there."""

    body: _Body
    then: Callable[[_Body], None]
    ended: bool

    def without_suggestions(self) -> _Question:
        return self._replace(body={**self.body, "candidates": 0, "ghost_words": 0})


class ServiceRequests:
    """The way to the service, for one event loop."""

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Make a link with the token of a scope; it connects with the first request."""
        self.link = ServiceLink(settings, scope)
        self._waiting: list[_Question] = []  # the questions about ended words, and the newest one
        self._asked = 0
        self._newest: _Question | None = None
        self._texts = Outbox[tuple[str, _Body]](lambda text: self.link.send(*text))
        self._feedback = Outbox(self._send_feedback)
        self._counts: dict[str, _Body] = {}  # by their equal parts; an accepted outcome by its number
        self._taken = itertools.count()
        self._counting: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.on_answer: Callable[[bool], None] = lambda _: None  # called with whether a question was answered

    def start(self) -> None:
        """Start the service unless it runs."""
        self.start_task(self.link.start())

    def suggest(self, body: _Body, then: Callable[[_Body], None], *, ended: bool = False) -> None:
        """Ask for suggestions, and call `then` with an answer.

        An older waiting question is dropped, unless a word has `ended` there: then it asks for the correction alone.
        """
        self._newest = _Question(body, then, ended)
        self._ask(self._newest)

    def _ask(self, question: _Question) -> None:
        kept = [one.without_suggestions() for one in self._waiting if one.ended]
        self._waiting = [*kept[-_MAX_ENDED:], question]
        if self._asked < _MAX_ASKED:
            self._asked += 1
            self.start_task(self._suggest())

    async def _suggest(self) -> None:
        try:
            while self._waiting:
                question = self._waiting.pop(0)
                answer = await self.link.ask("POST", "/v1/suggest", question.body)
                self.on_answer(answer is not None)
                if answer is not None:
                    question.then(answer)
                elif question is self._newest:
                    asyncio.get_running_loop().call_later(_ONCE_MORE_S, self._ask_once_more, question)
        finally:
            self._asked -= 1

    def _ask_once_more(self, question: _Question) -> None:
        if question is self._newest:  # nothing was typed since
            self._newest = None
            self._ask(question)

    @property
    def waits(self) -> bool:
        """Whether texts or counts wait for the service."""
        return bool(self._texts or self._feedback or self._counts)

    def drop_waiting(self) -> None:
        """Drop the waiting questions."""
        self._waiting, self._newest = [], None

    def send(self, path: str, body: _Body) -> None:
        """Queue a body that the service is to keep."""
        self._texts.put((path, body))
        self._texts.start()

    def count(self, body: _Body) -> None:
        """Queue feedback; equal dismissals go in one request."""
        tenth = min(int(10 * body["p"]), 9)  # as the service counts it
        dismissed = body["outcome"] == "dismissed"
        alike = json.dumps({**body, "p": tenth}) if dismissed else f"{next(self._taken)}"
        if alike in self._counts:
            self._counts[alike]["count"] += 1
        elif len(self._counts) < _MAX_COUNTS:
            self._counts[alike] = {**body, "count": 1}
        if self._counting is None:
            self._counting = asyncio.get_running_loop().call_later(_COUNTING_S, self._send_counts)

    def _send_counts(self) -> None:
        self._counting = None
        self._feedback.put(*self._counts.values())
        self._counts.clear()
        self._feedback.start()

    async def _send_feedback(self, body: _Body) -> bool:
        return await self._texts.send() and await self.link.send("/v1/feedback", body)  # texts come first

    async def finish(self) -> None:
        """Send what waits if the service takes it now; then close the connection."""
        if self._counting is not None:
            self._counting.cancel()
            self._send_counts()
        await self._texts.finish()
        await self._feedback.finish()
        await self.link.close()

    def start_task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task whose failure is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request to the service failed", exc_info=error)
