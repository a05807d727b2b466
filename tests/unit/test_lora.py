"""An adapter's shape, its tensors, and the bytes that it is kept as."""

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy

from idiolect.adapters.training.lora import AdapterFormatError, Lora
from tests.conftest import TINY

BASE = replace(TINY, context=512)


@pytest.mark.parametrize("rank", [1, 3, 16])
def test_bytes_bring_it_back(make_lora, rank):
    lora = make_lora(BASE, rank)
    again = Lora.from_bytes(lora.to_bytes(), BASE)
    assert (again.rank, again.alpha) == (lora.rank, lora.alpha) == (rank, 2.0 * rank)
    assert again.matrices.keys() == lora.matrices.keys()
    for name, matrix in lora.matrices.items():
        assert again.matrices[name].dtype == np.float32
        assert np.array_equal(again.matrices[name], matrix)


def test_bytes_round_to_half_precision():
    lora = Lora.fresh(BASE, 2, seed=1)
    again = Lora.from_bytes(lora.to_bytes(), BASE)
    for name, matrix in lora.matrices.items():
        assert np.abs(again.matrices[name] - matrix).max() <= 2**-11 * np.abs(matrix).max()
    assert len(lora.to_bytes()) < 2 * sum(matrix.size for matrix in lora.matrices.values()) + 8_000


def test_a_fresh_adapter_changes_nothing_and_can_learn():
    lora, same = (Lora.fresh(BASE, 4, seed=3) for _ in "12")
    assert np.array_equal(lora.matrices["0.qkv.A"], same.matrices["0.qkv.A"]), "a seed makes the same one"
    for name, matrix in lora.matrices.items():
        if name.endswith("B"):
            assert not matrix.any()
        else:
            assert 0.5 < np.abs(matrix).max() * np.sqrt(len(matrix)) <= 1
            assert abs(matrix.mean()) < 0.1 * matrix.std() + 0.02


def test_the_scale_is_multiplied_into_b(make_lora):
    lora = make_lora(BASE, 3)
    tensors = lora.tensors()
    assert np.array_equal(tensors["1.down.A"], lora.matrices["1.down.A"])
    assert tensors["1.down.B"] == pytest.approx(2.0 * lora.matrices["1.down.B"])
    assert tensors["1.down.B"].dtype == np.float32


@pytest.mark.parametrize(
    "other",
    [{"width": 96}, {"layers": 2}, {"layers": 4}, {"kv_heads": 1}, {"ffn": 128}],
    ids=str,
)
def test_another_base_is_refused(make_lora, other):
    blob = make_lora(BASE).to_bytes()
    with pytest.raises(AdapterFormatError, match="another base model"):
        Lora.from_bytes(blob, replace(BASE, **other))


def saved(matrices: dict[str, np.ndarray], metadata: dict[str, str] | None) -> bytes:
    return safetensors.numpy.save(matrices, metadata)


def damaged() -> dict[str, bytes]:
    lora = Lora.fresh(BASE, 2)
    blob, halves = lora.to_bytes(), {k: v.astype(np.float16) for k, v in lora.matrices.items()}
    values = {"rank": 2, "alpha": 32.0}
    few = {name: matrix for name, matrix in halves.items() if name != "1.o.A"}
    return {
        "empty": b"",
        "noise": bytes(range(256)) * 8,
        "cut": blob[:-7],
        "no configuration": saved(halves, None),
        "configuration is no JSON": saved(halves, {"lora": "{"}),
        "configuration lacks its scale": saved(halves, {"lora": json.dumps({"rank": 2})}),
        "another rank": saved(halves, {"lora": json.dumps(values | {"rank": 3})}),
        "a matrix is missing": saved(few, {"lora": json.dumps(values)}),
        "a matrix too many": saved(halves | {"9.o.A": halves["1.o.A"]}, {"lora": json.dumps(values)}),
    }


@pytest.mark.parametrize("kind", [*damaged()])
def test_damaged_bytes_are_refused(kind):
    with pytest.raises(AdapterFormatError) as raised:
        Lora.from_bytes(damaged()[kind], BASE)
    assert "idiolect" in str(raised.value), "it says what to do"
