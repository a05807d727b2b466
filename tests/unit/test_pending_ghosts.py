"""What became of ghosts that were offered."""

import pytest

from idiolect.adapters.prediction.pending_ghosts import LookedAt, PendingGhost, PendingGhosts, count_wrong

WRITTEN = "from the hardware shop"
AT = len("from the ")


def typed(ghost: str, *, every: int = 1) -> list[PendingGhost]:
    """The offers of one ghost behind "from the " while it is typed into, each so many keys."""
    return [PendingGhost(AT + keys, LookedAt(ghost[keys:], 0.6, True)) for keys in range(0, 4, every)]


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_wrong_ghost_counts_once_also_where_keys_were_not_answered(every: int) -> None:
    assert count_wrong(WRITTEN, typed("harbour", every=every)) == 1


def test_each_other_wrong_ghost_counts() -> None:
    first, second, _, _ = typed("harbour")
    assert count_wrong(WRITTEN, [first, second, PendingGhost(AT + 2, LookedAt("mless", 0.6, True))]) == 2
    assert count_wrong(WRITTEN, [first, PendingGhost(AT + 5, LookedAt("bour", 0.6, True))]) == 2, (
        "elsewhere it is another one"
    )


def test_what_was_right_or_not_shown_is_not_wrong() -> None:
    assert count_wrong(WRITTEN, typed("hardware")) == 0
    assert (
        count_wrong(
            WRITTEN, [offer._replace(found=offer.found._replace(shown=False)) for offer in typed("harbour")]
        )
        == 0
    )
    assert count_wrong("from the hardwares", typed("hardware")) == 1, "it ends where no word does"


def test_only_what_leads_to_a_text_is_taken_and_once() -> None:
    offered = PendingGhosts()
    for prefix in ("from the har", "from the ", "form the "):
        offered.add(prefix, LookedAt("x", 0.6, True))
    assert [offer.at for offer in offered.pop_along(WRITTEN)] == [AT, AT + 3]
    assert offered.pop_along(WRITTEN) == []
    assert [offer.at for offer in offered.pop_along("form the letter")] == [AT]


def test_what_waits_has_bounds() -> None:
    offered = PendingGhosts()
    for size in range(1, 2500):
        offered.add("a" * size, LookedAt("b", 0.6, True))
    for number in range(1500):
        offered.add(f"b{number}", LookedAt("b", 0.6, True))
    taken = offered.pop_along("a" * 2500)
    assert len(taken) == 500, "the oldest went"
    assert max(offer.at for offer in taken) < 2000, "a window on a longer text tells nothing"


def test_further_words_are_judged_as_far_as_those_before_them_came():
    found = LookedAt("harbour", 0.6, True, True, ((" master", 0.5), (" is", 0.4), (" late", 0.3)))
    ghost = PendingGhost(4, found)
    for written, judged in [
        ("the harbour master is here", [(0.6, True), (0.5, True), (0.4, True), (0.3, False)]),
        ("the harbour masters", [(0.6, True), (0.5, False)]),
        ("the harbours", [(0.6, False)]),
    ]:
        assert [*ghost.judged_in(written, whole=True)] == judged
        assert [*ghost.judged_in(written, whole=False)] == []
    rest = PendingGhost(4, found._replace(whole=False))
    assert [*rest.judged_in("the harbour master", whole=False)] == [(0.6, True)]
    assert [*rest.judged_in("the harbour master", whole=True)] == [(0.5, True), (0.4, False)]
