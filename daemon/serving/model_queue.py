"""The model's queue, and the one thread that works it off by priority.

    result = queue.run(Priority.LEARNING, steps)                    # from a plain thread, which waits
    result = await queue.answer(client, Priority.TYPING, steps)     # for a client of the endpoint
    async for piece in queue.stream(client, Priority.REST, steps):  # the same, a piece a turn
    queue.delayed("look ahead", work, Priority.LOOK_AHEAD, 0.01)    # .ask(): once nobody has asked for so long

Work is a generator. One turn makes one step of it, from one `yield` to the next, and between two steps whatever is more
urgent is done. So nothing that a step touches needs a lock: session and KV cache, fast memory, word tables, mixture.

Of what waits the most urgent goes first. Within one priority programs take turns, and so do the connections of one
program: a client that asks without end keeps nobody waiting for longer than one of its steps. A client's work that has
waited for a second is as urgent as any, so that a text is generated, slowly, however much is typed; the service's own,
which may have hundreds of steps, after a tenth of a second.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Hashable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from idiolect.adapters.memory.steps import Steps
from idiolect.models.errors import ExitCode, IdiolectError

log = logging.getLogger("idiolect.model")

#: How long a generated piece waits for its client to take it, before the client loses its place, in seconds.
PATIENCE_S: Final = 30.0
#: From so many other programs on that wait for a suggestion, ghosts are left out: they would come too late for all.
MANY: Final = 2
#: How long work waits for a turn before it is as urgent as any, in seconds: a client's, and the service's own.
LONG_S, OWN_LONG_S = 1.0, 0.1


class Priority(IntEnum):
    """How urgent work is. More urgent work goes first, and between two steps of what is less urgent, too."""

    TYPING = 0
    LEARNING = 1
    LOOK_AHEAD = 2
    REST = 3
    """Switches, rebuilds, generated text, evaluation."""


#: How many clients' jobs of a priority may be there at once.
MAX_JOBS: Final = {Priority.TYPING: 64, Priority.REST: 4}

T = TypeVar("T")


class BusyError(IdiolectError, code="busy", exit_code=ExitCode.NOT_RUNNING, http_status=429):
    """More requests wait than the service lets wait."""

    #: When to ask again.
    retry_after_s: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__("Too many requests wait. Ask again in a second, or ask less at a time.")


class SlowReaderError(IdiolectError, code="slow-reader", exit_code=ExitCode.NOT_RUNNING, http_status=408):
    """The client did not take what was generated for it, so its place went to another."""


class StoppingError(IdiolectError, code="service-stopping", exit_code=ExitCode.NOT_RUNNING, http_status=503):
    """The service was asked to end while it worked on the request."""

    def __init__(self) -> None:
        super().__init__("The service is ending. Run `idiolect start`, then ask again.")


class Client(NamedTuple):
    """Who asks: a program, as far as it can be told, and one of its connections."""

    program: Hashable
    connection: Hashable


class _Job:
    """Work that is in the queue."""

    def __init__(
        self,
        client: Client,
        priority: Priority,
        steps: Generator[Any, None, Any],
        *,
        typed: str | None = None,
        is_stream: bool = False,
        make_way: Callable[[str | None], None] | None = None,
    ) -> None:
        self.client, self.priority, self.steps = client, priority, steps
        self.typed = typed  # before the cursor, of who types
        self.is_stream = is_stream
        self.make_way = make_way  # told of what is more urgent, while a step of this runs
        self.number = 0
        self.limited = False  # it counts for `MAX_JOBS`
        self.begun = False
        self.waiting_since_s: float | None = None  # None while it runs, or its client takes a piece
        self.turn = Future[Any]()  # the result; of a stream the next piece

    def finish(self, *, result: object = None, error: BaseException | None = None) -> None:
        """Tell whoever waits, unless nobody does any more."""
        if self.turn.done() or not self.turn.set_running_or_notify_cancel():
            return
        if error is None:
            self.turn.set_result(result)
        else:
            self.turn.set_exception(error)


class Delayed:
    """Work that is done once nobody has asked for it for a while; made by :meth:`ModelQueue.delayed`."""

    def __init__(self, changed: threading.Condition, make_job: Callable[[], _Job], quiet_s: float) -> None:
        self._changed = changed
        self._quiet_s = quiet_s
        self.make_job = make_job
        self.job: _Job | None = None  # the latest
        self.due_s: float | None = None

    def ask(self, quiet_s: float | None = None) -> None:
        """Have it done after so much quiet (None: as long as usual; 0: at once); returns before it is."""
        quiet_s = self._quiet_s if quiet_s is None else quiet_s
        with self._changed:
            at_once = not quiet_s or self.due_s == 0.0
            self.due_s = 0.0 if at_once else time.monotonic() + quiet_s
            self._changed.notify()


class ModelQueue:
    """The queue. Any thread may give it work; the thread named "model" does it."""

    def __init__(
        self, *, patience_s: float = PATIENCE_S, long_s: float = LONG_S, own_long_s: float = OWN_LONG_S
    ) -> None:
        self._patience_s = patience_s
        self._long_s, self._own_long_s = long_s, own_long_s
        self._changed = threading.Condition()  # holds all that follows
        self._jobs: list[_Job] = []
        self._abandoned: list[Generator[Any, None, Any]] = []  # steps that nobody waits for, to be closed
        self._delayed: list[Delayed] = []
        self._running: _Job | None = None
        self._admitted = 0
        self._served = 0
        self._last: dict[Hashable, int] = {}  # when programs and connections that have work here were served
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """How much is let in and not yet done."""
        with self._changed:
            return len(self._jobs)

    def close(self) -> None:
        """Do nothing more: what waits gets StoppingError. Returns once the step under way has ended."""
        with self._changed:
            self._closing = True
            if self._running is not None and self._running.make_way is not None:
                self._running.make_way(None)
            for job in self._jobs[:]:
                self._remove(job)
                job.finish(error=StoppingError())
            self._changed.notify()
        self._thread.join()

    def crowded(self, client: Client) -> bool:
        """Whether many programs other than the client's wait for a suggestion."""
        with self._changed:
            waiting = {
                job.client.program
                for job in self._jobs
                if job.waiting_since_s is not None and job.priority is Priority.TYPING
            }
        return len(waiting - {client.program}) >= MANY

    # Ways in

    def run(self, priority: Priority, steps: Steps[T]) -> T:
        """What the steps return or raise, for a plain thread, which waits. Raises StoppingError."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("the model's own thread can't wait for itself")
        job = _Job(Client(_OWN, threading.get_ident()), priority, steps)
        self._admit(job)
        result: T = job.turn.result()
        return result

    async def answer(
        self, client: Client, priority: Priority, steps: Steps[T], *, typed: str | None = None
    ) -> T:
        """What the steps return or raise. Raises BusyError and StoppingError.

        No further step is made once whoever awaits this is cancelled. `typed` is the text before the cursor of who
        types: a look-ahead that computes what is needed there goes on.
        """
        job = _Job(client, priority, steps, typed=typed)
        self._admit(job, limited=True)
        try:
            result: T = await asyncio.wrap_future(job.turn)
            return result
        finally:
            self._leave(job)

    async def stream(
        self, client: Client, priority: Priority, pieces: Generator[T, None, object]
    ) -> AsyncGenerator[T, None]:
        """The same pieces, each made in a turn of its own. Raises BusyError, StoppingError and SlowReaderError.

        The generator is closed in the model's thread, also if nobody asks for the rest: close what this returns
        (`contextlib.aclosing`). A client that takes no piece for `PATIENCE_S` seconds loses its place.
        """
        job = _Job(client, priority, pieces, is_stream=True)
        self._admit(job, limited=True)
        loop = asyncio.get_running_loop()
        try:
            while (piece := await asyncio.wrap_future(job.turn)) is not _END:
                impatient = loop.call_later(self._patience_s, self._leave, job)
                try:
                    yield piece
                finally:
                    impatient.cancel()
                if not self._wait_again(job):
                    raise SlowReaderError("It was not read in time, so the rest was not made. Ask again.")
        finally:
            self._leave(job)

    def delayed(
        self,
        name: str,
        work: Callable[[], Steps[object]],
        priority: Priority,
        quiet_s: float,
        make_way: Callable[[str | None], None] | None = None,
    ) -> Delayed:
        """Work that is asked for and begins once nobody has asked for `quiet_s` seconds.

        What it raises is logged by its kind, under `name`. While a step of it runs, `make_way` is told of each more
        urgent job, with what is typed there or None, in that job's thread: it may interrupt the step.
        """

        def logged() -> Steps[None]:
            try:
                yield from work()
            except Exception as error:  # noqa: BLE001 (nobody waits for it)
                log.warning("%s: %s", name, getattr(error, "code", type(error).__name__))

        delayed = Delayed(
            self._changed, lambda: _Job(Client(_OWN, name), priority, logged(), make_way=make_way), quiet_s
        )
        with self._changed:
            self._delayed.append(delayed)
        return delayed

    # What waits

    def _admit(self, job: _Job, *, limited: bool = False) -> None:
        """Let a job in. If that makes too many, the newest of whoever has the most here has to go."""
        with self._changed:
            if self._closing:
                job.steps.close()
                raise StoppingError
            job.limited = limited
            self._add(job)
            self._changed.notify()
            if limited and (last := self._one_too_many(job.priority)) is not None:
                self._remove(last)
                if last is job:
                    raise BusyError
                last.finish(error=BusyError())
            running = self._running
            if running is not None and running.make_way is not None and job.priority < running.priority:
                running.make_way(job.typed)

    def _add(self, job: _Job) -> None:
        job.number, job.waiting_since_s = self._admitted, time.monotonic()
        self._admitted += 1
        self._jobs.append(job)
        for key in (job.client.program, job.client):
            self._last.setdefault(key, self._served - 1)  # before all who were served meanwhile

    def _one_too_many(self, priority: Priority) -> _Job | None:
        same = [one for one in self._jobs if one.limited and one.priority is priority]
        if len(same) <= MAX_JOBS.get(priority, len(same)):
            return None
        has = Counter(one.client.program for one in same) + Counter(one.client for one in same)
        return max(
            (one for one in same if not one.begun),
            key=lambda one: (has[one.client.program], has[one.client], one.number),
        )

    def _remove(self, job: _Job) -> None:
        """Let a job go; its steps are closed once none of them runs."""
        self._jobs.remove(job)
        here = {key for one in self._jobs for key in (one.client.program, one.client)}
        self._last = {key: last for key, last in self._last.items() if key in here}
        if job is not self._running:
            self._abandoned.append(job.steps)

    def _leave(self, job: _Job) -> None:
        with self._changed:
            if job in self._jobs:
                self._remove(job)
                self._changed.notify()

    def _wait_again(self, job: _Job) -> bool:
        """Have a stream's next piece made; False if its place is lost."""
        with self._changed:
            if self._closing:
                raise StoppingError
            if job not in self._jobs:
                return False
            job.turn, job.waiting_since_s = Future(), time.monotonic()
            self._changed.notify()
            return True

    # What is done

    def _run(self) -> None:
        while (next_one := self._next()) is not None:
            if isinstance(next_one, _Job):
                self._make_step(next_one)
            else:
                _close(next_one)

    def _next(self) -> _Job | Generator[Any, None, Any] | None:
        """The job whose turn it is, or steps to close; waits for them. None once the queue is closed."""
        with self._changed:
            while True:
                if self._abandoned:
                    return self._abandoned.pop()
                if self._closing:
                    return None
                now = time.monotonic()
                for delayed in self._delayed:
                    if delayed.due_s is not None and delayed.due_s <= now:
                        delayed.due_s = None
                        latest = delayed.job
                        if latest is None or latest.begun or latest not in self._jobs:
                            delayed.job = delayed.make_job()
                            self._add(delayed.job)
                waiting = [job for job in self._jobs if job.waiting_since_s is not None]
                if waiting:
                    return self._begin(min(waiting, key=lambda job: self._order(job, now)))
                due = [delayed.due_s for delayed in self._delayed if delayed.due_s is not None]
                self._changed.wait(min(due) - now if due else None)

    def _order(self, job: _Job, now_s: float) -> tuple[int, int, int, int]:
        waited_s = now_s - (now_s if job.waiting_since_s is None else job.waiting_since_s)
        long_s = self._own_long_s if job.client.program == _OWN else self._long_s
        # A look-ahead never becomes urgent: nobody waits for it.
        has_waited_long = waited_s > long_s and job.priority is not Priority.LOOK_AHEAD
        priority = Priority.TYPING if has_waited_long else job.priority
        return priority, self._last[job.client.program], self._last[job.client], job.number

    def _begin(self, job: _Job) -> _Job:
        self._served += 1
        self._last[job.client.program] = self._last[job.client] = self._served
        job.begun, job.waiting_since_s = True, None
        self._running = job
        return job

    def _make_step(self, job: _Job) -> None:
        result, error, is_done = None, None, True
        try:
            result, is_done = next(job.steps), False
        except StopIteration as end:
            result = _END if job.is_stream else end.value
        except BaseException as raised:  # noqa: BLE001 (it is whoever waits who has to hear of it)
            error = raised
        with self._changed:
            self._running = None
            if job not in self._jobs:  # nobody waits for it any more
                self._abandoned.append(job.steps)
            elif is_done:
                self._remove(job)
            elif not job.is_stream:
                job.waiting_since_s = time.monotonic()
                return
            job.finish(result=result, error=error)


def _close(steps: Generator[Any, None, Any]) -> None:
    try:
        steps.close()
    except Exception as error:  # noqa: BLE001 (nobody waits for it)
        log.warning("work that was given up: %s", getattr(error, "code", type(error).__name__))


_OWN: Final = "idiolect"  # the program, of the service's own work
_END: Final[Any] = object()
