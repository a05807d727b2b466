"""How dear a wrong ghost is held."""

import json
from typing import Any

import pytest

from idiolect.adapters.prediction.ghost_penalty import GhostPenalty


def after(*typed: tuple[int, int]) -> GhostPenalty:
    """Once these were typed: characters, and wrong ghosts on the way."""
    ghost_penalty = GhostPenalty()
    for characters, wrong in typed:
        ghost_penalty.record(characters, wrong)
    return ghost_penalty


def test_a_wrong_ghost_grows_dearer_the_more_come_up() -> None:
    costs = [after((1000, wrong)).cost for wrong in (23, 25, 28, 30, 1000)]
    assert costs == sorted(costs)
    assert GhostPenalty().cost < costs[0] < costs[1] < costs[2] < costs[4] < 100


@pytest.mark.parametrize("wrong", [0, 5, 10, 17])
def test_what_a_reader_bears_changes_nothing(wrong: int) -> None:
    assert after((1000, wrong)).cost == GhostPenalty().cost


def test_what_was_long_ago_counts_less() -> None:
    bad = (2000, 80)
    assert after(bad).cost > after(bad, (4000, 60)).cost > after(bad, (8000, 120), (8000, 120)).cost
    assert after(bad, *[(1000, 10)] * 20).cost == GhostPenalty().cost


def test_of_what_is_typed_at_once_nothing_has_grown_old() -> None:
    at_once, in_parts = after((3000, 60)).cost, after(*[(100, 2)] * 30).cost
    assert GhostPenalty().cost < in_parts < at_once < 1.2 * in_parts


def test_it_is_written_and_read() -> None:
    ghost_penalty = after((1234, 56), (789, 10))
    again = GhostPenalty.from_json(json.loads(json.dumps(ghost_penalty.to_json())))
    assert again.cost == pytest.approx(ghost_penalty.cost, rel=0.01)


@pytest.mark.parametrize(
    "values",
    [
        [-1.0, 0.0],
        [1.0, -1.0],
        [float("nan"), 0.0],
        [1.0, float("inf")],
        ["a", 1.0],
        [1.0, 2.0, 3.0],
        5,
        None,
    ],
)
def test_what_are_no_counts_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match=r"no counts|not two numbers"):
        GhostPenalty.from_json(values)
