"""Reads a GGUF: the architecture, the weights and the vocabulary of its model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.models.architecture import Architecture
from idiolect.models.errors import DamagedModelError, UnsupportedModelError
from idiolect.models.tokenizer import KINDS, TokenizerKind
from idiolect.models.weights import BLOCK, Blocks, OffsetBlocks, Weights, quantize

_MIN_CONTEXT = 1024  # tokens: what recent text, a prefix and what is judged at once take
_MAX_CONTEXT = 8192  # tokens: more are never read, and the tables of positions grow with them
_INTERLEAVED = ("llama", "granite")  # families whose GGUFs interleave the rotary halves of q and k
_MAPS = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
_NORMS = {
    "attention": "attn_norm",
    "q": "attn_q_norm",
    "k": "attn_k_norm",
    "post_attention": "post_attention_norm",
    "ffn": "ffn_norm",
    "post_ffn": "post_ffw_norm",
}
# Bytes of a block of 32 weights, in quantizations where each is a whole number of at most 8 bits times a scale, which
# comes first: such blocks are taken over without another rounding.
_SCALED_BLOCKS = {"Q4_0": 18, "Q5_0": 22, "Q8_0": 34}


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a GGUF, or some of them."""

    kind: TokenizerKind
    tokens: list[str]
    types: list[int]  # of GGUF
    scores: list[float]  # the token with the highest is made first
    merges: list[str] = field(default_factory=list)  # of bytes: "left right", the earliest learned first
    rows: NDArray[np.intp] | None = None  # where each token stands in the GGUF; None: in this order

    @classmethod
    def of_merges(
        cls, kind: TokenizerKind, tokens: list[str], types: list[int], merges: list[str]
    ) -> Vocabulary:
        """Return a vocabulary of bytes: a token's score is minus the place of the merge that makes it."""
        places = {merge.replace(" ", ""): place for place, merge in enumerate(merges)}
        return cls(kind, tokens, types, [float(-places.get(token, 0)) for token in tokens], merges)


def read_gguf(
    path: Path,
    report: Callable[[float], None] = lambda _done: None,
    choose: Callable[[Vocabulary], Vocabulary] = lambda vocabulary: vocabulary,
) -> tuple[Weights, Vocabulary]:
    """Read a GGUF of the families Llama, Granite or Gemma 3: maps in Q4_1 as they are, all others into 8-bit blocks.

    ``report`` gets the share that is done, 0 to 1; ``choose`` returns the tokens to keep.

    Raises:
        DamagedModelError: the file is not a readable GGUF.
        UnsupportedModelError: another architecture, another tokenizer, or an untied output matrix.
    """
    file = _File(path, _open(path))
    try:
        return _read(file, report, choose)
    except NotImplementedError as error:
        raise file.refusal(
            "is quantized in a way that can't be read here", "it in another quantization"
        ) from error
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError) as error:
        lack = f"does not say what a model of its kind says ({type(error).__name__})"
        raise file.refusal(lack, "a complete one") from error


def _open(path: Path) -> Any:
    """Return the reader of a file. Raises DamagedModelError."""
    from gguf import GGUFReader  # slow to import, needed only when a base is built

    class Reader(GGUFReader):
        """Reads no further than the file goes: in a list that claims to be longer it would never end."""

        def _get(self, offset: int, dtype: Any, count: Any = 1, *order: Any, **named: Any) -> NDArray[Any]:
            found: NDArray[Any] = super()._get(offset, dtype, count, *order, **named)
            if len(found) < int(count):
                raise ValueError("the file is cut short")
            return found

    try:
        return Reader(path)
    except (OSError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        raise DamagedModelError(
            f"{path} is not a readable GGUF file, or a damaged one. Give another one; nothing was changed."
        ) from error


def _read(
    file: _File, report: Callable[[float], None], choose: Callable[[Vocabulary], Vocabulary]
) -> tuple[Weights, Vocabulary]:
    architecture = _read_architecture(file)
    tensors = {tensor.name: tensor for tensor in file.reader.tensors}
    if "output.weight" in tensors:
        raise file.refusal("has an output matrix of its own", "a model with tied embeddings")
    every = _read_vocabulary(file)
    vocabulary = choose(every)
    if len(vocabulary.tokens) > 1 << 16:
        raise file.refusal("has more than 65,536 tokens", "a model with a smaller vocabulary")
    _check_shapes(file, architecture, len(every.tokens), tensors)
    architecture = replace(architecture, vocab=len(vocabulary.tokens))
    return _read_weights(file, architecture, vocabulary.rows, tensors, report), vocabulary


def _check_shapes(file: _File, architecture: Architecture, tokens: int, tensors: dict[str, Any]) -> None:
    """Raise UnsupportedModelError unless each tensor is there and has the shape that the description asks for."""
    unread = set(tensors)
    for name, shape in _shapes(architecture, tokens):
        if name not in tensors:
            raise file.refusal(f"lacks the tensor {name}", "a complete model")
        if (found := tuple(tensors[name].shape.tolist())) != shape:
            differs = f"has a tensor {name} of the shape {found} where it should be {shape}"
            raise file.refusal(differs, "a complete model")
        unread.remove(name)
    if unread:
        more = f"has the tensor {min(unread)}, which can't be read here"
        raise file.refusal(more, "a model without biases and the like")


def _shapes(architecture: Architecture, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the tensors' names in a GGUF and their shapes, (in, out) of a map."""
    yield "token_embd.weight", (architecture.width, tokens)
    yield "output_norm.weight", (architecture.width,)
    sizes, groups = architecture.shapes(), architecture.parts()
    for layer in range(architecture.layers):
        for group, parts in groups.items():
            for part, rows in parts:
                yield f"blk.{layer}.{_MAPS[part]}.weight", (sizes[group][0], rows)
        for norm, size in architecture.norms().items():
            yield f"blk.{layer}.{_NORMS[norm]}.weight", (size,)


@dataclass(frozen=True)
class _File:
    """An open GGUF and its fields."""

    path: Path
    reader: Any

    def refusal(self, why: str, wanted: str) -> UnsupportedModelError:
        return UnsupportedModelError(f"{self.path} {why}; give {wanted}.")

    def field(self, name: str) -> Any:
        if name not in self.reader.fields:
            raise self.refusal(f"lacks the field {name}", "a complete model")
        return self.reader.fields[name].contents()

    def optional(self, name: str, default: Any) -> Any:
        return self.field(name) if name in self.reader.fields else default

    def of_all_layers(self, name: str) -> Any:
        """Return what a field says of each layer, which Granite 4's says layer by layer."""
        found = self.field(name)
        if not isinstance(found, list):
            return found
        if len({*found}) != 1:
            raise self.refusal(
                f"has layers of several kinds, as {name} says", "a model whose layers are all alike"
            )
        return found[0]

    @property
    def family(self) -> str:
        return str(self.field("general.architecture"))


def _read_architecture(file: _File) -> Architecture:
    family = file.family
    if family not in _FAMILIES:
        known = f"one of the Llama-architecture, or of {', '.join(sorted(_FAMILIES.keys() - {'llama'}))}"
        raise file.refusal(f"is a model of the architecture {family[:40]}", known)
    width, heads = file.field(f"{family}.embedding_length"), file.field(f"{family}.attention.head_count")
    plain = Architecture(
        layers=file.field(f"{family}.block_count"),
        width=width,
        heads=heads,
        kv_heads=file.of_all_layers(f"{family}.attention.head_count_kv"),
        head_dim=file.optional(f"{family}.attention.key_length", width // heads),
        ffn=file.field(f"{family}.feed_forward_length"),
        vocab=0,  # as many as are kept
        rope_theta=float(file.field(f"{family}.rope.freq_base")),
        norm_eps=float(file.field(f"{family}.attention.layer_norm_rms_epsilon")),
        context=min(file.field(f"{family}.context_length"), _MAX_CONTEXT),
    )
    if plain.context < _MIN_CONTEXT:
        raise file.refusal(f"reads {plain.context} tokens at most", f"a model that reads {_MIN_CONTEXT:,}")
    sizes = (plain.layers, plain.heads, plain.kv_heads, plain.head_dim)
    blocks = (plain.width, plain.ffn, plain.heads * plain.head_dim)
    fit = min(*sizes, *blocks) >= 1 and not any(size % BLOCK for size in blocks)
    if not fit or plain.heads % plain.kv_heads or plain.head_dim % 2:
        odd = f"is a model whose features are no multiples of {BLOCK}, or whose heads do not fit together"
        raise file.refusal(odd, "another one")
    return _FAMILIES[family](plain, file)


def _granite(plain: Architecture, file: _File) -> Architecture:
    return replace(
        plain,
        embedding_scale=float(file.optional("granite.embedding_scale", 1.0)),
        residual_scale=float(file.optional("granite.residual_scale", 1.0)),
        attention_scale=file.optional("granite.attention.scale", None),
    )


def _gemma3(plain: Architecture, file: _File) -> Architecture:
    return replace(
        plain,
        activation="gelu-tanh",
        qk_norms=True,
        post_norms=True,
        embedding_scale=math.sqrt(plain.width),
        window=file.field("gemma3.attention.sliding_window"),
        global_every=6,
        starts_with_document=True,
    )


_FAMILIES: dict[str, Callable[[Architecture, _File], Architecture]] = {
    "llama": lambda plain, _file: plain,
    "granite": _granite,
    "gemma3": _gemma3,
}


def _read_vocabulary(file: _File) -> Vocabulary:
    tokens, types = (file.field(f"tokenizer.ggml.{name}") for name in ("tokens", "token_type"))
    name = file.field("tokenizer.ggml.model")
    if name == "gpt2":
        name = file.field("tokenizer.ggml.pre")
    if name not in KINDS:
        why = f"has the tokenizer {str(name)[:40]}, which can't be run here"
        raise file.refusal(why, "a model with that of SmolLM, Granite 4 or Gemma")
    kind = KINDS[name]
    if kind.words is None:
        return Vocabulary(kind, tokens, types, file.field("tokenizer.ggml.scores"))
    return Vocabulary.of_merges(kind, tokens, types, file.field("tokenizer.ggml.merges"))


def _read_weights(
    file: _File,
    architecture: Architecture,
    rows: NDArray[np.intp] | None,
    tensors: dict[str, Any],
    report: Callable[[float], None],
) -> Weights:
    from gguf import GGMLQuantizationType, dequantize

    def array(name: str) -> NDArray[np.float32]:
        tensor = tensors[name]
        return np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)

    def blocks(name: str, order: NDArray[np.intp] | None = None, factor: float = 1.0) -> Blocks:
        """Return a matrix, or its rows in this ``order``, times a factor."""
        tensor = tensors[name]
        data = tensor.data if order is None else tensor.data[order]
        matrix = np.asarray(dequantize(data, tensor.tensor_type), dtype=np.float32)
        if size_bytes := _SCALED_BLOCKS.get(tensor.tensor_type.name):
            scales = np.ascontiguousarray(data.reshape(len(data), -1, size_bytes)[:, :, :2]).view(np.float16)
            found = _unround(matrix, scales[:, :, 0].astype(np.float32))
        else:
            found = quantize(matrix)
        return found if factor == 1.0 else Blocks(found.values, found.scales * np.float32(factor))

    def fused(names: Sequence[str], factor: float) -> Blocks | OffsetBlocks:
        """Return maps below each other."""
        data = [tensors[name].data for name in names]
        orders = [
            _row_order(len(rows), heads.get(name.split(".")[2], 0))
            for name, rows in zip(names, data, strict=True)
        ]
        if factor == 1.0 and all(tensors[name].tensor_type == GGMLQuantizationType.Q4_1 for name in names):
            in_order = [rows[order] for rows, order in zip(data, orders, strict=True)]
            return OffsetBlocks.from_q4_1(np.concatenate(in_order))
        found = [blocks(name, order, factor) for name, order in zip(names, orders, strict=True)]
        return Blocks(*(np.concatenate([getattr(part, of) for part in found]) for of in ("values", "scales")))

    heads = {"attn_q": architecture.heads, "attn_k": architecture.kv_heads}
    if file.family not in _INTERLEAVED:
        heads = {}
    norms, maps = [], []
    for index in range(architecture.layers):
        block = f"blk.{index}"
        report(index / architecture.layers)
        norms.append({name: array(f"{block}.{_NORMS[name]}.weight") for name in architecture.norms()})
        maps.append(
            {
                group: fused(
                    [f"{block}.{_MAPS[part]}.weight" for part, _ in parts],
                    architecture.residual_scale if group in ("o", "down") else 1.0,
                )
                for group, parts in architecture.parts().items()
            }
        )
    output_norm = array("output_norm.weight") / np.float32(file.optional(f"{file.family}.logit_scale", 1.0))
    embedding = blocks("token_embd.weight", rows)
    return Weights(architecture, embedding, output_norm, tuple(norms), tuple(maps))


def _unround(matrix: NDArray[np.float32], scales: NDArray[np.float32]) -> Blocks:
    """Return the blocks of a matrix whose numbers are whole multiples of the scales (out, in / BLOCK)."""
    safe = np.where(scales != 0, scales, np.float32(1.0))
    values = np.rint(matrix.reshape(len(matrix), -1, BLOCK) / safe[:, :, None]) + 128.0
    return Blocks(values.astype(np.uint8).reshape(matrix.shape), scales)


def _row_order(rows: int, heads: int) -> NDArray[np.intp]:
    """Return the order of a map's rows: GGUF interleaves each head's rotary halves, here they are apart."""
    order = np.arange(rows)
    return order.reshape(heads, -1, 2).swapaxes(1, 2).ravel() if heads else order
