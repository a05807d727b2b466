"""Fine-tuning on the tiny model: what is to be learned is, and what is not to be unlearned stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from idiolect.adapters.compute_clock import Clock
from idiolect.adapters.corpus import Rows
from idiolect.adapters.lora import Lora, LoraConfig
from idiolect.adapters.training.finetune import TrainConfig, Trained, products_for, train
from idiolect.models.graph import Weights
from idiolect.models.torch_llama import Twin

LENGTH = 24
CONFIG = TrainConfig(learning_rate=1e-2, epochs=20, batch=2, length=LENGTH)


@pytest.fixture(scope="module")
def twin(tiny_weights: Weights) -> Twin:
    return Twin(tiny_weights)


def rows(count: int, general: int = 0, tokens: tuple[int, int] = (20, 60)) -> Rows:
    ids = np.random.default_rng(count).integers(*tokens, (count, LENGTH + 1))
    return Rows(ids, np.ones((count, LENGTH), np.float32), np.zeros((count, 2), np.int64), general)


def together(own: Rows, general: Rows) -> Rows:
    return Rows(
        np.concatenate([own.ids, general.ids]),
        np.concatenate([own.weights, general.weights]),
        np.concatenate([own.entries, general.entries]),
        len(general),
    )


def trained(twin: Twin, on: Rows, config: TrainConfig = CONFIG, **given: Any) -> Trained:
    start = Lora.fresh(LoraConfig(4, 8.0), twin.config, 5)
    return train(
        twin,
        start,
        on,
        config,
        clock=Clock(600),
        budget_s=600,
        threads=1,
        seed=1,
        report=lambda _step: None,
        **given,
    )


def said(twin: Twin, lora: Lora | None, text: Rows) -> torch.Tensor:
    """Log-probabilities, by the base or with an adapter."""
    matrices = None
    if lora is not None:
        matrices = {
            name: torch.from_numpy(m) * (1.0 if name.endswith("A") else lora.config.scale)
            for name, m in lora.matrices.items()
        }
    with torch.no_grad():
        return F.log_softmax(twin.logits(torch.from_numpy(text.ids[:, :-1]), matrices), dim=-1)


def departure(twin: Twin, lora: Lora, text: Rows) -> float:
    """Mean Kullback-Leibler divergence from the base."""
    base = said(twin, None, text)
    return float((base.exp() * (base - said(twin, lora, text))).sum(-1).mean())


def surprise(twin: Twin, lora: Lora | None, text: Rows) -> float:
    """Nats a token."""
    targets = torch.from_numpy(text.ids[:, 1:])
    return float(F.nll_loss(said(twin, lora, text).flatten(0, 1), targets.flatten()))


def test_rows_are_learned(twin: Twin) -> None:
    own = rows(6)
    result = trained(twin, own)
    assert result.tokens == 6 * LENGTH * CONFIG.epochs
    assert result.rows == {*range(6)}
    assert surprise(twin, result.lora, own) < 0.8 * surprise(twin, None, own)


def test_general_rows_are_not_learned(twin: Twin) -> None:
    general = rows(6, general=6)
    result = trained(twin, general)
    assert departure(twin, result.lora, general) < 1e-4
    assert surprise(twin, result.lora, general) == pytest.approx(surprise(twin, None, general), rel=1e-3)


def test_general_rows_hold_an_adapter_to_what_the_base_says_there(twin: Twin) -> None:
    own, general = rows(6), rows(5, tokens=(100, 400))
    both = together(own, general)
    alone, held = trained(twin, own), trained(twin, both)
    assert departure(twin, held.lora, general) < 0.3 * departure(twin, alone.lora, general)
    assert surprise(twin, held.lora, own) < 0.9 * surprise(twin, None, own)


def test_what_only_stands_before_is_looked_at_and_not_learned(twin: Twin) -> None:
    before, some = LENGTH // 2, rows(6)
    some.weights[:, :before] = 0
    result = trained(twin, replace(some, before=before))
    assert result.tokens == 6 * (LENGTH - before) * CONFIG.epochs, "it counts for no token of training"
    same = trained(twin, some)  # the same loss, with what is not learned predicted as well
    for name, matrix in result.lora.matrices.items():
        assert np.allclose(matrix, same.lora.matrices[name], atol=1e-4), name
    other = replace(some, before=before, ids=some.ids.copy())
    other.ids[:, :before] = rows(7).ids[:6, :before]
    assert not np.allclose(
        trained(twin, other).lora.matrices["0.qkv.B"], result.lora.matrices["0.qkv.B"], atol=1e-4
    )


@pytest.mark.parametrize("products", [torch.bfloat16, torch.float32])
def test_a_checkpoint_says_in_which_products_it_goes_on(tiny_weights: Weights, products: torch.dtype) -> None:
    twin = Twin(tiny_weights, products)
    checkpoints: list[bytes] = []
    whole = trained(twin, rows(6), keep=lambda snapshot, _done: checkpoints.append(snapshot()))
    cut_off = checkpoints[len(checkpoints) // 3]
    kind = products_for("fastest", 1, cut_off)
    assert kind == products
    again = trained(Twin(tiny_weights, kind), rows(6), checkpoint=cut_off)
    for name, matrix in whole.lora.matrices.items():
        assert np.array_equal(matrix, again.lora.matrices[name]), name


def test_products_are_made_in_the_type_that_is_asked_for() -> None:
    assert products_for("bfloat16", 1) == torch.bfloat16
    assert products_for("float32", 1) == torch.float32
    assert products_for("fastest", 1) in (torch.bfloat16, torch.float32)


def test_little_text_is_passed_over_twice_and_much_once(twin: Twin) -> None:
    few = replace(CONFIG, epochs=1, least=200, batch=1)
    for count, tokens in ((2, 4 * LENGTH), (6, 200), (20, 20 * LENGTH)):
        result = trained(twin, rows(count), few)
        assert tokens <= result.tokens < tokens + LENGTH


def test_what_was_not_reached_was_not_learned(twin: Twin) -> None:
    result = trained(twin, rows(20), replace(CONFIG, epochs=0.3, batch=1, least=0))
    assert len(result.rows) == 6
