"""A Llama-architecture base model's shape and weights, read from a GGUF and held as blocks of 8 or 4 bits.

One set of weights serves and trains: the ONNX graph multiplies by the blocks directly and the torch model
de-quantizes the same blocks, so an adapter learns against what it will run on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from idiolect.models.errors import IdiolectError

BLOCK = 32
"""Weights that share one scale."""

GROUPS = ("qkv", "o", "gate_up", "down")
"""The linear maps of one layer. Maps that read the same input are fused by rows: q, k, v and gate, up."""


class UnsupportedModelError(IdiolectError):
    """The given GGUF is not a Llama-architecture model that this program can run."""

    code: ClassVar[str] = "unsupported-model"
    exit_code: ClassVar[int] = 14
    http_status: ClassVar[int] = 500


class DamagedModelError(IdiolectError):
    """The base model's files are incomplete or changed."""

    code: ClassVar[str] = "damaged-model"
    exit_code: ClassVar[int] = 15
    http_status: ClassVar[int] = 503


@dataclass(frozen=True)
class LlamaConfig:
    """The shape of a Llama-architecture model; widths in features."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    rope_theta: float
    norm_eps: float
    context: int

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

    def rotary(self, length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return cosines and sines of rotary embedding (Su et al. 2021, eq. 15), each (length, head_dim / 2)."""
        half = self.head_dim // 2
        frequency = self.rope_theta ** (-np.arange(half) / half)
        angle = np.outer(np.arange(length), frequency)
        return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return asdict(self)


def adapter_inputs(config: LlamaConfig) -> list[tuple[str, tuple[int, int]]]:
    """Return the served graph's adapter inputs as (name, (in, out) features of the map), A before B, layer by layer.

    ``{layer}.{group}.A`` is (in, rank) and ``{layer}.{group}.B`` (rank, out), with LoRA's scale alpha / rank already
    multiplied into B.
    """
    shapes = config.shapes()
    return [
        (f"{layer}.{group}.{side}", shapes[group])
        for layer in range(config.layers)
        for group in GROUPS
        for side in "AB"
    ]


@dataclass(frozen=True)
class Blocks:
    """A matrix (out, in) in 8 bits: ``scale * (value - 128)``, one scale for :data:`BLOCK` inputs."""

    values: NDArray[np.uint8]  # (out, in)
    scales: NDArray[np.float32]  # (out, in / BLOCK)

    def dequantize(self) -> NDArray[np.float32]:
        """Return the matrix in float32, (out, in)."""
        rows, columns = self.values.shape
        blocks = self.values.reshape(rows, -1, BLOCK).astype(np.float32) - 128.0
        return (blocks * self.scales[:, :, None]).reshape(rows, columns)


@dataclass(frozen=True)
class OffsetBlocks:
    """A matrix (out, in) in 4 bits: ``scale * (value - 8) + offset``, one of each for :data:`BLOCK` inputs.

    Such are the weights of a Q4_1 GGUF. The processor's fast products know no offsets. But a block's offset multiplies
    the sum of the block's inputs. So the offsets stand as more columns behind the matrix, for these sums as more
    inputs: first rounded to 4 bits with a scale for each :data:`BLOCK` of them, and then, likewise, what that left.
    """

    values: NDArray[
        np.uint8
    ]  # (out, (in + 2 * sum_columns(in)) / 2), two values a byte, the lower half first
    scales: NDArray[np.float32]  # (out, (in + 2 * sum_columns(in)) / BLOCK)
    columns: int  # in

    @classmethod
    def from_q4_1(cls, rows: NDArray[np.uint8]) -> OffsetBlocks:
        """Return the matrix of a Q4_1 tensor's rows (out, bytes): 20 bytes a block, with scale, minimum and values."""
        blocks = rows.reshape(len(rows), -1, _Q4_1_BYTES)
        scales, minima = (
            np.ascontiguousarray(blocks[:, :, at : at + 2]).view(np.float16)[:, :, 0].astype(np.float32)
            for at in (0, 2)
        )
        values = np.concatenate([blocks[:, :, 4:] & 15, blocks[:, :, 4:] >> 4], axis=2).reshape(len(rows), -1)
        width = values.shape[1]
        offsets = np.zeros((len(rows), sum_columns(width)), np.float32)
        offsets[:, : scales.shape[1]] = minima + 8.0 * scales
        rounded, rounded_scales = _round_to_4_bits(offsets)
        left = offsets - _from_4_bits(rounded, rounded_scales)
        rest, rest_scales = _round_to_4_bits(left)
        values = np.concatenate([values, rounded, rest], axis=1)
        return cls(
            values[:, ::2] | (values[:, 1::2] << 4),
            np.concatenate([scales, rounded_scales, rest_scales], axis=1),
            width,
        )

    def dequantize(self) -> NDArray[np.float32]:
        """Return the matrix in float32, (out, in)."""
        values = np.stack([self.values & 15, self.values >> 4], axis=2).reshape(len(self.values), -1)
        whole = _from_4_bits(values, self.scales)
        matrix, rounded, rest = np.split(
            whole, [self.columns, self.columns + sum_columns(self.columns)], axis=1
        )
        offsets = (rounded + rest)[:, : self.columns // BLOCK]
        return matrix + np.repeat(offsets, BLOCK, axis=1)


_Q4_1_BYTES = 20  # of a block


def sum_columns(width: int) -> int:
    """Return how many sums of blocks a matrix with ``width`` inputs has, filled up to whole blocks."""
    return -(-width // BLOCK**2) * BLOCK


def _round_to_4_bits(matrix: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return values of 0 to 15, which stand for -8 to 7, and the scale of each block."""
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    scales = (np.abs(blocks).max(axis=2) / 7.0).astype(np.float32)
    safe = np.where(scales > 0, scales, np.float32(1.0))
    values = np.rint(blocks / safe[:, :, None]) + 8.0
    return values.astype(np.uint8).reshape(matrix.shape), scales


def _from_4_bits(values: NDArray[np.uint8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    blocks = values.reshape(len(values), -1, BLOCK).astype(np.float32) - 8.0
    return (blocks * scales[:, :, None]).reshape(values.shape)


def quantize(matrix: NDArray[np.float32]) -> Blocks:
    """Return a matrix (out, in) rounded to symmetric 8-bit blocks; ``in`` must be a multiple of :data:`BLOCK`."""
    rows, columns = matrix.shape
    blocks = matrix.reshape(rows, columns // BLOCK, BLOCK)
    scales = (np.abs(blocks).max(axis=2) / 127.0).astype(np.float32)
    safe = np.where(scales > 0, scales, np.float32(1.0))
    values = np.rint(blocks / safe[:, :, None]) + 128.0
    return Blocks(values.astype(np.uint8).reshape(rows, columns), scales)


@dataclass(frozen=True)
class Weights:
    """All weights of a model: the embedding (tied to the output), the norms and the linear maps."""

    config: LlamaConfig
    embedding: Blocks  # (vocab, width)
    output_norm: NDArray[np.float32]  # (width,)
    norms: tuple[dict[str, NDArray[np.float32]], ...]  # a layer: {"attention": (width,), "ffn": (width,)}
    maps: tuple[dict[str, Blocks | OffsetBlocks], ...]  # a layer: {group: (out, in)}


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


def _read_config(reader: Any, path: Path) -> LlamaConfig:
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
    return LlamaConfig(
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


def _read_weights(config: LlamaConfig, tensors: dict[str, Any], report: Callable[[float], None]) -> Weights:
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
