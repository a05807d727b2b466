"""Whose turn it is: the work is done by hand here, so that what waits and what runs is as the test says."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from concurrent.futures import Executor, Future

import pytest

from idiolect.daemon.endpoint import queue
from idiolect.daemon.endpoint.queue import MOST, BusyError, Client, Priority, SlowReaderError, Turns, Typing

TYPING, GENERATING = Priority


class Hand(Executor):
    """An executor whose work is done when the test says."""

    def __init__(self):
        self.given = []

    def submit(self, work):
        self.given.append((future := Future(), work))
        return future

    def do(self):
        future, work = self.given.pop(0)
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)


def in_loop(test):
    """Run a test in an event loop; what is left over in it would be reported as never awaited."""

    @functools.wraps(test)
    def run(**given):
        asyncio.run(test(**given))

    return run


async def settle():
    """Let everything happen that can happen without the hand."""
    for _ in range(10):
        await asyncio.sleep(0)


class Desk:
    """Clients at a queue: `ask` puts a request in, `serve` does all work, `done` is the order it was done in."""

    def __init__(self, **more):
        self.hand = Hand()
        self.turns = Turns(self.hand, **more)
        self.done = []

    async def ask(self, name, program="editor", connection=1, priority=TYPING):
        def work(given_up):
            self.done.append(name)
            return name, given_up()

        task = asyncio.ensure_future(self.turns.run(Client(program, connection), priority, work))
        await settle()
        return task

    async def serve(self):
        while self.hand.given:
            self.hand.do()
            await settle()


@in_loop
async def test_one_thing_is_done_at_a_time_and_its_result_comes_back():
    desk = Desk()
    first, second = await desk.ask("a"), await desk.ask("b")
    assert len(desk.hand.given) == 1
    await desk.serve()
    assert [await first, await second] == [("a", False), ("b", False)]


@in_loop
async def test_what_goes_wrong_is_its_askers_alone():
    desk = Desk()

    def fail(_given_up):
        raise ValueError("no")

    wrong = asyncio.ensure_future(desk.turns.run(Client("a", 1), TYPING, fail))
    right = await desk.ask("b")
    await desk.serve()
    with pytest.raises(ValueError, match="no"):
        await wrong
    assert await right == ("b", False)


@in_loop
async def test_one_that_floods_over_many_connections_keeps_nobody_waiting():
    desk = Desk()
    flood = [await desk.ask(f"f{n}", "flood", n) for n in range(9)]
    typist = await desk.ask("t", "editor")
    await desk.serve()
    assert desk.done == ["f0", "t", *(f"f{n}" for n in range(1, 9))]
    await asyncio.gather(*flood, typist)


@in_loop
async def test_connections_of_one_program_take_turns():
    desk = Desk()
    tasks = [await desk.ask(f"a{n}", "editor", "a") for n in range(3)]
    tasks += [await desk.ask(f"b{n}", "editor", "b") for n in range(3)]
    await desk.serve()
    assert desk.done == ["a0", "b0", "a1", "b1", "a2", "b2"]
    await asyncio.gather(*tasks)


@in_loop
async def test_one_that_asks_again_at_once_does_not_come_before_one_that_waits():
    desk = Desk()
    tasks = [
        await desk.ask("a0", "eager"),
        await desk.ask("b0", "patient", 1),
        await desk.ask("b1", "patient", 2),
    ]
    for n in range(1, 5):
        desk.hand.do()
        await settle()
        tasks.append(await desk.ask(f"a{n}", "eager"))
    await desk.serve()
    assert desk.done.index("b1") <= 4
    await asyncio.gather(*tasks)


@in_loop
async def test_beyond_the_limit_who_has_most_is_told_to_come_later():
    desk = Desk()
    flood = [await desk.ask(f"f{n}", "flood", n) for n in range(MOST[TYPING] + 3)]
    typists = [await desk.ask(f"t{n}", "editor", n) for n in range(3)]
    refused = [task for task in flood if task.done()]
    assert refused == flood[-6:]
    for task in refused:
        with pytest.raises(BusyError):
            await task
    await desk.serve()
    assert [await task for task in typists] == [(f"t{n}", False) for n in range(3)]
    await asyncio.gather(*flood[:-6])


@in_loop
async def test_who_has_as_much_as_anyone_is_refused_at_the_limit():
    desk = Desk()
    tasks = [await desk.ask(n, f"program {n}") for n in range(MOST[TYPING])]
    late = await desk.ask("late", "another")
    with pytest.raises(BusyError):
        await late
    await desk.serve()
    await asyncio.gather(*tasks)
    assert len(desk.done) == MOST[TYPING]


@in_loop
async def test_whose_client_has_gone_is_not_computed():
    desk = Desk()
    first, second, third = [await desk.ask(name) for name in "abc"]
    second.cancel()
    await desk.serve()
    assert desk.done == ["a", "c"]
    assert [await first, await third] == [("a", False), ("c", False)]
    assert second.cancelled()


@in_loop
async def test_what_runs_hears_that_its_client_has_gone_and_then_the_next_is_done():
    desk = Desk()
    running, waiting = await desk.ask("a"), await desk.ask("b")
    seen = []
    [(future, work)] = desk.hand.given
    desk.hand.given[0] = future, lambda: seen.append(work())
    running.cancel()
    await settle()
    assert not waiting.done()
    await desk.serve()
    assert seen == [("a", True)]
    assert running.cancelled()
    assert await waiting == ("b", False)


@in_loop
async def test_places_are_free_again_once_their_clients_are_gone():
    desk = Desk()
    gone = [await desk.ask(n, "flood", n) for n in range(MOST[TYPING])]
    for task in gone:
        task.cancel()
    await settle()
    tasks = [await desk.ask(n, "flood", n) for n in range(MOST[TYPING])]
    await desk.serve()
    await asyncio.gather(*tasks)


def pieces(closed, *, most=3):
    try:
        yield from range(most)
    finally:
        closed.append(True)


async def take(stream, into):
    async with contextlib.aclosing(stream):
        async for piece in stream:
            into.append(piece)


@in_loop
async def test_between_two_steps_what_is_more_urgent_is_done():
    desk, closed, got = Desk(), [], []
    generating = asyncio.ensure_future(
        take(desk.turns.steps(Client("chat", 1), GENERATING, pieces(closed)), got)
    )
    await settle()
    desk.hand.do()
    await settle()
    tasks = [await desk.ask("a"), await desk.ask("b")]
    desk.hand.do()  # the step that had begun
    await settle()
    assert got == [0, 1]
    desk.hand.do()
    await settle()
    desk.hand.do()
    await settle()
    assert (desk.done, got) == (["a", "b"], [0, 1])
    await desk.serve()
    await generating
    assert (got, closed) == ([0, 1, 2], [True])
    await asyncio.gather(*tasks)


@in_loop
async def test_what_has_waited_long_gets_a_turn_however_much_is_typed():
    desk, closed, got = Desk(long_s=-1), [], []  # so that whatever waits has waited long
    tasks = [await desk.ask("a0")]
    generating = asyncio.ensure_future(
        take(desk.turns.steps(Client("chat", 1), GENERATING, pieces(closed)), got)
    )
    await settle()
    for n in range(1, 8):
        tasks.append(await desk.ask(f"a{n}"))
        desk.hand.do()
        await settle()
    assert got == [0, 1, 2]
    await desk.serve()
    await asyncio.gather(generating, *tasks)


@in_loop
async def test_two_that_generate_take_turns():
    desk, order = Desk(), []

    def noted(name):
        for n in range(3):
            order.append(f"{name}{n}")
            yield n

    tasks = [
        asyncio.ensure_future(take(desk.turns.steps(Client("chat", name), GENERATING, noted(name)), []))
        for name in "ab"
    ]
    await settle()
    await desk.serve()
    await asyncio.gather(*tasks)
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]


@in_loop
async def test_generating_ends_when_its_client_goes_away_and_not_while_a_step_runs():
    desk, closed = Desk(), []
    task = asyncio.ensure_future(take(desk.turns.steps(Client("chat", 1), GENERATING, pieces(closed)), []))
    await settle()
    task.cancel()
    await settle()
    assert task.cancelled()
    assert closed == []
    await desk.serve()
    assert closed == [True]


@in_loop
async def test_only_so_many_generate_at_once_and_one_that_does_is_not_refused():
    desk, closed = Desk(), []
    tasks = [
        asyncio.ensure_future(take(desk.turns.steps(Client("chat", n), GENERATING, pieces(closed)), []))
        for n in range(MOST[GENERATING] + 1)
    ]
    await settle()
    with pytest.raises(BusyError):
        await tasks.pop()
    await desk.serve()
    await asyncio.gather(*tasks)
    assert len(closed) == MOST[GENERATING]


@in_loop
async def test_who_does_not_read_loses_the_place():
    desk, closed = Desk(patience_s=0), []
    stream = desk.turns.steps(Client("chat", 1), GENERATING, pieces(closed))
    first = asyncio.ensure_future(anext(stream))
    await settle()
    desk.hand.do()
    assert await first == 0
    await settle()
    await desk.serve()
    assert closed == [True]
    with pytest.raises(SlowReaderError):
        await anext(stream)


def test_one_program_types_on_and_another_that_types_the_same_does_not():
    typing = Typing()
    mine, empty = typing.begin("editor", "Hi "), typing.begin("chat", "")
    typing.begin("chat", "Hi th")
    assert (mine.is_set(), empty.is_set()) == (False, True)
    typing.begin("editor", "")
    assert not mine.is_set()
    typing.begin("editor", "Hi th")
    assert mine.is_set()
    ended = typing.begin("mail", "Hi")
    typing.end(ended)
    typing.begin("mail", "Hi t")
    assert not ended.is_set()


@in_loop
async def test_nothing_is_remembered_of_clients_that_have_gone():
    desk = Desk()
    for n in range(5):
        await desk.ask(n, f"program {n}", n)
    await desk.serve()
    assert (len(desk.turns), desk.turns._last) == (0, {})


@in_loop
async def test_without_a_hand_there_is_one_thread_for_all():
    import threading

    turns = Turns()
    names = await asyncio.gather(
        *(turns.run(Client("a", n), TYPING, lambda _: threading.current_thread().name) for n in range(3))
    )
    assert len(set(names)) == 1
    assert queue.PATIENCE_S > 1


@in_loop
async def test_what_takes_several_turns_goes_before_what_is_less_urgent_and_lets_others_come_between():
    desk, left = Desk(), [1, 2, 3]

    def read(_given_up):
        desk.done.append(f"read {len(left)}")
        return None if left and left.pop() else "read"

    reading = asyncio.ensure_future(desk.turns.run(Client("editor", 1), TYPING, read))
    await settle()
    text = await desk.ask("text", "chat", priority=GENERATING)
    other = await desk.ask("other", "mail")
    await desk.serve()
    assert desk.done == ["read 3", "other", "read 2", "read 1", "read 0", "text"]
    assert await reading == "read"
    await asyncio.gather(text, other)


@in_loop
async def test_many_wait_where_two_programs_beside_one_s_own_do():
    desk = Desk()
    mine = Client("editor", 1)
    asked = [await desk.ask("first", "editor")]
    for name, program, many in (
        ("a", "editor", False),
        ("b", "mail", False),
        ("c", "mail", False),
        ("d", "x", True),
    ):
        asked.append(await desk.ask(name, program, connection=name))
        assert desk.turns.crowded(mine) is many
    await desk.serve()
    assert not desk.turns.crowded(mine)
    await asyncio.gather(*asked)
