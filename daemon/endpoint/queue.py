"""Whose turn it is: one thread computes, clients take turns, and who comes when too many wait is told to come later.

    found = await turns.run(client, Priority.TYPING, work)                  # work(given_up) -> found
    async for piece in turns.steps(client, Priority.GENERATING, pieces):    # an iterator, one step a turn

Of what waits the more urgent goes first; within that, programs take turns, and the connections of one program, so
that one that asks without end keeps nobody waiting for longer than one of its answers. What has waited long is as
urgent as anything, so that text goes on being generated, slowly, however much is typed. All is done in the
event loop but the work itself, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from enum import IntEnum
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from idiolect.models.errors import IdiolectError

#: How long what was generated waits for a client to take it, before the client loses its place.
PATIENCE_S = 30.0
#: Other programs that wait for a suggestion where there are many: what is not needed at once is left out then.
MANY: Final = 2
#: How long less urgent work waits for a turn before it is as urgent as any.
LONG_S = 1.0


class Priority(IntEnum):
    """How urgent work is; more urgent work goes before all that is less so, between two steps of it, too."""

    TYPING = 0
    GENERATING = 1


#: How many of each may wait or, of what is done in steps, be under way.
MOST: Final = {Priority.TYPING: 64, Priority.GENERATING: 4}

T = TypeVar("T")


class BusyError(IdiolectError):
    """More requests wait than the service lets wait."""

    code: ClassVar[str] = "busy"
    exit_code: ClassVar[int] = 96
    http_status: ClassVar[int] = 429

    #: When to ask again.
    retry_after_s: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__(
            "Too many requests wait to be answered. Ask again in a second, or ask less at a time."
        )


class SlowReaderError(IdiolectError):
    """The client did not take what was generated for it, so its place went to another."""

    code: ClassVar[str] = "slow-reader"
    exit_code: ClassVar[int] = 99
    http_status: ClassVar[int] = 408


class Client(NamedTuple):
    """Who asks: a program, as far as it can be told, and one of its connections."""

    program: Hashable
    connection: Hashable


class _Job:
    """A client's work, from when it is let in until it is done, or its client has gone."""

    def __init__(self, client: Client, priority: Priority, number: int) -> None:
        self.client, self.priority, self.number = client, priority, number
        self.step: Callable[[], Any] | None = None  # set while it waits for its turn
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.since_s = 0.0  # when it began to wait for its turn
        self.begun = False
        self.abandoned = False


class Turns:
    """Work of many clients, done one at a time. Made anywhere, used in one event loop."""

    def __init__(
        self, executor: Executor | None = None, patience_s: float = PATIENCE_S, long_s: float = LONG_S
    ) -> None:
        """`executor` has one thread, since inference is one at a time anyway."""
        self._executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="suggest")
        self._patience_s = patience_s
        self._long_s = long_s
        self._jobs: list[_Job] = []
        self._admitted = 0
        self._served = 0
        self._last: dict[Hashable, int] = {}  # when programs and connections that have work here were served
        self._busy = False

    def __len__(self) -> int:
        """How much is let in and not yet done."""
        return len(self._jobs)

    def crowded(self, client: Client) -> bool:
        """Whether many programs other than the client's wait for a suggestion. May be asked in the thread, too."""
        waiting = (one for one in [*self._jobs] if one.step is not None and one.priority == Priority.TYPING)
        return len({one.client.program for one in waiting} - {client.program}) >= MANY

    async def run(
        self, client: Client, priority: Priority, work: Callable[[Callable[[], bool]], T | None]
    ) -> T:
        """What `work` returns or raises, once it is its turn; after None it gets another turn. Raises BusyError.

        `work` is called in the thread, with a function that tells whether nobody waits for it any more. It
        is not called at all if whoever awaits this is cancelled before its turn.
        """
        job = self._admit(client, priority)
        try:
            while (found := await self._turn(job, lambda: work(lambda: job.abandoned))) is None:
                pass
            return found
        finally:
            self._leave(job)

    async def steps(self, client: Client, priority: Priority, pieces: Iterator[T]) -> AsyncGenerator[T, None]:
        """The same pieces, each made in a turn of its own. Raises BusyError, and SlowReaderError.

        A generator is closed in the thread, also if nobody asks for the rest: close what this returns
        (`contextlib.aclosing`). A client that takes no piece for `PATIENCE_S` seconds loses its place.
        """
        job = self._admit(client, priority)
        loop = asyncio.get_running_loop()
        try:
            while (piece := await self._turn(job, partial(next, pieces, _END))) is not _END:
                impatient = loop.call_later(self._patience_s, self._end, job, pieces)
                try:
                    yield piece
                finally:
                    impatient.cancel()
                if job.abandoned:
                    raise SlowReaderError(
                        "What was generated was not read in time, so the rest was not made. Ask again."
                    )
        finally:
            if not job.abandoned:
                self._end(job, pieces)

    def _end(self, job: _Job, pieces: Iterator[Any]) -> None:
        self._leave(job)
        if isinstance(pieces, Generator):
            self._executor.submit(pieces.close)  # behind a step that runs, which would not let it be closed

    def _admit(self, client: Client, priority: Priority) -> _Job:
        """Let it in. If that makes too many, the newest of whoever has the most here has to go."""
        job = _Job(client, priority, self._admitted)
        self._admitted += 1
        self._jobs.append(job)
        same = [one for one in self._jobs if one.priority == priority]
        if len(same) > MOST[priority]:
            has = Counter(one.client.program for one in same) + Counter(one.client for one in same)
            last = max(
                (one for one in same if not one.begun),
                key=lambda one: (has[one.client.program], has[one.client], one.number),
            )
            self._leave(last)
            if last is job:
                raise BusyError
            if not last.result.done():
                last.result.set_exception(BusyError())
        for key in (client.program, client):
            self._last.setdefault(key, self._served - 1)  # before all who were served meanwhile
        return job

    def _leave(self, job: _Job) -> None:
        job.abandoned = True
        job.step = None
        if job in self._jobs:
            self._jobs.remove(job)
            here = {key for one in self._jobs for key in (one.client.program, one.client)}
            self._last = {key: last for key, last in self._last.items() if key in here}

    async def _turn(self, job: _Job, step: Callable[[], T]) -> T:
        job.step = step
        job.since_s = asyncio.get_running_loop().time()
        if job.begun:
            job.result = asyncio.get_running_loop().create_future()
        self._next()
        found: T = await job.result
        return found

    def _next(self) -> None:
        """Begin what is first of all that waits, unless something runs."""
        waiting = {job: job.step for job in self._jobs if job.step is not None}
        if self._busy or not waiting:
            return
        long_ago_s = asyncio.get_running_loop().time() - self._long_s
        job = min(
            waiting,
            key=lambda one: (
                one.priority if one.since_s > long_ago_s else Priority.TYPING,
                self._last[one.client.program],
                self._last[one.client],
                one.number,
            ),
        )
        self._served += 1
        self._last[job.client.program] = self._last[job.client] = self._served
        self._busy, job.begun = True, True
        job.step = None
        done = asyncio.get_running_loop().run_in_executor(self._executor, waiting[job])
        done.add_done_callback(partial(self._done, job.result))

    def _done(self, result: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
        self._busy = False
        error = done.exception()  # asked for in any case, or asyncio reports it as never looked at
        if result.done():  # cancelled: its client has gone
            pass
        elif error is not None:
            result.set_exception(error)
        else:
            result.set_result(done.result())
        # Once who awaited it has gone on: what it does next may be more urgent than all that waits now.
        asyncio.get_running_loop().call_soon(self._next)


class _Asked(NamedTuple):
    program: Hashable
    prefix: str


class Typing:
    """Suggestions that are asked for and not yet answered: who types on in a text needs no ghost for what it was."""

    def __init__(self) -> None:
        self._asked: dict[threading.Event, _Asked] = {}

    def begin(self, program: Hashable, prefix: str) -> threading.Event:
        """A request arrives; what is returned is set once a newer one of the same program goes on from it, or back."""
        for given_up, other in self._asked.items():
            # A text that begins elsewhere goes on from none.
            related = prefix and (prefix.startswith(other.prefix) or other.prefix.startswith(prefix))
            if other.program == program and other.prefix != prefix and related:
                given_up.set()
        given_up = threading.Event()
        self._asked[given_up] = _Asked(program, prefix)
        return given_up

    def end(self, given_up: threading.Event) -> None:
        """It is answered, or its client has gone."""
        del self._asked[given_up]


_END: Final[Any] = object()
