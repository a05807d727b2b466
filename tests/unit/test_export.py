"""Adapters for other programs: each form is loaded by the program that it is for, and computes the same."""

import json
import os
import warnings
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import safetensors
import torch

from idiolect.adapters.training.export import ExportError, export, merge
from idiolect.models.errors import DamagedModelError
from idiolect.models.known_bases import GEMMA
from idiolect.models.session import Session
from idiolect.models.torch_model import TorchModel
from idiolect.models.weights import BLOCK
from tests.families import with_weights

CLOSE = 1e-4
"""Logits of about 3 in float32, sums in another order."""


@pytest.fixture(scope="module")
def lora(tiny, make_lora):
    return make_lora(tiny.config)


@pytest.fixture(scope="module")
def ids(tiny):
    return np.random.default_rng(9).integers(0, tiny.config.vocab, 30).tolist()


def feeds(config, ids, length=64):
    """A plain run's inputs: the whole sequence into an empty cache."""
    empty = np.zeros((1, config.kv_heads, length, config.head_dim), dtype=np.float32)
    return {
        "input_ids": np.array(ids, dtype=np.int64),
        "positions": np.arange(len(ids), dtype=np.int64),
        "seqlens_k": np.array([len(ids) - 1], dtype=np.int32),
        "total_length": np.array(len(ids), dtype=np.int32),
        **{f"past.{layer}.{side}": empty for layer in range(config.layers) for side in "kv"},
    }


def one_text(ids):
    """What the served graph, in which texts can share a cache, is given besides where there is one."""
    return {
        "position_ids": np.arange(len(ids), dtype=np.int64)[None],
        "attention_bias": np.zeros((1, 1, len(ids), len(ids)), np.float32),
    }


def test_onnxruntime_adapter_gives_the_sessions_logits(tiny, tiny_model, lora, ids, tmp_path):
    path = tmp_path / "mine.onnx_adapter"
    export("onnx_adapter", lora, tiny, path)
    adapter = ort.LoraAdapter()
    adapter.Load(str(path))
    options = ort.RunOptions()
    options.add_active_adapter(adapter)
    given = feeds(tiny.config, ids) | one_text(ids)
    [logits] = tiny_model.runtime.run(["logits"], given, options)
    served = Session(tiny_model, length=64, adapter=lora.tensors()).feed(ids, "all")
    base = Session(tiny_model, length=64).feed(ids, "all")
    assert np.abs(logits - served).max() < CLOSE
    assert np.abs(logits - base).max() > 1000 * CLOSE
    [without] = tiny_model.runtime.run(["logits"], given)
    assert np.abs(without - base).max() < CLOSE


def test_the_twin_is_transformers_llama(tiny_weights, ids):
    with torch.no_grad():
        theirs = with_weights(tiny_weights)(torch.tensor([ids])).logits
        ours = TorchModel(tiny_weights).logits(torch.tensor([ids]))
    assert (ours - theirs).abs().max() < CLOSE


def test_a_peft_folder_loads_in_peft_and_gives_the_twins_logits(tiny, tiny_weights, lora, ids, tmp_path):
    from peft import PeftModel

    folder = tmp_path / "mine"
    export("peft", lora, tiny, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # peft warns of keys that are missing or too many,
        warnings.simplefilter("ignore", FutureWarning)  # and of what is to come in transformers
        model = PeftModel.from_pretrained(with_weights(tiny_weights), str(folder)).eval()
    matrices = {name: torch.from_numpy(matrix) for name, matrix in lora.tensors().items()}
    with torch.no_grad():
        theirs = model(torch.tensor([ids])).logits
        ours = TorchModel(tiny_weights).logits(torch.tensor([ids]), matrices)
        base = TorchModel(tiny_weights).logits(torch.tensor([ids]))
    assert (ours - theirs).abs().max() < CLOSE
    assert (ours - base).abs().max() > 1000 * CLOSE


def test_a_peft_folder_names_its_base_and_maps(tiny, lora, tmp_path):
    folder = tmp_path / "mine"
    export("peft", lora, tiny, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (lora.rank, lora.alpha)
    assert config["base_model_name_or_path"] == tiny.name
    assert {*config["target_modules"]} == {
        f"{part}_proj" for part in ("q", "k", "v", "o", "gate", "up", "down")
    }


def test_a_merged_model_is_one_file_that_runs_alone(tiny, tiny_float, lora, ids, tmp_path):
    path = tmp_path / "mine.onnx"
    export("onnx", lora, tiny, path)
    assert [*tmp_path.iterdir()] == [path]
    # Alone: moved to where nothing else is, given to onnxruntime as it is.
    moved = tmp_path / "elsewhere" / "model.onnx"
    moved.parent.mkdir()
    path.rename(moved)
    runtime = ort.InferenceSession(str(moved), providers=["CPUExecutionProvider"])
    inputs = {item.name for item in runtime.get_inputs()}
    assert inputs == {*feeds(tiny.config, ids)}
    [logits] = runtime.run(["logits"], feeds(tiny.config, ids))

    served = Session(tiny_float, length=64, adapter=lora.tensors()).feed(ids, "all")
    # Two roundings to 8 bits lie between: of the merged weights, and of what comes into each product.
    difference = divergence(served, logits)
    assert difference.mean() < 0.005
    assert difference.max() < 0.03
    base = Session(tiny_float, length=64).feed(ids, "all")
    assert divergence(served, base).mean() > 20 * difference.mean()


def divergence(expected, found):
    """Kullback-Leibler divergence in nats, row by row."""
    first, second = (
        torch.log_softmax(torch.from_numpy(logits).double(), dim=1).numpy() for logits in (expected, found)
    )
    return (np.exp(first) * (first - second)).sum(axis=1)


def test_merging_adds_the_product_within_half_a_step(tiny_weights, lora):
    merged, tensors = merge(tiny_weights, lora), lora.tensors()
    for layer, groups in enumerate(tiny_weights.maps):
        for group, blocks in groups.items():
            found = merged.maps[layer][group]
            product = tensors[f"{layer}.{group}.A"] @ tensors[f"{layer}.{group}.B"]
            expected = blocks.dequantize() + product.T
            assert (
                np.abs(found.dequantize() - expected) <= 0.501 * np.repeat(found.scales, BLOCK, axis=1)
            ).all()
    assert merged.embedding is tiny_weights.embedding
    assert merged.norms is tiny_weights.norms


def test_the_error_of_an_unknown_kind_lists_the_kinds(tiny, make_lora, tmp_path):
    with pytest.raises(ExportError, match="onnx_adapter, peft, onnx"):
        export("gguf", make_lora(tiny.config), tiny, tmp_path / "mine")


def test_a_damaged_base_leaves_nothing_behind(tiny, make_lora, tmp_path):
    broken = tmp_path / "model"
    broken.mkdir()
    (broken / "graph.onnx").write_bytes(tiny.graph.read_bytes())
    with pytest.raises(DamagedModelError):
        export("onnx", make_lora(tiny.config), replace(tiny, folder=broken), tmp_path / "mine.onnx")
    assert os.listdir(tmp_path) == ["model"]


def test_an_export_names_the_terms_of_its_base_model(tiny, lora, tmp_path):
    bound = replace(tiny, source_sha256=GEMMA.sha256)
    assert GEMMA.terms is not None
    folder = tmp_path / "bound"
    export("peft", lora, bound, folder)
    assert (folder / "NOTICE").read_text() == f"{GEMMA.terms.notice}\n"
    with safetensors.safe_open(folder / "adapter_model.safetensors", "np") as tensors:
        assert tensors.metadata()["notice"] == GEMMA.terms.notice
    export("onnx", lora, bound, tmp_path / "bound.onnx")
    model = onnx.load(tmp_path / "bound.onnx")
    assert [(one.key, one.value) for one in model.metadata_props] == [("notice", GEMMA.terms.notice)]
    export("peft", lora, tiny, tmp_path / "free")
    assert not (tmp_path / "free" / "NOTICE").exists()
