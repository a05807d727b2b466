"""The journal of decisions: what was decided last about each thing, and when, as all devices order it.

Each decision is written in the transaction that applies it. Devices that share a folder ship their journals, and of two
decisions about one thing the one with the higher clock holds: the time of day, but always higher than every clock that
this device has read. So what arrives later undoes nothing that was decided after it. Where nothing is shared, the
journal is empty. A pause that runs out is no decision, or a device whose clock is fast would end it for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.profile.app_rules import is_of_context, put_app_rules, read_app_rules
from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.records import WordRule
from idiolect.daemon.storage.sync_merge import OWN, SharedRow
from idiolect.daemon.storage.words import UnknownWordError, WordRefusedError

if TYPE_CHECKING:
    from idiolect.daemon.profile.pause import Pause
    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.storage.store import Store

_AXIS: Final = {
    "never": "suggested",
    "mine": "suggested",
    "never_correct": "corrected",
    "always_correct": "corrected",
}
#: Clocks of what was decided before a device joined: the order of it, and not a time.
_JOINING: Final = 1_000_000_000


class Journal:
    """The journal of one profile; `now` is the time of day, in seconds since 1970. Its writes are part of decisions."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self.now = now

    def record(self, pause: Pause | None = None, *, joining: bool = False) -> None:
        """Write what holds of words and programs, and where sharing begins the `pause`, and is not written yet.

        With `joining` it is earlier than whatever the others have decided, until `date_joined`.
        """
        shared = self._store.shared
        if not shared.on:
            return
        rows, holding = shared.decisions(), self._holding()
        if pause is not None and pause.active:
            holding[shared.mark("pause")] = self._until(pause.left_s)
        known = {row.mark: row.value for row in rows}
        changed = [(mark, value) for mark, value in holding.items() if known.get(mark) != value]
        changed += [
            (mark, None)
            for mark, value in known.items()
            if value and not {"word", "app"}.isdisjoint(value) and mark not in holding
        ]
        self._write(changed, rows, joining=joining)

    def date_joined(self) -> None:
        """Date what was decided before this device joined, once it has read what the others decided."""
        if self._store.shared.on:
            early = [row for row in self._store.shared.decisions() if row.at_us < _JOINING]
            if early:
                with self._store.together():
                    rows = self._store.shared.decisions()
                    self._write([(row.mark, row.value) for row in rows if row.at_us < _JOINING], rows)

    def write_pause(self, *, active: bool, for_s: float | None = None) -> None:
        """Write that a pause was begun, for `for_s` seconds or until it is ended, or that it was ended."""
        shared = self._store.shared
        if shared.on:
            self._write([(shared.mark("pause"), self._until(for_s) if active else None)], shared.decisions())

    def write_excluded(self, device: str, excluded: dict[str, list[str]] | None) -> None:
        """Write what the settings of a device exclude."""
        shared = self._store.shared
        value = None if excluded is None else {"excluded": excluded, "device": device}
        self._write([(shared.mark("excluded", device), value)], shared.decisions())

    def excluded(self) -> dict[str, dict[str, list[str]]]:
        """What the settings of each device exclude, this one's too, by the device."""
        values = [row.value for row in self._store.shared.decisions() if row.value]
        return {value["device"]: value["excluded"] for value in values if "excluded" in value}

    def take_over(self, rows: Sequence[SharedRow], owner: str, pause: Pause) -> None:
        """Let the decisions of the device `owner` hold here that are later than what is written."""
        store, shared = self._store, self._store.shared
        words = {self._word_mark(rule): rule for rule in store.words.all()}
        apps = {self._app_mark(*rule): rule for rule in read_app_rules(store)}
        given = list(apps.items())
        for row in shared.later(rows):
            shared.decide(row, owner)
            value = row.value or {}
            apps.pop(row.mark, None)
            if "app" in value:
                apps[row.mark] = value["app"]
            if row.mark == shared.mark("pause"):
                self._take_over_pause(value, pause)
            # What was learned changes nothing that was decided by hand here.
            with suppress(WordRefusedError, UnknownWordError):
                if "word" in value:
                    kind, word = value["kind"], value["word"]
                    store.words.add(kind, word, replacement=value["replacement"], source=value["source"])
                elif row.mark in words:
                    store.words.remove(words[row.mark].text, words[row.mark].kind)
        if list(apps.items()) != given:
            order = {row.mark: number for number, row in enumerate(shared.decisions())}
            put_app_rules(
                store, [apps[mark] for mark in sorted(apps, key=lambda mark: order.get(mark, len(order)))]
            )

    def _take_over_pause(self, value: dict[str, Any], pause: Pause) -> None:
        if not value:
            pause.end()
        else:  # also a pause that is over by this clock: it takes the place of the pause that held here
            until = value["until"]
            pause.begin(None if until is None else max(until - self.now(), 0.0))

    def _write(
        self,
        changed: Iterable[tuple[bytes, dict[str, Any] | None]],
        rows: Sequence[SharedRow],
        *,
        joining: bool = False,
    ) -> None:
        """Write decisions of this device, each later than `rows`, which are all that is written."""
        clock = rows[-1].at_us if rows else 0
        for mark, value in changed:
            clock = clock + 1 if joining else max(int(self.now() * 1000), clock + 1, _JOINING)
            self._store.shared.decide(SharedRow("decision", mark, clock, value), OWN)

    def _until(self, for_s: float | None) -> dict[str, Any]:
        return {"until": None if for_s is None else self.now() + for_s}

    def _holding(self) -> dict[bytes, dict[str, Any] | None]:
        """What holds of words and programs, by mark."""
        holding: dict[bytes, dict[str, Any] | None] = {}
        for rule in self._store.words.all():
            word = {"word": rule.text, "kind": rule.kind, "replacement": rule.replacement}
            holding[self._word_mark(rule)] = {**word, "source": rule.source}
        for app, what in read_app_rules(self._store):
            holding[self._app_mark(app, what)] = {"app": [app, what]}
        return holding

    def _word_mark(self, rule: WordRule) -> bytes:
        return self._store.shared.mark("word", _AXIS[rule.kind], folded(rule.text))

    def _app_mark(self, app: str, what: str) -> bytes:
        return self._store.shared.mark("app", app.casefold(), is_of_context(what))


@dataclass(frozen=True)
class TakeOver(Decision[None], about=("words", "apps", "pause", "sharing")):
    """Another device, the `owner` of the log that has them, has decided these `rows`."""

    rows: Sequence[SharedRow]
    owner: str

    def apply(self, profile: Profile) -> None:
        """Let those hold that are later than what was decided here."""
        profile.journal.take_over(self.rows, self.owner, profile.pause)


@dataclass(frozen=True)
class Exclude(Decision[None], about="sharing"):
    """The settings of a `device` exclude this, by kind of pattern; None: nothing, or the device has left."""

    device: str
    excluded: dict[str, list[str]] | None

    def apply(self, profile: Profile) -> None:
        """Write it for the other devices."""
        profile.journal.write_excluded(self.device, self.excluded)
