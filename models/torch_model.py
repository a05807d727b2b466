"""The base model in torch: the served weights, de-quantized, with gradients for LoRA matrices only.

Imported by training alone; the serving process never loads torch.

A layer is one autograd function with its derivative written out. It computes nothing for the frozen weights and
nothing twice, and does element-wise work in few passes over memory: the norms' weights are folded into the maps after
them, and residual sums into the products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from idiolect.models.architecture import DOCUMENT, GROUPS, Architecture
from idiolect.models.weights import Weights

Matrices = Mapping[str, Tensor]
"""LoRA matrices by graph input name: ``{layer}.{group}.A`` (in, rank) and ``.B`` (rank, out)."""


class TorchModel:
    """Forward pass of the base model with an adapter, over a batch of equally long sequences.

    ``compute_dtype`` is the type of matrix products and of what lies between them. The residual stream, the norms and
    the LoRA values stay in single precision.
    """

    def __init__(self, weights: Weights, compute_dtype: torch.dtype = torch.float32) -> None:
        self.config = weights.config
        self.compute_dtype = compute_dtype
        self.embedding = _tensor(weights.embedding.dequantize()).to(compute_dtype)  # (vocab, width)
        self.output_norm = _tensor(weights.output_norm)
        self.layers = [_Layer(weights, index, compute_dtype) for index in range(self.config.layers)]

    def hidden(self, ids: Tensor, matrices: Matrices | None = None) -> Tensor:
        """Return the normed states (batch, S, width) before the output matrix; ``ids`` is (batch, S) int64."""
        folded = {
            name: (matrix * self.norm(name)).to(self.compute_dtype)
            for name, matrix in (matrices or {}).items()
        }
        return self.hidden_folded(ids, folded)

    def norm(self, name: str) -> Tensor:
        """Return the norm weights (in, 1) that are folded into a LoRA matrix A, or ones where there are none."""
        index, group, side = name.split(".")
        norm: Tensor | None = getattr(self.layers[int(index)], group).norm
        return torch.ones(1, 1) if norm is None or side == "B" else norm

    def hidden_folded(self, ids: Tensor, folded: Matrices, past: list[Tensor] | None = None) -> Tensor:
        """Return the states of :meth:`hidden`, from matrices that :meth:`norm` is folded into, in ``compute_dtype``.

        ``past`` has each layer's keys and values (2, batch * key-value heads, P, d) of the tokens before ``ids``, or
        none; those of ``ids`` are added. No gradient flows to it (Dai et al. 2019, Transformer-XL).
        """
        past = past if past is not None else []
        start = int(self.config.starts_with_document and not past)
        if start:
            ids = F.pad(ids, (1, 0), value=DOCUMENT)
        batch, length = ids.shape
        stream = F.embedding(ids.reshape(-1), self.embedding).float()  # (batch * S, width)
        if self.config.embedding_scale != 1.0:
            stream *= self.config.embedding_scale
        if not past:
            none = torch.empty(
                2, batch * self.config.kv_heads, 0, self.config.head_dim, dtype=self.compute_dtype
            )
            past += [none] * len(self.layers)
        before = past[0].shape[2]
        positions = {
            local: _Positions(self.config, batch, before, length, self.compute_dtype, local=local)
            for local in {layer.local for layer in self.layers}
        }
        for index, layer in enumerate(self.layers):
            pairs = [folded.get(f"{index}.{group}.{side}") for group in GROUPS for side in "AB"]
            # torch gives `Function.apply` no types
            stream, past[index] = _LayerFunction.apply(  # type: ignore[no-untyped-call]
                layer, positions[layer.local], past[index], stream, *pairs
            )
        normed = F.rms_norm(stream, (self.config.width,), self.output_norm, self.config.norm_eps)
        return normed.view(batch, length, -1)[:, start:]

    def logits(self, ids: Tensor, matrices: Matrices | None = None) -> Tensor:
        """Return logits (batch, S, vocab)."""
        return F.linear(self.hidden(ids, matrices).to(self.compute_dtype), self.embedding).float()


class _LoraLinear:
    """One linear map ``W x + B (A x)`` (Hu et al. 2021, eq. 3); the scale alpha / rank is part of B.

    ``norm`` is the weight of the norm before the map. It is folded into W, as it must be into A.
    """

    def __init__(
        self, matrix: NDArray[np.float32], norm: NDArray[np.float32] | None, compute_dtype: torch.dtype
    ) -> None:
        self.weight = _tensor(matrix if norm is None else matrix * norm).to(compute_dtype)  # (out, in)
        self.norm = None if norm is None else _tensor(norm)[:, None]  # (in, 1)

    def forward(
        self, x: Tensor, a: Tensor | None, b: Tensor | None, onto: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return ``onto`` + the map of ``x`` (N, in), and the low-rank states (N, rank)."""
        if onto is not None and onto.dtype == x.dtype:
            y, onto = torch.addmm(onto, x, self.weight.T), None
        else:
            y = x @ self.weight.T
        low = None
        if a is not None and b is not None:
            low = x @ a
            y.addmm_(low, b)
        return y if onto is None else onto + y, low

    def backward(
        self, grad: Tensor, x: Tensor, low: Tensor | None, a: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the gradients with respect to x, A and B."""
        grad_x = grad @ self.weight
        if a is None or b is None or low is None:
            return grad_x, None, None
        grad_low = grad @ b.T
        return grad_x.addmm_(grad_low, a.T), x.T @ grad_low, low.T @ grad


class _Layer:
    """The frozen parts of one layer."""

    def __init__(self, weights: Weights, index: int, compute_dtype: torch.dtype) -> None:
        self.config = weights.config
        self.compute_dtype = compute_dtype
        self.local = weights.config.is_local(index)
        norms = weights.norms[index]
        before = {"qkv": norms["attention"], "gate_up": norms["ffn"]}
        self.qkv, self.o, self.gate_up, self.down = (
            _LoraLinear(weights.maps[index][group].dequantize(), before.get(group), compute_dtype)
            for group in GROUPS
        )
        self.post_attention, self.post_ffn = (
            _tensor(norms[name]) if name in norms else None for name in ("post_attention", "post_ffn")
        )
        self.head_norms = [_tensor(norms[name]) for name in "qk"] if self.config.qk_norms else None

    def activate(self, gate: Tensor) -> Tensor:
        """Return the activation of the gate."""
        return F.silu(gate) if self.config.activation == "silu" else F.gelu(gate, approximate="tanh")

    def activation_backward(self, grad: Tensor, gate: Tensor, out: Tensor) -> None:
        """Write the gradient through the gate's activation into ``out``."""
        if self.config.activation == "silu":
            torch.ops.aten.silu_backward.grad_input(grad, gate, grad_input=out)
        else:
            torch.ops.aten.gelu_backward.grad_input(grad, gate, approximate="tanh", grad_input=out)


class _Positions:
    """Positions of a batch of tokens: the angles of their rotary embedding, and the mask of local or global layers."""

    def __init__(
        self,
        config: Architecture,
        batch: int,
        before: int,
        length: int,
        compute_dtype: torch.dtype,
        *,
        local: bool,
    ) -> None:
        self.batch, self.before, self.length = batch, before, length
        every = before + length
        cos, sin = (_tensor(part[before:]).to(compute_dtype) for part in config.rotary(every, local=local))
        # (S, 1, d), of each half of a head: the other half is turned towards it.
        self.cos, self.sin = torch.cat((cos, cos), 1)[:, None], torch.cat((-sin, sin), 1)[:, None]
        shared = config.heads // config.kv_heads
        hidden = torch.full((length, every), -torch.inf, dtype=compute_dtype)
        mask = hidden.triu(before + 1)
        if config.window is not None and local:
            mask += hidden.tril(before - config.window)
        self.mask = mask.repeat_interleave(shared, 0)  # (S * heads of a group, P + S)


class _LayerFunction(torch.autograd.Function):
    """One layer on the residual stream (batch * S, width), with its derivative."""

    @staticmethod
    def forward(
        ctx: Any, layer: _Layer, positions: _Positions, past: Tensor, x: Tensor, *pairs: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        config = layer.config
        scale1 = _inverse_rms(x, config.norm_eps)
        n1 = (x * scale1).to(layer.compute_dtype)
        packed, low_qkv = layer.qkv.forward(n1, pairs[0], pairs[1])
        q, new = _split_heads(packed, positions, layer)
        past = torch.cat((past, new), 2) if positions.before else new
        attention, flat = _attend(q, past, positions, config)
        h, o, low_o = _add_map(layer.o, layer.post_attention, config, flat, pairs[2], pairs[3], x)
        scale2 = _inverse_rms(h, config.norm_eps)
        n2 = (h * scale2).to(layer.compute_dtype)
        gate_up, low_gate_up = layer.gate_up.forward(n2, pairs[4], pairs[5])
        gate, up = gate_up.chunk(2, dim=1)
        active = layer.activate(gate)
        inner = active * up
        y, down, low_down = _add_map(layer.down, layer.post_ffn, config, inner, pairs[6], pairs[7], h)
        ctx.layer, ctx.positions = layer, positions
        heads = packed if layer.head_norms is not None else None  # before their norms
        lows = low_qkv, low_o, low_gate_up, low_down
        kept = scale1, n1, heads, q, past, attention, flat, o, scale2, n2, gate_up, active, inner, down
        ctx.save_for_backward(*kept, *lows, *pairs)
        ctx.mark_non_differentiable(past)
        return y, past

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _past: Tensor) -> tuple[Any, ...]:
        layer, config = ctx.layer, ctx.layer.config
        scale1, n1, heads, q, past, attention, flat, o, scale2, n2, gate_up, active, inner, down, *rest = (
            ctx.saved_tensors
        )
        low_qkv, low_o, low_gate_up, low_down, *pairs = rest
        gate, up = gate_up.chunk(2, dim=1)
        grad_m, *grads_down = layer.down.backward(
            _post_norm_backward(grad, down, layer.post_ffn, config.norm_eps).to(layer.compute_dtype),
            inner,
            low_down,
            pairs[6],
            pairs[7],
        )
        grad_gate_up = torch.empty_like(gate_up)
        torch.mul(grad_m, active, out=grad_gate_up[:, config.ffn :])
        layer.activation_backward(grad_m.mul_(up), gate, grad_gate_up[:, : config.ffn])
        grad_n, *grads_gate_up = layer.gate_up.backward(grad_gate_up, n2, low_gate_up, pairs[4], pairs[5])
        grad_h = _norm_backward(grad_n, n2, scale2, grad)
        grad_flat, *grads_o = layer.o.backward(
            _post_norm_backward(grad_h, o, layer.post_attention, config.norm_eps).to(layer.compute_dtype),
            flat,
            low_o,
            pairs[2],
            pairs[3],
        )
        grad_packed = _attend_backward(grad_flat, flat, attention, q, past, heads, ctx.positions, layer)
        grad_n, *grads_qkv = layer.qkv.backward(grad_packed, n1, low_qkv, pairs[0], pairs[1])
        grad_x = _norm_backward(grad_n, n1, scale1, grad_h) if ctx.needs_input_grad[3] else None
        return None, None, None, grad_x, *grads_qkv, *grads_o, *grads_gate_up, *grads_down


def _add_map(
    linear: _LoraLinear,
    post_norm: Tensor | None,
    config: Architecture,
    x: Tensor,
    a: Tensor | None,
    b: Tensor | None,
    residual: Tensor,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return ``residual`` + the map of ``x``, with a norm if there is one behind it.

    Beside it, for the derivative: the map of ``x``, where it has a norm, and the low-rank states.
    """
    if post_norm is None:
        total, low = linear.forward(x, a, b, onto=residual)
        return total, None, low
    y, low = linear.forward(x, a, b)
    return residual + _post_norm(y, post_norm, config.norm_eps), y, low


def _post_norm(y: Tensor, weight: Tensor, eps: float) -> Tensor:
    return F.rms_norm(y.float(), weight.shape, weight, eps)


def _post_norm_backward(grad: Tensor, y: Tensor | None, weight: Tensor | None, eps: float) -> Tensor:
    """Return the gradient through the norm behind a map that returned ``y``, or ``grad`` if there is none."""
    if y is None or weight is None:
        return grad
    return _gradient(lambda y: _post_norm(y, weight, eps), y, grad)


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    """Return 1 / root of the mean square, (N, 1)."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return norm.square_().div_(x.shape[1]).add_(eps).rsqrt_()


def _norm_backward(grad: Tensor, normed: Tensor, scale: Tensor, residual: Tensor) -> Tensor:
    """Return ``residual`` + the gradient through ``normed = x * scale``, where scale is x's inverse RMS."""
    grad = grad.float()
    along = (grad * normed).mean(dim=1, keepdim=True)
    return torch.addcmul(residual, grad.addcmul_(normed, along, value=-1.0), scale)


def _split_heads(packed: Tensor, positions: _Positions, layer: _Layer) -> tuple[Tensor, Tensor]:
    """Return queries and keys with values, (groups, S * heads of a group, d) and (2, groups, S, d).

    Each key-value head serves a group of query heads, whose rows are one matrix.
    """
    config = layer.config
    every = packed.view(positions.batch, positions.length, -1, config.head_dim)
    turned, v = torch.split(every, [config.heads + config.kv_heads, config.kv_heads], dim=2)
    if layer.head_norms is not None:
        turned = _head_norms(turned, layer.head_norms, config)
    turned = (turned * positions.cos).addcmul_(_swap_halves(turned), positions.sin)
    q, k = torch.split(turned, [config.heads, config.kv_heads], dim=2)
    shape = 2, positions.batch * config.kv_heads, -1, config.head_dim
    return _group_heads(q, config), torch.stack((k.transpose(1, 2), v.transpose(1, 2))).view(shape)


def _head_norms(turned: Tensor, norms: list[Tensor], config: Architecture) -> Tensor:
    """Return queries and keys (batch, S, heads, d), each head normed."""
    parts = torch.split(turned.float(), [config.heads, config.kv_heads], dim=2)
    normed = [
        F.rms_norm(part, norm.shape, norm, config.norm_eps) for part, norm in zip(parts, norms, strict=True)
    ]
    return torch.cat(normed, 2).to(turned.dtype)


def _swap_halves(heads: Tensor) -> Tensor:
    return heads.roll(heads.shape[-1] // 2, -1)


def _group_heads(heads: Tensor, config: Architecture) -> Tensor:
    """Return (batch, S, heads, d) as (groups, S * heads of a group, d)."""
    batch, length, _, d = heads.shape
    every = heads.view(batch, length, config.kv_heads, -1, d).transpose(1, 2)
    return every.reshape(batch * config.kv_heads, -1, d)


def _ungroup_heads(groups: Tensor, positions: _Positions, config: Architecture) -> Tensor:
    """Return (groups, S * heads of a group, d) as (batch, S, key-value heads, heads of a group, d)."""
    shape = positions.batch, config.kv_heads, positions.length, -1, config.head_dim
    return groups.view(shape).transpose(1, 2)


def _attend(q: Tensor, past: Tensor, positions: _Positions, config: Architecture) -> tuple[Tensor, Tensor]:
    """Return the weights and the result (batch * S, heads * d) of causal attention of grouped queries.

    ``past`` has keys and values (2, groups, P + S, d). A group at a time stays in the processor's cache.
    """
    found = torch.empty_like(q)
    weights = q.new_empty(*q.shape[:2], past.shape[2])
    for part, k, v, attention, out in zip(q, *past, weights, found, strict=True):
        scores = torch.addmm(positions.mask, part, k.T, alpha=config.score_scale)
        torch.mm(torch.softmax(scores, dim=1, out=attention), v, out=out)
    return weights, _ungroup_heads(found, positions, config).reshape(positions.batch * positions.length, -1)


def _attend_backward(
    grad: Tensor,
    flat: Tensor,
    attention: Tensor,
    q: Tensor,
    past: Tensor,
    heads: Tensor | None,
    positions: _Positions,
    layer: _Layer,
) -> Tensor:
    """Return the gradient with respect to queries, keys and values as the map before attention returns them.

    ``flat`` is what :func:`_attend` returned, with the weights ``attention``; ``heads`` what the map returned, where
    norms stand behind it.
    """
    config, before = layer.config, positions.before
    shape = positions.batch, positions.length, -1, config.head_dim
    along = (grad * flat).view(shape).float().sum(3, keepdim=True).to(grad.dtype)
    upstream, along = _group_heads(grad.view(shape), config), _group_heads(along, config)
    grad_q, grad_new = torch.empty_like(q), q.new_empty(2, len(q), positions.length, config.head_dim)
    for group, (part, k, v, weights, above) in enumerate(zip(q, *past, attention, upstream, strict=True)):
        scores = (above @ v.T).sub_(along[group]).mul_(weights)
        torch.mm(scores, k, out=grad_q[group])
        torch.mm(scores[:, before:].T, part, out=grad_new[0, group])
        torch.mm(weights[:, before:].T, above, out=grad_new[1, group])
    split = [config.heads, config.kv_heads, config.kv_heads]
    found = grad.new_empty(*shape[:2], sum(split), config.head_dim)
    for part, out in zip((grad_q, *grad_new), torch.split(found, split, dim=2), strict=True):
        out.copy_(_ungroup_heads(part, positions, config).flatten(2, 3))
    turned = found[:, :, : -config.kv_heads]
    turned *= config.score_scale
    back = (turned * positions.cos).addcmul_(_swap_halves(turned), positions.sin, value=-1.0)
    if heads is not None and layer.head_norms is not None:
        norms = layer.head_norms
        unturned = heads.view(found.shape)[:, :, : -config.kv_heads]
        back = _gradient(lambda x: _head_norms(x, norms, config), unturned, back)
    turned.copy_(back)
    return found.view(grad.shape[0], -1)


def _gradient(of: Callable[[Tensor], Tensor], x: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient through ``of``, which is little work and computed again instead of kept."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (found,) = torch.autograd.grad(of(leaf), leaf, grad)
    return found


def _tensor(array: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(array))
