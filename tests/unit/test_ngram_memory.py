"""The fast memory where numbers are large: the vocabulary's last tokens, frequent contexts, many entries, readers."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from idiolect.adapters.memory.ngram_memory import FastMemory


def test_a_token_outside_the_vocabulary_is_refused_and_changes_nothing():
    memory = FastMemory(10)
    memory.add([3, 4])
    with pytest.raises(IndexError):
        memory.add([3, 5, 10])
    assert memory.tokens == 2
    assert memory.predict([3]).ids.tolist() == [4]
    assert memory.unigrams().tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0]


def test_unigrams_stay_as_they_were_given():
    memory = FastMemory(10)
    memory.add([3, 4])
    unigrams = memory.unigrams()
    memory.add([5, 5])
    assert unigrams[3] == 0.5
    assert memory.unigrams()[3] == 0.25
    assert memory.unigrams() is memory.unigrams(), "nothing is computed or copied for a look-up"
    with pytest.raises(ValueError, match="read-only"):
        memory.unigrams()[3] = 1


def test_frequent_contexts_keep_their_counts():
    random = np.random.default_rng(4)
    following = random.choice([11, 12, 13], 30_000, p=[0.6, 0.3, 0.1])
    memory = FastMemory(50)
    memory.add_many([[9, int(token)] for token in following])
    memory.add([9, 14])
    counts = Counter(int(token) for token in following) + Counter([14])
    scale = 1 / (30_001 + 4)
    expected = {
        token: times * scale + 4 * scale * (times / (2 * 30_001)) for token, times in sorted(counts.items())
    }
    for _ in range(2):  # counted, then remembered
        prediction = memory.predict([1, 2, 3, 9])
        assert prediction.order == 1
        assert prediction.total == 30_001
        full = memory.unigrams() * prediction.backoff
        full[prediction.ids] += prediction.p
        assert full[[*expected]] == pytest.approx([*expected.values()], rel=1e-4)
    memory.add_many([[9, 15]] * 40_000 + [[8, 16]] * 25_000)
    assert memory.predict([9]).total == 70_001, "counts that were remembered are made anew"
    assert memory.predict([8]).ids.tolist() == [16], "each context has counts of its own"


def text_like(entries: int, seed: int) -> list[list[int]]:
    """Entries whose tokens are as unequally frequent as words, and depend on the one before."""
    random = np.random.default_rng(seed)
    words = 3_000 / np.arange(1, 3_001)
    tokens = random.choice(3_000, (entries, 20), p=words / words.sum()) + 1
    tokens[:, 1::2] = (tokens[:, ::2] * 7 + tokens[:, 1::2] % 40) % 3_000 + 1
    return [entry.tolist() for entry in tokens]


def test_it_takes_little_more_than_eight_bytes_a_token():
    entries = text_like(20_000, seed=6)
    tracemalloc.start()
    try:
        memory = FastMemory(3_001)
        memory.add_many(entries)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory.tokens == 400_000
    assert used < 14 * memory.tokens
