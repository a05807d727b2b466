"""The trial of one: what is counted, when it ends, and what is said of it."""

import contextlib
from datetime import date, timedelta

import numpy as np
import pytest

from idiolect.daemon.profile.app_policy import NOWHERE, AppPolicy, InputContext
from idiolect.daemon.profile.events import Forgotten
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.serving import speed_trial as trials
from idiolect.daemon.serving.speed_trial import ENOUGH, NoTrialError, Stretch, Trial, TrialRunningError
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import ForgetReceipt
from idiolect.daemon.storage.store import Store

DAY = date(2026, 11, 29)


class Typist:
    def __init__(self, folder):
        self.store = Store.open(folder / "store.db", "ab" * 32)
        self.profile = Profile(self.store)
        self.pause = self.profile.pause
        self.policy = AppPolicy(self.profile, Settings(home=folder))
        self.rng = np.random.default_rng(5)

    def trial(self):
        return Trial(self.profile, self.policy)

    def write(self, trial, stretches, faster=0.0, *, place=NOWHERE):
        """Type so many stretches, the fourth of each four without suggestions; how many were counted."""
        counted = 0
        for number in range(stretches):
            suggestions = number % 4 != 3
            characters = int(self.rng.integers(20, 600))
            seconds = 0.25 * characters * float(np.exp(self.rng.normal(0, 0.1)))
            seconds /= 1 + faster if suggestions else 1
            counted += trial.add(Stretch(suggestions, characters, max(seconds, 3), characters), place)
        return counted


@pytest.fixture
def profile(tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "today", lambda: DAY)
    made = Typist(tmp_path)
    with contextlib.closing(made.store):
        yield made


@pytest.mark.parametrize(
    ("faster", "says"),
    [(0.2, "% faster ("), (-0.2, "Shall it show less?"), (0.0, "as fast as without")],
)
def test_it_ends_by_itself_and_says_what_came_of_it(profile, faster, says):
    trial = profile.trial()
    assert trial.status().state == "none"
    trial.start()
    assert profile.write(trial, ENOUGH - 1, faster) == ENOUGH - 1
    running = trial.status()
    assert (running.state, running.faster) == ("running", None), "nobody looks before it ends"
    assert profile.write(trial, 2, faster) == 1
    ended = trial.status()
    assert (ended.state, ended.stretches) == ("ended", ENOUGH)
    assert ended.faster.low <= faster <= ended.faster.high
    assert says in ended.says
    assert not trial.running
    assert profile.trial().status() == ended, "it is kept"


def test_it_says_how_long_it_still_takes(profile, monkeypatch):
    trial = profile.trial()
    assert trial.start().says == f"Not enough yet: 0 of {ENOUGH} stretches of writing."
    for day in range(3):
        monkeypatch.setattr(trials, "today", lambda day=day: DAY + timedelta(days=day))
        profile.write(trial, 40)
    assert trial.status().says == f"Not enough yet: 120 of {ENOUGH} stretches of writing, about 3 more days."


def test_started_twice_and_stopped_without_one_lose_nothing(profile):
    trial = profile.trial()
    with pytest.raises(NoTrialError, match="No trial runs"):
        trial.stop()
    trial.start()
    profile.write(trial, 60)
    with pytest.raises(TrialRunningError, match="goes on"):
        trial.start()
    assert trial.status().stretches == 60
    stopped = trial.stop()
    assert stopped.state == "ended"
    assert stopped.faster is not None
    with pytest.raises(NoTrialError):
        trial.stop()
    assert trial.status() == stopped
    assert not trial.add(Stretch(True, 100, 20.0, 90), NOWHERE), "none is counted that ends later"


def test_of_few_stretches_nothing_is_said(profile):
    trial = profile.trial()
    trial.start()
    profile.write(trial, 39)
    assert (trial.stop().faster, "too few" in trial.status().says) == (None, True)


def test_a_clock_that_jumps_ends_no_trial(profile, monkeypatch):
    trial = profile.trial()
    trial.start()
    profile.write(trial, 10)
    for days in (4000, -9000, 1):
        monkeypatch.setattr(trials, "today", lambda days=days: DAY + timedelta(days=days))
        assert profile.write(trial, 10) == 10
    assert trial.status().stretches == 40
    assert trial.running


def test_it_ends_after_a_month_of_writing_little(profile, monkeypatch):
    trial = profile.trial()
    trial.start()
    for day in range(40):
        monkeypatch.setattr(trials, "today", lambda day=day: DAY + timedelta(days=day))
        profile.write(trial, 1)
    assert trial.status().state == "ended"
    assert trial.status().stretches == 31


def test_only_counts_are_kept_and_none_of_what_is_off_the_record(profile):
    trial = profile.trial()
    trial.start()
    assert profile.write(trial, 1, place=InputContext("keepassxc", None, False)) == 0
    assert profile.write(trial, 1, place=InputContext("editor", None, True)) == 0
    profile.pause.begin()
    assert profile.write(trial, 1) == 0
    profile.pause.end()
    assert not trial.add(Stretch(True, 19, 20.0, 19), NOWHERE), "too short to tell"
    assert not trial.add(Stretch(True, 10**6, 3.0, 90), NOWHERE), "nobody writes as fast"
    assert not trial.add(Stretch(True, 20, 201.0, 20), NOWHERE), "nor as slowly"
    assert trial.add(Stretch(True, 120, 31.26, 90), NOWHERE)
    kept = profile.store.state.get("trial")
    assert kept == {
        "running": True,
        "stretches": [[1, 120, 31.3, 90]],
        "days": 1,
        "day": DAY.isoformat(),
    }
    profile.profile.events.publish(Forgotten(ForgetReceipt(2, (), None, 9, total=2)))
    assert (trial.status().state, profile.store.state.get("trial")) == ("none", None)
