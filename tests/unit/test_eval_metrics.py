"""What typed messages come to, computed by hand."""

import pytest

from idiolect.adapters.evaluation.eval_metrics import latency, nearest_rank, reliability, row, savings
from idiolect.adapters.evaluation.typing_simulator import GhostCounts, TypedText

WAYS = ("bar1", "bar3", "bar5", "whole", "words", "ungated")


def typed(characters, keys, shown=None, *, judged=(), milliseconds=()):
    keys = dict.fromkeys(WAYS, keys) if isinstance(keys, int) else dict(zip(WAYS, keys, strict=True))
    return TypedText(characters, keys, shown or GhostCounts(positions=characters), [*milliseconds], [*judged])


def test_savings_are_over_all_characters_not_a_mean_of_messages():
    found = savings([typed(100, 50), typed(10, 10)], "bar1", seed=1)
    assert found["value"] == pytest.approx(1 - 60 / 110, abs=1e-5)
    assert found["low"] == 0.0  # both times the message without savings
    assert found["high"] == 0.5


def test_a_row_by_hand():
    first = typed(100, (90, 80, 70, 60, 50, 40), GhostCounts(90, 30, 20, 10, 4))
    second = typed(50, (45, 45, 45, 45, 45, 45), GhostCounts(10, 10, 0, 10, 6))
    first.ghost_s, second.ghost_s = 18.0, 9.0
    found = row([first, second], seed=1, key_s=0.2)
    assert (found["messages"], found["characters"]) == (2, 150)
    values = {most: interval["value"] for most, interval in found["savings"].items()}
    assert values == {
        "1": 0.1,
        "3": pytest.approx(25 / 150, abs=1e-5),
        "5": pytest.approx(35 / 150, abs=1e-5),
    }
    ghost = found["ghost"]
    assert ghost["whole"]["value"] == 0.3
    assert ghost["words"]["value"] == pytest.approx(55 / 150, abs=1e-5)
    assert ghost["ungated"]["value"] == pytest.approx(65 / 150, abs=1e-5)
    assert ghost["net"]["value"] == pytest.approx((55 - 0.5 * 10) / 150, abs=1e-5)
    assert ghost["seconds"]["value"] == pytest.approx(1 - 27 / (0.2 * 150), abs=1e-5)
    assert (ghost["shown_rate"], ghost["precision"]) == (0.4, 0.5)
    assert ghost["wrong_per_100"] == pytest.approx(100 * 20 / 150, abs=1e-3)
    assert ghost["wrong_new_per_100"] == pytest.approx(100 * 10 / 150, abs=1e-3)


def test_nothing_shown_has_no_precision():
    assert row([typed(10, 10)], seed=1, key_s=0.2)["ghost"]["precision"] is None


def test_no_message_makes_no_row():
    assert row([], seed=1, key_s=0.2) is None


def test_an_interval_holds_its_value_and_shrinks_with_the_messages():
    few = [typed(100, keys) for keys in (40, 60, 80, 90)]
    narrow, wide = savings(few * 25, "bar3", 1), savings(few, "bar3", 1)
    for found in (narrow, wide):
        assert found["low"] < found["value"] < found["high"]
    assert narrow["high"] - narrow["low"] < 0.3 * (wide["high"] - wide["low"])
    # The standard error of a mean of 100 such messages is 0.0192; the interval reaches 1.96 of it to each side.
    assert narrow["high"] - narrow["low"] == pytest.approx(2 * 1.96 * 0.0192, rel=0.1)


def test_one_message_or_equal_ones_have_no_width():
    for found in (savings([typed(10, 4)], "bar1", 1), savings([typed(10, 4)] * 7, "bar1", 1)):
        assert found == {"value": 0.6, "low": 0.6, "high": 0.6}


def test_a_seed_draws_the_same():
    some = [typed(100, keys) for keys in (41, 67, 83, 92, 55)]
    assert savings(some, "bar1", 1) == savings(some, "bar1", 1)
    assert any(savings(some, "bar1", 1) != savings(some, "bar1", seed) for seed in range(2, 6))


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 2), (25, 1), (26, 2), (75, 3), (76, 4), (99, 4), (100, 4), (0, 1)]
)
def test_nearest_rank(percent, expected):
    assert nearest_rank([4, 1, 3, 2], percent) == expected


def test_nearest_rank_of_round_numbers_is_not_one_too_far():
    assert nearest_rank([*range(1, 101)], 95) == 95
    assert nearest_rank([*range(1, 1001)], 99) == 990
    assert nearest_rank([*range(1, 2001)], 97.5) == 1950


def test_latency_is_over_all_questions():
    found = latency([typed(1, 1, milliseconds=[1.0, 2.0]), typed(1, 1, milliseconds=[100.0, 3.0])])
    assert found == {"p50": 2.0, "p90": 100.0, "p95": 100.0, "p99": 100.0, "queries": 4}


def test_reliability_by_tenths():
    judged = [
        (0.05, False, True),
        (0.5, True, False),
        (0.59, True, True),
        (0.999, True, True),
        (1.0, True, False),
    ]
    assert reliability([typed(1, 1, judged=judged[:2]), typed(1, 1, judged=judged[2:])]) == [
        {"predicted": 0.05, "actual": 1.0, "count": 1},
        {"predicted": 0.545, "actual": 0.5, "count": 2},
        {"predicted": 0.9995, "actual": 0.5, "count": 2},
    ]
    assert reliability([typed(1, 1)]) == []
