"""What holds for suggestions whatever is before and after the cursor, and whatever was learned."""

from unittest import mock

import numpy as np
import pytest
import regex
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.rare_strings import RareStrings
from idiolect.adapters.memory.vocabulary import WORD, WordVocabulary
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.suggestion import NO_GHOST
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.lexicon import Lexicon, read_lexicon

UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
LETTERS = r"[\p{L}\p{N}'’]"

WORDS = "the there these harbours boat Kwiaciarnia Xylographers it's Łódź 日本 42 e\u0301 😀"

anything = st.text(max_size=40)  # surrogates too: a browser can cut a pair
prose = st.lists(
    st.sampled_from(WORDS.split()),
    max_size=9,
).flatmap(lambda words: st.sampled_from([" ", "  ", "\n", "-", ". "]).map(lambda gap: gap.join(words)))
texts = st.one_of(prose, anything)
slow = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def make(tiny, tiny_model, tiny_float, tiny_tokenizer):
    """`make(*texts)`: a new predictor that has learned these; `exact`: products in float, in any batch the same."""
    lexicon = read_lexicon(tiny.lexicon)
    few = Lexicon(lexicon.forms, lexicon.frequency / 2_000, lexicon.first, lexicon.second)

    def new(*learned, exact=False, context_tokens=48):
        # Where general words count little, a text of one's own moves more.
        words = WordVocabulary(few if exact else lexicon, tiny_tokenizer.encode, tiny.config.vocab)
        recent = RecentText(30, tiny_tokenizer.encode("\n"))
        user_model = UserModel(FastMemory(tiny.config.vocab), words, recent, RareStrings(1))
        model, mixture = (tiny_float, trusting()) if exact else (tiny_model, Mixture())
        predictor = Predictor(
            model, tiny_tokenizer, user_model, mixture, context_tokens=context_tokens, min_word_prob=0.0
        )
        for text in learned:
            learn(predictor, text)
        return predictor

    return new


def trusting():
    """The memory counts for as much as the model, wherever it knows anything."""
    return Mixture.from_json(np.ones_like(Mixture().to_json()).tolist())


def learn(predictor, text):
    """As the service does it: what is learned is what the tokens spell."""
    if ids := predictor.tokenizer.encode(text):
        predictor.user_model.learn(predictor.tokenizer.decode(ids), ids)


def typed_part(prefix):
    match = regex.search(rf"{LETTERS}*\Z", prefix)
    assert match is not None
    return match[0]


def same(found, expected):
    """Alike but for the last digits; words that are as good as each other may change places."""
    assert [word.p for word in found.words] == pytest.approx(
        [word.p for word in expected.words], rel=0.01, abs=1e-6
    )
    chances = {word.text: word.p for word in expected.words}
    least = min(chances.values(), default=0)
    for word in found.words:
        assert word.p == pytest.approx(chances.get(word.text, least), rel=0.01, abs=1e-6)
    assert found.ghost.p == pytest.approx(expected.ghost.p, rel=0.01, abs=1e-6)
    assert found.ghost.show == expected.ghost.show
    assert found.ghost.text == expected.ghost.text


@pytest.fixture(scope="module")
def one(make):
    """One predictor for all examples, so that each also sees what those before it have left behind."""
    return make("The boat of Kwiaciarnia is Łódź's, it's 42 feet.", "日本 😀 e\u0301")


@slow
@given(texts, texts, st.integers(0, 6), st.integers(0, 9))
def test_any_text_gets_a_sound_answer(one, prefix, suffix, candidates, ghost_words):
    found = one.suggest(Question(prefix, suffix, candidates, ghost_words))
    assert len(found.words) <= candidates
    assert all(0 <= word.p <= 1 + 1e-6 for word in found.words)
    assert sum(word.p for word in found.words) <= 1 + 1e-5
    assert [*found.words] == sorted(found.words, key=lambda word: -word.p)
    assert len({word.text for word in found.words}) == len(found.words)
    assert len(regex.findall(rf"{LETTERS}+", found.ghost.text)) <= ghost_words
    assert 0 <= found.ghost.p <= 1
    assert found.ghost.text or not found.ghost.show
    if regex.match(LETTERS, suffix):
        assert (found.words, found.ghost) == ((), NO_GHOST)


@slow
@given(texts, texts, st.integers(1, 60), st.integers(1, 9))
def test_what_is_offered_spells_what_is_typed(one, prefix, suffix, candidates, ghost_words):
    found = one.suggest(Question(prefix, suffix, candidates, ghost_words))
    typed, following = typed_part(prefix), regex.search(rf"{LETTERS}+", suffix)
    for word in found.words:
        assert regex.fullmatch(rf"{LETTERS}+", word.text.removeprefix(" "))
        assert WORD.fullmatch(typed + word.text.removeprefix(" "))
        assert not word.text.startswith(" ") or regex.search(r"[\p{P}]\Z", prefix), (
            "a space comes behind a mark"
        )
        assert following is None or typed + word.text.removeprefix(" ") != following[0]
    if not found.ghost.text:
        return
    if regex.search(rf"{UNSPACED}\Z", prefix):
        return  # no words can be told apart there
    first = regex.match(rf"( ?)({LETTERS}+)", found.ghost.text)
    assert first is not None, "a ghost begins in the word, or behind one space"
    assert not (first[1] and regex.search(r"\s\Z", prefix) and prefix[-1] == " "), "where there is none yet"
    assert following is None or following[0] not in WORD.findall(typed + found.ghost.text)[bool(first[1]) :]
    alone = one.suggest(Question(prefix, suffix, candidates, 1))
    assert alone.ghost.p == found.ghost.p
    assert alone.ghost.text == first[0], "its p is that of the first word, which no tail makes another one"


@settings(slow, max_examples=15)
@given(st.lists(texts, max_size=3), texts, st.integers(0, 200))
def test_probabilities_of_all_words_add_up_to_no_more_than_one(make, learned, prefix, candidates):
    for exact in (False, True):
        ours = make(*learned, exact=exact)
        for end in {len(prefix), len(prefix) // 2}:
            for most in (candidates, 4_000):
                found = ours.suggest(Question(prefix[:end], candidates=most, ghost_words=0))
                assert sum(word.p for word in found.words) <= 1 + 1e-5


@slow
@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_every_word_that_was_written_is_found_again_wherever_it_is_cut(make, tiny_tokenizer, learned, data):
    # A few bytes have no token, surrogates have no text: what is learned is what the tokens spell.
    kept = [tiny_tokenizer.decode(tiny_tokenizer.encode(text)) for text in learned]
    found_in = (word for text in kept for word in WORD.findall(text) if 2 <= len(word) <= 40)
    words = [word for word in found_in if len(word.encode()) <= 64 and not regex.search(UNSPACED, word)]
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    cut = data.draw(st.integers(1, len(word) - 1))
    before = data.draw(st.sampled_from(["", "so ", "so\n", "(", "so  "]))
    found = make(*learned).suggest(Question(before + word[:cut], candidates=200_000, ghost_words=0))
    assert word[cut:] in {candidate.text for candidate in found.words}


@slow
@given(texts, st.data())
def test_a_word_of_this_very_message_is_found_wherever_it_is_cut(make, said, data):
    word = data.draw(st.text("qxzYÄß'9", min_size=2, max_size=12))
    cut = data.draw(st.integers(1, len(word) - 1))
    ours = make(
        "The boat of Kwiaciarnia.", context_tokens=300
    )  # or the message's beginning would be out of sight
    found = ours.suggest(Question(f"{word}. {said} {word[:cut]}", candidates=200_000, ghost_words=0))
    assert word[cut:] in {candidate.text for candidate in found.words}


# The same answer, however it came about


@slow
@given(st.lists(texts, max_size=3), texts, st.sampled_from([24, 200]))
def test_how_a_text_was_typed_leaves_no_trace(make, learned, prefix, context_tokens):
    typed, fresh = (make(*learned, exact=True, context_tokens=context_tokens) for _ in range(2))
    for end in range(len(prefix)):
        typed.suggest(Question(prefix[:end]))
    typed.ghosts.standing.forget()  # else a grey text that stands would go on standing, as it should
    same(typed.suggest(Question(prefix)), fresh.suggest(Question(prefix)))
    same(typed.suggest(Question(prefix)), fresh.suggest(Question(prefix)))


@slow
@example(["harbours"], ["", "harbours"], [(1, 1, 1), (1, 6, 1)])
@given(
    st.lists(texts, min_size=1, max_size=3),
    st.lists(prose, min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 8)), min_size=2, max_size=12),
)
def test_jumping_back_and_forth_leaves_no_trace(make, learned, typed, jumps):
    ours = make(*learned, exact=True)
    for place, end, ghost_words in jumps:
        prefix = typed[place % len(typed)][:end]
        ours.ghosts.standing.forget()
        found = ours.suggest(Question(prefix, ghost_words=ghost_words))
    same(found, make(*learned, exact=True).suggest(Question(prefix, ghost_words=ghost_words)))


@slow
@given(st.lists(prose, min_size=1, max_size=3), st.lists(texts, min_size=1, max_size=3), prose, st.data())
def test_learning_in_between_changes_nothing_but_what_was_learned(make, first, later, prefix, data):
    ours = make(*first, exact=True)
    for text in later:
        for _ in range(data.draw(st.integers(0, 3))):
            ours.suggest(Question(prefix[: data.draw(st.integers(0, len(prefix)))]))
        learn(ours, text)
    with mock.patch(
        "idiolect.adapters.prediction.next_token.ACTIVE_S", 0.0
    ):  # once no text is under way any more
        same(ours.suggest(Question(prefix)), make(*first, *later, exact=True).suggest(Question(prefix)))
