"""Known misspellings: what is meant by them, that none is offered, and that British spellings and names are none."""

import pytest

from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.mistakes import Mistakes, decisions
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.models.lexicon import read_lexicon
from idiolect.models.misspellings import Misspellings, are_regional_twins


@pytest.fixture(scope="module")
def general(tiny):
    return GeneralWords(read_lexicon(tiny.lexicon))


def test_a_list_is_searched_as_it_stands():
    listed = Misspellings(b"aa->a\nab'c->b, c,\nabd->d\nzz->z, two words,\n")
    assert listed.meanings("aa") == ("a",)
    assert listed.meanings("ab'c") == ("b", "c")
    assert listed.meanings("abd") == ("d",)
    assert listed.meanings("zz") == ("z", "two words")
    for word in ("", "a", "ab", "abdd", "d", "->a", "z", "ß", "aa->a"):
        assert listed.meanings(word) == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("untill", "until"),
        ("wich", "which"),
        ("hte", "the"),
        ("adn", "and"),
        ("yuo", "you"),
        ("alot", "a lot"),
        ("im", "i'm"),  # no list has it: an apostrophe is all that lacks
        ("dont", "don't"),
        ("youll", "you'll"),
        ("youre", None),  # or "your"
        ("wil", None),  # or "well"
        ("its", None),  # words as they are
        ("cant", None),
        ("were", None),
        ("because", None),
        ("kubectl", None),
        ("goin", None),  # as it is said
    ],
)
def test_some_misspellings_have_one_meaning_in_any_context(general, typed, meant):
    assert general.meant_by(typed) == meant


@pytest.mark.parametrize("word", ["definately", "Thier", "alot", "freind", "youre"])
def test_misspellings_are_recognized(general, word):
    assert general.is_misspelling(word)


@pytest.mark.parametrize(
    "word", ["their", "colour", "Organise", "im", "talkin", "Claus", "Zorvelin", "centre"]
)
def test_words_names_and_speech_are_none(general, word):
    assert not general.is_misspelling(word)


@pytest.mark.parametrize(
    "word", ["colour", "organise", "theatre", "travelled", "catalogue", "defence", "analyse"]
)
def test_british_words_are_spelt_right(general, word):
    assert general.is_spelt(word)
    assert not general.is_spelt("colur")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("colour", "color"),
        ("organised", "organized"),
        ("centre", "center"),
        ("fulfil", "fulfill"),
        ("grey", "gray"),
    ],
)
def test_regional_twins(one, other):
    assert are_regional_twins(one, other)
    assert are_regional_twins(other, one)
    assert not are_regional_twins(one, one)
    assert not are_regional_twins(one, "their")


def test_a_misspelling_is_never_offered_but_for_who_says_that_it_is_theirs(general):
    known = Mistakes(general, TypingChannel(), lambda: decisions([], []))
    assert known.has_mistake("definately")
    known.learn_many(["It is definately late. " * 20])
    assert known.has_mistake("definately")
    assert known.mend("So definately.") == "So definitely."
    theirs = Mistakes(general, TypingChannel(), lambda: decisions(["definately"], []))
    assert not theirs.has_mistake("definately")


def test_a_name_that_looks_like_a_misspelling_is_the_users(general):
    known = Mistakes(general, TypingChannel(), lambda: decisions([], []))
    text = "I met Freind again. " * 3
    assert known.learn_many([text]) == [text]
    assert not known.has_mistake("Freind")


def test_texting_without_apostrophes_is_a_habit(general):
    known = Mistakes(general, TypingChannel(), lambda: decisions([], []))
    text = "im late, dont wait. " * 5
    assert known.learn_many([text]) == [text]
    assert not known.has_mistake("dont")
