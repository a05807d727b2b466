"""What is characteristic of a text, on texts where that is known."""

import math

import numpy as np
import pytest

from idiolect.adapters.memory.keyness import keywords
from idiolect.models.lexicon import Lexicon

COMMON = {
    "the": 0.05,
    "of": 0.03,
    "and": 0.03,
    "harbour": 1e-5,
    "office": 1e-4,
    "regards": 1e-5,
    "kind": 2e-4,
}
GENERAL = COMMON | {"tea": 3e-5, "rarest": 1e-7}


@pytest.fixture(scope="module")
def lexicon():
    forms = sorted({form.encode(): p for word, p in GENERAL.items() for form in (word, word.title())}.items())
    none = np.zeros((2, len(forms)), np.int32)
    raw = np.array([form for form, _ in forms])
    return Lexicon(raw, np.array([p for _, p in forms], np.float32), none, none)


def filler(count):
    """Words that general English uses as often: 5 % the, 3 % of, in entries of 20."""
    return ["the of and x1 x2 , the 7 8 9 of ; and"] * count


def test_what_is_used_more_than_by_others_comes_first(lexicon):
    texts = [*filler(50), *(["the harbour office", "tea of the harbour"] * 10)]
    found = {one.text: one for one in keywords(texts, lexicon)}
    assert found["harbour"].count == 20
    assert found["harbour"].entries == 20
    ranked = [one.text for one in keywords(texts, lexicon)]
    assert ranked.index("harbour") < ranked.index("tea") < ranked.index("office")
    assert "harbour office" in found
    assert [text for text in found if text.startswith("the ") or text.endswith(" the")] == []


def test_the_score_is_dunnings(lexicon):
    texts = ["tea and the", "tea of the", "tea", "the of"]
    found = {one.text: one for one in keywords(texts, lexicon)}
    k, n, p = 3, 9, float(np.float32(3e-5))
    expected = 2 * (k * math.log(k / (n * p)) + (n - k) * math.log((n - k) / (n * (1 - p))))
    assert found["tea"].score == pytest.approx(expected)
    assert found["tea"].times == pytest.approx(k / (n * p))


def test_a_word_of_nearly_every_sentence_sets_nobody_apart(lexicon):
    texts = ["the harbour of the quay and the tea"] * 50  # 37 % the, and nobody else's harbour
    found = [one.text for one in keywords(texts, lexicon)]
    assert "harbour" in found
    assert "the" not in found


def test_what_is_used_no_more_than_by_others_is_not_listed(lexicon):
    texts = ["office the of and"] * 3 + ["the of and the"] * 9000  # 3 of 36,012: less than 1 in 10,000
    assert "office" not in {one.text for one in keywords(texts, lexicon)}


def test_a_word_is_written_as_it_most_often_is(lexicon):
    found = keywords(["Zorvelin", "Zorvelin sails", "ZORVELIN sails", "sails"], lexicon)
    assert {one.text for one in found} == {"Zorvelin", "sails"}
    assert next(one for one in found if one.text == "Zorvelin").count == 3


def test_phrases_do_not_go_over_breaks_and_short_ones_give_way_to_long_ones(lexicon):
    found = {
        one.text
        for one in keywords(["kind regards xavier yvonne", "Kind regards, xavier yvonne!"] * 3, lexicon)
    }
    assert {"kind regards", "xavier yvonne"} <= found
    assert "regards xavier" in found or "kind regards xavier yvonne" in found  # three times without the comma
    assert "xavier yvonne kind" not in found
    whole = {one.text for one in keywords(["blue heron quay gate"] * 5, lexicon)}
    assert "blue heron quay gate" in whole
    assert "heron quay" not in whole
    assert {"blue", "heron", "quay", "gate"} <= whole


def test_what_stands_in_one_entry_alone_or_twice_is_not_listed(lexicon):
    assert keywords(["parrot parrot parrot parrot", "of", "gull", "gull"], lexicon) == []
