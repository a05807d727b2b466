"""Which ghosts are worth a look, and for whom."""

from typing import get_args

import pytest

from idiolect.adapters.prediction.look_value import LookValue, Show
from idiolect.adapters.prediction.standing_ghosts import StandingGhosts, extended
from idiolect.adapters.prediction.suggestion import NO_GHOST, Correction, Ghost, GhostWord, Word

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
def test_a_ghost_is_worth_a_look_from_some_speed_on(words, worth_from):
    ghost = [GhostWord(*word) for word in words]
    worth = [key_s for key_s in (FAST, USUAL, SLOW) if LookValue(key_s).pays(ghost)]
    assert worth == (
        [] if worth_from is None else [key_s for key_s in (FAST, USUAL, SLOW) if key_s >= worth_from]
    )


def test_who_seldom_takes_what_is_right_is_shown_what_is_surer():
    ghost = [GhostWord("tomorrow", 0.7)]
    assert LookValue(uptake=0.95).pays(ghost)
    assert not LookValue(uptake=0.5).pays(ghost)


def test_ghosts_are_held_back_where_few_were_taken():
    assert not LookValue(uptake=1.0).holds_back
    assert not LookValue(uptake=0.7).holds_back
    assert LookValue(uptake=0.2).holds_back
    assert not LookValue(key_s=0.02, uptake=0.2).holds_back, "so fast a typist is shown none anyway"


@pytest.mark.parametrize(
    ("text", "p", "is_grey"),
    [("definitely", 0.8, True), ("definitely", 0.2, False), ("definite", 0.99, False)],
)
def test_what_was_meant_is_worth_a_look_while_letters_of_it_are_left_to_type(text, p, is_grey):
    assert LookValue().mends(Word(text, p, len("definat"))) is is_grey
    assert not LookValue.of("asked", USUAL, 1.0).mends(Word(text, p, len("definat")))


def test_what_was_meant_by_a_finished_word_is_worth_a_look_where_it_would_be_typed_anew():
    correction = Correction("definitely ", 11, 0.5, sure=False)
    assert LookValue().mends_ended(correction)
    assert not LookValue(FAST, uptake=0.2).mends_ended(correction)
    assert not LookValue.of("asked", USUAL, 1.0).mends_ended(correction)


def test_who_pays_more_for_a_look_is_shown_less():
    ghost = [GhostWord("tomorrow", 0.7)]
    assert not LookValue(look_weight=4.0).pays(ghost)
    assert LookValue(look_weight=0.5).pays([GhostWord("tomorrow", 0.4)])


def test_a_further_word_must_be_worth_reading():
    assert LookValue(USUAL).adds(GhostWord(" tomorrow", 0.5))
    assert not LookValue(USUAL).adds(GhostWord(" tomorrow", 0.1))
    assert not LookValue(FAST).adds(GhostWord(" to", 0.5))


def test_a_ghost_waits_for_a_letter_only_where_that_tells_whether_it_is_right():
    ghost = [GhostWord("tomorrow", 0.48)]
    assert not LookValue(USUAL).pays(ghost)
    assert LookValue(USUAL).pays(ghost, alike=0.2), "today and tonight would stand after another letter, too"


@pytest.mark.parametrize(
    ("words", "worth_from"),
    [
        ([("tomorrow", 0.9)], USUAL),
        ([("tomorrow", 0.5), ("tonight", 0.2), ("today", 0.1)], USUAL),
        ([("tomorrow", 0.3), ("tonight", 0.1), ("today", 0.05)], SLOW),
        ([("of", 0.4), ("at", 0.3), ("in", 0.2)], None),
        ([("tomorrow", 0.1)], None),
        ([("tomorrow", 0.7), ("tomorrows", 0.7), ("tonight", 0.7)], USUAL),  # no more than one of them comes
    ],
)
def test_a_list_is_worth_a_look_from_some_speed_on(words, worth_from):
    offered = [Word(*word) for word in words]
    worth = [key for key in (FAST, USUAL, SLOW) if LookValue(key).list_pays(offered, NO_GHOST, float)]
    assert worth == ([] if worth_from is None else [key for key in (FAST, USUAL, SLOW) if key >= worth_from])


def test_a_list_is_worth_nothing_for_the_word_that_stands_there_in_grey():
    words = [Word("tomorrow", 0.9), Word("tonight", 0.05)]
    assert LookValue(SLOW).list_pays(words, Ghost("tomorrow", 0.9, show=False), float)
    assert not LookValue(SLOW).list_pays(words, Ghost("tomorrow then", 0.9, show=True), float)


def test_how_much_is_shown_is_the_users_choice():
    ghost = [GhostWord("tomorrow", 0.55)]
    shown = [show for show in get_args(Show) if LookValue.of(show, USUAL, 1.0).pays(ghost)]
    assert shown == ["auto", "more"]
    words = [Word("tomorrow", 0.6)]
    shown = [
        show for show in get_args(Show) if LookValue.of(show, USUAL, 1.0).list_pays(words, NO_GHOST, float)
    ]
    assert shown == ["auto", "more"]
    assert LookValue.of("more", USUAL, 0.2).pays(ghost), "who asks for more has said that it is worth it"
    assert not LookValue.of("auto", USUAL, 0.2).pays(ghost)
    assert [show for show in get_args(Show) if LookValue.of(show, SLOW, 1.0).never_pays] == ["asked"]


def test_what_stands_is_left_as_it_is_typed_into():
    standing, usual = StandingGhosts(), LookValue(USUAL)
    standing.show("See you ", USUAL, [GhostWord("tomorrow", 0.8), GhostWord(" then", 0.5)])
    assert standing.rest("See you tom", usual) == (GhostWord("orrow", 0.8), GhostWord(" then", 0.5))
    assert standing.rest("See you tomorrow", LookValue(1.05 * USUAL)) == (GhostWord(" then", 0.5 / 0.8),)
    assert standing.rest("See you tomorrow then", usual) == ()
    assert standing.rest("See you ton", usual) == ()
    assert standing.rest("See you ", usual) == (), "there it is judged anew"
    assert standing.rest("See you tom", LookValue(FAST)) == (), "somebody else types so"
    standing.forget()
    assert standing.rest("See you tom", usual) == ()


def test_behind_a_word_the_rest_of_a_ghost_must_be_worth_a_look():
    standing, usual = StandingGhosts(), LookValue(USUAL)
    standing.show("See you ", USUAL, [GhostWord("tomorrow", 0.9), GhostWord(" then", 0.25)])
    assert standing.rest("See you tomorro", usual) == (GhostWord("w", 0.9), GhostWord(" then", 0.25))
    assert standing.rest("See you tomorrow", usual) == ()


def test_what_stands_grows_but_does_not_change():
    stands = [GhostWord("orrow", 0.8)]
    assert extended(stands, [GhostWord("orrow", 0.9), GhostWord(" then", 0.6)])[1].text == " then"
    assert extended(stands, [GhostWord("ato", 0.9)]) == stands
    longer = [GhostWord("orrow", 0.8), GhostWord(" then", 0.5)]
    assert extended(longer, [GhostWord("orrow", 0.9)]) == [GhostWord("orrow", 0.9), longer[1]]
