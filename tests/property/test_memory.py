"""The fast memory against interpolated Witten-Bell written down plainly, with dictionaries.

Every property holds with the sizes as shipped and with tiny ones, where a dozen entries make runs whose counts are
kept, and several passes.
"""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.adapters.memory import ngram_memory as fast
from idiolect.adapters.memory.ngram_memory import ORDER, FastMemory

VOCAB = 40
START = 0

tokens = st.one_of(st.integers(1, 4), st.integers(1, VOCAB - 1))
entries = st.lists(st.lists(tokens, max_size=12), max_size=12)
contexts = st.lists(tokens, max_size=ORDER + 3)


@pytest.fixture(scope="module", params=["as shipped", "tiny"], autouse=True)
def sizes(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "tiny":
            for name, value in (("_HEAVY", 2), ("_BATCH", 2), ("_PASS", 20)):
                patch.setattr(fast, name, value)
        yield


class Plain:
    """Every count that there is, and the formula as in Chen & Goodman (1999), eq. 15."""

    def __init__(self, entries):
        self.after = defaultdict(Counter)
        for entry in entries:
            padded = [START] * ORDER + entry
            for place in range(ORDER, len(padded)):
                for length in range(ORDER + 1):
                    self.after[tuple(padded[place - length : place])][padded[place]] += 1

    def p(self, token, context):
        seen = self.after.get(context)
        if not context:
            return seen[token] / seen.total() if seen else 0.0
        shorter = self.p(token, context[1:])
        if not seen:
            return shorter
        return (seen[token] + len(seen) * shorter) / (seen.total() + len(seen))

    def distribution(self, context):
        recent = tuple(([START] * ORDER + context)[-ORDER:])
        return np.array([self.p(token, recent) for token in range(VOCAB)])

    def longest(self, context):
        """How much of the context is known, and how often that occurred."""
        recent = tuple(([START] * ORDER + context)[-ORDER:])
        for length in range(ORDER, 0, -1):
            if seen := self.after.get(recent[-length:]):
                return length, seen.total()
        return 0, 0


def dense(memory, prediction):
    full = memory.unigrams().astype(np.float64) * prediction.backoff
    full[prediction.ids] += prediction.p
    return full


def learned(entries):
    memory = FastMemory(VOCAB)
    for entry in entries:
        memory.add(entry)
    return memory


@given(entries, contexts)
def test_it_holds_after_every_addition(entries, context):
    memory = FastMemory(VOCAB)
    for known, entry in enumerate(entries, 1):
        memory.add(entry)
        plain = Plain(entries[:known])
        prediction = memory.predict(context)
        assert dense(memory, prediction) == pytest.approx(plain.distribution(context), abs=2e-6)
        assert (prediction.order, prediction.total) == plain.longest(context)


@given(entries, contexts)
def test_it_sums_to_one(entries, context):
    memory = learned(entries)
    prediction = memory.predict(context)
    assert prediction.p.sum() + prediction.backoff == pytest.approx(1, abs=1e-5)
    assert (prediction.p >= 0).all()
    assert 0 <= prediction.backoff <= 1
    assert (np.diff(prediction.ids) > 0).all()
    if memory.tokens:
        assert dense(memory, prediction).sum() == pytest.approx(1, abs=1e-5)


def same(first, second, context):
    assert first.tokens == second.tokens
    assert np.array_equal(first.unigrams(), second.unigrams())
    assert alike(first.predict(context), second.predict(context))


def alike(one, other):
    return (
        np.array_equal(one.ids, other.ids)
        and np.array_equal(one.p, other.p)
        and (one.backoff, one.order, one.total) == (other.backoff, other.order, other.total)
    )


@given(st.data(), entries, contexts)
def test_the_order_of_learning_does_not_matter(data, entries, context):
    same(learned(entries), learned(data.draw(st.permutations(entries))), context)


@given(entries, st.integers(0, 12), contexts)
def test_many_at_once_is_as_one_by_one(entries, cut, context):
    memory = FastMemory(VOCAB)
    memory.add_many(entries[:cut])
    memory.add_many(np.array(entry, dtype="<u4") for entry in entries[cut:])
    same(memory, learned(entries), context)


@given(entries, contexts)
def test_the_last_tokens_of_the_largest_vocabulary_are_like_others(entries, context):
    last = (1 << 16) - VOCAB
    memory = FastMemory(1 << 16)
    for entry in entries:
        memory.add([token + last for token in entry])
    high, low = memory.predict([token + last for token in context]), learned(entries).predict(context)
    assert np.array_equal(high.ids, low.ids + last)
    assert np.array_equal(high.p, low.p)
    assert (high.backoff, high.order, high.total) == (low.backoff, low.order, low.total)
