"""Waiting for another thread, process or program.

There is one deadline, which a machine that works at all keeps however busy it is: a test that meets it has found a
fault, and no test is about how long something takes.
"""

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE_S = 180
_LOOK_S, _MAX_LOOK_S = 0.02, 0.2
_AGAIN_S = 4.0
_Found = TypeVar("_Found")


def until(
    condition: Callable[[], _Found], seen: Callable[[], object] = str, *, again: Callable[[], object] = str
) -> _Found:
    """The first true value of `condition`, which is asked again and again since other programs tell nobody.

    `seen` says what there is instead when the deadline has passed; `again` is called after each few seconds in vain,
    where a key may be lost.
    """
    begun_s = asked_s = now_s = time.monotonic()
    while not (found := condition()):
        assert now_s < begun_s + DEADLINE_S, f"It did not happen: {seen()}"
        now_s = time.monotonic()
        if now_s > asked_s + _AGAIN_S:
            again()
            asked_s = time.monotonic()
        # To look takes time, too, which what is waited for may need.
        time.sleep(min(max(_LOOK_S, (now_s - begun_s) / 10), _MAX_LOOK_S))
    return found
