"""What became of ghosts that were offered."""

from idiolect.adapters.prediction.standing_ghosts import UnjudgedGhost, UnjudgedGhosts
from idiolect.adapters.prediction.suggestion import Word

WRITTEN = "from the hardware shop"
AT = len("from the ")


def test_only_what_leads_to_a_text_is_taken_and_once():
    offered = UnjudgedGhosts()
    for prefix in ("from the har", "from the ", "form the "):
        offered.add(prefix, UnjudgedGhost(len(prefix), "x", 0.6))
    assert [offer.at for offer in offered.pop_along(WRITTEN)] == [AT, AT + 3]
    assert offered.pop_along(WRITTEN) == []
    assert [offer.at for offer in offered.pop_along("form the letter")] == [AT]


def test_what_waits_has_bounds():
    offered = UnjudgedGhosts()
    for size in range(1, 2500):
        offered.add("a" * size, UnjudgedGhost(size, "b", 0.6))
    for number in range(1500):
        offered.add(f"b{number}", UnjudgedGhost(0, "b", 0.6))
    taken = offered.pop_along("a" * 2500)
    assert len(taken) == 500, "the oldest went"
    assert max(offer.at for offer in taken) < 2000, "a window on a longer text tells nothing"


def test_further_words_are_judged_as_far_as_those_before_them_came():
    further = (Word(" master", 0.5), Word(" is", 0.4), Word(" late", 0.3))
    ghost = UnjudgedGhost(4, "harbour", 0.6, True, further)
    for written, judged in [
        ("the harbour master is here", [(0.6, True), (0.5, True), (0.4, True), (0.3, False)]),
        ("the harbour masters", [(0.6, True), (0.5, False)]),
        ("the harbours", [(0.6, False)]),
    ]:
        assert [*ghost.judged_in(written)] == [(True, *one) for one in judged]
    rest = ghost._replace(whole=False)
    assert [*rest.judged_in("the harbour master")] == [
        (False, 0.6, True),
        (True, 0.5, True),
        (True, 0.4, False),
    ]
