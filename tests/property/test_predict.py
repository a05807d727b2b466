"""What holds for suggestions whatever is before and after the cursor, and whatever was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idiolect.adapters.corpus import Recent
from idiolect.adapters.memory import FastMemory
from idiolect.adapters.mixture import Mixture
from idiolect.adapters.predict import Knowledge, Predictor
from idiolect.adapters.words import WORD, Words
from idiolect.models.lexicon import read_lexicon

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.models.build import BasePaths
    from idiolect.models.session import Model
    from idiolect.models.tokenizer import Tokenizer

LETTERS = r"[\p{L}\p{N}'’]"

anything = st.text(max_size=40)  # surrogates too: a browser can cut a pair
prose = st.lists(
    st.sampled_from(
        ["the", "boat", "Kwiaciarnia", "Xylographers", "it's", "Łódź", "日本", "42", "e\u0301", "😀"]
    ),
    max_size=9,
).flatmap(lambda words: st.sampled_from([" ", "  ", "\n", "-", ". "]).map(lambda gap: gap.join(words)))
texts = st.one_of(prose, anything)
slow = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def make(tiny: BasePaths, tiny_model: Model, tiny_tokenizer: Tokenizer) -> Callable[..., Predictor]:
    lexicon = read_lexicon(tiny.lexicon)

    def new(*learned: str) -> Predictor:
        words = Words(lexicon, tiny_tokenizer.encode, tiny.config.vocab)
        recent = Recent(30, tiny_tokenizer.encode("\n"))
        knowledge = Knowledge(FastMemory(tiny.config.vocab), words, recent)
        for text in learned:
            if ids := tiny_tokenizer.encode(text):
                knowledge.learn(tiny_tokenizer.decode(ids), ids)
        return Predictor(tiny_model, tiny_tokenizer, knowledge, Mixture(), context_tokens=48)

    return new


@pytest.fixture(scope="module")
def one(make: Callable[..., Predictor]) -> Predictor:
    """One predictor for all examples, so that each also sees what those before it have left behind."""
    return make("The boat of Kwiaciarnia is Łódź's, it's 42 feet.", "日本 😀 e\u0301")


@slow
@given(texts, texts, st.integers(0, 6), st.integers(0, 9))
def test_any_text_gets_a_sound_answer(
    one: Predictor, prefix: str, suffix: str, candidates: int, ghost_words: int
) -> None:
    found = one.suggest(prefix, suffix, candidates, ghost_words)
    assert len(found.words) <= candidates
    assert all(regex.fullmatch(rf"{LETTERS}+", word.text) for word in found.words)
    assert all(0 <= word.p <= 1 + 1e-6 for word in found.words)
    assert sum(word.p for word in found.words) <= 1 + 1e-4
    assert [*found.words] == sorted(found.words, key=lambda word: -word.p)
    assert len(found.ghost.text.split()) <= ghost_words
    assert 0 <= found.ghost.p <= 1 + 1e-6
    if found.words and found.ghost.text:
        assert found.ghost.text.startswith(found.words[0].text)
    if regex.match(LETTERS, suffix):
        assert found.words == ()


@slow
@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_every_word_that_was_written_is_found_again_wherever_it_is_cut(
    make: Callable[..., Predictor], tiny_tokenizer: Tokenizer, learned: list[str], data: st.DataObject
) -> None:
    # A few bytes have no token, surrogates have no text: what is learned is what the tokens spell.
    kept = [tiny_tokenizer.decode(tiny_tokenizer.encode(text)) for text in learned]
    words = [word for text in kept for word in WORD.findall(text) if 2 <= len(word) <= 40]
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    cut = data.draw(st.integers(1, len(word) - 1))
    before = data.draw(st.sampled_from(["", "so ", "so\n", "(", "so  "]))
    found = make(*learned).suggest(before + word[:cut], candidates=100_000, ghost_words=0)
    assert word[cut:] in {candidate.text for candidate in found.words}


@slow
@given(st.lists(texts, max_size=3), texts)
def test_history_of_typing_leaves_no_trace(
    make: Callable[..., Predictor], learned: list[str], prefix: str
) -> None:
    typed, fresh = make(*learned), make(*learned)
    for end in range(len(prefix)):
        typed.suggest(prefix[:end])
    found, expected = typed.suggest(prefix), fresh.suggest(prefix)
    # Products round to 8 bits, row by row, so that other batches can move a value by one rounding step.
    assert sum(word.p for word in found.words) == pytest.approx(
        sum(word.p for word in expected.words), rel=0.05, abs=1e-3
    )
