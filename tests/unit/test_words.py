"""Which words can be suggested, and what each is worth, on a list small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from idiolect.adapters.words import Words
from idiolect.models.lexicon import Lexicon

GENERAL = 50_000.0  # words of the user's own text that the general frequencies count for
VOCAB = 128


def encode(text: str) -> list[int]:
    """Every character is a token, as its code modulo the vocabulary; a space belongs to the character after it."""
    if text.startswith(" "):
        return [(ord(text[1]) + 64) % VOCAB, *(ord(c) % VOCAB for c in text[2:])]
    return [ord(c) % VOCAB for c in text]


def lexicon(**frequency: float) -> Lexicon:
    forms = sorted(frequency, key=str.encode)
    return Lexicon(
        np.array([form.encode() for form in forms]),
        np.array([frequency[form] for form in forms], dtype=np.float32),
        np.array([[encode(space + form)[0] for form in forms] for space in ("", " ")], dtype=np.int32),
    )


def new(**frequency: float) -> Words:
    return Words(lexicon(**frequency), encode, VOCAB)


def uniform() -> np.ndarray:
    return np.full(VOCAB, 1 / VOCAB, dtype=np.float32)


def p(**chances: float) -> np.ndarray:
    """A distribution that gives these chances to words beginning with these letters, after a space."""
    found = np.zeros(VOCAB, dtype=np.float32)
    for letter, chance in chances.items():
        found[encode(f" {letter}")[0]] = chance
    return found


def test_a_word_is_worth_its_tokens_chance_times_its_share() -> None:
    words = new(the=6e-2, that=3e-2, tea=1e-2, a=5e-2)
    found = words.match("", True, p(t=0.5, a=0.2), 10)
    assert found.forms == ["the", "a", "that", "tea"]
    assert found.scores == pytest.approx([0.3, 0.2, 0.15, 0.05])
    assert found.mass == pytest.approx(0.7)


def test_only_longer_words_that_begin_as_typed_are_found() -> None:
    words = new(the=6e-2, then=3e-2, they=2e-2, tea=1e-2, a=5e-2)
    assert words.match("the", True, uniform(), 10).forms == ["then", "they"]
    assert words.match("th", True, uniform(), 10).forms == ["the", "then", "they"]
    assert words.match("them", True, uniform(), 10).forms == []
    assert words.match("T", True, uniform(), 10).forms == []


def test_the_most_probable_are_listed_and_the_mass_is_of_all() -> None:
    words = new(**{f"a{letter}": 1e-3 * (place + 1) for place, letter in enumerate("bcdefghij")})
    found = words.match("a", True, p(a=0.9), 2)
    assert found.forms == ["aj", "ai"]
    assert found.mass == pytest.approx(0.9)
    assert found.scores.sum() < found.mass


def test_the_users_own_words_count_beside_the_general_ones() -> None:
    words = new(tea=1e-3, ten=1e-3)
    words.learn("Tern! tern, tern-tern")
    weight = 1e-3 * GENERAL
    found = words.match("te", True, p(t=1.0), 10)
    assert found.forms == ["ten", "tea", "tern"]
    assert found.scores == pytest.approx(np.array([weight, weight, 3]) / (2 * weight + 3), rel=1e-5)
    assert words.match("Te", True, uniform(), 10).forms == ["Tern"], "capitals as they were typed"
    words.learn_many(["tern"] * 1000)
    assert words.match("te", True, p(t=1.0), 1).forms == ["tern"]
    words.learn_many(["tea"] * 5000)
    assert words.match("te", True, p(t=1.0), 1).forms == ["tea"], "a general word that the user likes"


def test_one_at_a_time_is_as_all_at_once() -> None:
    texts = ["Xo xo, ye xo", "ye olde", "olde tea"]
    one, all_at_once = new(tea=1e-3), new(tea=1e-3)
    for text in texts:
        one.learn(text)
    all_at_once.learn_many(texts)
    for typed in ("", "x", "X", "y", "o", "t"):
        first, second = (words.match(typed, False, uniform(), 9) for words in (one, all_at_once))
        assert dict(zip(first.forms, first.scores.tolist(), strict=True)) == pytest.approx(
            dict(zip(second.forms, second.scores.tolist(), strict=True))
        )


def test_a_word_after_a_space_is_filed_apart() -> None:
    words = new(tea=1e-3)
    alone = np.zeros(VOCAB, dtype=np.float32)
    alone[ord("t")] = 0.5
    assert words.match("t", False, alone, 3).scores == pytest.approx([0.5])
    assert words.match("t", True, alone, 3).forms == []


@pytest.mark.parametrize("typed", ["it", "it'", "it’", "Ä", "日", "q4", "𝒜"])
def test_any_letters_can_be_typed(typed: str) -> None:
    words = new(it=1e-3)
    words.learn("it's it’s Äpfel 日本語 q42 𝒜𝓫")
    found = words.match(typed, True, uniform(), 5)
    assert found.forms
    assert all(form.startswith(typed) and form != typed for form in found.forms)


def test_endless_runs_are_not_words() -> None:
    words = new(it=1e-3)
    words.learn("q" * 41 + " " + "z" * 40)
    assert words.match("q", True, uniform(), 5).forms == []
    assert words.match("z", True, uniform(), 5).forms == ["z" * 40]


def test_scores_never_exceed_the_distribution() -> None:
    random = np.random.default_rng(3)
    letters = [*"abcde"]
    words = new(**{"".join(random.choice(letters, 3)): float(random.random() * 1e-3) for _ in range(40)})
    for _ in range(30):
        words.learn(" ".join("".join(random.choice(letters, int(random.integers(1, 5)))) for _ in range(9)))
        for spaced in (False, True):
            chances = random.dirichlet(np.ones(VOCAB)).astype(np.float32)
            found = words.match("", spaced, chances, 1000)
            assert found.mass <= 1 + 1e-5
            assert found.scores.sum() == pytest.approx(found.mass, rel=1e-4)


def test_a_reader_in_the_midst_of_learning_finds_whole_words() -> None:
    """Suggestions are asked for in one thread while another learns; here at the very moment of writing."""
    words = new(it=1e-3)

    class Asked(dict):
        def __setitem__(self, form: str, facts: tuple[float, int, int]) -> None:
            words.match(form[:1], True, uniform(), 3)
            super().__setitem__(form, facts)
            words.match(form[:1], True, uniform(), 3)

    words._facts = Asked()
    words.learn("wa wb")
    words.learn("wb wc")
    assert words.match("w", True, uniform(), 3).forms == ["wb", "wc", "wa"]
