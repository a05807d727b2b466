"""Which part a suggestion is owed to."""

import pytest

from idiolect.adapters.prediction.attribution import Attributor, WordOrigin
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.suggestion import NO_GHOST
from idiolect.adapters.steps import finish

SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"


@pytest.mark.parametrize(
    ("base", "adapter", "p", "part"),
    [
        (0.4, None, 0.5, "base"),
        (0.4, 0.9, 0.5, "base"),
        (0.01, None, 0.5, "memory"),
        (0.01, 0.4, 0.5, "adapter"),
        (0.01, 0.02, 0.5, "memory"),
        (0.0, 0.0, 0.9, "memory"),
        (0.0, 0.9, 0.9, "adapter"),
        (0.3, 0.0001, 0.2, "base"),
    ],
)
def test_a_word_is_owed_to_the_base_or_to_the_larger_step(base, adapter, p, part):
    assert WordOrigin("word", p, base, adapter).part == part


@pytest.fixture(scope="module")
def serving(tiny):
    return LoadedModel(tiny, threads=1, context_tokens=64, recent_tokens=32, rare_min_count=1)


@pytest.fixture(scope="module")
def user_model(serving):
    return serving.build_user_model([serving.tokenizer.encode(SENTENCE)] * 6)


def test_what_only_the_memory_knows_comes_from_it(serving, user_model):
    served = serving.build_predictor(user_model, None)
    prefix = SENTENCE[: SENTENCE.index("Zorvelin") + 4]
    found = served.suggest(prefix)
    origins = finish(Attributor(serving).explain(served, prefix, found))
    assert [word.text for word in origins.words] == [word.text for word in found.words]
    assert (origins.words[0].text, origins.words[0].part) == ("elin", "memory")
    assert origins.words[0].base == 0
    assert origins.words[0].adapter is None
    assert origins.ghost.text == "elin"


def test_each_part_is_asked_alone(serving, user_model, tiny, make_lora):
    tensors = make_lora(tiny.config, size=0.5).tensors()
    served = serving.build_predictor(user_model, None, adapter=tensors)
    nothing = serving.build_user_model([])
    base = serving.build_predictor(nothing, None)
    adapted = serving.build_predictor(nothing, None, adapter=tensors)
    prefix = "the other day th"
    found = served.suggest(prefix)
    attributor = Attributor(serving)
    for _ in range(2):  # what was let go is made anew
        origins = finish(attributor.explain(served, prefix, found))
        texts = [word.text for word in found.words]
        assert len(texts) >= 2
        assert [word.p for word in origins.words] == [word.p for word in found.words]
        assert [word.base for word in origins.words] == base.word_probs(prefix, texts)
        assert [word.adapter for word in origins.words] == adapted.word_probs(prefix, texts)
        assert [word.base for word in origins.words] != [word.adapter for word in origins.words]
        attributor.release()


def test_a_ghost_that_begins_with_a_space_is_the_next_word(serving, user_model):
    served = serving.build_predictor(user_model, None)
    prefix = SENTENCE[: SENTENCE.index(" hums")]
    found = served.suggest(prefix)
    assert found.ghost.text.startswith(" ")
    ghost = finish(Attributor(serving).explain(served, prefix, found)).ghost
    assert ghost.text == found.ghost.text.split()[0]
    assert [ghost.p] == served.word_probs(f"{prefix} ", [ghost.text]) != [0.0]


def test_without_a_suggestion_there_is_nothing_to_explain(serving, user_model):
    served = serving.build_predictor(user_model, None)
    found = served.suggest("1234", "word")
    assert (found.words, found.ghost) == ((), NO_GHOST)
    origins = finish(Attributor(serving).explain(served, "1234", found))
    assert (origins.words, origins.ghost) == ((), None)


def test_chances_are_what_is_suggested(serving, user_model):
    served = serving.build_predictor(user_model, None)
    for prefix in ("the teal ", "the teal li", "Then "):
        words = served.suggest(prefix, candidates=5).words
        assert served.word_probs(prefix, [word.text for word in words]) == [word.p for word in words]
    assert served.word_probs("the teal li", ["xqz"]) == [0.0]
