"""Rounds of a service with the tiny model: they step back, are cut off, and go on where they were."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from idiolect.models.build import BasePaths

DEADLINE_S = 240
SOME = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"


class Profile:
    """A service over one profile's folder, which may be started again, and its round in a thread."""

    def __init__(self, home: Path, tiny: BasePaths) -> None:
        self.home, self.tiny = home, tiny
        self.given: dict[str, Any] = {
            "keyring": False,
            "auto_train": False,
            "min_tokens": 50,
            "threads": 1,
            "rank": 4,
            "epochs": 60,
            "learning_rate": 2e-2,
            "recent_tokens": 40,
            "quiet_s": 0,
            "rest_s": 0.3,
            "max_load": 1,
            "min_free_mb": 0,
            "on_battery": True,
        }
        self.open()

    def open(self) -> None:
        settings = Settings(home=self.home, **self.given).prepare()
        if not settings.base_dir.is_symlink():
            settings.base_dir.rmdir()
            settings.base_dir.symlink_to(self.tiny.folder.parent)
        self.service = Service(settings)
        self.store = self.service._store

    def begin(self, reason: str = "due", budget_s: float | None = None) -> None:
        """Start a round and return once it trains."""
        self.events: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._follow, args=(budget_s, reason))
        self.thread.start()
        until(lambda: self.trained() > 0 or not self.thread.is_alive())
        assert self.error is None

    def _follow(self, budget_s: float | None, reason: str) -> None:
        try:
            self.events += self.service.train(budget_s, reason)
        except Exception as error:
            self.error = error

    def trained(self) -> int:
        progress = self.service.status()["training"] or {}
        return progress.get("tokens", 0)

    def child(self) -> psutil.Process:
        return psutil.Process(self.service._children._child.pid)

    def stands_still(self) -> bool:
        return self.child().status() == psutil.STATUS_STOPPED

    def end(self) -> dict[str, Any]:
        """Wait for the round's end; its last event."""
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()
        assert self.error is None
        return self.events[-1]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.005)


@pytest.fixture
def profile(tmp_path: Path, tiny: BasePaths) -> Iterator[Profile]:
    profile = Profile(tmp_path / "home", tiny)
    random = np.random.default_rng(12)
    for _ in range(110):
        assert profile.service.learn(" ".join(random.choice(SOME.split(), 9)), "test", None, None).stored
    yield profile
    profile.service.close()


@pytest.mark.skipif(os.name == "nt", reason="a process is suspended in another way there")
def test_a_round_that_began_by_itself_waits_while_the_user_types(profile: Profile) -> None:
    profile.begin()
    profile.service.suggest("see you ")
    pressed = time.monotonic()
    until(profile.stands_still)
    took_s = time.monotonic() - pressed
    assert took_s < 2, "generous: it is some milliseconds on an idle machine"
    before = profile.child().cpu_times()
    for _ in range(4):
        profile.service.suggest("see you ")
        assert profile.stands_still()
        time.sleep(0.1)  # within `rest_s`, so that the keyboard never rests
    assert profile.child().cpu_times() == before
    assert profile.service.status()["training"]["waits"] == "waits while you type"
    at = profile.trained()
    until(lambda: profile.trained() > at)  # the keyboard rests
    assert profile.service.status()["training"]["waits"] is None
    assert profile.end()["event"] == "verdict"


@pytest.mark.skipif(os.name == "nt", reason="a process is suspended in another way there")
def test_a_round_that_is_asked_for_goes_on_while_the_user_types(profile: Profile) -> None:
    profile.begin()
    profile.service.suggest("see you ")
    until(profile.stands_still)
    asked: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: asked.extend(profile.service.train(None, "asked")))
    waiting.start()  # joins the round that is under way
    until(lambda: not profile.service._rounds._manners.by_itself)
    at = profile.trained()
    while profile.trained() == at:
        profile.service.suggest("see you ")
    verdict = profile.end()
    waiting.join(DEADLINE_S)
    assert asked[-1] == verdict
    assert len(profile.store.rounds()) == 1
