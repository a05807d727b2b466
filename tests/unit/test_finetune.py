"""Fine-tuning on the tiny model: what is to be learned is, and what is not to be unlearned stays."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.nn import functional as F

from idiolect.adapters.memory.corpus import Rows
from idiolect.adapters.training.averaged_adamw import AveragedAdamW
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.finetune import TrainConfig, Trained, choose_compute_dtype, train
from idiolect.adapters.training.lora import Lora
from idiolect.models.torch_model import TorchModel

LENGTH = 24
CONFIG = TrainConfig(learning_rate=1e-2, stretch=2, epochs=20, length=LENGTH)


@pytest.fixture(scope="module")
def llama(tiny_weights):
    return TorchModel(tiny_weights)


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


def trained(
    llama: TorchModel, on: Rows, config: TrainConfig = CONFIG, start: Lora | None = None, **given: Any
) -> Trained:
    return train(
        llama,
        start or Lora.fresh(llama.config, 4, 5),
        on,
        config,
        clock=ComputeClock(600),
        budget_s=600,
        threads=1,
        seed=1,
        report=lambda *_done, **_more: None,
        **given,
    )


def test_steps_are_those_of_torch_and_load_no_compiler():
    """In a process of its own, since others may have loaded the compiler."""
    code = """
import sys, torch
from idiolect.adapters.training.averaged_adamw import AveragedAdamW
torch.manual_seed(0)
start, gradients = torch.randn(1000), torch.randn(40, 1000)
ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
optimizer = AveragedAdamW(ours)
for gradient in gradients:
    ours.grad = gradient.clone()
    optimizer.step(0.01)
assert "torch._dynamo" not in sys.modules
other = torch.optim.AdamW([theirs], weight_decay=0.01, betas=(0.9, 0.98), fused=True)
steps = []
for number, gradient in enumerate(gradients):
    other.param_groups[0]["lr"] = 0.01 * min((number + 1) / 15, 1)
    theirs.grad = gradient.clone()
    other.step()
    steps.append(theirs.detach().clone())
assert torch.equal(ours, theirs)
# The average by its weights in closed form: of step s among t, s (s + 1) (s + 2), normed.
weights = torch.tensor([float(s * (s + 1) * (s + 2)) for s in range(1, 41)])
average = (torch.stack(steps) * weights[:, None]).sum(0) / weights.sum()
assert torch.allclose(optimizer.average, average, atol=1e-5)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_average_follows_where_a_topic_changes():
    """However long training went on before: what it was about then says little of what is written now."""
    values = torch.zeros(10, requires_grad=True)
    optimizer = AveragedAdamW(values)
    for step in range(400):
        if step == 360:
            with torch.no_grad():
                values += 1
        values.grad = torch.zeros(10)
        optimizer.step(0.0)
    assert (optimizer.average > 0.9).all()


def said(llama: TorchModel, lora: Lora | None, text: Rows) -> torch.Tensor:
    """Log-probabilities, by the base or with an adapter."""
    matrices = None
    if lora is not None:
        matrices = {
            name: torch.from_numpy(m) * (1.0 if name.endswith("A") else lora.scale)
            for name, m in lora.matrices.items()
        }
    with torch.no_grad():
        return F.log_softmax(llama.logits(torch.from_numpy(text.ids[:, :-1]), matrices), dim=-1)


def departure(llama: TorchModel, lora: Lora, text: Rows) -> float:
    """Mean Kullback-Leibler divergence from the base."""
    base = said(llama, None, text)
    return float((base.exp() * (base - said(llama, lora, text))).sum(-1).mean())


def surprise(llama: TorchModel, lora: Lora | None, text: Rows) -> float:
    """Nats a token."""
    targets = torch.from_numpy(text.ids[:, 1:])
    return float(F.nll_loss(said(llama, lora, text).flatten(0, 1), targets.flatten()))


def test_rows_are_learned(llama):
    own = rows(6)
    result = trained(llama, own)
    assert result.tokens == 6 * LENGTH * CONFIG.epochs
    assert result.rows == {*range(6)}
    assert surprise(llama, result.lora, own) < 0.8 * surprise(llama, None, own)


def test_general_rows_are_not_learned(llama):
    general = rows(6, general=6)
    result = trained(llama, general)
    assert departure(llama, result.lora, general) < 1e-4
    assert surprise(llama, result.lora, general) == pytest.approx(surprise(llama, None, general), rel=1e-3)


def test_general_rows_keep_an_adapter_near_the_base_there(llama):
    own, general = rows(6), rows(5, tokens=(100, 400))
    both = together(own, general)
    alone, held = trained(llama, own), trained(llama, both)
    assert departure(llama, held.lora, general) < 0.3 * departure(llama, alone.lora, general)
    assert surprise(llama, held.lora, own) < 0.9 * surprise(llama, None, own)


def test_a_row_is_learned_with_the_earlier_ones_of_its_stretch_in_view(llama):
    some = rows(3)
    some.weights[:2] = 0
    other = replace(some, ids=some.ids.copy())
    other.ids[0] = rows(7).ids[0]

    def learned(on: Rows, stretch: int) -> torch.Tensor:
        lora = trained(llama, on, replace(CONFIG, stretch=stretch)).lora
        return torch.from_numpy(lora.matrices["0.qkv.B"])

    assert torch.equal(learned(some, 1), learned(other, 1))
    assert not torch.allclose(learned(some, 3), learned(other, 3), atol=1e-4)
    assert not torch.allclose(learned(some, 3), learned(some, 1), atol=1e-4)


@pytest.mark.parametrize("compute_dtype", [torch.bfloat16, torch.float32])
def test_a_checkpoint_says_in_which_dtype_it_goes_on(tiny_weights, compute_dtype):
    llama, text = TorchModel(tiny_weights, compute_dtype), together(rows(5), rows(3))
    checkpoints: list[bytes] = []
    whole = trained(llama, text, on_step=lambda snapshot, _done: checkpoints.append(snapshot()))
    views = sum("adapter.view" in safetensors.torch.load(kept) for kept in checkpoints[: len(text)])
    assert views == 3, "of eight rows in five stretches: nothing is kept of a stretch that has ended"
    for cut_off in checkpoints[33:41:2]:  # within and between stretches
        kind = choose_compute_dtype("fastest", 1, cut_off)
        assert kind == compute_dtype
        again = trained(TorchModel(tiny_weights, kind), text, checkpoint=cut_off)
        for name, matrix in whole.lora.matrices.items():
            assert np.array_equal(matrix, again.lora.matrices[name]), name


def test_products_are_made_in_the_type_that_is_asked_for():
    assert choose_compute_dtype("bfloat16", 1) == torch.bfloat16
    assert choose_compute_dtype("float32", 1) == torch.float32
    assert choose_compute_dtype("fastest", 1) in (torch.bfloat16, torch.float32)


def test_little_text_is_passed_over_twice_and_much_once(llama):
    few = replace(CONFIG, epochs=1, min_tokens=200)
    for count, tokens in ((2, 4 * LENGTH), (6, 200), (20, 20 * LENGTH)):
        result = trained(llama, rows(count), few)
        assert tokens <= result.tokens < tokens + LENGTH


def test_a_run_goes_on_where_the_last_one_ended(llama):
    """Of two runs the second takes the steps that one run would have taken, but for what halves of numbers lose."""
    one = rows(1)

    def passed_over(times: int, **given: Any) -> Trained:
        return trained(llama, one, replace(CONFIG, epochs=times, min_tokens=0), **given)

    whole, begun = passed_over(20), passed_over(8)
    stored = Lora.from_bytes(begun.lora.to_bytes(), llama.config)
    gone_on = passed_over(12, start=stored, state=begun.state)
    from_weights = passed_over(12, start=stored)
    torn = passed_over(12, start=stored, state=b"torn")

    def distance(one: Trained, other: Trained) -> float:
        return sum(
            float(np.abs(m - other.lora.matrices[name]).sum()) for name, m in one.lora.matrices.items()
        )

    assert distance(gone_on, whole) < 0.1 * distance(from_weights, whole)
    assert distance(torn, from_weights) == 0, "the weights are there still"


def test_rows_that_were_not_reached_are_not_counted_as_learned(llama):
    result = trained(llama, rows(20), replace(CONFIG, epochs=0.3, min_tokens=0))
    assert len(result.rows) == 6
