"""A stated probability becomes the one that was right, and never turns two around."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.adapters.prediction.calibration import Calibration, estimate_uptake

GRID = np.linspace(0, 1, 201)

events = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(1, 80)), max_size=6)


def learned(seen: list[tuple[float, bool, int]]) -> Calibration:
    calibration = Calibration()
    calibration.learn_many((p, came_true) for p, came_true, times in seen for _ in range(times))
    return calibration


def counted(stated: float, rate: float, events: int) -> Calibration:
    """As if so many events had been learned one by one."""
    counts = Calibration().to_json()
    counts[min(int(stated * 10), 9)] = [stated * events, events, rate * events]
    return Calibration.from_json(counts)


def test_before_anything_is_learned_it_changes_little():
    calibration = Calibration()
    assert [calibration(p) for p in GRID] == pytest.approx(GRID.tolist(), abs=0.15)
    assert calibration.events == 0
    assert calibration.to_json() == [[0, 0, 0]] * 10


def test_every_event_counts_in_its_tenth():
    calibration = learned(
        [(0.0, False, 1), (0.09, True, 1), (0.72, True, 2), (0.75, False, 1), (1.0, True, 3)]
    )
    assert calibration.events == 8
    assert calibration.to_json() == [[0.09, 2, 1], *[[0, 0, 0]] * 6, [2.19, 3, 2], [0, 0, 0], [3, 3, 3]]


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.6, 0.97])
@pytest.mark.parametrize("stated", [0.07, 0.45, 0.5, 0.83, 0.99])
def test_it_converges_to_the_true_rate(stated, rate):
    errors = [abs(counted(stated, rate, events)(stated) - rate) for events in (0, 300, 3_000, 1_000_000)]
    assert errors[-1] < 0.005
    assert errors[1] < errors[0] + 0.01
    assert errors[2] < 0.6 * errors[0] + 0.03, "and far earlier it is nearer"


@pytest.mark.parametrize("stated", [0.985, 0.999, 1.0])
def test_the_surest_are_believed_no_more_than_those_beside_them(stated):
    """Most ghosts that are shown are stated to be nearly certain: there it must not take thousands to learn."""
    assert counted(0.985, 0.0, 2_000)(stated) < 0.5
    assert counted(0.015, 1.0, 2_000)(1 - stated) > 0.5


@given(events)
def test_what_was_stated_to_be_likelier_stays_so(seen):
    calibration = learned(seen)
    values = [calibration(p) for p in GRID]
    assert all(first <= second for first, second in pairwise(values))
    assert all(0 < value < 1 for value in values), "nothing is certain"


@given(events)
def test_json_brings_it_back(seen):
    calibration = learned(seen)
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert again.events == calibration.events
    assert [again(p) for p in GRID] == pytest.approx([calibration(p) for p in GRID], abs=1e-3)
    assert again.to_json() == calibration.to_json()
    more = [(0.5, True)] * 30
    again.learn_many(more)
    calibration.learn_many(more)
    assert again(0.5) == pytest.approx(calibration(0.5), abs=1e-3), "it learns on"


def changed(row: int, column: int, value: object) -> list:
    counts: list = learned([(0.35, True, 5), (0.75, False, 3)]).to_json()
    counts[row][column] = value
    return counts


@pytest.mark.parametrize(
    "values",
    [
        None,
        "counts",
        [{}],
        [[0.0, 0.0]] * 10,
        [[0.0, 0.0, 0.0]] * 9 + [[0.0]],
        [["a", "b", "c"]] * 10,
        changed(3, 0, None),
        changed(3, 1, {}),
        changed(3, 1, float("nan")),
        changed(3, 0, float("inf")),
        changed(3, 1, -5.0),
        changed(3, 2, 6.0),  # more came true than there were
        changed(7, 0, [1.0]),
    ],
)
def test_damaged_json_is_refused(values):
    with pytest.raises(ValueError):  # noqa: PT011 (numpy words some of them)
        Calibration.from_json(json.loads(json.dumps(values)))


def test_what_is_right_and_dismissed_makes_the_uptake_less():
    values = [estimate_uptake([0] * 8 + [20, 0], [0] * 8 + [times, 0]) for times in (0, 5, 50, 500, 5_000)]
    assert values[0] == 1 == estimate_uptake([0] * 10, [0] * 10)
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.05
    unlikely = estimate_uptake([20] + [0] * 9, [50] + [0] * 9)
    assert unlikely == 1, "what was hardly ever right is not missed"
