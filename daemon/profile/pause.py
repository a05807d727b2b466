"""The pause (off the record): from when until when nothing is learned, over restarts and clock jumps."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from idiolect.daemon.storage.store import Store

_NOW: Final = "paused"  # state: the present pause, or the last one if it ended by itself
_PAST: Final = "pauses"  # state: [from, to] of those before, in seconds since 1970
_PAST_KEPT: Final = 1000
_TICK_S: Final = 0.1  # a file's time may lag behind the clock, by the kernel's tick


class PausedError(IdiolectError):
    """Text is to be imported while learning is paused."""

    code: ClassVar[str] = "paused"
    exit_code: ClassVar[int] = 50
    http_status: ClassVar[int] = 409


def describe_end(left_s: float | None) -> str:
    """When a pause ends that goes on for so many seconds (None: until it is ended), by this machine's clock."""
    if left_s is None:
        return "until `idiolect resume`"
    now = datetime.now()
    end = now + timedelta(seconds=left_s)
    return f"until {end:%H:%M}" if end.date() == now.date() else f"until {end:%Y-%m-%d %H:%M}"


def _steady_s() -> float:
    """Seconds of a clock that nobody sets, which counts on while the machine sleeps where the system can."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _boot() -> str:
    """What names the time since the machine was started, which the steady clock counts; "" where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


@dataclass(frozen=True)
class _Pause:
    """A pause: its beginning by both clocks, and how long it is to last (None: until resumed)."""

    since_s: float
    steady_s: float
    boot: str
    for_s: float | None


class Pause:
    """Whether nothing is to be learned now, and whether nothing was at another time. Safe in several threads.

    A pause for a time ends after that time, whatever happens to the clock meanwhile: within one start of the
    machine a steady clock measures it, and over a restart of the machine the clock that people set, by which
    it never becomes longer than was asked for.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = _steady_s,
        boot: Callable[[], str] = _boot,
    ) -> None:
        """Go on with the pause that the store knows of; `clock` (since 1970) and `steady` give seconds."""
        self._store = store
        self._clock = clock
        self._steady = steady
        self._boot = boot()
        self._learning = threading.RLock()
        self._past: list[list[float]] = store.state.get(_PAST, [])
        self._now, self._ends_s = self._kept(store.state.get(_NOW))
        self._ended_s: float | None = None  # by the clock that people set

    def _kept(self, kept: dict[str, Any] | None) -> tuple[_Pause | None, float | None]:
        """The pause in the store, and when it ends by the steady clock of now."""
        if kept is None:
            return None, None
        pause = _Pause(**kept)
        if pause.for_s is None:
            return pause, None
        if self._same_boot(pause):
            return pause, pause.steady_s + pause.for_s
        left_s = pause.since_s + pause.for_s - self._clock()
        return pause, self._steady() + min(left_s, pause.for_s)

    def _same_boot(self, pause: _Pause) -> bool:
        return bool(self._boot) and pause.boot == self._boot and pause.steady_s <= self._steady()

    def _begun(self, for_s: float | None) -> _Pause:
        return _Pause(self._clock(), self._steady(), self._boot, for_s)

    @property
    def active(self) -> bool:
        """Whether nothing is to be learned now. Never waits: it is asked for at each keystroke."""
        return self._now is not None and (self._ends_s is None or self._steady() < self._ends_s)

    @property
    def said(self) -> dict[str, Any] | None:
        """What was said last: the pause that was begun, though it may have run out; None where it was ended."""
        pause = self._now
        return None if pause is None else asdict(pause)

    @property
    def left_s(self) -> float | None:
        """How many seconds are left of a pause for a time; None where there is none, or it has no end."""
        return self._ends_s - self._steady() if self.active and self._ends_s is not None else None

    def refusal(self) -> PausedError:
        """The error for text that is to be imported: when the pause ends, and what to do then."""
        return PausedError(
            f"Learning is paused {describe_end(self.left_s)}, so nothing more is read. `idiolect resume` ends the "
            "pause; the same command again then reads what is missing."
        )

    @contextmanager
    def learning(self) -> Iterator[None]:
        """For what stores text: no pause begins within this block. Raises PausedError where there is one."""
        with self._learning:
            if self.active:
                raise self.refusal()
            yield

    def begin(self, for_s: float | None = None) -> None:
        """Learn nothing from now on, for `for_s` seconds or until `end`; on return nothing is being stored.

        A pause that is under way goes on with the new end. Raises the store's errors.
        """
        with self._learning:
            self._remember()
            pause = self._begun(for_s)
            self._store.state.set(_NOW, asdict(pause))
            self._now, self._ends_s = pause, None if for_s is None else pause.steady_s + for_s
            self._ended_s = None

    def end(self) -> None:
        """Learn again, from what is written from now on. Raises the store's errors."""
        with self._learning:
            self._remember()
            self._store.state.set(_NOW, None)
            self._now = self._ends_s = self._ended_s = None

    def covers(self, at_s: float) -> bool:
        """Whether learning was paused at a time (in seconds since 1970), as a file's date says it."""
        return any(start - _TICK_S <= at_s <= end for start, end in self.spans())

    def spans(self) -> list[tuple[float, float]]:
        """From when to when learning was paused, in seconds since 1970, the newest last; infinity while it is."""
        with self._learning:
            spans = [(start, end) for start, end in self._past]
            if self._now is not None:
                start, end = self._span(self._now, self._end_s())
                spans.append((start, float("inf") if self.active else end))
        return spans

    def _end_s(self) -> float:
        """When the pause ended by itself, by the clock that people set; now, if it is under way."""
        if self._ended_s is not None:
            return self._ended_s
        now = self._clock()
        if self._ends_s is None or self.active:
            return now
        self._ended_s = now - (self._steady() - self._ends_s)
        return self._ended_s

    def _span(self, pause: _Pause, end_s: float) -> list[float]:
        """From when to when a pause was, wide enough for files saved before and after a jump of the clock."""
        if not self._same_boot(pause):
            return [min(pause.since_s, end_s), max(pause.since_s, end_s)]
        ends_s = self._steady() if self.active or self._ends_s is None else self._ends_s
        took_s = ends_s - pause.steady_s
        return [min(pause.since_s, end_s - took_s), max(pause.since_s + took_s, end_s)]

    def _remember(self) -> None:
        """Keep when the present pause was, up to now or to its end: what was off the record stays so."""
        if self._now is None:
            return
        past = [*self._past, self._span(self._now, self._end_s())]
        while len(past) > _PAST_KEPT:  # of those long ago, the time between them counts as well
            first, second, *rest = past
            past = [[min(first[0], second[0]), max(first[1], second[1])], *rest]
        self._store.state.set(_PAST, past)
        self._past = past
