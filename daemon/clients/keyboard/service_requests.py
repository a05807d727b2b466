"""The keyboard's requests to the service: suggestions, of which the newest count, and texts, in a queue."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeAlias

from idiolect.daemon.clients.link import ServiceLink
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings

#: Requests under way at once: one that computes, and a newer one, for which the service drops the older.
_MAX_ASKED: Final = 2
#: Questions about a word that ended that wait beside the newest one, at most: a fast typist's last words.
_MAX_ENDED: Final = 8
#: Texts that wait for the service, at most: beyond that the oldest are dropped.
_MAX_TEXTS: Final = 200
#: Counts that wait for the service, at most; equal outcomes share one.
_MAX_COUNTS: Final = 200
_RETRY_S: Final = 20.0
#: Dismissed suggestions are counted together for so long before the service is told of them.
_COUNTING_S: Final = 10.0
_Body: TypeAlias = dict[str, Any]

log = logging.getLogger("idiolect.keyboard")


class _Question(NamedTuple):
    """What is asked, who takes the answer, and whether a word has ended there."""

    body: _Body
    then: Callable[[_Body], None]
    ended: bool

    def about_the_end(self) -> _Question:
        return self._replace(body={**self.body, "candidates": 0, "ghost_words": 0})


class ServiceRequests:
    """The way to the service, for one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is looked for yet."""
        self.link = ServiceLink(settings, Scope.LEARN)
        self._waiting: list[_Question] = []  # those about words that ended, and the newest one
        self._asked = 0
        self._texts: deque[tuple[str, _Body]] = deque(maxlen=_MAX_TEXTS)
        self._counts: dict[str, _Body] = {}  # by what is alike in them; of what was taken each has its number
        self._taken = itertools.count()
        self._sender: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._counting: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Start the service unless it runs; typing does not wait for it."""
        self.start_task(self.link.start())

    def suggest(self, body: _Body, then: Callable[[_Body], None], *, ended: bool = False) -> None:
        """Ask for suggestions, and call `then` with an answer.

        An older question that waits is dropped, unless a word has `ended` there: then only its correction is asked for.
        """
        kept = [one.about_the_end() for one in self._waiting if one.ended]
        self._waiting = [*kept[-_MAX_ENDED:], _Question(body, then, ended)]
        if self._asked < _MAX_ASKED:
            self._asked += 1
            self.start_task(self._suggest())

    async def _suggest(self) -> None:
        try:
            while self._waiting:
                question = self._waiting.pop(0)
                answer = await self.link.ask("POST", "/v1/suggest", question.body)
                if answer is not None:
                    question.then(answer)
        finally:
            self._asked -= 1

    def drop_waiting(self) -> None:
        """Nothing that was asked and waits is wanted any more."""
        self._waiting = []

    def send(self, path: str, body: _Body) -> None:
        """Send the service a text that it is to keep, now or once it is there."""
        self._texts.append((path, body))
        self._send_soon()

    def count(self, body: _Body) -> None:
        """Send feedback, soon: what is dismissed often and alike goes in one request."""
        tenth = min(int(10 * body["p"]), 9)  # as the service counts it
        dismissed = body["outcome"] == "dismissed"
        alike = json.dumps({**body, "p": tenth}) if dismissed else f"{next(self._taken)}"
        if alike in self._counts:
            self._counts[alike]["count"] += 1
        elif len(self._counts) < _MAX_COUNTS:
            self._counts[alike] = {**body, "count": 1}
        if self._counting is None:
            self._counting = asyncio.get_running_loop().call_later(_COUNTING_S, self._send_soon)

    def _send_soon(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = self.start_task(self._send_until_empty())

    async def _send_until_empty(self) -> None:
        while not await self._send():
            await asyncio.sleep(_RETRY_S)

    async def _send(self) -> bool:
        """Send all that waits; whether the service took it. What it did not take waits on, in its order."""
        async with self._sending:
            return await self._send_in_order()

    async def _send_in_order(self) -> bool:
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
        while self._texts:
            text = self._texts.popleft()
            if not await self.link.send(*text):
                if len(self._texts) < _MAX_TEXTS:  # else newer ones have taken its place
                    self._texts.appendleft(text)
                return False
        while self._counts:
            alike = next(iter(self._counts))
            body = self._counts.pop(alike)
            if not await self.link.send("/v1/feedback", body):
                self._counts.setdefault(alike, body)
                return False
        return True

    async def finish(self) -> None:
        """Send what waits, behind what is being sent, if the service takes it now; then close the connection."""
        await self._send()
        if self._sender is not None:
            self._sender.cancel()
        await self.link.close()

    def start_task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have something done that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("something that was asked or sent failed", exc_info=error)
