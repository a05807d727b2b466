"""The fast memory where numbers are large: the vocabulary's last tokens, frequent contexts, many entries, readers."""

from __future__ import annotations

import threading
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from idiolect.adapters import ngram_memory as fast
from idiolect.adapters.ngram_memory import ORDER, FastMemory


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
    memory.add([last] * (ORDER + 1))
    assert (memory.predict([last] * ORDER).order, memory.predict([last] * ORDER).total) == (ORDER, 1)
    memory.add_many([[last] * (ORDER + 1)] * 200)
    memory.add([last] * (ORDER + 1))
    assert (memory.predict([last] * ORDER).order, memory.predict([last] * ORDER).total) == (ORDER, 202)


def test_a_token_outside_the_vocabulary_is_refused_and_changes_nothing() -> None:
    memory = FastMemory(10)
    memory.add([3, 4])
    with pytest.raises(IndexError):
        memory.add([3, 5, 10])
    assert memory.tokens == 2
    assert memory.predict([3]).ids.tolist() == [4]
    assert memory.unigrams().tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0]


def test_unigrams_stay_as_they_were_given() -> None:
    memory = FastMemory(10)
    memory.add([3, 4])
    unigrams = memory.unigrams()
    memory.add([5, 5])
    assert unigrams[3] == 0.5
    assert memory.unigrams()[3] == 0.25
    assert memory.unigrams() is memory.unigrams(), "nothing is computed or copied for a look-up"
    with pytest.raises(ValueError, match="read-only"):
        memory.unigrams()[3] = 1


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


def test_a_run_may_lie_across_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "_PAGE", 1)
    monkeypatch.setattr(fast, "_HEAVY", 2)
    last = (1 << 16) - 1
    memory = FastMemory(1 << 16)
    # The least and the greatest number that there is after 9 6 and after 3 6.
    memory.add_many([[9, 6, 0]] * 2 + [[last, last, 3, 6, last]] * 2)
    for context, token in (([9, 6], 0), ([last, last, 3, 6], last)):
        prediction = memory.predict(context)
        assert (prediction.order, prediction.total) == (ORDER, 2)
        assert prediction.ids[prediction.p.argmax()] == token


def text_like(entries: int, seed: int) -> list[list[int]]:
    """Entries whose tokens are as unequally frequent as words, and depend on the one before."""
    random = np.random.default_rng(seed)
    words = 3_000 / np.arange(1, 3_001)
    tokens = random.choice(3_000, (entries, 20), p=words / words.sum()) + 1
    tokens[:, 1::2] = (tokens[:, ::2] * 7 + tokens[:, 1::2] % 40) % 3_000 + 1
    return [entry.tolist() for entry in tokens]


def test_no_step_of_a_look_up_or_an_addition_grows_with_the_history() -> None:
    entries = text_like(5_000, seed=5)
    memory = FastMemory(3_001)
    memory.add_many(entries[:2_000])
    for entry in entries[2_000:]:
        memory.add(entry)
    trees = [known for known in memory._after.values() if isinstance(known, fast._Tree)]
    assert max(len(tree.pages) for tree in trees) > 5
    assert all(
        len(known) <= fast._HEAVY for known in memory._after.values() if not isinstance(known, fast._Tree)
    )
    for tree in trees:
        numbers = np.concatenate(tree.pages)
        assert (numbers[1:] >= numbers[:-1]).all()
        assert max(map(len, tree.pages)) <= fast._PAGE
        assert [int(page[0]) for page in tree.pages[1:]] == [*tree.starts]
        runs = Counter(
            (length, int(number) | span) for length, span in enumerate(fast._SPANS, 1) for number in numbers
        )
        long = {run: size for run, size in runs.items() if size > fast._HEAVY}
        assert long == {run: int(level.counts.sum()) for run, level in tree.heavy.items()}
        assert long == {run: level.total for run, level in tree.heavy.items()}


def test_it_takes_little_more_than_eight_bytes_a_token() -> None:
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


def test_what_is_learned_in_many_passes_is_what_is_learned_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = text_like(300, seed=7)
    one, many = FastMemory(3_001), FastMemory(3_001)
    one.add_many(entries)
    monkeypatch.setattr(fast, "_PASS", 100)
    many.add_many(iter(entries))
    for entry in entries[:50]:
        for end in range(len(entry)):
            first, second = one.predict(entry[:end]), many.predict(entry[:end])
            assert np.array_equal(first.ids, second.ids)
            assert np.array_equal(first.p, second.p)


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
