"""Typing with suggestions: keystrokes and seconds computed by hand."""

import re

import pytest

from idiolect.adapters.evaluation.typing_simulator import PREFIX_CHARS, GhostCounts, type_text
from idiolect.adapters.prediction.look_value import FURTHER_LOOK_S, LOOK_S, TAKE_S
from idiolect.adapters.prediction.suggestion import Ghost, GhostWord, Suggestion, Word


def scripted(words=None, ghosts=None):
    """`ask` that answers some prefixes: words as a list of texts, a ghost as (text, p, show)."""
    words, ghosts = words or {}, ghosts or {}

    def ask(prefix):
        offered = tuple(Word(text, 0.5) for text in words.get(prefix, ()))
        text, p, show = ghosts.get(prefix, ("", 0.0, False))
        pieces = tuple(GhostWord(piece, p) for piece in re.findall(r"\s*\S+", text))
        return Suggestion(offered, Ghost(text, p, show, pieces), None, 0.1)

    return ask


# --- words ---


def test_without_suggestions_each_character_is_a_keystroke():
    typed = type_text("Well, no.", scripted())
    assert typed.characters == 9
    assert typed.keys == dict.fromkeys(("bar1", "bar3", "bar5", "words", "whole"), 9)
    assert typed.shown == GhostCounts(positions=9)


def test_a_right_word_costs_one_keystroke_and_brings_its_space():
    ask = scripted({"": ["the"], "the ": ["dog", "cat"], "the cat s": ["it", "un", "at"]})
    typed = type_text("the cat sat", ask, ghosts=False)
    # 1: "the ", then c, a, t, space, s, a, t.  3: "the ", "cat ", s, "at".
    assert typed.keys == {"bar1": 8, "bar3": 4, "bar5": 4}


def test_only_as_many_words_are_seen_as_the_bar_has():
    ask = scripted({"": ["a", "b", "c", "word"]})
    assert type_text("word", ask, ghosts=False).keys == {"bar1": 4, "bar3": 4, "bar5": 1}


def test_a_word_before_a_mark_brings_no_space():
    ask = scripted({"": ["Yes"], "Yes, ": ["we"]})
    # "Yes", comma, space, "we " and the mark that follows the space.
    assert type_text("Yes, we !", ask, ghosts=False).keys["bar1"] == 5


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("then", "the"),  # ends in the middle of a word
        ("the", "then"),
        ("The", "the"),  # capitals count
        ("the", ""),
        ("it's", "it"),  # an apostrophe is part of the word
        ("B2B", "B"),  # and so is a digit
        ("été", "ét"),
    ],
)
def test_an_offer_that_is_not_the_rest_of_the_word_is_not_taken(text, offered):
    assert type_text(text, scripted({"": [offered]}), ghosts=False).keys["bar1"] == len(text)


def test_the_longest_right_suggestion_is_taken():
    ask = scripted({"": ["on", "on my way"]})
    # "on my way " and "now"; with one word: "on " and the rest.
    assert type_text("on my way now", ask, ghosts=False).keys == {"bar1": 11, "bar3": 4, "bar5": 4}


def test_words_are_not_looked_for_where_none_begins():
    ask = scripted({"a": [" b"], "a ": ["b"]})
    assert type_text("a b", ask, ghosts=False).keys["bar1"] == 3  # a, space, "b"


# --- ghosts ---


def test_ghosts_whole_and_word_by_word():
    ask = scripted(
        ghosts={
            "": ("I am on", 0.3, False),
            "I am ": ("on my way back", 0.8, True),
            "I am on my": (" way home", 0.9, True),
        }
    )
    typed = type_text("I am on my way home", ask)
    assert typed.keys["words"] == 5 + 3 + 5  # "on my way" for three, then " home" by hand
    assert typed.keys["whole"] == 10 + 1  # the first is not all right, the second is
    assert typed.shown == GhostCounts(positions=11, shown=1, right=1)
    assert (typed.keys["bar1"], typed.keys["bar5"]) == (19, 19)


def test_a_ghost_that_saves_less_than_two_keystrokes_word_by_word_is_typed():
    ask = scripted(ghosts={"": ("so", 0.9, True), "so ": ("far", 0.9, True)})
    typed = type_text("so far", ask)
    assert typed.keys["words"] == 3 + 1  # one for "far", which saves two; "so" would save one
    assert typed.keys["whole"] == 1 + 1 + 1
    assert type_text("I", scripted(ghosts={"": ("I", 0.9, True)})).keys["whole"] == 1


def test_a_ghost_must_end_where_a_word_ends():
    typed = type_text("on mythology", scripted(ghosts={"": ("on my", 0.9, True)}))
    assert typed.keys == dict.fromkeys(("bar1", "bar3", "bar5", "words", "whole"), 12)
    assert (typed.shown.right, typed.shown.wrong_new) == (1, 0)  # its first word is right all the same


def test_marks_belong_to_the_word_after_them():
    ask = scripted(ghosts={"Yes": (", of course", 0.7, True)})
    assert type_text("Yes, of me", ask).keys["words"] == 3 + 1 + 3  # ", of" in one


@pytest.mark.parametrize(
    ("text", "ghosts", "counts"),
    [
        (
            "cart",
            {"": ("cat", True), "c": ("at", True), "ca": ("t", True), "car": ("d", True)},
            GhostCounts(4, 4, 0, 2),
        ),
        ("cat", {"": ("cat", False), "c": ("at", True), "ca": ("t", True)}, GhostCounts(3, 2, 2, 0)),
        ("car", {"": ("cat", False), "c": ("at", True), "ca": ("t", True)}, GhostCounts(3, 2, 0, 1)),
        ("car", {"": ("cat", True), "c": ("at", False), "ca": ("t", True)}, GhostCounts(3, 2, 0, 2)),
    ],
)
def test_wrong_ghosts_are_counted_anew_only_where_they_are_not_typed_into(text, ghosts, counts):
    offered = {prefix: (ghost, 0.6, show) for prefix, (ghost, show) in ghosts.items()}
    assert type_text(text, scripted(ghosts=offered)).shown == counts


# --- what is asked ---


def test_each_place_is_asked_about_once_with_what_stands_before():
    asked = []

    def ask(prefix):
        asked.append(prefix)
        return Suggestion((), Ghost("", 0.0, False), None, 0.1)

    typed = type_text("a, b", ask)
    assert sorted(asked) == ["", "a", "a,", "a, "]
    assert len(typed.milliseconds) == 4
    asked.clear()
    type_text("a, b", ask, ghosts=False)
    assert asked == ["", "a, "]


def test_no_more_is_sent_than_the_end_of_a_long_text():
    longest = []

    def ask(prefix):
        longest.append(len(prefix))
        return Suggestion((), Ghost("", 0.0, False), None, 0.1)

    type_text("x " * (PREFIX_CHARS // 2 + 30), ask)
    assert max(longest) == PREFIX_CHARS


# --- seconds ---


def test_each_ghost_is_looked_at_once_and_taken_where_that_saves_time():
    ask = scripted(ghosts={"": ("we are on", 0.9, True)})
    looked, taken = LOOK_S + 2 * FURTHER_LOOK_S, 2 * 0.2 + TAKE_S  # "we are" by two keys
    assert type_text("we are off", ask, key_s=0.2).ghost_s == pytest.approx(looked + taken + 4 * 0.2)
    ask = scripted(ghosts={"": ("so", 0.9, True), "s": ("o", 0.9, True)})
    # Of a fast hand it is typed into, and what is left of it was read.
    assert type_text("so", ask, key_s=0.05).ghost_s == pytest.approx(LOOK_S + 2 * 0.05)
    ask = scripted(ghosts={"": ("no", 0.9, True), "s": ("he", 0.9, True)})
    assert type_text("so", ask, key_s=0.05).ghost_s == pytest.approx(2 * LOOK_S + 2 * 0.05), "another one"
