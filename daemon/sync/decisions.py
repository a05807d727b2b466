"""What the user decides, shared: words, rules for programs, what the settings exclude, and the pause.

Nobody has to say when something was decided: what holds here is compared with what was shared last. Of two decisions
about one thing the one with the higher clock holds: the time of day, but always higher than all that this device has
read of others. A pause that runs out is no decision, or a device whose clock is fast would end it for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, Final, cast

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.settings import NEVER_READ, Settings
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.records import WordRule, WordRuleKind
from idiolect.daemon.storage.shared import OWN, SharedRow
from idiolect.daemon.storage.store import Store
from idiolect.daemon.storage.words import UnknownWordError, WordRefusedError
from idiolect.daemon.text.secret_apps import NEVER_HEARD

_AXIS: Final = {
    "never": "suggested",
    "mine": "suggested",
    "never_correct": "corrected",
    "always_correct": "corrected",
}


class Decisions:
    """The decisions of one profile.

    `changed` is called where another device has decided something, with whether that is the pause; `now` is the time of
    day, in seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ingest: Ingest,
        changed: Callable[[bool], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._changed = changed
        self._now = now
        self._own = {
            "exclude": [one for one in settings.exclude if one not in NEVER_READ],
            "exclude_apps": [one for one in settings.exclude_apps if one not in NEVER_HEARD],
            "quiet_apps": [*settings.quiet_apps],
        }

    def _tick(self, clock: int) -> int:
        """A clock that is higher than `clock`: the time in milliseconds since 1970, or the next number."""
        return max(int(self._now() * 1000), clock + 1)

    def capture(self, device: str, clock: int, inherited: Collection[str]) -> int:
        """Note what was decided here since it was shared last; the clock of the last decision.

        What the settings of `inherited` devices exclude is taken back: they have left.
        """
        shared = self._store.shared
        here = self._here(device)
        with shared.together():
            known = {one.mark: one.value for one in shared.decisions()}
            if (pause := self._ingest.pause.said) != shared.pause:
                shared.pause = pause
                mark = shared.mark("pause")
                if known.get(mark) or self._ingest.pause.active:
                    here[mark] = self._pause_here()
                    known[mark] = {}  # said anew, if in the same words
            changed = [(mark, value) for mark, value in here.items() if known.get(mark) != value]
            for mark, value in known.items():
                taken_back = value is not None and mark not in here and "until" not in value
                if taken_back and value.get("device", device) in (device, *inherited):
                    changed.append((mark, None))
            for mark, value in changed:
                clock = self._tick(clock)
                shared.decide(SharedRow("decision", mark, clock, value), OWN)
        if changed:
            self.heed_settings()
        return clock

    def apply(self, rows: Iterable[SharedRow], owner: str) -> int:
        """Heed what was decided on the device `owner`; the highest clock of all of it, 0 where there is nothing."""
        shared = self._store.shared
        decisions = [row for row in rows if row.kind == "decision"]
        with shared.together():  # or what holds here would be taken for a later decision
            new = [row for row in decisions if shared.decide(row, owner)]
            pause = bool(new) and self._heed(new)
        if new:
            self.heed_settings()
            self._changed(pause)
        return max((row.at_us for row in decisions), default=0)

    def heed_settings(self) -> None:
        """Exclude what the settings of the other devices exclude, too."""
        values = [one.value for one in self._store.shared.decisions() if one.value]
        theirs = [value["excluded"] for value in values if "excluded" in value]
        self._ingest.exclude_too([one for excluded in theirs for one in excluded["exclude"]])
        self._ingest.app_policy.share(
            [one for excluded in theirs for one in excluded["exclude_apps"]],
            [one for excluded in theirs for one in excluded["quiet_apps"]],
        )

    def _pause_here(self) -> dict[str, Any] | None:
        """The pause that the user has begun here, and when it ends; None where the user has ended it."""
        pause = self._ingest.pause
        if pause.said is None:
            return None
        return {"until": None if pause.left_s is None and pause.active else self._now() + (pause.left_s or 0)}

    def _here(self, device: str) -> dict[bytes, dict[str, Any] | None]:
        """What holds on this device, by mark, but for the pause."""
        mark = self._store.shared.mark
        here: dict[bytes, dict[str, Any] | None] = {}
        for rule in self._store.words.all():
            said = {"word": rule.text, "kind": rule.kind, "replacement": rule.replacement}
            here[self._word_mark(rule)] = {**said, "source": rule.source}
        for row in self._ingest.app_policy.given():
            here[mark("app", row[0].casefold(), row[1] in ("on", "off"))] = {"app": row}
        if any(self._own.values()):
            here[mark("excluded", device)] = {"excluded": self._own, "device": device}
        return here

    def _word_mark(self, rule: WordRule) -> bytes:
        return self._store.shared.mark("word", _AXIS[rule.kind], folded(rule.text))

    def _heed(self, new: list[SharedRow]) -> bool:
        """Let new decisions hold here; whether they speak of the pause."""
        store, policy, pause = self._store, self._ingest.app_policy, self._ingest.pause
        about_pause = store.shared.mark("pause")
        words = {self._word_mark(rule): rule for rule in store.words.all()}
        given = [one.value["app"] for one in store.shared.decisions() if one.value and "app" in one.value]
        for one in new:
            value = one.value or {}
            if "word" in value:
                with suppress(
                    WordRefusedError
                ):  # what is learned changes nothing that was decided by hand here
                    store.words.add(
                        cast("WordRuleKind", value["kind"]),
                        value["word"],
                        replacement=value["replacement"],
                        source=value["source"],
                    )
            elif one.mark in words:
                with suppress(UnknownWordError):
                    store.words.remove(words[one.mark].text, words[one.mark].kind)
            elif one.mark == about_pause:
                until = value.get("until")
                if not value:
                    pause.end()
                else:  # also one that is over by this clock: it takes the place of what held here
                    pause.begin(None if until is None else max(until - self._now(), 0.0))
                store.shared.pause = pause.said
        if given != policy.given():
            policy.take_over(given)
        return any(one.mark == about_pause for one in new)
