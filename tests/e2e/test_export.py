"""An adapter of the real base model in the forms that onnxruntime loads, against what the service computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest
import torch

from idiolect.adapters.corpus import read_general_passages
from idiolect.adapters.export import export
from idiolect.models.session import Model, Session
from idiolect.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from idiolect.adapters.lora import Lora
    from idiolect.models.build import BasePaths

LENGTH = 64


@pytest.fixture(scope="module")
def lora(base: BasePaths, make_lora: Callable[..., Lora]) -> Lora:
    return make_lora(base.config, size=0.1)


@pytest.fixture(scope="module")
def ids(base: BasePaths) -> list[int]:
    return Tokenizer(base.tokenizer).encode(read_general_passages()[1][3])[:50]


@pytest.fixture(scope="module")
def model(base: BasePaths) -> Model:
    return Model(base.graph, base.config)


@pytest.fixture(scope="module")
def served(model: Model, lora: Lora, ids: list[int]) -> NDArray[np.float32]:
    """The service's logits."""
    return Session(model, length=LENGTH, adapter=lora.tensors()).feed(ids, "all")


def feeds(base: BasePaths, ids: list[int]) -> dict[str, NDArray[Any]]:
    config = base.config
    empty = np.zeros((1, config.kv_heads, LENGTH, config.head_dim), dtype=np.float32)
    return {
        "input_ids": np.array(ids, dtype=np.int64),
        "positions": np.arange(len(ids), dtype=np.int64),
        "seqlens_k": np.array([len(ids) - 1], dtype=np.int32),
        "total_length": np.array(len(ids), dtype=np.int32),
        **{f"past.{layer}.{side}": empty for layer in range(config.layers) for side in "kv"},
    }


def divergence(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean Kullback-Leibler divergence in nats."""
    first, second = (
        torch.log_softmax(torch.from_numpy(logits), dim=1).numpy() for logits in (expected, found)
    )
    return float((np.exp(first) * (first - second)).sum(axis=1).mean())


def test_onnxruntime_adapter(
    base: BasePaths, model: Model, lora: Lora, ids: list[int], served: NDArray[np.float32], tmp_path: Path
) -> None:
    adapter = ort.LoraAdapter()
    adapter.Load(str(export("onnx_adapter", lora, base, tmp_path / "mine.onnx_adapter")))
    options = ort.RunOptions()
    options.add_active_adapter(adapter)
    one_text = {
        "position_ids": np.arange(len(ids), dtype=np.int64)[None],
        "attention_bias": np.zeros((1, 1, len(ids), len(ids)), np.float32),
    }
    given = feeds(base, ids) | one_text
    [logits] = model.runtime.run(["logits"], given, options)
    # The very same graph and numbers; single rounding steps may fall otherwise.
    assert divergence(served, logits) < 1e-4
    [without] = model.runtime.run(["logits"], given)
    assert divergence(served, without) > 0.1


def test_merged_model(
    base: BasePaths, lora: Lora, ids: list[int], served: NDArray[np.float32], tmp_path: Path
) -> None:
    path = export("onnx", lora, base, tmp_path / "mine.onnx")
    assert [*tmp_path.iterdir()] == [path]
    runtime = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [logits] = runtime.run(["logits"], feeds(base, ids))
    agreement = (logits.argmax(axis=1) == served.argmax(axis=1)).mean()
    print(f"merged: {divergence(served, logits):.5f} nats apart, top-1 {agreement:.3f}")
    # The merged weights are rounded to 8 bits once more, which costs about as much as 8-bit products do.
    assert divergence(served, logits) < 0.02
    assert agreement > 0.9
