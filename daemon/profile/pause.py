"""The pause (off the record): from when until when nothing is learned, over restarts."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.text.times import describe_end
from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.storage.store import Store

_NOW: Final = "paused"  # state: the present pause, or the last pause if it ended by itself
_PAST: Final = "pauses"  # state: [from, to] of the pauses before, in seconds since 1970
_PAST_KEPT: Final = 1000
_TICK_S: Final = 0.1  # a file's time may lag behind the clock, by the kernel's tick


class PausedError(IdiolectError, code="paused", exit_code=ExitCode.CONFLICT, http_status=409):
    """Text is to be imported while learning is paused."""


class Pause:
    """Whether nothing is to be learned now, and whether nothing was at another time. Safe in several threads.

    A pause is a span of times by the clock that people set: if that is set back, a pause lasts longer.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        """Go on with the pause that the store knows of; `clock` gives seconds since 1970."""
        self._store = store
        self._clock = clock
        self._learning = threading.RLock()
        self._past: list[list[float]] = store.state.get(_PAST, [])
        kept = store.state.get(_NOW)
        self._now: tuple[float, float] | None = (
            None if kept is None else _span(kept["since_s"], kept["for_s"])
        )

    @property
    def active(self) -> bool:
        """Whether nothing is to be learned now. Never waits: it is asked for at each keystroke."""
        return self._now is not None and self._clock() < self._now[1]

    @property
    def begun(self) -> bool:
        """Whether a pause was begun and not ended, though it may have run out."""
        return self._now is not None

    @property
    def left_s(self) -> float | None:
        """How many seconds are left of a pause for a time; None where there is none, or it has no end."""
        left_s = 0.0 if self._now is None else self._now[1] - self._clock()
        return left_s if 0.0 < left_s < math.inf else None

    def refusal(self) -> PausedError:
        """The error for text that is to be imported: when the pause ends, and what to do then."""
        return PausedError(
            f"Learning is paused {describe_end(self.left_s)}, so nothing more is read. `idiolect pause --end` ends the "
            "pause; the same command again then reads what is missing."
        )

    @contextmanager
    def learning(self) -> Iterator[None]:
        """For what stores text: no pause begins within this block. Raises PausedError where there is one."""
        with self._learning:
            if self.active:
                raise self.refusal()
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """For a transaction of the store that may begin or end a pause, around it: nothing is being stored within.

        If the transaction fails, the pause is as it was before.
        """
        with self._learning:
            before = self._past, self._now
            try:
                yield
            except BaseException:
                self._past, self._now = before
                raise

    def begin(self, for_s: float | None = None, ago_s: float = 0.0) -> None:
        """Begin a pause as `PauseLearning` says; on return nothing is being stored. Raises the store's errors."""
        with self.changing(), self._store.together():
            self._remember()
            since_s = self._clock() - ago_s
            self._store.state.set(_NOW, {"since_s": since_s, "for_s": for_s})
            self._now = _span(since_s, for_s)

    def end(self) -> None:
        """End the pause. Raises the store's errors."""
        with self.changing(), self._store.together():
            self._remember()
            self._store.state.set(_NOW, None)
            self._now = None

    def covers(self, at_s: float) -> bool:
        """Whether learning was paused at a time (in seconds since 1970), as a file's date says it."""
        return any(start - _TICK_S <= at_s <= end for start, end in self.spans())

    def spans(self) -> list[tuple[float, float]]:
        """From when to when learning was paused, in seconds since 1970, the newest last; infinity while it is."""
        with self._learning:
            spans = [(start, end) for start, end in self._past]
            if self._now is not None:
                spans.append((self._now[0], math.inf if self.active else self._now[1]))
        return spans

    def _remember(self) -> None:
        """Keep when the present pause was, up to now or to its end: what was off the record stays so."""
        if self._now is None:
            return
        now = self._clock()
        since_s, end_s = self._now
        past = [*self._past, [since_s, max(since_s, min(now, end_s))]]
        while len(past) > _PAST_KEPT:  # of pauses long ago, the time between them counts as well
            first, second, *rest = past
            past = [[min(first[0], second[0]), max(first[1], second[1])], *rest]
        self._store.state.set(_PAST, past)
        self._past = past


@dataclass(frozen=True)
class PauseLearning(Decision[None], about="pause"):
    """Nothing is learned from now on, for `for_s` seconds or until resumed; suggestions go on.

    What was written in the last `ago_s` seconds is off the record, too: the user paused then, unheard.
    A pause that is under way goes on with the new end.
    """

    for_s: float | None = None
    ago_s: float = 0.0

    def apply(self, profile: Profile) -> None:
        """Begin the pause."""
        profile.pause.begin(self.for_s, self.ago_s)
        profile.journal.write_pause(active=True, for_s=self.for_s)
        profile.store.events.add("pause", **({} if self.for_s is None else {"seconds": self.for_s}))


@dataclass(frozen=True)
class ResumeLearning(Decision[None], about="pause"):
    """Learning goes on, from what is written from now on."""

    def apply(self, profile: Profile) -> None:
        """End the pause, if one was begun."""
        if profile.pause.begun:
            profile.journal.write_pause(active=False)
        profile.pause.end()
        profile.store.events.add("resume")


def _span(since_s: float, for_s: float | None) -> tuple[float, float]:
    return since_s, math.inf if for_s is None else since_s + for_s
