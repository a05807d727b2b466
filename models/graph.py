"""The served ONNX graph, built node by node from the model's shape.

The graph works on one sequence, (S, features), with onnxruntime's own operators: block-quantized products in 8 or 4
bits (MatMulNBits), grouped-query attention with rotary embedding and a KV buffer that is written in place, and norms
fused with the residual sum. The adapter (LoRA, Hu et al. 2021) enters as inputs: ``y = W x + B (A x)`` costs one small
product and one Gemm that adds onto ``W x``. A rank of zero, the default, is the base model. Logits are computed only
at the positions asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper

from idiolect.models.architecture import Architecture, adapter_inputs
from idiolect.models.errors import DamagedModelError
from idiolect.models.weights import BLOCK, Blocks, OffsetBlocks, Weights, sum_columns

MICROSOFT = "com.microsoft"


class _GraphBuilder:
    """Collects nodes and initializers; every array goes into one data file beside the graph."""

    def __init__(self, data: Any, location: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._data = data
        self._location = location

    def node(
        self, operator: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any
    ) -> str:
        made = helper.make_node(operator, inputs, outputs, outputs[0], domain=domain, **attributes)
        self.nodes.append(made)
        return outputs[0]

    def small(self, name: str, array: NDArray[Any]) -> str:
        self.initializers.append(onnx.numpy_helper.from_array(array, name))
        return name

    def write(self, array: NDArray[Any]) -> tuple[int, int]:
        """Append an array to the data file, page-aligned so that it can be mapped; return (offset, length) in bytes."""
        self._data.write(b"\0" * (-self._data.tell() % 4096))
        offset = self._data.tell()
        self._data.write(np.ascontiguousarray(array).data)
        return offset, array.nbytes

    def large(self, name: str, array: NDArray[Any], shape: tuple[int, ...], place: tuple[int, int]) -> str:
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self._location), ("offset", place[0]), ("length", place[1])):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        return name

    def product(
        self, name: str, x: str, values: str, scales: str, shape: tuple[int, int], bits: int = 8
    ) -> str:
        """Add ``W x``, where W is in blocks; accuracy level 4 multiplies in 8-bit integers."""
        numbers = {"K": shape[0], "N": shape[1], "bits": bits, "block_size": BLOCK, "accuracy_level": 4}
        return self.node("MatMulNBits", [x, values, scales], [name], MICROSOFT, **numbers)


def build_graph(weights: Weights, path: Path, *, adapter: bool = True) -> None:
    """Write the graph to ``path`` and its weights to ``path`` + ``.data``.

    Inputs: ``input_ids`` (S,) int64; ``positions`` (P,) int64, the places in 0..S-1 whose logits are wanted;
    ``seqlens_k`` (1,) int32 and ``total_length`` () int32, the T tokens in the cache after this call, less one and as
    is; ``past.{i}.k`` and ``.v`` (1, kv_heads, L, head_dim). Outputs: ``logits`` (P, vocab) and ``present.{i}.k`` /
    ``.v``, to be bound to the same memory as the past.

    A graph with ``adapter``, as it is served, also has the inputs of :func:`adapter_inputs`, which may be left out,
    ``position_ids`` (1, S) int64, each token's position, and ``attention_bias`` (1, 1, S, T), 0 where a token attends
    and -inf where it does not.
    """
    config = weights.config
    data_path = path.with_name(path.name + ".data")
    with data_path.open("wb") as data:
        builder = _GraphBuilder(data, data_path.name)
        inputs, outputs = _signature(config, adapter)
        _nodes(builder, weights, adapter)
        graph = helper.make_graph(builder.nodes, "idiolect", inputs, outputs, builder.initializers)
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


def read_weights(path: Path, config: Architecture) -> Weights:
    """Return the weights of a graph that :func:`build_graph` wrote, mapped from its data file, not copied.

    Raises:
        DamagedModelError: the graph or its data can't be read.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        data = np.memmap(path.with_name(path.name + ".data"), dtype=np.uint8, mode="r")
        arrays = {tensor.name: _read_array(tensor, data) for tensor in model.graph.initializer}
        maps = tuple(
            {
                group: _read_map(arrays[f"{layer}.{group}.W"], arrays[f"{layer}.{group}.scales"], shape)
                for group, shape in config.shapes().items()
            }
            for layer in range(config.layers)
        )
        norms = tuple(
            {kind: arrays[f"{layer}.{kind}_norm.weight"] for kind in config.norms()}
            for layer in range(config.layers)
        )
        embedding = Blocks(arrays["embedding"], arrays["embedding.scales"])
        return Weights(config, embedding, arrays["output_norm.weight"], norms, maps)
    except (OSError, ValueError, KeyError, DecodeError) as error:
        raise DamagedModelError(
            f"The base model in {path.parent} can't be read ({type(error).__name__}). "
            "Run `idiolect start --rebuild`, which makes it again."
        ) from error


def _read_map(
    values: NDArray[np.uint8], scales: NDArray[np.float32], shape: tuple[int, int]
) -> Blocks | OffsetBlocks:
    """Return a map of ``shape`` (in, out) as the graph holds it."""
    flat, scales = values.reshape(shape[1], -1), scales.reshape(shape[1], -1)
    return Blocks(flat, scales) if values.shape[-1] == BLOCK else OffsetBlocks(flat, scales, shape[0])


def _read_array(tensor: onnx.TensorProto, data: NDArray[np.uint8]) -> NDArray[Any]:
    if not tensor.external_data:
        return onnx.numpy_helper.to_array(tensor)
    place = {entry.key: entry.value for entry in tensor.external_data}
    raw = data[int(place["offset"]) : int(place["offset"]) + int(place["length"])]
    return raw.view(helper.tensor_dtype_to_np_dtype(tensor.data_type)).reshape(tuple(tensor.dims))


def _signature(config: Architecture, adapter: bool) -> tuple[list[Any], list[Any]]:
    value = helper.make_tensor_value_info
    inputs: list[Any] = [
        value("input_ids", TensorProto.INT64, ["S"]),
        value("positions", TensorProto.INT64, ["P"]),
        value("seqlens_k", TensorProto.INT32, [1]),
        value("total_length", TensorProto.INT32, []),
    ]
    outputs = [value("logits", TensorProto.FLOAT, ["P", config.vocab])]
    cache: list[int | str] = [1, config.kv_heads, "L", config.head_dim]
    for layer in range(config.layers):
        for side in "kv":
            inputs.append(value(f"past.{layer}.{side}", TensorProto.FLOAT, cache))
            outputs.append(value(f"present.{layer}.{side}", TensorProto.FLOAT, cache))
    if adapter:
        inputs.append(value("position_ids", TensorProto.INT64, [1, "S"]))
        inputs.append(value("attention_bias", TensorProto.FLOAT, [1, 1, "S", "T"]))
        for name, (features_in, features_out) in adapter_inputs(config):
            rank = f"r.{name[:-2]}"
            shape: list[int | str] = [features_in, rank] if name.endswith("A") else [rank, features_out]
            inputs.append(value(name, TensorProto.FLOAT, shape))
    return inputs, outputs


def _rotary_names(local: bool) -> tuple[str, str]:
    return ("local.cos", "local.sin") if local else ("cos", "sin")


def _nodes(b: _GraphBuilder, weights: Weights, adapter: bool) -> None:
    config = weights.config
    vocab, width = config.vocab, config.width
    shapes = config.shapes()
    values_at, scales_at = b.write(weights.embedding.values), b.write(weights.embedding.scales)
    # The same bytes twice: (vocab, width) to look tokens up, (vocab, blocks, BLOCK) to multiply by.
    b.large("embedding", weights.embedding.values, (vocab, width), values_at)
    b.large("embedding.scales", weights.embedding.scales, (vocab, width // BLOCK), scales_at)
    b.large("head", weights.embedding.values, (vocab, width // BLOCK, BLOCK), values_at)
    b.large("head.scales", weights.embedding.scales, (vocab * width // BLOCK,), scales_at)
    for local in sorted({config.is_local(layer) for layer in range(config.layers)}):
        for name, table in zip(_rotary_names(local), config.rotary(config.context, local=local), strict=True):
            b.large(name, table, table.shape, b.write(table))
    if config.qk_norms:
        sizes = [size for _, size in config.parts()["qkv"]]
        b.small("qkv.sizes", np.array(sizes, dtype=np.int64))
        b.small("heads.shape", np.array([-1, config.head_dim], dtype=np.int64))
        b.small("q.shape", np.array([1, -1, sizes[0]], dtype=np.int64))
        b.small("kv.shape", np.array([1, -1, sizes[1]], dtype=np.int64))
    else:
        b.small("attention.shape", np.array([1, -1, shapes["qkv"][1]], dtype=np.int64))
    b.small("flat.shape", np.array([-1, shapes["o"][0]], dtype=np.int64))

    if adapter:  # inputs with a default, so that any of them may be left out: rank zero
        for name, (features_in, features_out) in adapter_inputs(config):
            b.small(name, np.zeros((features_in, 0) if name.endswith("A") else (0, features_out), np.float32))

    every = [blocks for maps in weights.maps for blocks in maps.values()]
    for width_in in sorted({blocks.columns for blocks in every if isinstance(blocks, OffsetBlocks)}):
        sums = np.zeros((width_in, sum_columns(width_in)), np.float32)
        sums[np.arange(width_in), np.arange(width_in) // BLOCK] = 1.0
        b.large(f"sums.{width_in}", sums, sums.shape, b.write(sums))

    def linear(x: str, layer: int, group: str) -> str:
        name = f"{layer}.{group}"
        blocks, shape = weights.maps[layer][group], shapes[group]
        bits = 4 if isinstance(blocks, OffsetBlocks) else 8
        width = blocks.scales.shape[1] * BLOCK
        packed = shape[1], width // BLOCK, BLOCK * bits // 8
        values = b.large(f"{name}.W", blocks.values, packed, b.write(blocks.values))
        scales = b.large(f"{name}.scales", blocks.scales, (blocks.scales.size,), b.write(blocks.scales))
        inputs = with_sums(name, x, shape[0]) if bits == 4 else x
        base = b.product(f"{name}.base" if adapter else name, inputs, values, scales, (width, shape[1]), bits)
        if not adapter:
            return base
        down = b.node("MatMul", [x, f"{name}.A"], [f"{name}.low"])
        return b.node("Gemm", [down, f"{name}.B", base], [name])

    def with_sums(name: str, x: str, width: int) -> str:
        """The inputs, and behind them twice the sum of each block of them: see OffsetBlocks."""
        sums = b.node("MatMul", [x, f"sums.{width}"], [f"{name}.sums"])
        return b.node("Concat", [x, sums, sums], [f"{name}.inputs"], axis=1)

    def norm(name: str, x: str, weight: NDArray[np.float32]) -> str:
        inputs = [x, b.small(f"{name}.weight", weight)]
        return b.node("SimplifiedLayerNormalization", inputs, [name], epsilon=config.norm_eps, axis=-1)

    def norm_of_sum(name: str, x: str, residual: str, weight: NDArray[np.float32]) -> tuple[str, str]:
        """(normed, sum): the norm of ``x + residual`` and that sum."""
        inputs, outputs = [x, residual, b.small(f"{name}.weight", weight)], [name, "", "", f"{name}.sum"]
        b.node("SkipSimplifiedLayerNormalization", inputs, outputs, MICROSOFT, epsilon=config.norm_eps)
        return name, outputs[3]

    def returned(x: str, layer: int, group: str, post: str) -> str:
        """What attention or FFN adds to the residual stream: a map of ``x``, with a norm if the model has one there."""
        y = linear(x, layer, group)
        weight = weights.norms[layer].get(post)
        return y if weight is None else norm(f"{layer}.{post}_norm", y, weight)

    def heads_of(qkv: str, layer: int) -> list[str]:
        """The inputs q, k and v of attention: packed in one, or, where q and k have norms, each of its own."""
        if not config.qk_norms:
            return [b.node("Reshape", [qkv, "attention.shape"], [f"{layer}.packed"]), "", ""]
        parts = [f"{layer}.{part}" for part in "qkv"]
        b.node("Split", [qkv, "qkv.sizes"], parts, axis=1)
        for part in "qk":
            heads = b.node("Reshape", [f"{layer}.{part}", "heads.shape"], [f"{layer}.{part}.heads"])
            norm(f"{layer}.{part}_norm", heads, weights.norms[layer][part])
        shaped = {f"{layer}.q_norm": "q.shape", f"{layer}.k_norm": "kv.shape", f"{layer}.v": "kv.shape"}
        return [b.node("Reshape", [part, shape], [f"{part}.flat"]) for part, shape in shaped.items()]

    def attend(qkv: str, layer: int) -> str:
        """Grouped-query attention of q, k and v, which lie beside each other."""
        local = config.is_local(layer)
        inputs = [*heads_of(qkv, layer), f"past.{layer}.k", f"past.{layer}.v", "seqlens_k", "total_length"]
        inputs += [*_rotary_names(local), *apart]
        outputs = [f"{layer}.heads", f"present.{layer}.k", f"present.{layer}.v"]
        attributes: dict[str, Any] = {"num_heads": config.heads, "kv_num_heads": config.kv_heads}
        if config.attention_scale is not None:
            attributes["scale"] = config.attention_scale
        if local:
            attributes["local_window_size"] = config.window
        return b.node(
            "GroupQueryAttention", inputs, outputs, MICROSOFT, do_rotary=1, rotary_interleaved=0, **attributes
        )

    def activate(gate: str, layer: int) -> str:
        if config.activation == "silu":
            return b.node("QuickGelu", [gate], [f"{layer}.silu"], MICROSOFT, alpha=1.0)
        return b.node("FastGelu", [gate], [f"{layer}.gelu"], MICROSOFT)

    axes = {"bits": 8, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
    inputs = ["embedding", "input_ids", "embedding.scales"]
    stream = b.node("GatherBlockQuantized", inputs, ["tokens"], MICROSOFT, **axes)
    if config.embedding_scale != 1.0:
        b.small("embedding.factor", np.array(config.embedding_scale, np.float32))
        stream = b.node("Mul", [stream, "embedding.factor"], ["scaled"])
    delta: str | None = None
    apart = ["position_ids", "attention_bias"] if adapter else []
    for layer, norms in enumerate(weights.norms):
        name = f"{layer}.attention_norm"
        if delta is None:
            normed = norm(name, stream, norms["attention"])
        else:
            normed, stream = norm_of_sum(name, stream, delta, norms["attention"])
        attended = attend(linear(normed, layer, "qkv"), layer)
        flat = b.node("Reshape", [attended, "flat.shape"], [f"{layer}.flat"])
        delta = returned(flat, layer, "o", "post_attention")
        normed, stream = norm_of_sum(f"{layer}.ffn_norm", stream, delta, norms["ffn"])
        gate_up = linear(normed, layer, "gate_up")
        b.node("Split", [gate_up], [f"{layer}.gate", f"{layer}.up"], axis=1, num_outputs=2)
        active = activate(f"{layer}.gate", layer)
        gated = b.node("Mul", [active, f"{layer}.up"], [f"{layer}.gated"])
        delta = returned(gated, layer, "down", "post_ffn")
    # Only the rows asked for go through the last norm and the output matrix.
    b.node("Add", [stream, str(delta)], ["stream"])
    b.node("Gather", ["stream", "positions"], ["asked"], axis=0)
    normed = norm("output_norm", "asked", weights.output_norm)
    b.product("logits", normed, "head", "head.scales", (width, vocab))
