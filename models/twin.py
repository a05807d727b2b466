"""The torch twin of the served graph: the same 8-bit weights, de-quantized, with gradients for LoRA only.

Imported by training alone; the serving process never loads torch.

A layer is one autograd function with its derivative written out. What autograd would keep for it is
cut to a third, nothing is computed for the frozen weights, and element-wise work is done in few
passes over memory: the norms' weights are folded into the maps that follow them, and residual sums
into the products.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from idiolect.models.llama import GROUPS, LlamaConfig, Weights

Matrices = Mapping[str, Tensor]
"""LoRA matrices by graph input name: ``{layer}.{group}.A`` (in, rank) and ``.B`` (rank, out)."""


class Twin:
    """Forward pass of the base model with an adapter, over a batch of equally long sequences."""

    def __init__(self, weights: Weights) -> None:
        self.config = weights.config
        self.embedding = _tensor(weights.embedding.dequantize())  # (vocab, width)
        self.output_norm = _tensor(weights.output_norm)
        self.layers = [_Layer(weights, index) for index in range(self.config.layers)]

    def hidden(self, ids: Tensor, matrices: Matrices | None = None) -> Tensor:
        """Normed states (batch, S, width) that the output matrix is applied to; ``ids`` is (batch, S) int64."""
        batch, length = ids.shape
        stream = F.embedding(ids.reshape(-1), self.embedding)  # (batch * S, width)
        rotary = tuple(_tensor(part) for part in self.config.rotary(length))
        for index, layer in enumerate(self.layers):
            pairs = [(matrices or {}).get(f"{index}.{group}.{side}") for group in GROUPS for side in "AB"]
            stream = _LayerFunction.apply(layer, batch, rotary, stream, *pairs)  # type: ignore[no-untyped-call]
        normed = F.rms_norm(stream, (self.config.width,), self.output_norm, self.config.norm_eps)
        return normed.view(batch, length, -1)

    def logits(self, ids: Tensor, matrices: Matrices | None = None) -> Tensor:
        """Logits (batch, S, vocab)."""
        return F.linear(self.hidden(ids, matrices), self.embedding)


class _Map:
    """One linear map ``W x + B (A x)`` (Hu et al. 2021, eq. 3); the scale alpha / rank is part of B.

    ``norm`` is the weight of the norm before the map, folded into W and A.
    """

    def __init__(self, matrix: NDArray[np.float32], norm: NDArray[np.float32] | None) -> None:
        self.weight = _tensor(matrix if norm is None else matrix * norm)  # (out, in)
        self.norm = None if norm is None else _tensor(norm)[:, None]  # (in, 1)

    def forward(
        self, x: Tensor, a: Tensor | None, b: Tensor | None, onto: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(``onto`` + map of ``x`` (N, in), the low-rank states (N, rank))."""
        y = x @ self.weight.T if onto is None else torch.addmm(onto, x, self.weight.T)
        if a is None or b is None:
            return y, None
        low = x @ (a if self.norm is None else a * self.norm)
        return y.addmm_(low, b), low

    def backward(
        self, grad: Tensor, x: Tensor, low: Tensor | None, a: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Gradients with respect to x, A and B."""
        grad_x = grad @ self.weight
        if a is None or b is None or low is None:
            return grad_x, None, None
        grad_low = grad @ b.T
        grad_a, grad_b = x.T @ grad_low, low.T @ grad
        if self.norm is None:
            return grad_x.addmm_(grad_low, a.T), grad_a, grad_b
        return grad_x.addmm_(grad_low, (a * self.norm).T), grad_a * self.norm, grad_b


class _Layer:
    """The frozen parts of one layer."""

    def __init__(self, weights: Weights, index: int) -> None:
        self.config = weights.config
        norms, maps = weights.norms[index], weights.maps[index]
        self.qkv = _Map(maps["qkv"].dequantize(), norms["attention"])
        self.o = _Map(maps["o"].dequantize(), None)
        self.gate_up = _Map(maps["gate_up"].dequantize(), norms["ffn"])
        self.down = _Map(maps["down"].dequantize(), None)


class _LayerFunction(torch.autograd.Function):
    """One layer on the residual stream (batch * S, width), with its derivative."""

    @staticmethod
    def forward(ctx: Any, layer: _Layer, batch: int, rotary: Any, x: Tensor, *pairs: Tensor | None) -> Tensor:
        config = layer.config
        scale1 = _inverse_rms(x, config.norm_eps)
        packed, low_qkv = layer.qkv.forward(x * scale1, pairs[0], pairs[1])
        heads = _attend(*_heads(packed, batch, config, rotary))
        flat = heads.transpose(1, 2).reshape(x.shape[0], -1)
        h, low_o = layer.o.forward(flat, pairs[2], pairs[3], onto=x)
        scale2 = _inverse_rms(h, config.norm_eps)
        gate_up, low_gate_up = layer.gate_up.forward(h * scale2, pairs[4], pairs[5])
        gate, up = gate_up.chunk(2, dim=1)
        y, low_down = layer.down.forward(F.silu(gate).mul_(up), pairs[6], pairs[7], onto=h)
        ctx.layer, ctx.batch, ctx.rotary = layer, batch, rotary
        ctx.save_for_backward(
            x, scale1, packed, flat, h, scale2, gate_up, low_qkv, low_o, low_gate_up, low_down, *pairs
        )
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        layer, config = ctx.layer, ctx.layer.config
        x, scale1, packed, flat, h, scale2, gate_up, low_qkv, low_o, low_gate_up, low_down, *pairs = (
            ctx.saved_tensors
        )
        gate, up = gate_up.chunk(2, dim=1)
        silu = F.silu(gate)
        grad_m, *grads_down = layer.down.backward(grad, silu * up, low_down, pairs[6], pairs[7])
        grad_gate_up = torch.empty_like(gate_up)
        torch.mul(grad_m, silu, out=grad_gate_up[:, config.ffn :])
        # silu'(g) = s + silu (1 - s) with s the logistic function
        slope = torch.sigmoid(gate)
        slope.add_(silu * (1 - slope))
        torch.mul(grad_m.mul_(up), slope, out=grad_gate_up[:, : config.ffn])
        normed = h * scale2
        grad_n, *grads_gate_up = layer.gate_up.backward(grad_gate_up, normed, low_gate_up, pairs[4], pairs[5])
        grad_h = _norm_backward(grad_n, normed, scale2, grad)
        grad_flat, *grads_o = layer.o.backward(grad_h, flat, low_o, pairs[2], pairs[3])
        grad_packed = _attention_backward(grad_flat, packed, ctx.batch, config, ctx.rotary)
        normed = x * scale1
        grad_n, *grads_qkv = layer.qkv.backward(grad_packed, normed, low_qkv, pairs[0], pairs[1])
        grad_x = _norm_backward(grad_n, normed, scale1, grad_h) if ctx.needs_input_grad[3] else None
        return None, None, None, grad_x, *grads_qkv, *grads_o, *grads_gate_up, *grads_down


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    """1 / root of the mean square, (N, 1)."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return norm.square_().div_(x.shape[1]).add_(eps).rsqrt_()


def _norm_backward(grad: Tensor, normed: Tensor, scale: Tensor, residual: Tensor) -> Tensor:
    """``residual`` + the gradient through ``normed = x * scale``, where scale is x's inverse RMS."""
    along = (grad * normed).mean(dim=1, keepdim=True)
    return torch.addcmul(residual, grad.addcmul_(normed, along, value=-1.0), scale)


def _heads(packed: Tensor, batch: int, config: LlamaConfig, rotary: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Rotated q (batch, heads, S, d) and k, and v (batch, kv_heads, S, d), from (batch * S, all heads * d)."""
    every = packed.view(batch, -1, config.heads + 2 * config.kv_heads, config.head_dim).transpose(1, 2)
    q, k, v = every.tensor_split((config.heads, config.heads + config.kv_heads), dim=1)
    return _rotate(q, *rotary), _rotate(k, *rotary), v


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention (batch, heads, S, d); each key-value head serves several query heads."""
    repeat = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeat, dim=1), v.repeat_interleave(repeat, dim=1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def _attention_backward(
    grad_flat: Tensor, packed: Tensor, batch: int, config: LlamaConfig, rotary: Any
) -> Tensor:
    """The gradient of the packed heads; attention itself, little work, is done again instead of kept."""
    with torch.enable_grad():
        parts = [part.detach().requires_grad_() for part in _heads(packed, batch, config, rotary)]
        heads = _attend(*parts)
    grad_heads = grad_flat.view(batch, -1, config.heads, config.head_dim).transpose(1, 2)
    grad_q, grad_k, grad_v = torch.autograd.grad(heads, parts, grad_heads)
    cos, sin = rotary
    grads = torch.cat([_rotate(grad_q, cos, -sin), _rotate(grad_k, cos, -sin), grad_v], dim=1)
    return grads.transpose(1, 2).reshape(packed.shape)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of (batch, heads, S, d) by angles (S, d / 2); with -sin, its transpose."""
    half = cos.shape[1]
    first, second = x[..., :half], x[..., half:]
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1.0)
    torch.mul(second, cos, out=out[..., half:]).addcmul_(first, sin)
    return out


def _tensor(array: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(array))


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Cross-entropy through the frozen output matrix, a few rows at a time.

    The gradient with respect to the states is made in the forward pass, so that the logits of a
    whole batch (tokens x vocabulary) never exist at once.
    """

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, head: Tensor, targets: Tensor, weights: Tensor, rows: int
    ) -> Tensor:
        total = states.new_zeros(())
        gradient = torch.empty_like(states)
        for start in range(0, states.shape[0], rows):
            part = slice(start, start + rows)
            logits = states[part] @ head.T
            log_z = torch.logsumexp(logits, dim=1, keepdim=True)
            chosen = logits.gather(1, targets[part, None])
            weight = weights[part, None]
            total += ((log_z - chosen) * weight).sum()
            logits.sub_(log_z).exp_()
            logits.scatter_add_(1, targets[part, None], torch.full_like(chosen, -1.0))
            gradient[part] = logits.mul_(weight) @ head
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None, None, None


def cross_entropy(states: Tensor, head: Tensor, targets: Tensor, weights: Tensor, rows: int = 256) -> Tensor:
    """Weighted sum of the tokens' cross-entropy in nats.

    Args:
        states: (N, width) normed states; the gradient flows to these only.
        head: (vocab, width) frozen output matrix.
        targets: (N,) int64 next tokens.
        weights: (N,) float; zero where a token does not count.
        rows: states handled at a time.
    """
    result: Tensor = _ChunkedCrossEntropy.apply(states, head, targets, weights, rows)  # type: ignore[no-untyped-call]
    return result
