"""The served graph: what it computes, against the torch twin, and what is read back from it."""

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from idiolect.models.errors import DamagedModelError
from idiolect.models.graph import adapter_inputs, build_graph, read_weights
from idiolect.models.session import Adapter, Model, Session
from idiolect.models.torch_model import TorchModel

LENGTH = 300
CLOSE = 1e-4
"""Largest difference of log-probabilities (they reach -22): float32 on both sides, the sums in another order.
Measured: 1.5e-5."""

# (tokens in the cache, tokens fed): empty; within; across 16, 64, 128 and 256; up to the buffer's last place
CLASSES = [
    (0, 1), (0, 2), (0, 16), (0, 17), (1, 1), (5, 8), (15, 1), (15, 2), (10, 54), (63, 1), (63, 2), (100, 27), (127, 1),
    (127, 3), (200, 55), (255, 1), (250, 20), (LENGTH - 40, 39), (LENGTH - 3, 2), (LENGTH - 3, 3), (LENGTH - 1, 1),
    (0, LENGTH),
]  # fmt: skip # several to a line


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=-1, keepdims=True)
    return exact - np.log(np.exp(exact).sum(axis=-1, keepdims=True))


@pytest.fixture(scope="module")
def ids(tiny):
    return np.random.default_rng(7).integers(0, tiny.config.vocab, LENGTH).tolist()


@pytest.fixture(scope="module")
def expected(tiny_weights, ids):
    """The twin's log-probabilities after each token."""
    twin = TorchModel(tiny_weights)

    def compute(adapter: Adapter | None) -> NDArray[np.float64]:
        matrices = {name: torch.from_numpy(matrix) for name, matrix in (adapter or {}).items()}
        with torch.no_grad():
            return log_softmax(twin.logits(torch.tensor([ids]), matrices)[0].numpy())

    return compute


@pytest.fixture(scope="module")
def adapters(tiny, make_lora):
    every = make_lora(tiny.config).tensors()
    return {
        "base": None,
        "all maps": every,
        "some maps": {name: matrix for name, matrix in every.items() if "qkv" in name or "down" in name},
        "rank 17": make_lora(tiny.config, 17).tensors(),
    }


@pytest.mark.parametrize("name", ["base", "all maps", "some maps", "rank 17"])
def test_in_float_the_graph_is_the_twin_at_every_cache_length(tiny_float, ids, expected, adapters, name):
    wanted = expected(adapters[name])
    assert name == "base" or np.abs(expected(None) - wanted).max() > 1000 * CLOSE, "the adapter matters"
    for past, new in CLASSES:
        session = Session(tiny_float, length=LENGTH, adapter=adapters[name])
        if past:
            session.feed(ids[:past], "none")
        ours = log_softmax(session.feed(ids[past : past + new], "all"))
        assert ours.shape == (new, tiny_float.config.vocab)
        difference = np.abs(ours - wanted[past : past + new]).max()
        assert difference < CLOSE, f"{past} cached, {new} fed"


@pytest.mark.parametrize("name", ["base", "all maps"])
def test_as_served_the_graph_is_near_the_twin(tiny_model, ids, expected, adapters, name):
    """Products round what comes in to 8 bits, which moves single log-probabilities by up to 0.4 here, where
    weights are random and nothing averages out. The distributions stay close all the same (measured: mean
    0.001 nats, worst place 0.007). What it means for real text: tests/e2e/test_parity.py."""
    wanted = expected(adapters[name])
    worst = []
    for past, new in CLASSES:
        session = Session(tiny_model, length=LENGTH, adapter=adapters[name])
        if past:
            session.feed(ids[:past], "none")
        ours = log_softmax(session.feed(ids[past : past + new], "all"))
        theirs = wanted[past : past + new]
        worst.append(float((np.exp(theirs) * (theirs - ours)).sum(axis=1).max()))
    assert max(worst) < 0.02, "nats of Kullback-Leibler divergence at the worst place"
    assert max(worst) > 1e-7, "the served graph does round, or this test compares a thing with itself"


def test_without_adapter_inputs_it_is_the_base(tiny, tiny_weights, tiny_model, ids, tmp_path):
    build_graph(tiny_weights, tmp_path / "alone.onnx", adapter=False)
    alone = Model(tmp_path / "alone.onnx", tiny.config, threads=1)
    assert alone.adapter_inputs == []
    assert np.array_equal(
        Session(alone, length=40).feed(ids[:40], "all"), Session(tiny_model, length=40).feed(ids[:40], "all")
    )


def test_inputs_are_named_by_layer_map_and_side(tiny, tiny_model):
    names = [name for name, _ in adapter_inputs(tiny.config)]
    assert names[:4] == ["0.qkv.A", "0.qkv.B", "0.o.A", "0.o.B"]
    assert len(names) == len(set(names)) == 3 * 4 * 2
    assert tiny_model.adapter_inputs == adapter_inputs(tiny.config)
    inputs = [item.name for item in tiny_model.runtime.get_inputs()]
    assert inputs[:4] == ["input_ids", "positions", "seqlens_k", "total_length"]
    past = [f"past.{layer}.{side}" for layer in range(3) for side in "kv"]
    assert inputs[4:] == [*past, "position_ids", "attention_bias"]
    optional = [item.name for item in tiny_model.runtime.get_overridable_initializers()]
    assert {*optional} == {*names}, "left out, they are of rank zero"
    outputs = [item.name for item in tiny_model.runtime.get_outputs()]
    assert outputs == ["logits", *(f"present.{layer}.{side}" for layer in range(3) for side in "kv")]


def test_weights_come_back_bit_by_bit(tiny_weights, tmp_path):
    path = tmp_path / "again.onnx"
    build_graph(tiny_weights, path)
    again = read_weights(path, tiny_weights.config)
    assert again.config == tiny_weights.config
    assert np.array_equal(again.embedding.values, tiny_weights.embedding.values)
    assert np.array_equal(again.embedding.scales, tiny_weights.embedding.scales)
    assert np.array_equal(again.output_norm, tiny_weights.output_norm)
    for layer in range(3):
        for kind, norm in tiny_weights.norms[layer].items():
            assert np.array_equal(again.norms[layer][kind], norm)
        for group, blocks in tiny_weights.maps[layer].items():
            assert np.array_equal(again.maps[layer][group].values, blocks.values)
            assert np.array_equal(again.maps[layer][group].scales, blocks.scales)


def test_weights_are_mapped_not_copied(tiny_weights):
    array = tiny_weights.maps[2]["down"].values
    while array.base is not None and not isinstance(array, np.memmap):
        array = array.base
    assert isinstance(array, np.memmap)


def test_the_embedding_is_stored_once(tiny):
    model = onnx.load(tiny.graph, load_external_data=False)
    places = {
        tensor.name: [entry.value for entry in tensor.external_data if entry.key == "offset"]
        for tensor in model.graph.initializer
    }
    assert places["embedding"] == places["head"] != []
    assert places["embedding.scales"] == places["head.scales"] != []


@pytest.mark.parametrize("damage", ["no graph", "no data", "short data", "not a graph", "another model"])
def test_damaged_files_are_called_damaged(tiny, tiny_weights, tmp_path, damage):
    path, data = tmp_path / "graph.onnx", tmp_path / "graph.onnx.data"
    build_graph(tiny_weights, path)
    if damage == "no graph":
        path.unlink()
    elif damage == "no data":
        data.unlink()
    elif damage == "short data":
        data.write_bytes(data.read_bytes()[:-5000])
    elif damage == "not a graph":
        path.write_bytes(b"\xff" * 5000)
    else:
        onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), path)
    with pytest.raises(DamagedModelError) as raised:
        read_weights(path, tiny.config)
    assert str(tmp_path) in str(raised.value)
    if damage not in ("short data", "another model"):
        with pytest.raises(DamagedModelError):
            Model(path, tiny.config)
