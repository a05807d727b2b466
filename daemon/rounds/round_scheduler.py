"""The scheduler of training rounds: it starts rounds that are due, and suspends a round while the user types."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from itertools import takewhile
from typing import Any

from idiolect.daemon.profile.events import Decided, Learned
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.rounds.judged_rounds import RoundRecord, describe_gains, find_gains
from idiolect.daemon.rounds.round_policy import RoundDecision, RoundFacts, RoundPolicy
from idiolect.daemon.rounds.round_runner import TRAINING, Trainer
from idiolect.daemon.rounds.round_throttle import MachineSensors, RoundThrottle
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import FORGOTTEN_AFTER, ROUND_DUE
from idiolect.models.errors import code_of

log = logging.getLogger("idiolect.rounds")

_LOOK_EVERY_S = 30.0
_STOP_S = 10.0  # whatever a round waits for, the service ends
_BY_ITSELF = "due"


class RoundScheduler:
    """Runs rounds one at a time, asked for or by itself; none starts by itself while learning is paused."""

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        trainer: Trainer,
        children: ChildProcesses,
    ) -> None:
        self._settings = settings
        self._store = profile.store
        self._pause = profile.pause
        self._children = children
        self._trainer = trainer
        self._policy = RoundPolicy(settings, trainer.tuning)
        self._throttle = RoundThrottle(children, self._policy, self.quiet_s, lambda: self._pause.active)
        self._sensors = MachineSensors(children)
        self._telling = threading.Lock()
        self._last_event: dict[str, Any] | None = None  # of the round that runs
        self._stopping = threading.Event()
        self._busy_at = time.monotonic()
        self._thread = threading.Thread(target=self._watch_clock, name="rounds", daemon=True)
        profile.events.subscribe(Learned, lambda _: self.user_is_typing())
        profile.events.subscribe(Decided, self._follow_decision)

    # When

    def start(self) -> None:
        """Begin to look whether a round is due."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more rounds. :meth:`ChildProcesses.stop` ends a running round; its text waits for the next round."""
        self._stopping.set()
        self._thread.join(_STOP_S)

    def user_is_typing(self) -> None:
        """Put off rounds that would start by themselves, and let a running round that did so wait at once."""
        self._busy_at = time.monotonic()
        self._throttle.check_now()

    def _follow_decision(self, event: Decided) -> None:
        if event.is_about("pause"):  # a running round waits while learning is paused
            self._throttle.check_now()

    def outlook(self) -> str:
        """What is next, and why not now, in one sentence."""
        return self._decision().reason

    @property
    def due(self) -> bool:
        """Whether a round starts by itself, sooner or later, with what there is."""
        return self._decision().due

    def progress(self) -> dict[str, Any] | None:
        """The running round's last progress event, and why it waits (`waits`, or None); None where none runs."""
        return self._last_event

    def today(self) -> dict[str, float]:
        """How much computing time rounds have used of this day's, in seconds."""
        return {"used_s": round(self._trainer.used_today_s(), 1), "budget_s": self._settings.daily_budget_s}

    def learning_curve(self) -> dict[str, Any]:
        """Return what rounds have added so far: a sentence, and the gain after each round."""
        gains = find_gains(self._store.rounds.all(), self._store.base)
        return {"rounds_added": describe_gains(gains), "round_gains": [asdict(gain) for gain in gains]}

    def quiet_s(self) -> float:
        """For how many seconds nobody has typed, and nothing new has come in."""
        return time.monotonic() - self._busy_at

    def _decision(self) -> RoundDecision:
        machine = self._sensors.machine(self.quiet_s())
        return self._policy.decide(self.facts(), machine, datetime.now())

    def facts(self) -> RoundFacts:
        """Collect what decides whether a round starts by itself."""
        rounds = self._store.rounds.all()
        bases = (None, self._store.base)  # what another base model has learned from is new to this one
        judged = [
            row
            for row in rounds
            if row.status in ("promoted", "refused") and row.metrics.get("base_sha256") in bases
        ]
        unfinished = self._store.checkpoints.last()
        last_entry = RoundRecord.from_json(judged[-1].metrics).last_entry if judged else 0
        since = int(self._store.state.get(FORGOTTEN_AFTER, 0))
        refused = takewhile(lambda row: row.status == "refused" and row.id > since, reversed(judged))
        ended = [row for row in rounds if row.status not in ("running", "interrupted")]
        failed = takewhile(lambda row: row.status in ("failed", "skipped"), reversed(ended))
        failed_at = self._trainer.failed_at
        return RoundFacts(
            tokens=self._store.entries.counts().tokens,
            new_tokens=self._store.entries.tokens_after(last_entry),
            wanted=bool(self._store.state.get(ROUND_DUE)),
            unfinished=unfinished is not None and unfinished.about.get("base_sha256") in bases,
            # One that the next goes on from is a step, and no failure
            refused=sum(not RoundRecord.from_json(row.metrics).promising for row in refused),
            failed=sum(1 for _ in failed),
            failed_s_ago=None if failed_at is None else time.monotonic() - failed_at,
            used_today_s=self._trainer.used_today_s(),
            paused=self._pause.active,
            doing=self._children.doing,
        )

    def _watch_clock(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._decision().start:
                    self.run(None, _BY_ITSELF)
            except Exception as error:  # noqa: BLE001 (the clock must not stop for a busy store or a failed round)
                log.warning("a round by itself: %s", code_of(error))

    # How

    def run(
        self,
        budget_s: float | None,
        reason: str,
        follow: Callable[[dict[str, Any]], object] = lambda _event: None,
    ) -> None:
        """Run one round, and call `follow` with its progress events and at last its verdict, from several threads.

        A round that was cut off goes on from its checkpoint, unless a budget is given. Where a round that started by
        itself is under way, it ends, and this one goes on from its checkpoint, at the priority of work that somebody
        waits for. Each progress event says in `waits` what the round waits for or what slows it down, or None; a
        change of that is an event, too.

        Raises TrainingBusyError, TooLittleTextError and RoundFailedError.
        """
        by_itself = reason == _BY_ITSELF
        takes_over = not by_itself and self._last_event is not None and self._throttle.by_itself
        if takes_over:  # no process that runs in the kernel's idle class gets out of it
            self._children.end("somebody waits for it now")
        resume = by_itself or takes_over or budget_s is None

        def publish(event: dict[str, Any] | None = None) -> None:
            """Publish an event, or the last event again with what the round waits for now."""
            with self._telling:
                event = event or self._last_event or {}
                if event["event"] == "progress":
                    event = {**event, "waits": self._throttle.waits}
                self._last_event = event
                follow(event)

        with self._children.claim(TRAINING, waited_for=not by_itself):
            self._last_event = {"event": "progress", "phase": "prepare", "done": 0.0, "waits": None}
            try:
                with self._throttle.watching(by_itself=by_itself, changed=publish):
                    budget_s = budget_s or (self._policy.round_s if by_itself else None)
                    for event in self._trainer.run(budget_s, reason, resume=resume):
                        publish(event)
            finally:
                self._last_event = None
