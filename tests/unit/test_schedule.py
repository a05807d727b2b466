"""When a round starts by itself: each condition, and that none is ever passed over."""

from dataclasses import replace
from datetime import datetime

import pytest

from idiolect.daemon.rounds.round_policy import MachineState, RoundFacts, RoundPolicy
from idiolect.daemon.settings import Settings, span_of
from idiolect.daemon.settings_file import SettingsError

NOON = datetime(2026, 1, 31, 12)
DUE = RoundFacts(tokens=20_000, new_tokens=5_000)
IDLE = MachineState(quiet_s=600, load=0.05, free_mb=8_000)


def decided(facts=DUE, machine=IDLE, now=NOON, **settings):
    return RoundPolicy(Settings(**settings)).decide(facts, machine, now)


def test_with_all_conditions_met_it_starts():
    assert decided().start


@pytest.mark.parametrize(
    ("facts", "machine", "settings", "said"),
    [
        ({}, {}, {"auto_train": False}, "auto_train is off"),
        ({"paused": True}, {}, {}, "paused"),
        ({"doing": "an evaluation"}, {}, {}, "an evaluation is running"),
        ({"tokens": 1_500, "wanted": True}, {}, {}, "after about 380 more words"),
        ({"new_tokens": 4_000}, {}, {}, "after about 750 more words"),
        (
            {"new_tokens": 9_000, "refused": 2},
            {},
            {},
            "after about 750 more words of new text, since the last 2",
        ),
        ({"failed": 1, "failed_s_ago": 600.0}, {}, {}, "tried again in 50 minutes"),
        ({"failed": 3, "failed_s_ago": 600.0}, {}, {}, "tried again in 4 hours"),
        ({"used_today_s": 3500.0}, {}, {}, "tomorrow, since 58 minutes of today's 60 minutes"),
        ({}, {}, {"hours": "22:00-07:30"}, "the hours 22:00-07:30"),
        ({}, {"quiet_s": 119.0}, {}, "the keyboard rests"),
        ({}, {"input_idle_s": 5.0}, {}, "the keyboard rests"),
        ({}, {"load": 0.31}, {}, "the machine is idle"),
        ({}, {"on_battery": True}, {}, "mains power"),
        ({}, {"temperature_c": 81.0}, {}, "cooled down"),
        ({}, {"free_mb": 1999.0}, {}, "2,000 MB of memory"),
    ],
)
def test_each_condition_alone_keeps_it_off_and_is_said(facts, machine, settings, said):
    decision = decided(replace(DUE, **facts), replace(IDLE, **machine), **settings)
    assert not decision.start
    assert said in decision.reason


@pytest.mark.parametrize(
    ("facts", "machine", "settings"),
    [
        ({"new_tokens": 0, "wanted": True}, {}, {}),
        ({"new_tokens": 0, "unfinished": True}, {}, {}),
        ({"refused": 1}, {}, {}),
        ({"new_tokens": 40_000, "refused": 10**6}, {}, {}),
        ({"failed": 1, "failed_s_ago": 3601.0}, {}, {}),
        ({"failed": 9, "failed_s_ago": None}, {}, {}),
        ({}, {"temperature_c": 79.0}, {}),
        ({"used_today_s": 0.0}, {}, {"daily_budget_s": 30.0}),
    ],
)
def test_what_does_not_keep_it_off(facts, machine, settings):
    assert decided(replace(DUE, **facts), replace(IDLE, **machine), **settings).start


@pytest.mark.parametrize(("refused", "times"), [(0, 1), (1, 1), (2, 2), (3, 3), (8, 8), (9, 8), (10**6, 8)])
def test_each_further_refusal_waits_for_more_text(refused, times):
    needed = RoundPolicy(Settings()).new_tokens_needed(refused)
    assert needed == times * 5_000
    assert decided(replace(DUE, refused=refused, new_tokens=needed)).start
    assert not decided(replace(DUE, refused=refused, new_tokens=needed - 1)).start


def test_a_round_is_no_longer_than_a_day_allows():
    assert RoundPolicy(Settings(daily_budget_s=30.0)).round_s == 30.0
    assert not decided(replace(DUE, used_today_s=1.0), daily_budget_s=30.0).start


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [("09:00-17:00", (9, 12, 16), (0, 8, 17, 23)), ("22:00-06:00", (22, 23, 0, 5), (6, 12, 21))],
)
def test_the_hours_may_go_over_midnight(hours, inside, outside):
    assert all(decided(now=NOON.replace(hour=hour), hours=hours).start for hour in inside)
    assert not any(decided(now=NOON.replace(hour=hour), hours=hours).start for hour in outside)


@pytest.mark.parametrize("wrong", ["", "9-17", "09:00", "09:00-25:00", "09:60-10:00", "09:00-09:00", "night"])
def test_hours_that_are_none_are_refused(wrong, tmp_path):
    with pytest.raises(ValueError, match="it is"):
        span_of(wrong)
    if wrong:
        with pytest.raises(SettingsError, match="hours"):
            Settings(home=tmp_path, hours=wrong)


def test_a_running_round_waits_and_goes_on():
    schedule = RoundPolicy(Settings())
    assert schedule.must_wait(IDLE) is None
    assert schedule.must_wait(replace(IDLE, quiet_s=11.0, free_mb=1.0)) is None
    assert schedule.must_wait(replace(IDLE, quiet_s=9.0)) == "waits while you type"
    assert schedule.must_wait(replace(IDLE, input_idle_s=1.0)) == "waits while you type"
    assert schedule.must_wait(replace(IDLE, load=0.5)) == ("waits while other programs use the processor")
    assert schedule.must_wait(replace(IDLE, on_battery=True)) == "waits for mains power"
    assert schedule.must_wait(replace(IDLE, temperature_c=90.0)) == "waits until the machine has cooled down"
