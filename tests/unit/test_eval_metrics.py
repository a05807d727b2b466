"""What typed messages come to, computed by hand."""

import pytest

from idiolect.adapters.evaluation.run import latency, row, savings
from idiolect.adapters.evaluation.typing_simulator import GhostCounts, TypedText

WAYS = ("bar1", "bar3", "bar5", "whole", "words")


def typed(characters, keys, shown=None, milliseconds=()):
    keys = dict.fromkeys(WAYS, keys) if isinstance(keys, int) else dict(zip(WAYS, keys, strict=True))
    return TypedText(characters, keys, shown or GhostCounts(positions=characters), [*milliseconds])


def test_a_row_by_hand():
    first = typed(100, (90, 80, 70, 60, 50), GhostCounts(90, 30, 20, 4))
    second = typed(50, (45, 45, 45, 45, 45), GhostCounts(10, 10, 0, 6))
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
    assert ghost["net"]["value"] == pytest.approx((55 - 0.5 * 10) / 150, abs=1e-5)
    assert ghost["seconds"]["value"] == pytest.approx(1 - 27 / (0.2 * 150), abs=1e-5)
    assert (ghost["shown_rate"], ghost["precision"]) == (0.4, 0.5)
    assert ghost["wrong_new_per_100"] == pytest.approx(100 * 10 / 150, abs=1e-3)
    assert row([typed(10, 10)], seed=1, key_s=0.2)["ghost"]["precision"] is None, "nothing was shown"
    assert row([], seed=1, key_s=0.2) is None


def test_an_interval_holds_its_value_and_shrinks_with_the_messages():
    few = [typed(100, keys) for keys in (40, 60, 80, 90)]
    narrow, wide = savings(few * 25, "bar3", 1), savings(few, "bar3", 1)
    for found in (narrow, wide):
        assert found["low"] < found["value"] < found["high"]
    assert narrow["high"] - narrow["low"] < 0.3 * (wide["high"] - wide["low"])
    # The standard error of a mean of 100 such messages is 0.0192; the interval reaches 1.96 of it to each side.
    assert narrow["high"] - narrow["low"] == pytest.approx(2 * 1.96 * 0.0192, rel=0.1)
    found = savings([typed(100, 50), typed(10, 10)], "bar1", seed=1)
    assert found["value"] == pytest.approx(1 - 60 / 110, abs=1e-5), "over all characters, no mean of messages"
    assert (found["low"], found["high"]) == (0.0, 0.5), "the same message twice"
    assert savings([typed(10, 4)] * 7, "bar1", 1) == {"value": 0.6, "low": 0.6, "high": 0.6}


def test_a_seed_draws_the_same():
    some = [typed(100, keys) for keys in (41, 67, 83, 92, 55)]
    assert savings(some, "bar1", 1) == savings(some, "bar1", 1)
    assert any(savings(some, "bar1", 1) != savings(some, "bar1", seed) for seed in range(2, 6))


def test_latency_is_over_all_questions():
    found = latency([typed(1, 1, milliseconds=[1.0, 2.0]), typed(1, 1, milliseconds=[100.0, 3.0])])
    assert found == {"p50": 2.0, "p95": 100.0}
