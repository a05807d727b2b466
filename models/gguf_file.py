"""Reads a GGUF: the architecture, the weights and the vocabulary of its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.models.architecture import Architecture
from idiolect.models.errors import DamagedModelError, UnsupportedModelError
from idiolect.models.weights import Blocks, OffsetBlocks, Weights, quantize


@dataclass(frozen=True)
class Vocabulary:
    """A GGUF's tokens, its merges, and the types of its tokens."""

    tokens: list[str]
    merges: list[str]
    types: list[int]


def read_gguf(path: Path, report: Callable[[float], None] = lambda _done: None) -> tuple[Weights, Vocabulary]:
    """Read a Llama-architecture GGUF: maps in Q4_1 as they are, all others into 8-bit blocks.

    Args:
        path: the file.
        report: gets the share that is done, 0 to 1.

    Raises:
        DamagedModelError: the file is not a readable GGUF.
        UnsupportedModelError: another architecture, another tokenizer, or an untied output matrix.
    """
    from gguf import GGUFReader  # slow to import, needed only when a base is built

    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise DamagedModelError(
            f"{path} is not a readable GGUF file ({type(error).__name__}). Name another one in the setting "
            "`base`, or delete it so that it is fetched again."
        ) from error
    config = _read_config(reader, path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    if "output.weight" in tensors:
        raise UnsupportedModelError(
            f"{path} has an output matrix of its own; give a model with tied embeddings."
        )
    vocabulary = Vocabulary(
        *(_field(reader, path, f"tokenizer.ggml.{name}") for name in ("tokens", "merges", "token_type"))
    )
    try:
        return _read_weights(config, tensors, report), vocabulary
    except KeyError as error:
        raise UnsupportedModelError(
            f"{path} lacks the tensor {error.args[0]}; give a complete Llama model."
        ) from error
    except NotImplementedError as error:
        raise UnsupportedModelError(
            f"{path} is quantized in a way that can't be read here; give it in another quantization."
        ) from error


def _field(reader: Any, path: Path, name: str) -> Any:
    if name not in reader.fields:
        raise UnsupportedModelError(f"{path} lacks the field {name}; give a Llama-architecture GGUF.")
    return reader.fields[name].contents()


def _read_config(reader: Any, path: Path) -> Architecture:
    def field(name: str) -> Any:
        return _field(reader, path, name)

    if len(field("tokenizer.ggml.tokens")) > 1 << 16:
        raise UnsupportedModelError(
            f"{path} has more than 65,536 tokens; give a model with a smaller vocabulary."
        )
    if field("general.architecture") != "llama" or (
        field("tokenizer.ggml.model"),
        field("tokenizer.ggml.pre"),
    ) != (
        "gpt2",
        "smollm",
    ):
        raise UnsupportedModelError(
            f"{path} is not a Llama-architecture model with SmolLM's tokenizer; give one of that family."
        )
    width, heads = field("llama.embedding_length"), field("llama.attention.head_count")
    return Architecture(
        layers=field("llama.block_count"),
        width=width,
        heads=heads,
        kv_heads=field("llama.attention.head_count_kv"),
        head_dim=width // heads,
        ffn=field("llama.feed_forward_length"),
        vocab=len(field("tokenizer.ggml.tokens")),
        rope_theta=float(field("llama.rope.freq_base")),
        norm_eps=float(field("llama.attention.layer_norm_rms_epsilon")),
        context=field("llama.context_length"),
    )


def _read_weights(config: Architecture, tensors: dict[str, Any], report: Callable[[float], None]) -> Weights:
    from gguf import GGMLQuantizationType, dequantize

    def matrix(name: str) -> NDArray[np.float32]:
        tensor = tensors[name]
        return np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)

    def fused(block: str, *parts: tuple[str, int]) -> Blocks | OffsetBlocks:
        """Return maps below each other, each given with its heads, or 0 where its rows are in order."""
        names = [f"{block}.{name}.weight" for name, _ in parts]
        orders = [
            _row_order(len(tensors[name].data), heads) for name, (_, heads) in zip(names, parts, strict=True)
        ]
        if all(tensors[name].tensor_type == GGMLQuantizationType.Q4_1 for name in names):
            rows = [tensors[name].data[order] for name, order in zip(names, orders, strict=True)]
            return OffsetBlocks.from_q4_1(np.concatenate(rows))
        return quantize(
            np.concatenate([matrix(name)[order] for name, order in zip(names, orders, strict=True)])
        )

    norms, maps = [], []
    for index in range(config.layers):
        block = f"blk.{index}"
        report(index / config.layers)
        norms.append(
            {"attention": matrix(f"{block}.attn_norm.weight"), "ffn": matrix(f"{block}.ffn_norm.weight")}
        )
        maps.append(
            {
                "qkv": fused(block, ("attn_q", config.heads), ("attn_k", config.kv_heads), ("attn_v", 0)),
                "o": fused(block, ("attn_output", 0)),
                "gate_up": fused(block, ("ffn_gate", 0), ("ffn_up", 0)),
                "down": fused(block, ("ffn_down", 0)),
            }
        )
    return Weights(
        config, quantize(matrix("token_embd.weight")), matrix("output_norm.weight"), tuple(norms), tuple(maps)
    )


def _row_order(rows: int, heads: int) -> NDArray[np.intp]:
    """Return the order of a map's rows: GGUF interleaves each head's rotary halves, here they are apart."""
    order = np.arange(rows)
    return order.reshape(heads, -1, 2).swapaxes(1, 2).ravel() if heads else order
