"""What the user has decided about words, as suggestions heed it."""

import pytest

from idiolect.adapters.prediction.word_preferences import WordPreferences


@pytest.mark.parametrize(
    ("never", "before", "offered"),
    [
        ("FYI", "", "Fyi"),
        ("fyi", "", "FYI"),
        ("FYI", "FY", "I"),
        ("FYI", "See below. ", "FYI only"),
        ("let me know", "Let me ", "know"),
        ("let me know", "Let me kn", "ow"),
        ("let me know", "", "Let me know if"),
        ("let me know", "so let  me\n"[:-1] + " ", "know"),
        ("don't", "", "don’t"),
        ("don’t", "do", "n't"),
        ("e.g.", "", "e.g. this"),
        ("café", "", "cafe\u0301"),
        ("你好", "", "她说你好吗"),
        ("best, john", "Best", ", John"),
        ("😂", "haha ", "😂"),
        ("❤️", "love", " ❤️"),
    ],
)
def test_what_is_never_suggested_is_known_wherever_it_would_be_completed(never, before, offered):
    assert WordPreferences(never=[never]).forbids(before, offered)


@pytest.mark.parametrize(
    ("never", "before", "offered"),
    [
        ("FYI", "FYI ", "see"),
        ("cat", "", "category"),
        ("cat", "", "bobcat"),
        ("let me know", "Let me ", "go"),
        ("let me know", "you let me. ", "Know this"),
        ("best regards", "That is best. ", "Regards"),
        ("C++", "", "C"),
        ("你好", "你好", "吗"),
        ("...", "", "fyi"),
    ],
)
def test_other_words_are_suggested(never, before, offered):
    assert not WordPreferences(never=[never]).forbids(before, offered)


def test_a_phrase_with_signs_is_known_by_them():
    assert WordPreferences(never=["C++"]).forbids("I like ", "C++ a lot")


@pytest.mark.parametrize(
    ("mine", "before", "rest"),
    [
        ("Zorvelin", "at Zo", ["rvelin"]),
        ("Zorvelin", "at zo", ["rvelin"]),
        ("Zorvelin", "at Z", []),
        ("Zorvelin", "at ", []),
        ("Zorvelin", "Zorvelin", []),
        ("see you at Zorvelin", "so see you ", ["at"]),
        ("see you at Zorvelin", "See you at Z", ["orvelin"]),
        ("see you at Zorvelin", "see you at", []),
        ("see you at Zorvelin", "see you,", []),
        ("42 Baker Street", "42 Ba", ["ker"]),
        ("Straße", "in Str", ["aße"]),
        ("İstanbul", "in İst", []),
        ("你好吗", "你好", ["吗"]),
    ],
)
def test_words_of_the_users_own_are_found_by_two_letters_and_phrases_by_their_words(mine, before, rest):
    assert WordPreferences(mine=[mine]).rest_of_own(before) == rest


def test_what_is_the_users_own_is_no_secret_and_other_words_beside_it_are():
    mine = WordPreferences(mine=["4821", "dock 77"])
    assert mine.owns("the code is ", "4821")
    assert mine.owns("the code is 48", "21")
    assert mine.owns("at ", "dock 77")
    assert not mine.owns("the code is ", "4821 9999")
    assert not mine.owns("the code is ", "9999")
    assert not WordPreferences().owns("", "4821")


def test_more_words_are_looked_for_where_some_may_go():
    assert WordPreferences().more == 0
    assert WordPreferences(never=["a", "b"]).more == 2
    assert WordPreferences(never=map(str, range(100))).more == 8
