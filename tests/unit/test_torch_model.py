"""The torch twin: its forward pass and its handwritten derivatives, against a plain implementation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from idiolect.models.cross_entropy import cross_entropy
from idiolect.models.torch_model import TorchModel

EXACT = 2e-5
"""Both sides compute in float32, and differ only in the order of sums: relative to the largest entry."""


@pytest.fixture(scope="module")
def twin(tiny_weights):
    return TorchModel(tiny_weights)


def plain_hidden(weights, ids, matrices):
    """The model as it is written in textbooks, one operation after the other, differentiated by autograd."""
    config = weights.config
    cos, sin = map(torch.from_numpy, config.rotary(ids.shape[1]))

    def tensor(array):
        return torch.from_numpy(np.array(array))

    def linear(x, layer, group):
        y = F.linear(x, tensor(weights.maps[layer][group].dequantize()))
        name = f"{layer}.{group}"
        return y + (x @ matrices[f"{name}.A"]) @ matrices[f"{name}.B"] if f"{name}.A" in matrices else y

    def rotate(x):
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)

    def norm(x, weight):
        return x / (x.pow(2).mean(-1, keepdim=True) + config.norm_eps).sqrt() * tensor(weight)

    batch, length = ids.shape
    mask = torch.full((length, length), -torch.inf).triu(1)
    x = F.embedding(ids, tensor(weights.embedding.dequantize()))
    for layer in range(config.layers):
        packed = linear(norm(x, weights.norms[layer]["attention"]), layer, "qkv")
        heads = packed.view(batch, length, -1, config.head_dim).transpose(1, 2)
        q, k, v = heads.split([config.heads, config.kv_heads, config.kv_heads], dim=1)
        shared = config.heads // config.kv_heads
        k, v = (part.repeat_interleave(shared, dim=1) for part in (rotate(k), v))
        attention = (rotate(q) @ k.mT / config.head_dim**0.5 + mask).softmax(-1) @ v
        x = x + linear(attention.transpose(1, 2).reshape(batch, length, -1), layer, "o")
        gate, up = linear(norm(x, weights.norms[layer]["ffn"]), layer, "gate_up").chunk(2, dim=-1)
        x = x + linear(F.silu(gate) * up, layer, "down")
    return norm(x, weights.output_norm)


def random_ids(config, *shape, seed=3):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, config.vocab, shape))


def as_parameters(lora):
    return {name: torch.from_numpy(matrix.copy()).requires_grad_() for name, matrix in lora.tensors().items()}


@pytest.mark.parametrize("length", [1, 2, 17, 130])
def test_states_are_those_of_the_plain_model(twin, tiny_weights, length):
    ids = random_ids(twin.config, 2, length)
    with torch.no_grad():
        ours, plain = twin.hidden(ids), plain_hidden(tiny_weights, ids, {})
    assert ours.shape == (2, length, twin.config.width)
    assert (ours - plain).abs().max() <= EXACT * plain.abs().max()


def test_text_in_pieces_has_the_states_of_the_whole_and_gradients_of_the_piece(twin, make_lora):
    matrices = as_parameters(make_lora(twin.config))
    folded = {name: matrix * twin.norm(name) for name, matrix in matrices.items()}
    ids, past = random_ids(twin.config, 2, 60), []
    pieces = [twin.hidden_folded(piece, folded, past) for piece in ids.split([17, 23, 20], 1)]
    whole = twin.hidden(ids, matrices)
    assert (torch.cat(pieces, 1) - whole).abs().max() <= EXACT * whole.abs().max()
    assert all(kept.shape[2] == 60 and not kept.requires_grad for kept in past)


@pytest.mark.parametrize("rank", [1, 4])
def test_gradients_are_those_of_autograd(twin, tiny_weights, make_lora, rank):
    matrices = as_parameters(make_lora(twin.config, rank))
    ids, targets = random_ids(twin.config, 2, 21), random_ids(twin.config, 42, seed=4)

    states = twin.hidden(ids, matrices)
    loss = cross_entropy(states.reshape(42, -1), twin.embedding, targets, torch.ones(42), rows=8)
    gradients = torch.autograd.grad(loss, list(matrices.values()))

    plain = plain_hidden(tiny_weights, ids, matrices)
    plain_loss = F.cross_entropy(plain.reshape(42, -1) @ twin.embedding.T, targets, reduction="sum")
    expected = torch.autograd.grad(plain_loss, list(matrices.values()))

    assert (states - plain).abs().max() <= EXACT * plain.abs().max()
    assert loss.item() == pytest.approx(plain_loss.item(), rel=1e-5)
    for name, ours, theirs in zip(matrices, gradients, expected, strict=True):
        assert theirs.abs().max() > 0, name
        assert (ours - theirs).abs().max() <= 10 * EXACT * theirs.abs().max(), name


def test_products_in_bfloat16_give_nearly_the_same(twin, tiny_weights, make_lora):
    matrices = as_parameters(make_lora(twin.config))
    ids, targets = random_ids(twin.config, 2, 21), random_ids(twin.config, 42, seed=4)

    def gradients(model):
        states = model.hidden(ids, matrices)
        assert states.dtype == torch.float32
        loss = cross_entropy(states.reshape(42, -1), model.embedding, targets, torch.ones(42))
        return loss.item(), list(torch.autograd.grad(loss, list(matrices.values())))

    exact, expected = gradients(twin)
    near, found = gradients(TorchModel(tiny_weights, torch.bfloat16))
    assert near == pytest.approx(exact, rel=5e-3)
    for name, ours, theirs in zip(matrices, found, expected, strict=True):
        assert ours.dtype == torch.float32
        assert F.cosine_similarity(ours.ravel(), theirs.ravel(), dim=0) > 0.99, name


def test_logits_are_the_states_by_the_embedding(twin):
    ids = random_ids(twin.config, 1, 5)
    with torch.no_grad():
        assert torch.allclose(twin.logits(ids), twin.hidden(ids) @ twin.embedding.T, atol=1e-5)


def test_only_the_adapter_learns(twin, make_lora):
    assert not twin.embedding.requires_grad
    assert not twin.hidden(random_ids(twin.config, 1, 4)).requires_grad
    assert twin.hidden(random_ids(twin.config, 1, 4), as_parameters(make_lora(twin.config))).requires_grad


@pytest.mark.parametrize("rows", [1, 7, 64, 100])
def test_cross_entropy_in_pieces_is_cross_entropy(rows):
    random = torch.Generator().manual_seed(rows)
    states = torch.randn(64, 16, generator=random).requires_grad_()
    head = 3 * torch.randn(50, 16, generator=random)
    targets = torch.randint(0, 50, (64,), generator=random)
    weights = torch.rand(64, generator=random)
    weights[::3] = 0.0

    loss = cross_entropy(states, head, targets, weights, rows)
    [gradient] = torch.autograd.grad(0.5 * loss, states)
    expected = (F.cross_entropy(states @ head.T, targets, reduction="none") * weights).sum()
    [wanted] = torch.autograd.grad(0.5 * expected, states)

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(gradient, wanted, atol=1e-5)
    assert (gradient[::3] == 0).all(), "what does not count leaves no trace"


@pytest.mark.parametrize("rows", [7, 100])
def test_cross_entropy_with_a_teacher_is_least_where_both_say_the_same(rows):
    random = torch.Generator().manual_seed(rows)
    teacher = torch.randn(20, 16, generator=random)
    head = torch.randn(50, 16, generator=random)
    weights = torch.rand(20, generator=random)
    states = (teacher + torch.randn(20, 16, generator=random)).requires_grad_()

    loss = cross_entropy(states, head, teacher, weights, rows)
    [gradient] = torch.autograd.grad(0.5 * loss, states)
    wanted = torch.softmax(teacher @ head.T, dim=1)
    expected = (F.cross_entropy(states @ head.T, wanted, reduction="none") * weights).sum()
    [expected_gradient] = torch.autograd.grad(0.5 * expected, states)

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(gradient, expected_gradient, atol=1e-5)
    same = teacher.clone().requires_grad_()
    least = cross_entropy(same, head, teacher, weights, rows)
    [none] = torch.autograd.grad(least, same)
    assert least.item() < loss.item()
    assert none.abs().max() < 1e-5


def test_cross_entropy_of_far_logits_is_finite():
    states = torch.tensor([[200.0, 0.0]], requires_grad=True)
    head = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    loss = cross_entropy(states, head, torch.tensor([1]), torch.ones(1))
    loss.backward()
    assert loss.item() == pytest.approx(400.0)
    assert torch.isfinite(states.grad).all()
