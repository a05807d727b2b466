"""Which ghosts are worth a look, and for whom."""

import pytest

from idiolect.adapters.prediction.ghost import GhostWord
from idiolect.adapters.prediction.ghost_value import GhostValue
from idiolect.adapters.prediction.standing_ghosts import StandingGhosts, extended

FAST, USUAL, SLOW = 0.1, 0.24, 0.6


@pytest.mark.parametrize(
    ("words", "worth_from"),
    [
        ([("tomorrow", 0.95)], FAST),
        ([("tomorrow", 0.6)], USUAL),
        ([("tomorrow", 0.4)], SLOW),
        ([("tom", 0.95)], USUAL),
        ([("to", 0.99)], None),  # two letters are typed faster than read
        ([(" a", 0.99)], None),
        ([("to", 0.9), (" the", 0.8), (" station", 0.7)], USUAL),
        ([("tomorrow", 0.2)], None),
    ],
)
def test_a_ghost_is_worth_a_look_from_some_speed_on(
    words: list[tuple[str, float]], worth_from: float | None
) -> None:
    ghost = [GhostWord(*word) for word in words]
    worth = [key_s for key_s in (FAST, USUAL, SLOW) if GhostValue(key_s).pays(ghost)]
    assert worth == (
        [] if worth_from is None else [key_s for key_s in (FAST, USUAL, SLOW) if key_s >= worth_from]
    )


def test_who_seldom_takes_what_is_right_is_shown_what_is_surer() -> None:
    ghost = [GhostWord("tomorrow", 0.7)]
    assert GhostValue(uptake=0.95).pays(ghost)
    assert not GhostValue(uptake=0.5).pays(ghost)


def test_ghosts_are_held_back_where_few_were_taken() -> None:
    assert not GhostValue(uptake=1.0).holds_back
    assert not GhostValue(uptake=0.7).holds_back
    assert GhostValue(uptake=0.2).holds_back
    assert not GhostValue(key_s=0.02, uptake=0.2).holds_back, "so fast a typist is shown none anyway"


def test_who_pays_more_for_a_look_is_shown_less() -> None:
    ghost = [GhostWord("tomorrow", 0.7)]
    assert not GhostValue(look_weight=4.0).pays(ghost)
    assert GhostValue(look_weight=0.5).pays([GhostWord("tomorrow", 0.4)])


def test_a_further_word_must_be_worth_reading() -> None:
    assert GhostValue(USUAL).adds(GhostWord(" tomorrow", 0.5))
    assert not GhostValue(USUAL).adds(GhostWord(" tomorrow", 0.3))
    assert not GhostValue(FAST).adds(GhostWord(" to", 0.5))


def test_what_stands_is_left_as_it_is_typed_into() -> None:
    standing = StandingGhosts()
    standing.show("See you ", USUAL, [GhostWord("tomorrow", 0.8), GhostWord(" then", 0.5)])
    assert standing.rest("See you tom", USUAL) == (GhostWord("orrow", 0.8), GhostWord(" then", 0.5))
    assert standing.rest("See you tomorrow", 1.05 * USUAL) == (GhostWord(" then", 0.5),)
    assert standing.rest("See you tomorrow then", USUAL) == ()
    assert standing.rest("See you ton", USUAL) == ()
    assert standing.rest("See you ", USUAL) == (), "there it is judged anew"
    assert standing.rest("See you tom", FAST) == (), "somebody else types so"
    standing.forget()
    assert standing.rest("See you tom", USUAL) == ()


def test_what_stands_grows_but_does_not_change() -> None:
    stands = [GhostWord("orrow", 0.8)]
    assert extended(stands, [GhostWord("orrow", 0.9), GhostWord(" then", 0.6)])[1].text == " then"
    assert extended(stands, [GhostWord("ato", 0.9)]) == stands
    longer = [GhostWord("orrow", 0.8), GhostWord(" then", 0.5)]
    assert extended(longer, [GhostWord("orrow", 0.9)]) == [GhostWord("orrow", 0.9), longer[1]]
