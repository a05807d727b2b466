"""Words in mixed case and in capitals are found in the lists' own capitals, and twins share one place."""

import numpy as np
import pytest

from idiolect.adapters.memory.letter_case import (
    in_one_form,
    is_in_capitals,
    other_case,
    with_other_case,
)
from idiolect.adapters.memory.word_matching import Matches
from idiolect.adapters.prediction.suggestion import Word


@pytest.mark.parametrize(
    ("typed", "lookups", "written"),
    [
        ("iPh", ("iph", "Iph"), "one"),
        ("McDo", ("mcdo", "Mcdo"), "one"),
        ("IMP", ("imp", "Imp"), "ONE"),
        ("É9A", ("é9a", "É9a"), "ONE"),
    ],
)
def test_unusual_capitals_are_looked_up_in_usual_ones(typed, lookups, written):
    case = other_case(typed, in_capitals=False)
    assert case is not None
    assert case.lookups == lookups
    assert case.restyle("one") == written


@pytest.mark.parametrize("typed", ["", "i", "I", "imp", "Imp", "don't", "Don't", "42", "İSTAN", "ab\u0301"])
def test_usual_capitals_are_looked_up_as_they_are(typed):
    assert other_case(typed, in_capitals=False) is None


def test_among_words_in_capitals_the_first_letter_tells():
    case = other_case("I", in_capitals=True)
    assert case is not None
    assert case.lookups == ("i",)
    assert case.restyle("mportant") == "MPORTANT"
    assert other_case("i", in_capitals=True) is None
    assert other_case("", in_capitals=True) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["THIS", "IS"], True),
        (["so", "THIS", "IS"], True),
        (["THIS", "is"], False),
        (["IS"], False),
        ([], False),
        (["WHAT", "I"], False),
        (["42", "17"], False),
    ],
)
def test_two_words_in_capitals_are_a_habit(words, expected):
    assert is_in_capitals(words) == expected


def matches(finished: float = 0.0, rest: float = 0.0, **scores: float) -> Matches:
    values = np.array([*scores.values()], np.float32)
    return Matches([*scores], values, float(values.sum()) + rest, finished)


def test_words_in_other_capitals_share_the_mass_that_is_theirs():
    case = other_case("IM", in_capitals=False)
    assert case is not None
    small = matches(import_=0.0, important=0.006, imply=0.002)
    found = with_other_case(matches(IMHO=0.3), [small, matches(Important=0.002)], "IM", case, 0.4, 3)
    assert found.forms == ["IMPORTANT", "IMHO", "IMPLY"]
    assert found.scores.tolist() == pytest.approx([0.32, 0.3, 0.08])
    assert found.total == pytest.approx(0.7)


def test_among_words_in_capitals_all_go_on_in_capitals():
    case = other_case("P", in_capitals=True)
    assert case is not None
    found = with_other_case(matches(Photo=0.3, PDF=0.1), [matches(photo=0.5, part=0.5)], "P", case, 0.4, 9)
    assert found.forms == ["PHOTO", "PART", "PDF"]
    assert found.scores.tolist() == pytest.approx([0.5, 0.2, 0.1])


def test_what_is_finished_in_other_capitals_counts_as_finished():
    case = other_case("IMP", in_capitals=False)
    assert case is not None
    found = with_other_case(matches(), [matches(finished=1.0, rest=1.0, important=2.0)], "IMP", case, 0.4, 3)
    assert (found.total, found.finished) == (pytest.approx(0.3), pytest.approx(0.1))


def test_of_forms_that_differ_in_capitals_the_likeliest_stays():
    words = [Word("FYI", 0.3), Word("Fyi", 0.2), Word("See", 0.1), Word("fyi", 0.05), Word("SEE", 0.01)]
    assert in_one_form(words) == [words[0], words[2]]
