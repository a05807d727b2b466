"""The policy for training rounds: when a round starts by itself, and when a running round has to wait.

Nothing here looks at the machine, the store or a clock. `round_throttle.py` and `round_scheduler.py` fill in
`RoundFacts` and `MachineState`, so a test can play any day through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idiolect.daemon.rounds.round_tuning import USUAL, RoundTuning
from idiolect.daemon.settings import Settings, span_of

_WORDS_PER_TOKEN: Final = 0.75
_RETRY_S: Final = 3600.0  # after a round that failed; twice as long after each further failure
_LONGEST_RETRY_S: Final = 86400.0
_LONGEST_BACKOFF: Final = 8  # times as much new text as usual, while rounds are refused
_MAX_TEMPERATURE_C: Final = 80.0  # of the processor beside which rounds run


@dataclass(frozen=True)
class RoundFacts:
    """What the store and the service know.

    `tokens` is all text and `new_tokens` what came since the last judged round; `wanted`: forgetting left a round to
    be made; `unfinished`: a round was cut off and can go on; `refused`: rounds refused in a row since the last
    promotion or forgetting, those left out that the next one goes on from; `failed`: rounds that ended without a result
    in a row, the last of them `failed_s_ago` seconds ago (None: not since the service started); `used_today_s`:
    computing time of rounds on this day; `doing`: long work under way, such as "a training round".
    """

    tokens: int
    new_tokens: int
    wanted: bool = False
    unfinished: bool = False
    refused: int = 0
    failed: int = 0
    failed_s_ago: float | None = None
    used_today_s: float = 0.0
    paused: bool = False
    doing: str | None = None


@dataclass(frozen=True)
class MachineState:
    """What the machine and its user do now. None: the platform does not say, and then it is no hindrance.

    `quiet_s`: seconds since the last keystroke that asked for a suggestion, or new text; `input_idle_s`: since the
    last input at a terminal; `load`: the share of the processors' time, 0 to 1, that other programs use.
    """

    quiet_s: float
    load: float
    free_mb: float
    on_battery: bool = False
    temperature_c: float | None = None
    input_idle_s: float | None = None


@dataclass(frozen=True)
class RoundDecision:
    """Whether a round is to start now, and why, or why not, in one sentence.

    `due`: whether a round starts, sooner or later, without new text or a word of the user's.
    """

    start: bool
    reason: str
    due: bool = True


def words_of(tokens: int) -> int:
    """Return about how many words so many tokens are, to two digits."""
    words = round(_WORDS_PER_TOKEN * tokens)
    return max(round(words, 2 - len(str(words))), 1)


class RoundPolicy:
    """The rules by a profile's settings."""

    def __init__(self, settings: Settings, tuning: RoundTuning = USUAL) -> None:
        """Decide by these settings."""
        self._settings = settings
        self._tuning = tuning
        self.max_load = tuning.max_load
        self.rest_s = tuning.rest_s
        self._hours = span_of(settings.hours)

    @property
    def round_s(self) -> float:
        """The budget of a round that starts by itself: a day's at the most."""
        return min(self._tuning.round_s, self._settings.daily_budget_s)

    def new_tokens_needed(self, refused: int) -> int:
        """Return how much new text makes a round due: the usual amount, times the refusals in a row (at most 8)."""
        times = min(max(1, refused), _LONGEST_BACKOFF)
        return self._tuning.train_every_tokens * times

    def decide(self, facts: RoundFacts, machine: MachineState, now: datetime) -> RoundDecision:
        """Whether a round is to start; `now` is the user's local time."""
        if why := self._not_wanted(facts) or self._not_due(facts):
            return RoundDecision(False, why, due=False)
        why = self._not_again(facts) or self._not_today(facts, now) or self._not_on(machine)
        return (
            RoundDecision(False, why)
            if why
            else RoundDecision(True, "a round is due and starts within a minute")
        )

    def must_wait(self, machine: MachineState) -> str | None:
        """Why a round that started by itself and runs has to wait, or None: it may go on."""
        if min(machine.quiet_s, _or_ever(machine.input_idle_s)) < self.rest_s:
            return "waits while you type"
        if machine.load > self.max_load:
            return "waits while other programs use the processor"
        return self._waits_for_power_or_cold(machine)

    def slowed_by(self, load: float) -> str | None:
        """What slows down a round that waits for nothing, or None: it has the processors for itself."""
        return "goes slowly, so that your other programs stay quick" if load > self.max_load else None

    def _not_wanted(self, facts: RoundFacts) -> str | None:
        if not self._settings.auto_train:
            return "rounds start only when asked for (auto_train is off)"
        if facts.paused:
            return "learning is paused"
        if facts.doing is not None:
            return f"{facts.doing} is running"
        return None

    def _not_due(self, facts: RoundFacts) -> str | None:
        missing = self._tuning.min_tokens - facts.tokens
        if not (facts.wanted or facts.unfinished):
            missing = max(missing, self.new_tokens_needed(facts.refused) - facts.new_tokens)
        if missing > 0:
            after = f", since the last {facts.refused:,} were refused" if facts.refused > 1 else ""
            return f"a round is due after about {words_of(missing):,} more words of new text{after}"
        return None

    def _not_again(self, facts: RoundFacts) -> str | None:
        if facts.failed and facts.failed_s_ago is not None:
            wait_s = min(_RETRY_S * 2 ** min(facts.failed - 1, 10), _LONGEST_RETRY_S) - facts.failed_s_ago
            if wait_s > 0:
                return f"a round is due; the last one failed, and it is tried again in {_minutes(wait_s)}"
        return None

    def _not_today(self, facts: RoundFacts, now: datetime) -> str | None:
        if facts.used_today_s + self.round_s > self._settings.daily_budget_s * (1 + 1e-9):
            return (
                f"a round is due; it waits for tomorrow, since {_minutes(facts.used_today_s)} of today's "
                f"{_minutes(self._settings.daily_budget_s)} are used"
            )
        begin, end = self._hours
        minute = 60 * now.hour + now.minute
        inside = begin <= minute < end if begin < end else minute >= begin or minute < end
        if not inside:
            return f"a round is due; it waits for the hours {self._settings.hours}"
        return None

    def _not_on(self, machine: MachineState) -> str | None:
        tuning = self._tuning
        if min(machine.quiet_s, _or_ever(machine.input_idle_s)) < tuning.quiet_s:
            return "a round is due; it waits until the keyboard rests"
        if machine.load > self.max_load:
            return "a round is due; it waits until the machine is idle"
        if waits := self._waits_for_power_or_cold(machine):
            return f"a round is due; it {waits}"
        if machine.free_mb < tuning.min_free_mb:
            return f"a round is due; it waits until {tuning.min_free_mb:,} MB of memory are free"
        return None

    def _waits_for_power_or_cold(self, machine: MachineState) -> str | None:
        if machine.on_battery and not self._tuning.on_battery:
            return "waits for mains power"
        if machine.temperature_c is not None and machine.temperature_c > _MAX_TEMPERATURE_C:
            return "waits until the machine has cooled down"
        return None


def _or_ever(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'s' * (minutes != 1)}" if minutes < 120 else f"{round(minutes / 60)} hours"
