"""How likely letters follow each other in words."""

import numpy as np
import pytest

from idiolect.adapters.mending.letter_model import LetterModel

WORDS = ["the", "then", "them", "other", "weather", "don't", "cafés"]


@pytest.fixture
def letters():
    return LetterModel(np.array([word.encode() for word in WORDS]))


@pytest.mark.parametrize("slip", ["hte", "teh", "thw", "thhe"])
def test_a_slip_is_less_likely_than_a_word_made_of_usual_letters(letters, slip):
    assert letters.log_prob("ther") > letters.log_prob(slip)


@pytest.mark.parametrize(("one", "other"), [("The", "the"), ("don’t", "don't")])
def test_capitals_and_the_kind_of_apostrophe_do_not_matter(letters, one, other):
    assert letters.log_prob(one) == letters.log_prob(other)
