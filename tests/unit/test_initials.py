"""The user's own phrases by their initials, from the n-gram memory alone."""

import tracemalloc

import pytest

from idiolect.adapters.memory.initials import Initials
from idiolect.adapters.memory.ngram_memory import FastMemory


@pytest.fixture
def phrases(tiny_tokenizer):
    """`phrases(texts, typed)`: the phrases with these initials after these texts."""

    def phrases(texts, typed):
        memory = FastMemory(tiny_tokenizer.vocab_size)
        memory.add_many([tiny_tokenizer.encode(text) for text in texts])
        return Initials(memory, tiny_tokenizer).phrases(typed)

    return phrases


OFTEN = ["it is as you said", "again as you said, they will", "not so, as you said"]


@pytest.mark.parametrize(
    ("texts", "typed", "found"),
    [
        (OFTEN, "ays", ["as you said"]),
        (OFTEN, "Ays", ["As you said"]),
        (OFTEN[:2], "ays", []),
        (["as you said. as you said and as you said"], "ays", ["as you said"]),
        (["so The two of", "and The two of", "so the two of"], "tto", ["the two of"]),
        (["he and I would", "they and I would", "you and I would"], "aiw", ["and I would"]),
        (["so I said that"] * 3, "ist", ["I said that"]),
        (["so as you said they can"] * 3, "aystc", ["as you said they can"]),
        (["as you said they can do"] * 3, "aystcd", []),
        (["as, you said", "as\nyou said", "as you. said"] * 3, "ays", []),
        (["as you saidt"] * 3, "ays", []),
        (["so as you said they"] * 2 + ["so as you saidt"], "ays", []),
        (["so as you said"] * 4 + ["so as you saidt"], "ays", ["as you said"]),
        (["and as you a friend", "so as you a guest", "not as you a host"], "aya", []),
        (OFTEN, "ay", []),
        (OFTEN, "a4s", []),
        ([], "ays", []),
    ],
)
def test_a_phrase_that_was_written_three_times_is_found_by_its_initials(phrases, texts, typed, found):
    assert phrases(texts, typed) == found


def test_the_most_written_come_first(phrases):
    assert phrases(OFTEN + ["as you see"] * 5, "ays") == ["as you see", "as you said"]
    assert phrases(["as you see"] * 5, "ays") == ["as you see"], "what is forgotten is found no more"


def test_a_run_in_a_frequent_context_is_counted_exactly(phrases):
    assert phrases(["as you said"] * 2 + ["he and you"] * 400, "ays") == []
    assert phrases(["as you said"] * 3 + ["he and you"] * 400, "ays") == ["as you said"]


def test_asking_with_ever_other_letters_takes_no_more_memory(tiny_tokenizer):
    initials = Initials(FastMemory(tiny_tokenizer.vocab_size), tiny_tokenizer)
    tracemalloc.start()
    for letter in map(chr, range(0x4E00, 0x4E00 + 600)):
        assert initials.phrases(letter * 3) == []
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100 * (1 << 16)
