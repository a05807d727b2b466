"""The throttle of a running round: sensors of the machine and user (psutil), and slowing down for them."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Final

import psutil

from idiolect.daemon.rounds.round_policy import MachineState, RoundPolicy
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.runtime.power import is_on_battery

log = logging.getLogger("idiolect.rounds")

_LOOK_EVERY_S: Final = 0.15  # a round is suspended within 200 ms; a keystroke does not wait for the next look
_SLOW_LOOK_EVERY_S: Final = 5.0  # at what changes slowly
_LONGEST_HOLD_S: Final = 600.0  # then its memory is worth more than what it did since its last checkpoint
_SHORTEST_S: Final = 0.1  # in which processor time, counted in hundredths of a second, says something
_PROCESSORS: Final = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")


class MachineSensors:
    """Reads the machine's state. Each place that measures load over its own intervals has its own."""

    def __init__(self, children: ChildProcesses) -> None:
        """What `children` use of the processors does not count as load."""
        self._children = children
        self._lock = threading.Lock()
        self._load = 0.0
        self._before = self._times()

    def machine(self, quiet_s: float) -> MachineState:
        """All of it; `quiet_s` is since the last keystroke that the service heard of. Takes milliseconds."""
        return MachineState(
            quiet_s=quiet_s,
            load=self.load(),
            free_mb=psutil.virtual_memory().available / 2**20,
            on_battery=is_on_battery(),
            temperature_c=_temperature_c(),
            input_idle_s=_input_idle_s(),
        )

    def load(self) -> float:
        """The share of the processors' time, 0 to 1, that other programs have used since it was last asked for."""
        with self._lock:
            now = self._times()
            at, total, idle, child = (new - old for new, old in zip(now, self._before, strict=True))
            if at >= _SHORTEST_S and total > 0:
                self._load = min(max((total - idle - max(child, 0.0)) / total, 0.0), 1.0)
                self._before = now
            return self._load

    def _times(self) -> tuple[float, float, float, float]:
        times = psutil.cpu_times()
        # What guests use is part of what the user uses, on Linux.
        counted = {name: value for name, value in times._asdict().items() if not name.startswith("guest")}
        idle = times.idle + counted.get("iowait", 0.0)
        return time.monotonic(), sum(counted.values()), idle, self._children.processor_s() or 0.0


class RoundThrottle:
    """While a round runs: suspends it as soon as it must wait, and lets it go on.

    `quiet_s` gives the seconds since the last keystroke or new text, and `paused` says whether learning is paused.
    """

    def __init__(
        self,
        children: ChildProcesses,
        policy: RoundPolicy,
        quiet_s: Callable[[], float],
        paused: Callable[[], bool],
    ) -> None:
        self._children = children
        self._policy = policy
        self._quiet_s = quiet_s
        self._paused = paused
        self._check = threading.Event()
        self._over = threading.Event()
        self.by_itself = True
        """Whether nobody asked for the round; a round that somebody waits for waits only for a pause."""
        self.waits: str | None = None
        """What the round waits for or what slows it down, in a clause that begins with a verb; None if nothing."""

    @contextlib.contextmanager
    def watching(
        self, *, by_itself: bool, changed: Callable[[], object] = lambda: None
    ) -> Generator[None, None, None]:
        """Watch over the round that begins, until the block ends; call `changed` where `waits` has changed."""
        self.by_itself = by_itself
        self._over.clear()
        # A round that is asked for during a pause runs; a pause during a round holds it.
        thread = threading.Thread(
            target=self._watch, args=(self._paused(), changed), name="round throttle", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._check.set()
            thread.join()
            self.waits = None

    def check_now(self) -> None:
        """Look at once whether the round must wait: a key was pressed, or learning is paused."""
        self._check.set()

    def _watch(self, paused_before: bool, changed: Callable[[], object]) -> None:
        try:
            self._throttle_round(paused_before, changed)
        except Exception as error:  # noqa: BLE001 (a sensor that breaks must not leave the round suspended for good)
            log.warning("a round runs on without making room: %s", type(error).__name__)
            self.waits = None
            self._children.go_on()

    def _throttle_round(self, paused_before: bool, changed: Callable[[], object]) -> None:
        senses, busy_until, busy_load = MachineSensors(self._children), float("-inf"), 0.0
        machine = senses.machine(self._quiet_s())
        looked_at, since = time.monotonic(), 0.0
        stands_still = False
        while not self._over.is_set():
            now = time.monotonic()
            if now - looked_at > _SLOW_LOOK_EVERY_S:
                machine, looked_at = senses.machine(self._quiet_s()), now
            load = senses.load()
            if (
                load > self._policy.max_load
            ):  # other programs count as busy until they have rested for a while
                busy_until, busy_load = now + self._policy.rest_s, load
            elif now <= busy_until:
                load = busy_load
            paused_before = paused_before and self._paused()
            why = None
            if self._paused() and not paused_before:
                why = "waits until `idiolect pause --end`"
            elif self.by_itself:
                why = self._policy.must_wait(replace(machine, quiet_s=self._quiet_s(), load=load))
            if why is None:
                self._children.go_on()
            else:
                since = since if stands_still else now
                self._children.suspend()
            stands_still = why is not None
            why = why or self._policy.slowed_by(load)
            if why != self.waits:
                self.waits = why
                changed()
            if stands_still and now - since > _LONGEST_HOLD_S:
                self._children.cancel(f"it had to wait for {_LONGEST_HOLD_S / 60:.0f} minutes")
            self._check.wait(_LOOK_EVERY_S)
            self._check.clear()


def _temperature_c() -> float | None:
    """The hottest processor's; sensors of other things say other things."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    found = psutil.sensors_temperatures()
    return max((one.current for name in _PROCESSORS for one in found.get(name, ())), default=None)


def _input_idle_s() -> float | None:
    """Since the last key at any terminal, as `w` tells it; nothing where nobody is logged in at one."""
    idle = []
    for user in psutil.users():
        with contextlib.suppress(OSError, TypeError, ValueError):
            idle.append(time.time() - os.stat(f"/dev/{user.terminal}").st_atime)
    # A clock that was set back makes the last key lie in the future.
    return min((seconds for seconds in idle if seconds >= 0), default=None)
