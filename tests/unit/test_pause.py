"""Off the record: pauses over restarts of the service, and jumps of the clock."""

import threading
from dataclasses import dataclass

import pytest
from waiting import DEADLINE_S

from idiolect.daemon.profile import pause as pauses
from idiolect.daemon.profile.pause import Pause, PausedError
from idiolect.daemon.storage.store import Store


@dataclass
class World:
    """A machine with a clock; `started()` is the service's view of pauses after another start of it."""

    store: Store
    clock_s: float = 1_000_000.0

    def started(self) -> Pause:
        return Pause(self.store, lambda: self.clock_s)

    def pass_time(self, seconds: float) -> None:
        self.clock_s += seconds


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_a_pause_for_a_time_ends_after_that_time(world: World) -> None:
    pause = world.started()
    assert not pause.active
    pause.begin(60)
    world.pass_time(59)
    assert pause.active
    assert pause.left_s == pytest.approx(1)
    world.pass_time(2)
    assert not pause.active
    assert pause.left_s is None


def test_a_pause_without_a_time_ends_when_it_is_ended(world: World) -> None:
    pause = world.started()
    pause.begin()
    world.pass_time(10**8)
    assert pause.active
    assert pause.left_s is None
    world.pass_time(10**8)
    assert world.started().active
    pause.end()
    assert not pause.active
    assert not world.started().active


def test_what_was_off_the_record_stays_so(world: World) -> None:
    pause = world.started()
    pause.begin()
    world.pass_time(100)
    pause.end()
    world.pass_time(100)
    pause.begin(50)
    world.pass_time(20)
    assert pause.covers(world.clock_s)
    assert pause.covers(world.clock_s + 5), "a file's time may be ahead of the clock"
    world.pass_time(80)  # it ends by itself
    for view in (pause, world.started()):
        covered = [
            view.covers(1_000_000.0 + after_s) for after_s in (-1, 1, 99, 101, 199, 201, 249, 252, 290)
        ]
        assert covered == [False, True, True, False, False, True, True, False, False]
    world.pass_time(1000)
    again = world.started()
    assert again.covers(1_000_240.0)
    assert not again.covers(1_000_260.0)
    again.begin(5)
    assert again.covers(1_000_240.0), "the next pause does not make the last one forgotten"


def test_what_was_written_before_the_service_heard_of_a_pause_is_off_the_record(world: World) -> None:
    pause = world.started()
    pause.begin(60, ago_s=20)
    assert pause.covers(world.clock_s - 19)
    assert not pause.covers(world.clock_s - 21)
    assert pause.left_s == pytest.approx(40)


def test_a_longer_pause_in_a_pause_keeps_its_beginning(world: World) -> None:
    pause = world.started()
    pause.begin(50)
    world.pass_time(40)
    pause.begin(50)
    world.pass_time(40)
    assert pause.active
    assert pause.covers(1_000_001.0)


def test_files_saved_on_both_sides_of_a_jump_of_the_clock_stay_off_the_record(world: World) -> None:
    pause = world.started()
    pause.begin()
    world.pass_time(10)
    before = world.clock_s
    world.clock_s += 5000
    after = world.clock_s
    world.pass_time(10)
    pause.end()
    assert pause.covers(before)
    assert pause.covers(after)
    assert not pause.covers(world.clock_s + 6000)


def test_many_pauses_are_kept_in_bounds_and_none_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "_PAST_KEPT", 5)
    pause = world.started()
    times = []
    for _ in range(9):
        pause.begin()
        world.pass_time(5)
        times.append(world.clock_s)
        world.pass_time(5)
        pause.end()
        world.pass_time(90)
    assert all(pause.covers(at) for at in times)
    assert len(world.store.state.get("pauses")) == 5
    assert not pause.covers(world.clock_s)


def test_a_pause_waits_for_what_is_being_stored_and_then_nothing_is(world: World) -> None:
    pause = world.started()
    storing, begun = threading.Event(), threading.Event()
    order = []

    def store() -> None:
        with pause.learning():
            storing.set()
            begun.wait(DEADLINE_S)
            order.append("stored")

    def begin() -> None:
        storing.wait(DEADLINE_S)
        begun.set()
        pause.begin()
        order.append("paused")

    threads = [threading.Thread(target=work) for work in (store, begin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert order == ["stored", "paused"]
    with pytest.raises(PausedError), pause.learning():
        pass
