"""Background work that waits until nobody asks for it any more, or does not."""

import threading

from idiolect.daemon.runtime.debounce import Debounced

DEADLINE_S = 10.0


def test_what_is_asked_for_at_once_does_not_wait_for_quiet():
    done = threading.Semaphore(0)
    work = Debounced("work", done.release, quiet_s=3600.0)
    work.ask()
    assert not done.acquire(timeout=0.05)
    work.ask(at_once=True)
    assert done.acquire(timeout=DEADLINE_S)
    work.ask()
    assert not done.acquire(timeout=0.05)
    work.stop()


def test_what_is_asked_for_several_times_is_done_once_and_nothing_after_its_end():
    done = threading.Semaphore(0)
    work = Debounced("work", done.release, quiet_s=0.05)
    for _ in range(5):
        work.ask()
    assert done.acquire(timeout=DEADLINE_S)
    assert not done.acquire(timeout=0.2)
    work.stop()
    work.ask()
    assert not done.acquire(timeout=0.1)


def test_what_goes_wrong_once_is_done_again_when_it_is_asked_for():
    done = threading.Semaphore(0)
    failures = [ZeroDivisionError()]

    def fail_once():
        if failures:
            raise failures.pop()
        done.release()

    work = Debounced("work", fail_once)
    work.ask()
    while failures:
        threading.Event().wait(0.01)
    work.ask()
    assert done.acquire(timeout=DEADLINE_S)
    work.stop()
