"""How dear a wrong ghost is held."""

import pytest

from idiolect.adapters.restraint import Restraint


def test_a_wrong_ghost_grows_dearer_while_too_many_come_up_and_then_cheaper_again() -> None:
    restraint = Restraint()
    usual = restraint.cost
    costs = []
    for wrong in (3, 3, 3, 0, 0, 0, 0, 0):
        restraint.learn(100, wrong)
        costs.append(restraint.cost)
    assert usual < costs[0] < costs[1] < costs[2] > costs[3] > costs[4]
    assert costs[-1] == usual, "it is never held cheaper"


def test_what_a_reader_bears_changes_nothing() -> None:
    restraint = Restraint(5.0)
    restraint.learn(10_000, 185)
    assert restraint.cost == pytest.approx(5.0)


def test_it_has_a_bound() -> None:
    restraint = Restraint()
    restraint.learn(1, 1_000)
    assert restraint.cost < 100
    assert Restraint(restraint.cost).cost == restraint.cost


@pytest.mark.parametrize("cost", [0.0, -1.0, 1e6, float("nan")])
def test_what_is_no_cost_is_refused(cost: float) -> None:
    with pytest.raises(ValueError, match="does not cost"):
        Restraint(cost)
