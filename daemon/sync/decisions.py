"""The decisions that devices share: words, rules for programs, what the settings exclude, and the pause.

A decision carries no time of its own: what holds here is compared with what was shared last. Of two decisions about one
thing the one with the higher clock holds: the time of day, but always higher than every clock that this device has
read. A pause that runs out is no decision, or a device whose clock is fast would end it for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import NEVER_READ, Settings
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.records import WordRule
from idiolect.daemon.storage.shared import OWN, SharedRow
from idiolect.daemon.storage.words import UnknownWordError, WordRefusedError
from idiolect.daemon.sync.this_device import ThisDevice
from idiolect.daemon.text.secret_apps import NEVER_HEARD

_AXIS: Final = {
    "never": "suggested",
    "mine": "suggested",
    "never_correct": "corrected",
    "always_correct": "corrected",
}


@dataclass(frozen=True)
class _Standing:
    """What holds on a device at a time: rules by mark, and the pause that was begun last."""

    rules: dict[bytes, dict[str, Any] | None]
    pause: dict[str, Any] | None


class Decisions:
    """The decisions of one profile; `now` is the time of day, in seconds since 1970."""

    def __init__(
        self, settings: Settings, profile: Profile, ingest: Ingest, now: Callable[[], float] = time.time
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._ingest = ingest
        self._now = now
        self._joined: _Standing | None = None
        self._own_settings = {
            "exclude": [pattern for pattern in settings.exclude if pattern not in NEVER_READ],
            "exclude_apps": [app for app in settings.exclude_apps if app not in NEVER_HEARD],
            "quiet_apps": [*settings.quiet_apps],
        }

    def record(self, me: ThisDevice) -> None:
        """Note what was decided here since decisions were shared last.

        What the settings of inherited devices exclude is taken back: they have left.
        """
        with _unless_failed(me):
            changed = self._record(me)
        if changed:
            self.apply_settings()

    def join(self, me: ThisDevice) -> None:
        """Note what holds here as this device joins: others have decided later, and what comes next is later still."""
        self._joined = _Standing(self._holding(me.device), self._profile.pause.last)

    def _record(self, me: ThisDevice, since: _Standing | None = None) -> bool:
        """Note what was decided here, `since` this device has joined; whether there was anything."""
        with self._profile.pause.changing(), self._store.together():
            shared, holding = self._store.shared, self._holding(me.device)
            known: dict[bytes, Any] = {} if since is None else {**since.rules}
            known |= {row.mark: row.value for row in shared.decisions()}
            pause = self._profile.pause.last
            if pause != me.pause and (since is None or pause != since.pause):
                me.pause = pause
                mark = shared.mark("pause")
                if known.get(mark) or self._profile.pause.active:
                    holding[mark] = self._pause_now()
                    known[mark] = {}  # the pause was begun anew, if for the same time
            changed = [(mark, value) for mark, value in holding.items() if known.get(mark) != value]
            for mark, value in known.items():
                taken_back = value is not None and mark not in holding and "until" not in value
                if taken_back and value.get("device", me.device) in (me.device, *me.inherited):
                    changed.append((mark, None))
            for mark, value in changed:
                me.clock = max(int(self._now() * 1000), me.clock + 1)
                shared.decide(SharedRow("decision", mark, me.clock, value), OWN)
            if changed:
                me.save(self._store.state)
            return bool(changed)

    def take_over(self, me: ThisDevice, rows: Iterable[SharedRow], owner: str) -> None:
        """Let the decisions of the device `owner` hold here, unless later ones are known."""
        decisions = [row for row in rows if row.kind == "decision"]
        me.clock = max([me.clock, *(row.at_us for row in decisions)])
        pause = self._store.shared.mark("pause")
        others = [row for row in decisions if row.mark != pause]
        of_pause = [row for row in decisions if row.mark == pause]
        if self._store.shared.later(others):
            with _unless_failed(me):
                take = partial(self._take_over_later, me, others, owner, self._take_over_rules)
                self._profile.decide("words", take)
            self.apply_settings()
        if self._store.shared.later(of_pause):
            with _unless_failed(me):
                take = partial(self._take_over_later, me, of_pause, owner, self._take_over_pause)
                self._profile.decide("pause", take)

    def _take_over_later(
        self,
        me: ThisDevice,
        rows: Sequence[SharedRow],
        owner: str,
        take: Callable[[ThisDevice, Sequence[SharedRow], str], None],
    ) -> None:
        """Let those of some decisions hold that are later than all that was decided here; within a decision.

        What was decided here since the cycle began is noted first, in the same transaction. Each decision and what it
        changes are stored together, or what holds here would seem to be a later decision.
        """
        self._record(me, None if me.head else self._joined)
        if later := self._store.shared.later(rows):
            take(me, later, owner)

    def apply_settings(self) -> None:
        """Exclude here what the settings of the other devices exclude."""
        values = [row.value for row in self._store.shared.decisions() if row.value]
        theirs = [value["excluded"] for value in values if "excluded" in value]
        self._ingest.exclude_too([path for excluded in theirs for path in excluded["exclude"]])
        self._ingest.app_policy.exclude_too(
            [app for excluded in theirs for app in excluded["exclude_apps"]],
            [app for excluded in theirs for app in excluded["quiet_apps"]],
        )

    def _pause_now(self) -> dict[str, Any] | None:
        """The pause that the user has begun here, and when it ends; None where the user has ended it."""
        if self._profile.pause.last is None:
            return None
        endless = self._profile.pause.left_s is None and self._profile.pause.active
        return {"until": None if endless else self._now() + (self._profile.pause.left_s or 0)}

    def _holding(self, device: str) -> dict[bytes, dict[str, Any] | None]:
        """The decisions that hold on this device, by mark, without the pause."""
        mark = self._store.shared.mark
        holding: dict[bytes, dict[str, Any] | None] = {}
        for rule in self._store.words.all():
            word = {"word": rule.text, "kind": rule.kind, "replacement": rule.replacement}
            holding[self._word_mark(rule)] = {**word, "source": rule.source}
        for app, what in self._ingest.app_policy.own_rules():
            holding[self._app_mark(app, what)] = {"app": [app, what]}
        if any(self._own_settings.values()):
            holding[mark("excluded", device)] = {"excluded": self._own_settings, "device": device}
        return holding

    def _word_mark(self, rule: WordRule) -> bytes:
        return self._store.shared.mark("word", _AXIS[rule.kind], folded(rule.text))

    def _app_mark(self, app: str, what: str) -> bytes:
        return self._store.shared.mark("app", app.casefold(), what in ("on", "off"))

    def _take_over_rules(self, _me: ThisDevice, rows: Sequence[SharedRow], owner: str) -> None:
        """Store decisions about words, programs and settings, and the rules for words and programs they make."""
        store = self._store
        with store.together():
            words = {self._word_mark(rule): rule for rule in store.words.all()}
            apps = {self._app_mark(*rule): rule for rule in self._ingest.app_policy.own_rules()}
            for row in rows:
                store.shared.decide(row, owner)
                value = row.value or {}
                apps.pop(row.mark, None)
                if "app" in value:
                    apps[row.mark] = value["app"]
                # What was learned changes nothing that was decided by hand here.
                with suppress(WordRefusedError, UnknownWordError):
                    if "word" in value:
                        store.words.add(
                            value["kind"],
                            value["word"],
                            replacement=value["replacement"],
                            source=value["source"],
                        )
                    elif row.mark in words:
                        store.words.remove(words[row.mark].text, words[row.mark].kind)
            # As all devices order them; the rules that this device has not shared yet are the newest.
            order = {row.mark: number for number, row in enumerate(store.shared.decisions())}
            marks = sorted(apps, key=lambda mark: order.get(mark, len(order)))
            self._ingest.app_policy.replace_rules([apps[mark] for mark in marks])

    def _take_over_pause(self, me: ThisDevice, rows: Sequence[SharedRow], owner: str) -> None:
        """Store a decision about the pause, and begin or end the pause."""
        for row in rows:
            self._store.shared.decide(row, owner)
            if not row.value:
                self._profile.pause.end()
            else:  # also a pause that is over by this clock: it takes the place of the pause that held here
                until = row.value["until"]
                self._profile.pause.begin(None if until is None else max(until - self._now(), 0.0))
        me.pause = self._profile.pause.last
        me.save(self._store.state)


@contextmanager
def _unless_failed(me: ThisDevice) -> Iterator[None]:
    """Leave the clock and the pause that were shared last as the store has them where the block fails."""
    before = me.clock, me.pause
    try:
        yield
    except BaseException:
        me.clock, me.pause = before
        raise
