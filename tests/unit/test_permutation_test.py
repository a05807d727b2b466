"""What chance alone brings, and how honest the interval of an effect is."""

import numpy as np
import pytest

from idiolect.adapters.training.permutation_test import effect, p_value

TYPISTS, STRETCHES, BLOCK = 300, 120, 12


def typed(rng, faster):
    """Stretches of one typist: characters, seconds, whether with suggestions, and the effect on each of those.

    They have 20 to 600 characters. The typist's speed drifts over the day, and suggestions change that of the keys by
    `faster`, but not the pauses for thought of up to three seconds.
    """
    chars = np.exp(rng.uniform(np.log(20), np.log(600), STRETCHES))
    shown = (rng.random(STRETCHES) >= 0.25).astype(float)
    hours = np.sort(rng.random(STRETCHES))
    drift = 0.2 * np.sin(2 * np.pi * (3 * hours + rng.random())) + np.cumsum(rng.normal(0, 0.03, STRETCHES))
    keys_s = 0.25 * chars * np.exp(drift + rng.normal(0, 0.12, STRETCHES))
    keys_s *= np.exp(rng.normal(0, 0.6, STRETCHES) / np.sqrt(chars / 10))
    pauses_s = np.array([rng.uniform(0, 3, count).sum() for count in rng.poisson(chars / 150)])
    without_s, with_s = keys_s + pauses_s, keys_s / (1 + faster) + pauses_s
    return chars, np.where(shown == 1, with_s, without_s), shown, np.log(with_s / without_s)


@pytest.mark.parametrize("faster", [0.0, 0.1, -0.1])
def test_the_interval_holds_the_true_effect_as_often_as_it_says(faster):
    rng = np.random.default_rng(33)
    holds, values = 0, []
    for seed in range(TYPISTS):
        chars, seconds, shown, each = typed(rng, faster)
        weights = chars / (chars + 150)
        found = effect(np.log(seconds / chars), shown, weights, block=BLOCK, seed=seed, resamples=399)
        assert found is not None
        true = np.average(each, weights=weights)
        holds += found.low <= true <= found.high
        values.append(found.value - true)
    assert holds / TYPISTS >= 0.94
    assert abs(np.mean(values)) < 0.01, "it leans to no side"


def test_an_effect_without_noise_is_found_exactly():
    shown = np.array([1.0, 1.0, 0.0, 1.0] * 30)
    drift = np.arange(120) // 12 * 0.3  # from block to block
    found = effect(drift - 0.1 * shown, shown, np.ones(120), block=12)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))


@pytest.mark.parametrize("shown", [[1.0] * 40, [0.0] * 40, [1.0] * 19 + [0.0]])
def test_too_few_units_without_treatment_give_no_effect(shown):
    assert effect(np.arange(float(len(shown))), np.array(shown), np.ones(len(shown)), block=12) is None


def test_a_p_value_is_small_only_for_more_than_chance_brings():
    drawn = np.random.default_rng(1).normal(size=999)
    assert p_value(100.0, drawn) == 1 / 1000
    assert p_value(0.0, drawn) == pytest.approx(0.5, abs=0.05)
