"""The fast memory where numbers are large: the vocabulary's last tokens, frequent contexts, many segments, readers."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest

from idiolect.adapters.memory import ORDER, FastMemory


def test_nothing_known_is_all_backoff() -> None:
    memory = FastMemory(10)
    prediction = memory.predict([3, 4])
    assert (prediction.backoff, prediction.order, prediction.total, len(prediction.ids)) == (1.0, 0, 0, 0)
    assert memory.unigrams().tolist() == [0.0] * 10
    assert memory.unigram(3) == 0.0


def test_one_sentence_is_enough() -> None:
    memory = FastMemory(100)
    memory.add([5, 6, 7, 8, 9, 10])
    prediction = memory.predict([5, 6, 7, 8, 9])
    assert (prediction.order, prediction.total) == (ORDER, 1)
    assert prediction.ids.tolist() == [10]
    # each of the four orders has seen one token after one occurrence: half is kept, half goes on
    assert prediction.p[0] == pytest.approx(1 - 0.5**ORDER)
    assert prediction.backoff == pytest.approx(0.5**ORDER)


def test_an_entrys_beginning_is_a_context() -> None:
    memory = FastMemory(100)
    for _ in range(3):
        memory.add([5, 6])
    memory.add([7, 5, 8])
    start = memory.predict([])
    assert start.order == ORDER
    assert start.ids.tolist() == [5, 7]
    assert start.p[0] > 2 * start.p[1]


def test_entries_do_not_run_into_each_other() -> None:
    memory = FastMemory(100)
    memory.add_many([[5, 6], [7, 8]])
    assert memory.predict([5, 6]).order == 0


def test_the_last_tokens_of_the_largest_vocabulary() -> None:
    memory = FastMemory(1 << 16)
    last = (1 << 16) - 1
    memory.add([last, last - 1, last, last - 1, 3])
    assert memory.unigram(last) == pytest.approx(0.4)
    assert memory.predict([last]).ids.tolist() == [last - 1]
    assert memory.predict([last, last - 1, last, last - 1]).ids.tolist()[0] == 3
    assert memory.predict([1, last - 1]).ids.tolist() == [3, last]


def test_frequent_contexts_keep_their_counts() -> None:
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


def test_many_small_entries_stay_in_few_segments() -> None:
    memory = FastMemory(50)
    for place in range(3_000):
        memory.add([place % 40 + 1, place % 7 + 1])
    assert memory.tokens == 6_000
    assert len(memory._segments) <= 8  # log of the size, or a look-up would not stay in microseconds


def test_reading_while_learning_never_fails_nor_goes_back() -> None:
    memory = FastMemory(50)
    done = threading.Event()
    failures: list[BaseException] = []
    totals: list[int] = []

    def read() -> None:
        try:
            while not done.is_set():
                totals.append(memory.predict([8, 9]).total)
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(400):
        memory.add([8, 9, 10])
    done.set()
    reader.join()
    assert not failures
    assert totals == sorted(totals)
    assert memory.predict([8, 9]).total == 400
