"""The model's queue: what goes first, who is refused, and that nothing that goes wrong ends its thread.

The thread is held at a step until the test lets it go, so that what waits and what runs is as the test says.
"""

import asyncio
import contextlib
import functools
import threading
import weakref

import pytest
from waiting import DEADLINE_S

from idiolect.adapters.memory.steps import in_one_step
from idiolect.daemon.serving.model_queue import (
    MAX_JOBS,
    BusyError,
    Client,
    ModelQueue,
    Priority,
    SlowReaderError,
    StoppingError,
)

TYPING, LEARNING, LOOK_AHEAD, REST = Priority


def in_loop(test):
    """Run a test in an event loop."""

    @functools.wraps(test)
    def run(**given):
        asyncio.run(asyncio.wait_for(test(**given), DEADLINE_S))

    return run


class Name(str):
    """A program's name whose end can be seen."""


class Desk:
    """A queue whose thread stands still until `open`; `done` is the order in which work was done."""

    def __init__(self, **more):
        self.queue = ModelQueue(**more)
        self.done = []
        self._held = threading.Event()
        self._hold()

    def _hold(self):
        standing, self._held = threading.Event(), threading.Event()

        def stand(held=self._held):
            standing.set()
            assert held.wait(DEADLINE_S)

        def run():
            with contextlib.suppress(StoppingError):
                self.queue.run(TYPING, in_one_step(stand))

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert standing.wait(DEADLINE_S)

    def open(self):
        self._held.set()

    def note(self, name):
        self.done.append(name)
        return name

    async def ask(self, name, program="editor", connection=1, priority=TYPING, steps=None):
        steps = steps or in_one_step(lambda: self.note(name))
        task = asyncio.ensure_future(self.queue.answer(Client(program, connection), priority, steps))
        await settle()
        return task

    def steps(self, name, most=3):
        for number in range(most):
            self.note(f"{name}{number}")
            yield
        return name


async def settle():
    """Let everything happen that can happen in the loop."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.open()
    made.queue.close()


@in_loop
async def test_results_come_back_and_errors_go_to_their_asker_alone(desk):
    def fail():
        raise ValueError("no")

    wrong = await desk.ask("a", steps=in_one_step(fail))
    right = await desk.ask("b")
    desk.open()
    with pytest.raises(ValueError, match="no"):
        await wrong
    assert await right == "b"


@in_loop
async def test_a_thread_that_is_told_to_exit_by_a_step_goes_on(desk):
    def leave():
        raise SystemExit

    async def outcome(priority, steps):
        with contextlib.suppress(SystemExit):
            return await asyncio.to_thread(desk.queue.run, priority, steps)

    asked = asyncio.ensure_future(outcome(REST, in_one_step(leave)))
    desk.open()
    await asked
    assert await (await desk.ask("b")) == "b"


@in_loop
async def test_the_more_urgent_goes_first_between_two_steps_too(desk):
    asked = [
        await desk.ask("rest", priority=REST, steps=desk.steps("rest")),
        await desk.ask("ahead", priority=LOOK_AHEAD),
        await desk.ask("learned", priority=LEARNING, steps=desk.steps("learned", 2)),
        await desk.ask("typed"),
    ]
    between, let_in, loop = [], threading.Event(), asyncio.get_running_loop()

    async def ask_between():
        between.append(await desk.ask("between"))
        let_in.set()

    def then_type():
        desk.note("first")
        asyncio.run_coroutine_threadsafe(ask_between(), loop)
        assert let_in.wait(DEADLINE_S)
        yield
        desk.note("last")

    asked.append(await desk.ask("more", "other", priority=REST, steps=then_type()))
    desk.open()
    await asyncio.gather(*asked)
    await between[0]
    assert desk.done[:4] == ["typed", "learned0", "learned1", "ahead"]
    assert desk.done.index("between") == desk.done.index("first") + 1


@in_loop
async def test_programs_take_turns_and_so_do_the_connections_of_one(desk):
    flood = [await desk.ask(f"f{n}", "flood", n) for n in range(5)]
    program = Name("mail")
    gone = weakref.ref(program)
    typist = await desk.ask("t", program)
    del program
    tasks = [await desk.ask(f"a{n}", "chat", "a") for n in range(3)]
    tasks += [await desk.ask(f"b{n}", "chat", "b") for n in range(3)]
    desk.open()
    await asyncio.gather(*flood, typist, *tasks)
    assert desk.done.index("t") <= 2
    assert [name for name in desk.done if name[0] in "ab"] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert gone() is None, "nothing is remembered of programs that have gone"


@in_loop
async def test_beyond_the_limit_who_has_most_is_told_to_come_later(desk):
    flood = [await desk.ask(f"f{n}", "flood", n) for n in range(MAX_JOBS[TYPING] + 3)]
    typists = [await desk.ask(f"t{n}", "editor", n) for n in range(3)]
    refused = [task for task in flood if task.done()]
    assert refused == flood[-6:]
    for task in refused:
        with pytest.raises(BusyError):
            await task
    desk.open()
    assert [await task for task in typists] == [f"t{n}" for n in range(3)]
    await asyncio.gather(*flood[:-6])


@in_loop
async def test_the_services_own_work_is_never_refused(desk):
    asked = [
        asyncio.ensure_future(asyncio.to_thread(desk.queue.run, REST, desk.steps(f"own{n} ", 2)))
        for n in range(MAX_JOBS[REST] + 2)
    ]
    desk.open()
    assert len(await asyncio.gather(*asked)) == len(asked)


def pieces(closed, most=3):
    try:
        yield from range(most)
    finally:
        closed.set()


async def take(stream, into):
    async with contextlib.aclosing(stream):
        async for piece in stream:
            into.append(piece)


@in_loop
async def test_what_has_waited_long_gets_a_turn_however_much_is_typed():
    desk = Desk(long_s=-1)  # so that whatever waits has waited long
    asked = [await desk.ask("ahead", priority=LOOK_AHEAD), await desk.ask("rest", "chat", priority=REST)]
    asked += [await desk.ask(f"a{n}") for n in range(4)]
    desk.open()
    await asyncio.gather(*asked)
    assert desk.done.index("rest") < desk.done.index("a3")
    assert desk.done[-1] == "ahead", "which nobody waits for"
    desk.queue.close()


@in_loop
async def test_a_stream_is_closed_in_the_models_thread_once_its_client_goes(desk):
    closed, names = threading.Event(), []

    def noted():
        try:
            yield 0
            yield 1
        finally:
            names.append(threading.current_thread().name)
            closed.set()

    stream = desk.queue.stream(Client("chat", 1), REST, noted())
    desk.open()
    assert await anext(stream) == 0
    await stream.aclose()
    assert await asyncio.to_thread(closed.wait, DEADLINE_S)
    assert names == ["model"]


@in_loop
async def test_who_does_not_read_loses_the_place():
    desk, closed = Desk(patience_s=0), threading.Event()
    desk.open()
    stream = desk.queue.stream(Client("chat", 1), REST, pieces(closed))
    assert await anext(stream) == 0
    assert await asyncio.to_thread(closed.wait, DEADLINE_S)
    with pytest.raises(SlowReaderError):
        await anext(stream)
    desk.queue.close()


# What is done after a while


@in_loop
async def test_what_is_asked_for_again_and_again_is_done_once_nobody_asks(desk):
    done = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()
    work = in_one_step

    def note():
        desk.note("work")
        loop.call_soon_threadsafe(done.release)

    delayed = desk.queue.delayed("work", lambda: work(note), LOOK_AHEAD, 0.05)
    late = desk.queue.delayed("late", lambda: work(note), LOOK_AHEAD, 3600.0)
    for _ in range(20):
        delayed.ask()
    desk.open()
    await done.acquire()
    assert desk.done == ["work"]
    late.ask()
    late.ask(0.0)
    late.ask()  # which does not put it off
    await done.acquire()
    delayed.ask()
    await done.acquire()


@in_loop
async def test_delayed_work_waits_once_however_often_it_comes_due(desk):
    delayed = desk.queue.delayed("work", lambda: in_one_step(lambda: None), LOOK_AHEAD, 3600.0)
    most = 0

    def keep_busy():
        nonlocal most
        for _ in range(50):
            delayed.ask(0.0)
            yield
            most = max(most, len(desk.queue))

    desk.open()
    await asyncio.to_thread(desk.queue.run, LEARNING, keep_busy())
    assert most == 2


@in_loop
async def test_what_goes_wrong_after_a_while_is_logged_by_its_kind_and_done_again(desk, caplog):
    outcomes, done = [RuntimeError("the text"), None], threading.Event()

    def fail_once():
        if (error := outcomes.pop(0)) is not None:
            delayed.ask(0.0)
            raise error
        done.set()

    delayed = desk.queue.delayed("reading", lambda: in_one_step(fail_once), LOOK_AHEAD, 3600.0)
    delayed.ask(0.0)
    desk.open()
    assert await asyncio.to_thread(done.wait, DEADLINE_S)
    assert [record.getMessage() for record in caplog.records] == ["reading: RuntimeError"]


@in_loop
async def test_a_look_ahead_hears_of_what_is_more_urgent_and_of_nothing_else(desk):
    told, begun, go_on = [], threading.Event(), threading.Event()

    def look():
        begun.set()
        assert go_on.wait(DEADLINE_S)

    delayed = desk.queue.delayed("look", lambda: in_one_step(look), LOOK_AHEAD, 0.0, told.append)
    delayed.ask()
    desk.open()
    assert await asyncio.to_thread(begun.wait, DEADLINE_S)
    asked = [await desk.ask("rest", priority=REST), await desk.ask("learned", priority=LEARNING)]
    typed = desk.queue.answer(Client("a", 1), TYPING, in_one_step(lambda: None), typed="Hi th")
    asked.append(asyncio.ensure_future(typed))
    await settle()
    assert told == [None, "Hi th"]
    go_on.set()
    await asyncio.gather(*asked)


# The end


@in_loop
async def test_closing_ends_what_waits_and_what_runs_and_lets_nothing_in(desk):
    closed = threading.Event()
    waiting = await desk.ask("a")
    streaming = asyncio.ensure_future(take(desk.queue.stream(Client("c", 1), REST, pieces(closed)), []))
    own = asyncio.ensure_future(asyncio.to_thread(desk.queue.run, LEARNING, desk.steps("own")))
    while len(desk.queue) < 4:
        await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(desk.queue.close))
    for task in (waiting, streaming, own):
        with pytest.raises(StoppingError):
            await task
    desk.open()
    await closing
    assert desk.done == []
    with pytest.raises(StoppingError):
        desk.queue.run(TYPING, in_one_step(lambda: None))
    desk.thread.join(DEADLINE_S)


def test_the_models_thread_does_not_wait_for_itself():
    queue = ModelQueue()

    def wait():
        return queue.run(TYPING, in_one_step(lambda: None))

    with pytest.raises(RuntimeError):
        queue.run(REST, in_one_step(wait))
    queue.close()
