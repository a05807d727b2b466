"""Suggestions: the word under the cursor is found wherever it is cut, and costs one forward pass."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from idiolect.adapters.corpus import Recent
from idiolect.adapters.memory import FastMemory, Prediction
from idiolect.adapters.mixture import Mixture
from idiolect.adapters.predict import Knowledge, Predictor, Suggestion, softmax
from idiolect.adapters.words import Words
from idiolect.models.lexicon import Lexicon, read_lexicon

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.adapters.lora import Lora
    from idiolect.models.build import BasePaths
    from idiolect.models.session import Model
    from idiolect.models.tokenizer import Tokenizer

HISTORY = [
    "We met the Xylographers of Querfurt-Nord again, and Kwiaciarnia brought 24 maps.",
    "Please send the quarterly figures to Kwiaciarnia before noon, thank you.",
    "The Xylographers don't mind waiting; Ærøskøbing isn't far, Łódź’s boat is there.",
]
BOILERPLATE = "Kind regards from all of us at the harbour office, and see you soon."


@pytest.fixture(scope="module")
def lexicon(tiny: BasePaths) -> Lexicon:
    """The general words, rarer than they are, so that a few sentences of one's own outweigh them."""
    general = read_lexicon(tiny.lexicon)
    return Lexicon(general.forms, general.frequency / 2_000, general.first)


@pytest.fixture(scope="module")
def knowing(tiny: BasePaths, lexicon: Lexicon, tiny_tokenizer: Tokenizer) -> Callable[..., Knowledge]:
    """`knowing(*texts)`: what is known after these entries."""

    def know(*texts: str, limit: int = 60) -> Knowledge:
        vocab = tiny.config.vocab
        words = Words(lexicon, tiny_tokenizer.encode, vocab)
        knowledge = Knowledge(FastMemory(vocab), words, Recent(limit, tiny_tokenizer.encode("\n")))
        for text in texts:
            knowledge.learn(text, tiny_tokenizer.encode(text))
        return knowledge

    return know


def trusting() -> Mixture:
    """As after much text on which the memory was right: the tiny model, which is random, never is."""
    mixture = Mixture()
    for order in range(1, 5):
        for total in (1, 2, 3, 5, 9):
            known = Prediction(np.zeros(0, np.intp), np.zeros(0, np.float32), 1.0, order, total)
            for _ in range(500):
                mixture.learn(known, 0.9, 0.001)
    return mixture


@pytest.fixture(scope="module")
def predictor(tiny_float: Model, tiny_tokenizer: Tokenizer, knowing: Callable) -> Callable[..., Predictor]:
    """`predictor(*texts)`: a new one that has learned these entries; its products are in float."""

    def make(*texts: str, context_tokens: int = 256, **more: object) -> Predictor:
        known = knowing(*texts)
        return Predictor(tiny_float, tiny_tokenizer, known, trusting(), context_tokens=context_tokens, **more)

    return make


def texts(suggestion: Suggestion) -> list[str]:
    return [word.text for word in suggestion.words]


# Words


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("We met the ", "Xylographers"),
        ("Tomorrow ", "Kwiaciarnia"),
        ("A line.\n", "Querfurt"),
        ("", "Kwiaciarnia"),
        ("(", "Xylographers"),
        ("We saw ", "Ærøskøbing"),
        ("It was ", "Łódź’s"),
        ("They ", "don't"),
        ("Some ", "photographs"),  # not learned: of the general list
    ],
)
def test_a_word_is_found_wherever_it_is_cut(
    predictor: Callable[..., Predictor], tiny_tokenizer: Tokenizer, before: str, word: str
) -> None:
    assert len(tiny_tokenizer.encode(f" {word}")) >= 3, "or it would be found by one token"
    ours = predictor(*HISTORY)
    for cut in range(1, len(word)):
        found = texts(ours.suggest(before + word[:cut], candidates=1_000))
        assert word[cut:] in found, f"after {word[:cut]}"


def test_what_was_written_once_in_this_place_comes_first(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    assert texts(ours.suggest("We met the X", candidates=1)) == ["ylographers"]
    assert texts(ours.suggest("Please send the quarterly figures to Kw", candidates=1)) == ["iaciarnia"]
    assert texts(predictor().suggest("We met the X", candidates=1)) != ["ylographers"]


def test_after_a_space_the_next_word_is_offered(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*[BOILERPLATE] * 5)
    assert texts(ours.suggest("Kind regards from all of us at the "))[0] == "harbour"
    assert texts(ours.suggest("Kind regards from "))[0] == "all"


def test_a_finished_word_is_not_offered_again(predictor: Callable[..., Predictor], lexicon: Lexicon) -> None:
    found = texts(predictor(*HISTORY).suggest("over the", candidates=50))
    assert found
    assert "" not in found
    known = {form.decode() for form in lexicon.forms}
    assert all(f"the{text}" in known for text in found)


def test_a_word_that_no_list_knows_is_spelled_on(
    predictor: Callable[..., Predictor], tiny_tokenizer: Tokenizer
) -> None:
    ours = predictor(*HISTORY)
    seen = 0
    for typed in ("zzqx", "Qqqzzkj", "HELLOTHERE", "x9x9x9", "Ωμεγα", "日本", "éàü", "’’", "7"):
        found = ours.suggest(f"so {typed}").words
        assert len(found) <= 1
        for word in found:
            seen += 1
            assert word.text.isprintable()
            assert not set(word.text) & set(" \n.,")
            assert "\ufffd" not in word.text
            assert 0 < word.p <= 1
    assert seen >= 3


def test_probabilities_are_those_of_alternatives(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    for prefix in ("", "We ", "We m", "We met the", "We met the Xy", "7", "?", "a b c ", "\n"):
        found = ours.suggest(prefix, candidates=500).words
        chances = [word.p for word in found]
        assert chances == sorted(chances, reverse=True), prefix
        assert all(0 <= p <= 1 + 1e-6 for p in chances), prefix
        assert sum(chances) <= 1 + 1e-4, prefix
        assert len({word.text for word in found}) == len(found), prefix
    everything = ours.suggest("We met the Xyl", candidates=500).words
    assert sum(word.p for word in everything) == pytest.approx(1, abs=1e-3), "given what is typed"


@pytest.mark.parametrize(("candidates", "expected"), [(0, 0), (1, 1), (7, 7)])
def test_as_many_as_asked_for(predictor: Callable[..., Predictor], candidates: int, expected: int) -> None:
    assert len(predictor(*HISTORY).suggest("We m", candidates=candidates).words) == expected


@pytest.mark.parametrize("prefix", ["", " ", "   ", "\n", "\n\n ", "\t", "…", "...\n"])
def test_where_nothing_is_typed_words_are_offered(predictor: Callable[..., Predictor], prefix: str) -> None:
    for ours in (predictor(), predictor(*HISTORY)):
        assert len(ours.suggest(prefix).words) == 3


def test_in_the_middle_of_a_word_nothing_is_offered(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    for suffix in ("ylographers are here", "’s", "4", "é"):
        found = ours.suggest("We met the X", suffix)
        assert found.words == ()
        assert (found.ghost.text, found.ghost.show) == ("", False)
    for suffix in ("", " are here", ", then", "\nA line", ")"):
        assert texts(ours.suggest("We met the X", suffix))[0] == "ylographers"


# What it costs


def test_inside_a_word_no_further_pass_is_needed(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    ours.suggest("We met the ", ghost_words=0)
    calls = ours._session.calls
    for cut in range(1, len("Xylographers")):
        ours.suggest("We met the " + "Xylographers"[:cut], ghost_words=0)
    for cut in range(1, len("international")):
        ours.suggest("We met the " + "international"[:cut], ghost_words=0)
    assert ours._session.calls == calls


def spy_on_feeding(ours: Predictor) -> list[int]:
    """How many tokens each further pass reads."""
    fed: list[int] = []
    feed = ours._session.feed

    def count(ids: list[int], *more: str) -> np.ndarray:
        fed.append(len(ids))
        return feed(ids, *more)

    ours._session.feed = count
    return fed


@pytest.mark.parametrize("already", [0, 1_000, 20_000])
def test_typing_on_reads_only_what_is_new(predictor: Callable[..., Predictor], already: int) -> None:
    """However long the text before the cursor is: its window moves in steps, not with every key."""
    ours = predictor(*HISTORY, context_tokens=128)
    before = ("The boat left the harbour at noon and came back late. " * 400)[:already]
    ours.suggest(before, ghost_words=0)
    fed = spy_on_feeding(ours)
    typed = " Then we walked along the old wall"
    for end in range(1, len(typed) + 1):
        ours.suggest(before + typed[:end], ghost_words=0)
    assert sum(fed) < 100, "a window of 128 tokens, read anew at each of 34 keys, would be thousands"


def test_only_the_nearest_text_counts(predictor: Callable[..., Predictor]) -> None:
    near = "and then the boat left the harbour at noon. " * 12
    ours = predictor(*HISTORY, context_tokens=64)
    one = ours.suggest("First. " + near + "We m")
    other = predictor(*HISTORY, context_tokens=64).suggest(near + "We m")
    assert set(texts(one)) == set(texts(other))


def test_learning_shows_at_once(predictor: Callable[..., Predictor], tiny_tokenizer: Tokenizer) -> None:
    ours = predictor(*HISTORY)
    assert "ornbyte" not in texts(ours.suggest("Ask V", candidates=20))
    text = "Ask Vornbyte tomorrow."
    ours._knowledge.learn(text, tiny_tokenizer.encode(text))
    assert texts(ours.suggest("Ask V"))[0] == "ornbyte"


def test_learning_changes_what_was_already_asked(
    predictor: Callable[..., Predictor], tiny_tokenizer: Tokenizer
) -> None:
    ours, prefix = predictor(*HISTORY), "Kind regards from "
    before = ours.suggest(prefix)
    for _ in range(3):
        ours._knowledge.learn(BOILERPLATE, tiny_tokenizer.encode(BOILERPLATE))
    after = ours.suggest(prefix)
    same(after, predictor(*HISTORY, *[BOILERPLATE] * 3).suggest(prefix))
    assert texts(after)[0] == "all" != texts(before)[0]


def test_warming_reads_recent_text_ahead(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    ours.warm()
    fed = spy_on_feeding(ours)
    ours.suggest("", ghost_words=0)
    assert sum(fed) == 0
    ours.suggest("We", ghost_words=0)
    assert sum(fed) == 0
    ours.suggest("We ", ghost_words=0)
    assert sum(fed) < 6


# The same answer, however it came about


TYPED = "We met the Xylographers at noon. Kind regards from all of us at the harb"


def same(first: Suggestion, second: Suggestion) -> None:
    assert texts(first) == texts(second)
    assert [word.p for word in first.words] == pytest.approx([word.p for word in second.words], rel=1e-3)
    assert first.ghost.text == second.ghost.text
    assert first.ghost.show == second.ghost.show
    assert first.ghost.p == pytest.approx(second.ghost.p, rel=1e-3)


def test_key_by_key_is_as_all_at_once(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY, *[BOILERPLATE] * 3)
    for end in range(len(TYPED) + 1):
        found = ours.suggest(TYPED[:end])
        if end % 3 == 0:
            same(found, predictor(*HISTORY, *[BOILERPLATE] * 3).suggest(TYPED[:end]))


def test_going_back_and_elsewhere_changes_nothing(predictor: Callable[..., Predictor]) -> None:
    ours, random = predictor(*HISTORY, BOILERPLATE), np.random.default_rng(2)
    fresh = {end: predictor(*HISTORY, BOILERPLATE).suggest(TYPED[:end]) for end in range(0, len(TYPED), 6)}
    for _ in range(40):
        end = int(random.choice([*fresh]))
        if random.random() < 0.3:
            ours.suggest("Somewhere else, " + TYPED[end:])
        same(ours.suggest(TYPED[:end]), fresh[end])


def test_many_threads_get_the_same_answers(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY)
    prefixes = ["We met the X", "Please send ", "Tomorrow Kw", ""]
    expected = {prefix: texts(predictor(*HISTORY).suggest(prefix)) for prefix in prefixes}
    wrong: list[object] = []

    def ask(prefix: str) -> None:
        try:
            for _ in range(10):
                if (found := texts(ours.suggest(prefix))) != expected[prefix]:
                    wrong.append((prefix, found))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(prefix,)) for prefix in prefixes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_asking_while_learning_never_fails(
    predictor: Callable[..., Predictor], tiny_tokenizer: Tokenizer
) -> None:
    ours = predictor(*HISTORY)
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                for prefix in ("We ", "We m", "n"):
                    chances = [word.p for word in ours.suggest(prefix).words]
                    assert sum(chances) < 1.1  # a word that is being learned may count twice for a moment
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    for place in range(150):
        text = f"We met n{place} and n{place * 7} there. " * 4
        ours._knowledge.learn(text, tiny_tokenizer.encode(text))
    done.set()
    thread.join()
    assert not failures


# The adapter


def test_the_adapter_answers_and_is_named(
    predictor: Callable[..., Predictor], tiny: BasePaths, make_lora: Callable[..., Lora]
) -> None:
    lora = make_lora(tiny.config)
    base, adapted = predictor(*HISTORY), predictor(*HISTORY, adapter=lora.tensors(), adapter_id=7)
    one, other = base.suggest("The "), adapted.suggest("The ")
    assert (one.adapter, other.adapter) == (None, 7)
    assert [word.p for word in one.words] != [word.p for word in other.words]
    assert one.elapsed_ms > 0


# Ghost text


def test_what_is_written_again_and_again_is_offered_whole(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*[BOILERPLATE] * 6)
    found = ours.suggest("Kind regards from all of u").ghost
    assert found.show
    assert found.text == "s at the harbour office, and see you"
    assert 0 < found.p < 1


def test_a_ghost_has_as_many_words_as_asked_for(predictor: Callable[..., Predictor]) -> None:
    for words in range(1, 7):
        found = predictor(*[BOILERPLATE] * 6).suggest("Kind regards from all of u", ghost_words=words).ghost
        assert len(found.text.split()) == words
    assert predictor(*[BOILERPLATE] * 6).suggest("Kind regards", ghost_words=0).ghost.text == ""


def test_a_ghost_holds_while_it_is_typed(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*[BOILERPLATE] * 6)
    start = "Kind regards from all of us at the "
    ghosts = [ours.suggest(start + "harbour"[:cut]).ghost for cut in range(1, 7)]
    for cut, ghost in enumerate(ghosts, 1):
        assert ghost.show
        assert ghost.text.startswith("harbour office"[cut:]), (
            "less of it as more is typed, and not less than that"
        )
    chances = [ghost.p for ghost in ghosts]
    assert chances == pytest.approx(sorted(chances)), "and surer"


def test_a_ghost_ends_where_knowledge_ends(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*[BOILERPLATE] * 6)
    found = ours.suggest("Kind regards from all of us at the harbour office, and see y").ghost
    assert found.show
    assert found.text in ("ou", "ou soon")


def test_nothing_unlikely_is_shown(predictor: Callable[..., Predictor]) -> None:
    found = predictor().suggest("Some ")
    assert not found.ghost.show
    assert found.ghost.text == found.words[0].text


def test_a_line_is_completed_by_words(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*[BOILERPLATE] * 6)
    assert ours.complete("Kind regards from", 4) == " all of us at"
    assert len(predictor().complete("Kind regards from", 3).split()) <= 3


# Odd text


@pytest.mark.parametrize(
    "typed",
    ["a" * 3_000, "1" * 1_500, "日" * 700, "b" * 200, "x1" * 300],
    ids=["letters", "digits", "characters", "a long word", "mixed"],
)
def test_a_word_without_end_is_answered(predictor: Callable[..., Predictor], typed: str) -> None:
    ours = predictor(*HISTORY, context_tokens=64)
    for prefix in (typed, f"so {typed}", "so it is. " * 60 + typed):
        assert len(ours.suggest(prefix).words) <= 1
    assert texts(ours.suggest("We met the X"))[0] == "ylographers", "and the next one as ever"


def test_a_long_text_is_completed_too(predictor: Callable[..., Predictor]) -> None:
    ours = predictor(*HISTORY, context_tokens=64)
    assert isinstance(ours.complete("so it is and so it was. " * 200, 4), str)


def test_softmax_is_a_distribution_for_any_logits() -> None:
    for logits in (np.array([1e4, 0, -1e4]), np.array([[1.0, 2.0], [500.0, 500.0]]), np.zeros(3)):
        p = softmax(logits.astype(np.float32))
        assert p.sum(axis=-1) == pytest.approx(1)
        assert np.isfinite(p).all()
