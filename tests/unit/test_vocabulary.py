"""Which words can be suggested, and what each is worth, on a list small enough to count by hand."""

import numpy as np
import pytest

from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.memory.word_matching import Matches, match_words
from idiolect.adapters.memory.word_table import Continuation
from idiolect.models.lexicon import NONE, Lexicon

GENERAL = 50_000.0  # words of the user's own text that the general frequencies count for
VOCAB = 128


def encode(text):
    """Every character is a token, as its code modulo the vocabulary; a space belongs to the character after it."""
    if text.startswith(" ") and len(text) > 1:
        return [(ord(text[1]) + 64) % VOCAB, *(ord(c) % VOCAB for c in text[2:])]
    return [ord(c) % VOCAB for c in text]


def lexicon(**frequency):
    forms = sorted(frequency, key=str.encode)
    ids = [[[*encode(space + form), NONE] for form in forms] for space in ("", " ")]
    return Lexicon(
        np.array([form.encode() for form in forms]),
        np.array([frequency[form] for form in forms], dtype=np.float32),
        np.array([[word[0] for word in row] for row in ids], dtype=np.int32),
        np.array([[word[1] for word in row] for row in ids], dtype=np.int32),
    )


def new(**frequency):
    return WordVocabulary(lexicon(**frequency), encode, VOCAB)


def uniform():
    return np.full(VOCAB, 1 / VOCAB, dtype=np.float32)


def p(**chances):
    """A distribution that gives these chances to words beginning with these letters, after a space."""
    found = np.zeros(VOCAB, dtype=np.float32)
    for letter, chance in chances.items():
        found[encode(f" {letter}")[0]] = chance
    return found


def inside(trust=1.0, **chances):
    """A distribution over letters inside a word."""
    found = np.zeros(VOCAB, dtype=np.float32)
    for letter, chance in chances.items():
        found[ord(letter)] = chance
    return Continuation(found, trust)


def after(letter, known):
    """Something is known of what follows this first letter, and nothing of what follows others."""
    return lambda token, _share: known if token == encode(f" {letter}")[0] else None


def scores(found):
    return dict(zip(found.forms, found.scores.tolist(), strict=True))


def test_a_word_is_worth_its_tokens_chance_times_its_share():
    words = new(the=6e-2, that=3e-2, tea=1e-2, a=5e-2)
    found = match_words(words, "", True, p(t=0.5, a=0.2), 10)
    assert found.forms == ["the", "a", "that", "tea"]
    assert found.scores == pytest.approx([0.3, 0.2, 0.15, 0.05])
    assert found.total == pytest.approx(0.7)


def test_only_longer_words_that_begin_as_typed_are_found():
    words = new(the=6e-2, then=3e-2, they=2e-2, tea=1e-2, a=5e-2)
    assert match_words(words, "the", True, uniform(), 10).forms == ["then", "they"]
    assert match_words(words, "th", True, uniform(), 10).forms == ["the", "then", "they"]
    assert match_words(words, "them", True, uniform(), 10).forms == []
    assert match_words(words, "T", True, uniform(), 10).forms == []


def test_the_most_probable_are_listed_and_the_mass_is_of_all():
    words = new(**{f"a{letter}": 1e-3 * (place + 1) for place, letter in enumerate("bcdefghij")})
    found = match_words(words, "a", True, p(a=0.9), 2)
    assert found.forms == ["aj", "ai"]
    assert found.total == pytest.approx(0.9)
    assert found.scores.sum() < found.total


def test_what_is_typed_may_be_the_whole_word():
    words = new(the=6e-2, then=3e-2, thin=1e-2)
    found = match_words(words, "the", True, p(t=0.5), 10)
    assert scores(found) == pytest.approx({"then": 0.15})
    assert found.total == pytest.approx(0.15)
    assert found.finished == pytest.approx(0.3)
    assert match_words(words, "th", True, p(t=0.5), 10).finished == 0
    assert match_words(words, "thinn", True, p(t=0.5), 10) == Matches([], pytest.approx([]), 0, 0)
    assert match_words(words, "", True, p(t=0.5), 10).finished == 0
    words.learn_many(["thinner thi"])
    assert match_words(words, "thi", True, p(t=0.5), 10).finished > 0, "a word of the user's own too"


def test_the_users_own_words_count_beside_the_general_ones():
    words = new(tea=1e-3, ten=1e-3)
    words.learn_many(["Tern! tern, tern-tern"])
    weight = 1e-3 * GENERAL
    found = match_words(words, "te", True, p(t=1.0), 10)
    assert found.forms == ["ten", "tea", "tern"]
    assert found.scores == pytest.approx(np.array([weight, weight, 3]) / (2 * weight + 3), rel=1e-5)
    assert match_words(words, "Te", True, uniform(), 10).forms == ["Tern"], "capitals as they were typed"
    words.learn_many(["tern"] * 1000)
    assert match_words(words, "te", True, p(t=1.0), 1).forms == ["tern"]
    words.learn_many(["tea"] * 5000)
    assert match_words(words, "te", True, p(t=1.0), 1).forms == ["tea"], "a general word that the user likes"


def test_one_at_a_time_is_as_all_at_once():
    texts = ["Xo xo, ye xo", "ye olde", "olde tea"]
    one, all_at_once = new(tea=1e-3), new(tea=1e-3)
    for text in texts:
        one.learn_many([text])
        match_words(
            one, "", False, uniform(), 9, continuation=lambda _token, _share: inside(e=0.5)
        )  # which may be remembered
    all_at_once.learn_many(texts)
    for typed in ("", "x", "X", "y", "o", "t"):
        for known in (None, inside(e=0.3, o=0.2, l=0.1)):
            first, second = (
                match_words(
                    words, typed, False, uniform(), 9, continuation=lambda _token, _share, known=known: known
                )
                for words in (one, all_at_once)
            )
            assert scores(first) == pytest.approx(scores(second))


def test_a_word_after_a_space_is_filed_apart():
    words = new(tea=1e-3)
    alone = np.zeros(VOCAB, dtype=np.float32)
    alone[ord("t")] = 0.5
    assert match_words(words, "t", False, alone, 3).scores == pytest.approx([0.5])
    assert match_words(words, "t", True, alone, 3).forms == []


def test_endless_runs_are_not_words():
    words = new(it=1e-3)
    words.learn_many(["q" * 41 + " " + "z" * 40])
    assert match_words(words, "q", True, uniform(), 5).forms == []
    assert match_words(words, "z", True, uniform(), 5).forms == ["z" * 40]
    in_text = {"q" * 41: 1, "y" * 40: 1}
    assert match_words(words, "q", True, uniform(), 5, in_text=in_text).forms == []
    assert match_words(words, "y", True, uniform(), 5, in_text=in_text).forms == ["y" * 40]


# A look behind the first token


def test_the_second_token_shares_out_what_the_first_one_has():
    words = new(the=6e-2, that=3e-2, tea=1e-2, toe=1e-2, a=5e-2)
    found = match_words(words, "", True, p(t=0.5, a=0.2), 10, continuation=after("t", inside(h=0.1, o=0.8)))
    assert scores(found) == pytest.approx({"toe": 0.4, "a": 0.2, "the": 0.1 / 3, "that": 0.05 / 3})
    assert found.total == pytest.approx(0.5 * 0.9 + 0.2), "the rest goes on in other ways"


def test_words_are_cut_well_where_some_are_cut_and_few():
    cut_well = {share: new(a=share, tea=1 - share).are_cut_well for share in (0.3, 0.5, 0.7, 0.8, 0.9)}
    assert cut_well == {0.3: False, 0.5: False, 0.7: True, 0.8: True, 0.9: False}


def test_it_is_followed_as_far_as_it_is_trusted():
    words = new(the=3e-2, toe=1e-2)
    for trust in (0.0, 0.25, 1.0):
        found = match_words(words, "t", True, p(t=0.8), 10, continuation=after("t", inside(trust, o=1.0)))
        expected = {"the": (1 - trust) * 0.6, "toe": (1 - trust) * 0.2 + trust * 0.8}
        assert scores(found) == pytest.approx({form: score for form, score in expected.items() if score})


def test_a_word_of_that_token_alone_has_what_no_longer_word_takes():
    words = new(a=5e-2, an=3e-2, at=1e-2)
    known = after("a", inside(n=0.2, t=0.1, x=0.6))
    found = match_words(words, "", True, p(a=0.5), 10, continuation=known)
    assert scores(found) == pytest.approx({"a": 0.35, "an": 0.1, "at": 0.05})
    found = match_words(words, "a", True, p(a=0.5), 10, continuation=known)
    assert found.finished == pytest.approx(0.35)
    assert found.total == pytest.approx(0.15)


def test_a_rare_word_of_ones_own_comes_first_where_its_second_token_does():
    words = new(tea=1e-2)
    words.learn_many(["tern"] * 900 + ["txyl"])
    assert match_words(words, "t", True, p(t=1.0), 3).forms[0] == "tern"
    assert match_words(words, "t", True, p(t=1.0), 1, continuation=after("t", inside(0.9, x=0.9))).forms == [
        "txyl"
    ]


def test_what_was_remembered_of_second_tokens_grows_with_what_is_learned():
    words, known = new(the=1e-4, toe=1e-4), after("t", inside(o=0.8))
    assert scores(match_words(words, "to", True, p(t=1.0), 9, continuation=known)) == pytest.approx(
        {"toe": 0.8}
    )
    words.learn_many(["tow tow tow"])
    found = match_words(words, "to", True, p(t=1.0), 9, continuation=known)
    assert scores(found) == pytest.approx({"toe": 0.8 * 5 / 8, "tow": 0.8 * 3 / 8})
    words.learn_many(["toe toe"])
    found = match_words(words, "to", True, p(t=1.0), 9, continuation=known)
    assert scores(found) == pytest.approx({"toe": 0.8 * 7 / 10, "tow": 0.8 * 3 / 10})


# Words that stand before the cursor


def test_a_word_that_stands_before_the_cursor_is_known():
    words = new(tea=1e-3)
    assert match_words(words, "vo", True, uniform(), 3).forms == []
    assert match_words(words, "vo", True, uniform(), 3, in_text={"vorn": 1, "Vorn": 1, "wo": 1}).forms == [
        "vorn"
    ]
    assert match_words(words, "vorn", True, uniform(), 3, in_text={"vorn": 1}).forms == [], "it is finished"
    assert match_words(words, "", True, p(v=0.9), 3, in_text={"vorn": 1}).forms == ["vorn"]
    assert match_words(words, "vo", True, uniform(), 3).forms == [], "and only for as long as it stands there"


def test_a_word_that_stands_before_the_cursor_is_worth_more():
    words = new(tea=1e-3, ten=1.02e-3)
    assert match_words(words, "t", True, p(t=1.0), 3).forms == ["ten", "tea"]
    once, twice = (match_words(words, "t", True, p(t=1.0), 3, in_text={"tea": times}) for times in (1, 2))
    assert once.forms == twice.forms == ["tea", "ten"]
    assert scores(once)["tea"] < scores(twice)["tea"]


def test_standing_before_the_cursor_takes_nothing_from_a_word():
    """Where the second token says that it comes now, its count alone would make it less."""
    words, known = new(tea=1e-2, toe=1e-6), after("t", inside(o=1.0))
    without = match_words(words, "t", True, p(t=1.0), 3, continuation=known)
    found = match_words(words, "t", True, p(t=1.0), 3, continuation=known, in_text={"toe": 1})
    assert scores(found)["toe"] == scores(without)["toe"]


# Sums


def random_words(random, count, longest):
    letters = [*"abcde"]
    return ["".join(random.choice(letters, int(random.integers(1, longest)))) for _ in range(count)]


def test_the_words_listed_are_never_worth_more_than_all():
    """With all that can move a word: second tokens, trust, words before the cursor."""
    random = np.random.default_rng(4)
    words = new(**{form: float(random.random() * 1e-4) for form in random_words(random, 40, 4)})
    for _ in range(60):
        words.learn_many([" ".join(random_words(random, 5, 6))])
        in_text = {form: int(random.integers(1, 4)) for form in random_words(random, 6, 6)}
        chances, continuation = (random.dirichlet(np.full(VOCAB, 0.05)).astype(np.float32) for _ in range(2))
        for typed in ("", "a", "b", "ce"):
            for most in (1, 3, 1000):
                found = match_words(
                    words,
                    typed,
                    True,
                    chances,
                    most,
                    continuation=lambda _token, _share, p=continuation: Continuation(p, 1.0),
                    in_text=in_text,
                )
                assert np.isfinite(found.scores).all()
                assert found.scores.sum() <= found.total * (1 + 1e-4) + 1e-7
                assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
                assert len({*found.forms}) == len(found.forms) <= most


# At a word's start


def spelled_out(words, chances, most):
    """The best words, asked for letter by letter."""
    found = {}
    for letter in "abcde":
        matches = match_words(words, letter, True, chances, 1000)
        found |= scores(matches) | {letter: matches.finished}
    best = sorted(found, key=lambda form: -found[form])[:most]
    return {form: found[form] for form in best if found[form] > 0}


@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.02])
def test_at_a_words_start_the_best_are_as_good_as_letter_by_letter(alpha):
    """There most words are not even looked at; a word that is missed for that would hardly ever be the one."""
    random = np.random.default_rng(5)
    words = new(**{form: float(random.random() * 1e-4) for form in random_words(random, 60, 5)})
    words.learn_many([" ".join(random_words(random, 60, 6))])
    for _ in range(40):
        chances = np.zeros(VOCAB, dtype=np.float32)
        chances[[encode(f" {letter}")[0] for letter in "abcde."]] = random.dirichlet(np.full(6, alpha))
        expected = spelled_out(words, chances, 5)
        found = scores(match_words(words, "", True, chances, 5))
        for form, score in expected.items():
            if score > 1e-3 * max(expected.values()):
                assert found.get(form) == pytest.approx(score), form
        assert found


@pytest.mark.parametrize(
    ("text", "draws_out"), [("It is sooo late.", True), ("See www.example.org, Part III, AAA.", False)]
)
def test_who_writes_a_letter_three_times_draws_words_out(text, draws_out):
    words = new(sail=1.0)
    words.learn_many(["We sail on. It is late."] * 100 + [text] * 5)
    assert words.draws_out is draws_out
