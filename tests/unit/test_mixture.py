"""The mixture trusts the memory as far as it has been right, for each way of knowing apart."""

import json

import numpy as np
import pytest

from idiolect.adapters.memory.ngram_memory import ORDER, FastMemory, Prediction
from idiolect.adapters.prediction.mixture import Mixture

NONE = np.zeros(0)


def knowing(order: int, total: int) -> Prediction:
    return Prediction(NONE.astype(np.intp), NONE.astype(np.float32), 1.0, order, total)


def test_longer_contexts_are_trusted_more_at_first():
    weights = [Mixture().weight(knowing(order, 1)) for order in range(ORDER + 1)]
    assert weights == sorted(weights)
    assert weights[0] < weights[-1]
    assert all(0 < weight < 1 for weight in weights)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_finds_the_best_weight(share):
    """Two experts that each alone explain part of the tokens: the weight goes to those parts."""
    random = np.random.default_rng(int(share * 10))
    mixture, known = Mixture(), knowing(3, 2)
    for right in random.random(4_000) < share:
        mixture.learn(known, 0.8 if right else 0.01, 0.01 if right else 0.8)
    candidates = np.linspace(0.01, 0.99, 99)
    gain = share * np.log(candidates * 0.8 + (1 - candidates) * 0.01)
    gain += (1 - share) * np.log(candidates * 0.01 + (1 - candidates) * 0.8)
    assert mixture.weight(known) == pytest.approx(candidates[gain.argmax()], abs=0.04)


def test_each_bucket_learns_by_itself():
    # buckets of how often: 1, 2, 3-4, 5-8, more
    buckets = [[1], [2], [3, 4], [5, 8], [9, 100, 10**6]]
    mixture, start = Mixture(), Mixture()
    mixture.learn(knowing(2, 3), 0.0, 0.0)  # a token that nobody expected does no harm
    for _ in range(100):
        mixture.learn(knowing(2, 3), 0.9, 0.0001)
    for order in range(1, ORDER + 1):
        for totals in buckets:
            for total in totals:
                known = knowing(order, total)
                changed = mixture.weight(known) != start.weight(known)
                assert changed == (order == 2 and total in (3, 4)), (order, total)
    assert mixture.weight(knowing(0, 0)) == start.weight(knowing(0, 0))


def test_mixing_is_a_weighted_sum():
    memory = FastMemory(6)
    memory.add_many([[1, 2, 3], [1, 2, 4]])
    prediction = memory.predict([1, 2])
    model = np.array([0.1, 0.1, 0.2, 0.3, 0.2, 0.1], dtype=np.float32)
    kept = model.copy()
    mixture = Mixture()
    weight = mixture.weight(prediction)
    own = memory.unigrams() * prediction.backoff
    own[prediction.ids] += prediction.p
    mixed = mixture.mix(model, memory, prediction)
    assert mixed == pytest.approx((1 - weight) * model + weight * own, abs=1e-6)
    assert mixed.sum() == pytest.approx(1, abs=1e-6)
    assert np.array_equal(model, kept), "the model's distribution is left as it was"
    empty = FastMemory(6)
    assert np.array_equal(mixture.mix(model, empty, empty.predict([1])), kept)


def test_json_brings_the_weights_back():
    random = np.random.default_rng(1)
    mixture = Mixture()
    for _ in range(500):
        known = knowing(int(random.integers(0, ORDER + 1)), int(random.integers(0, 20)))
        mixture.learn(known, *random.random(2))
    again = Mixture.from_json(json.loads(json.dumps(mixture.to_json())))
    for order in range(ORDER + 1):
        for total in range(12):
            known = knowing(order, total)
            assert again.weight(known) == pytest.approx(mixture.weight(known), abs=1e-3)
    assert again.to_json() == mixture.to_json()


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [[["a"]]], [[[1.0, 1.0]] * 5] * 4])
def test_json_of_another_shape_is_refused(values):
    with pytest.raises(ValueError, match=r"shape|convert"):
        Mixture.from_json(values)
