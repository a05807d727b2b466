"""The trial of typing speed: leaves suggestions out now and then, and estimates what they save.

Programs draw for each stretch of writing (a field from its first letter until it is left) whether it goes without
suggestions, and tell what was typed there in counts. What comes of it is told once enough is known, not before: who
looks at an interval again and again and stops when it pleases has no interval any more.
"""

from __future__ import annotations

import math
import threading
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from idiolect.adapters.training.permutation_test import Effect, effect
from idiolect.daemon.profile.app_policy import AppPolicy, InputContext
from idiolect.daemon.profile.events import Forgotten
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.serving.user_stats import today
from idiolect.models.errors import ExitCode, IdiolectError

_TRIAL: Final = "trial"  # state: whether it runs, its stretches, and the days on which there were some
ENOUGH: Final = 240
"""Stretches after which a trial ends: as many as tell a difference of about 7 % from none."""

_MAX_DAYS: Final = 30  # on which something was counted: a clock that is put forward ends no trial
_LEAST: Final = 40  # stretches of which anything can be said ...
_LEAST_WITHOUT: Final = 10  # ... and those without suggestions among them
_MIN_CHARS, _MIN_S = 20, 3.0  # of a stretch that tells something
_MIN_SPEED, _MAX_SPEED = 0.1, 50.0  # characters a second; nobody writes slower or faster, suggestions taken
_BLOCK: Final = 12  # stretches that are compared with one another, since speed drifts over the day
#: Of a stretch that counts half: how fast a short one was is known less well.
_HALF_WEIGHT_CHARS: Final = 150.0


class TrialRunningError(IdiolectError, code="trial-running", exit_code=ExitCode.CONFLICT, http_status=409):
    """A trial is to be started while one runs."""


class NoTrialError(IdiolectError, code="no-trial", exit_code=ExitCode.CONFLICT, http_status=409):
    """A trial is to be stopped and none runs."""


@dataclass(frozen=True)
class Stretch:
    """What was typed in a field until it was left: counts, no text.

    Attributes:
        suggestions: whether there were any.
        characters: that came to stand there, typed or taken.
        seconds: of typing, without longer pauses.
        keys: that were pressed.
    """

    suggestions: bool
    characters: int
    seconds: float
    keys: int


@dataclass(frozen=True)
class TrialStatus:
    """How a trial stands; `faster`: by how much its user typed faster with suggestions (0.08: 8 %), once it ended.

    `says` is that in a sentence. `days_left` is a guess: at as many stretches a day as until now.
    """

    state: Literal["none", "running", "ended"]
    stretches: int
    without: int
    enough: int
    days_left: int | None
    faster: Effect | None
    says: str


class Trial:
    """The trial of one profile. Any thread may call it.

    Args:
        profile: where the counts are kept; nothing is counted while learning is paused.
        app_policy: where nothing is counted.
    """

    def __init__(self, profile: Profile, app_policy: AppPolicy) -> None:
        self._store = store = profile.store
        self._app_policy = app_policy
        self._lock = threading.Lock()
        self._kept: dict[str, Any] | None = store.state.get(_TRIAL)
        self._ended: TrialStatus | None = None  # what came of it, once that was computed
        profile.events.subscribe(Forgotten, self._forget_with_all_text)

    @property
    def running(self) -> bool:
        """Whether stretches are to be left without suggestions now."""
        return self._kept is not None and bool(self._kept["running"])

    def start(self) -> TrialStatus:
        """Begin a trial; what came of an earlier one is forgotten. Raises TrialRunningError."""
        with self._lock:
            if self.running:
                raise TrialRunningError(
                    f"A trial runs already, and goes on. {self._status().says} `idiolect trial stop` ends it."
                )
            self._keep({"running": True, "stretches": [], "days": 0, "day": None})
            return self._status()

    def stop(self) -> TrialStatus:
        """End the trial; what was counted stays. Raises NoTrialError."""
        with self._lock:
            if self._kept is None or not self.running:
                raise NoTrialError(
                    "No trial runs, so none was stopped. `idiolect trial` says what came of the last."
                )
            self._keep({**self._kept, "running": False})
            return self._status()

    def add(self, stretch: Stretch, place: InputContext) -> bool:
        """Count a stretch, and end the trial once that was the last; whether it was counted."""
        if self._app_policy.keeping(place) is not None:
            return False
        if stretch.characters < _MIN_CHARS or stretch.seconds < _MIN_S:
            return False
        if not _MIN_SPEED <= stretch.characters / stretch.seconds <= _MAX_SPEED:
            return False
        with self._lock:
            kept = self._kept
            if kept is None or not self.running:
                return False
            counted = [
                int(stretch.suggestions),
                stretch.characters,
                round(stretch.seconds, 1),
                stretch.keys,
            ]
            stretches, day = [*kept["stretches"], counted], today().isoformat()
            days = kept["days"] + (kept["day"] != day)
            runs = len(stretches) < ENOUGH and days <= _MAX_DAYS
            self._keep({"running": runs, "stretches": stretches, "days": days, "day": day})
            return True

    def status(self) -> TrialStatus:
        """How it stands."""
        with self._lock:
            return self._status()

    def _forget_with_all_text(self, event: Forgotten) -> None:
        """Forget the trial and its counts where all text was forgotten."""
        receipt = event.receipt
        if receipt is None or not receipt.entries or receipt.entries < receipt.total:
            return
        with self._lock:
            self._kept = self._ended = None
            self._store.state.drop(_TRIAL)

    def _keep(self, trial: dict[str, Any]) -> None:
        self._store.state.set(_TRIAL, trial)
        self._kept, self._ended = trial, None

    def _status(self) -> TrialStatus:
        kept = self._kept
        if kept is None:
            return TrialStatus("none", 0, 0, ENOUGH, None, None, "There was no trial yet.")
        stretches, without = kept["stretches"], sum(not one[0] for one in kept["stretches"])
        if self.running:
            a_day = len(stretches) / max(kept["days"], 1)
            days_left = math.ceil((ENOUGH - len(stretches)) / a_day) if a_day else None
            days_left = days_left and min(days_left, _MAX_DAYS - kept["days"] + 1)
            says = f"Not enough yet: {len(stretches)} of {ENOUGH} stretches of writing"
            says += f", about {days_left} more day{'s' * (days_left != 1)}." if days_left else "."
            return TrialStatus("running", len(stretches), without, ENOUGH, days_left, None, says)
        if self._ended is not None:
            return self._ended
        faster = _faster(stretches) if len(stretches) >= _LEAST and without >= _LEAST_WITHOUT else None
        says = _result(faster, len(stretches))
        self._ended = TrialStatus("ended", len(stretches), without, ENOUGH, None, faster, says)
        return self._ended


def _faster(stretches: list[list[float]]) -> Effect | None:
    """Return by which share more characters a second were typed with suggestions."""
    suggestions, characters, seconds, _ = np.array(stretches, dtype=np.float64).T
    weights = characters / (characters + _HALF_WEIGHT_CHARS)
    found = effect(np.log(characters / seconds), suggestions, weights, block=_BLOCK)
    return None if found is None else Effect(*(math.expm1(value) for value in asdict(found).values()))


def _result(faster: Effect | None, stretches: int) -> str:
    if faster is None:
        plural = "es" * (stretches != 1)
        return f"The trial ended after {stretches} stretch{plural} of writing, too few to tell."
    value, low, high = (round(100 * share) for share in (faster.value, faster.low, faster.high))
    if faster.low > 0:
        return f"With suggestions you typed {value} % faster ({low} to {high} %, {stretches} stretches of writing)."
    if faster.high < 0:
        return (
            f"With suggestions you typed {-value} % slower ({-high} to {-low} %, {stretches} stretches of writing). "
            "Shall it show less?"
        )
    return (
        f"With suggestions you typed as fast as without, as far as {stretches} stretches of writing tell: between "
        f"{-low} % slower and {high} % faster."
    )
