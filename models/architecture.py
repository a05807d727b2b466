"""The description of a model, from which the served graph, the torch model and the adapters' shapes are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

GROUPS = ("qkv", "o", "gate_up", "down")
"""The linear maps of one layer. Maps that read the same input are fused by rows: q, k, v and gate, up."""

DOCUMENT = 0
"""The token that stands between two documents, in every vocabulary."""


@dataclass(frozen=True)
class Architecture:
    """A decoder-only transformer with RMS norms, rotary positions, grouped heads, a gated FFN and a tied output matrix.

    The defaults describe Llama; the fields behind them say in what Granite and Gemma 3 differ. A further multiplier of
    Granite's, of the logits, is part of the output norm's weights, and its residual multiplier of the maps o and down.
    """

    layers: int
    width: int  # features of the residual stream
    heads: int  # of queries
    kv_heads: int
    head_dim: int  # features of a head
    ffn: int  # inner features of the feed-forward part
    vocab: int
    rope_theta: float  # base of the rotary frequencies
    norm_eps: float  # added to the mean square in each norm
    context: int  # the longest sequence, in tokens
    activation: Literal["silu", "gelu-tanh"] = "silu"  # of the gate
    qk_norms: bool = False  # each head of q and of k has a norm, before it is rotated
    post_norms: bool = (
        False  # what attention and FFN return has a norm, before it is added to the residual stream
    )
    embedding_scale: float = 1.0
    attention_scale: float | None = (
        None  # factor of the products of q and k; None: the inverse root of `head_dim`
    )
    residual_scale: float = 1.0  # factor of what attention and FFN return
    window: int | None = None  # tokens that a local layer attends to; None: all layers are global
    local_rope_theta: float = 10_000.0  # base of the rotary frequencies in local layers
    global_every: int = (
        1  # of so many layers the last is global, and the others are local, where there is a window
    )
    starts_with_document: bool = False  # every sequence begins with `DOCUMENT`

    @property
    def score_scale(self) -> float:
        """The factor of the products of q and k."""
        return self.head_dim**-0.5 if self.attention_scale is None else self.attention_scale

    def is_local(self, layer: int) -> bool:
        """Return True if a layer attends to the last :attr:`window` tokens only."""
        return self.window is not None and (layer + 1) % self.global_every != 0

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return (in, out) features of each of :data:`GROUPS`."""
        attention, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "qkv": (self.width, attention + 2 * kv),
            "o": (attention, self.width),
            "gate_up": (self.width, 2 * self.ffn),
            "down": (self.ffn, self.width),
        }

    def parts(self) -> dict[str, tuple[tuple[str, int], ...]]:
        """Return the separate maps inside each of :data:`GROUPS`, as (name, rows), in the order they are fused."""
        attention, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "qkv": (("q", attention), ("k", kv), ("v", kv)),
            "o": (("o", self.width),),
            "gate_up": (("gate", self.ffn), ("up", self.ffn)),
            "down": (("down", self.width),),
        }

    def norms(self) -> dict[str, int]:
        """Return the norms of one layer, as name and features."""
        norms = {"attention": self.width, "ffn": self.width}
        if self.qk_norms:
            norms |= {"q": self.head_dim, "k": self.head_dim}
        if self.post_norms:
            norms |= {"post_attention": self.width, "post_ffn": self.width}
        return norms

    def rotary(self, length: int, *, local: bool = False) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return cosines and sines of rotary embedding (Su et al. 2021, eq. 15), each (length, head_dim / 2).

        Args:
            length: positions, from 0.
            local: use the frequencies of local layers.
        """
        half = self.head_dim // 2
        frequency = (self.local_rope_theta if local else self.rope_theta) ** (-np.arange(half) / half)
        angle = np.outer(np.arange(length), frequency)
        return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return the description as plain JSON values."""
        return asdict(self)


def adapter_inputs(architecture: Architecture) -> list[tuple[str, tuple[int, int]]]:
    """Return the served graph's adapter inputs as (name, (in, out) features of the map), A before B, layer by layer.

    ``{layer}.{group}.A`` is (in, rank) and ``{layer}.{group}.B`` (rank, out), with LoRA's scale alpha / rank already
    multiplied into B.
    """
    shapes = architecture.shapes()
    return [
        (f"{layer}.{group}.{side}", shapes[group])
        for layer in range(architecture.layers)
        for group in GROUPS
        for side in "AB"
    ]
