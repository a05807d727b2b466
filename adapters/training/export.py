"""Adapters for other programs: onnxruntime's own adapter file, a PEFT folder, one merged ONNX model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import safetensors.numpy
from numpy.typing import NDArray

from idiolect.adapters.training.lora import Lora
from idiolect.models.build import BasePaths
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.known_bases import terms_of
from idiolect.models.weights import Blocks, OffsetBlocks, Weights, quantize

_PEFT_NAMES = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}


class ExportError(IdiolectError, code="export-failed", exit_code=ExitCode.NO_ROOM, http_status=409):
    """An export can't be written where it was asked for, or is of no known kind."""


def export(kind: str, lora: Lora, base: BasePaths, path: Path) -> None:
    """Write an adapter of a base model to ``path``: a file, or for ``peft`` a folder.

    Raises:
        ExportError: the kind is none of :data:`KINDS`.
        OSError: it can't be written.
    """
    if kind not in KINDS:
        raise ExportError(f"There is no export of the kind {kind}. Choose one of {', '.join(KINDS)}.")
    KINDS[kind](lora, base, path)
    # Readable by their owner alone, like the store: they were learned from private text.
    for file in [path, *path.rglob("*")]:
        file.chmod(0o700 if file.is_dir() else 0o600)


def terms_notice(base: BasePaths) -> str | None:
    """Return the sentence by which the terms of a base model ask to be named in what is made from it, if they do."""
    terms = terms_of(base.source_sha256, base.config)
    return None if terms is None else terms.notice


def _onnx_adapter(lora: Lora, _base: BasePaths, path: Path) -> None:
    """Write onnxruntime's ``.onnx_adapter``: the graph's adapter inputs by name, for ``LoraAdapter.Load``."""
    values = {
        name: ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(m)) for name, m in lora.tensors().items()
    }
    adapter = ort.AdapterFormat()
    adapter.set_adapter_version(1)
    adapter.set_model_version(1)
    adapter.set_parameters(values)
    adapter.export_adapter(str(path))


def _peft(lora: Lora, base: BasePaths, folder: Path) -> None:
    """Write a folder that ``peft.PeftModel.from_pretrained`` loads; fused maps are taken apart again."""
    folder.mkdir()
    tensors: dict[str, NDArray[np.float32]] = {}
    parts_of = base.config.parts()
    for layer in range(base.config.layers):
        for group, parts in parts_of.items():
            a, b = (lora.matrices[f"{layer}.{group}.{side}"] for side in "AB")
            start = 0
            for part, rows in parts:
                prefix = f"base_model.model.model.layers.{layer}.{_PEFT_NAMES[part]}"
                tensors[f"{prefix}.lora_A.weight"] = np.ascontiguousarray(a.T)
                own = b[:, start : start + rows].T
                if group in ("o", "down"):  # the factor is part of our maps, but not of theirs
                    own = own / np.float32(base.config.residual_scale)
                tensors[f"{prefix}.lora_B.weight"] = np.ascontiguousarray(own)
                start += rows
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base.name,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(name.split(".")[1] for name in _PEFT_NAMES.values()),
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    notice = terms_notice(base)
    bound = {} if notice is None else {"notice": notice}
    safetensors.numpy.save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt", **bound})
    if notice is not None:
        (folder / "NOTICE").write_text(f"{notice}\n", "utf-8")


def _merged(lora: Lora, base: BasePaths, path: Path) -> None:
    """Write one ``.onnx`` file with the adapter added to the weights, rounded to 8 bits again."""
    import onnx  # large, and not needed to serve

    from idiolect.models.graph import build_graph, read_weights

    weights = merge(read_weights(base.graph, base.config), lora)
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        parts = Path(work) / "parts.onnx"
        build_graph(weights, parts, adapter=False)
        model = onnx.load(parts)
    if (notice := terms_notice(base)) is not None:
        onnx.helper.set_model_props(model, {"notice": notice})
    onnx.save(model, path)


def merge(weights: Weights, lora: Lora) -> Weights:
    """Return the base with ``B A`` added to each adapted map, in 8-bit blocks again."""
    tensors = lora.tensors()

    def merge_map(name: str, blocks: Blocks | OffsetBlocks) -> Blocks | OffsetBlocks:
        return quantize(blocks.dequantize() + (tensors[f"{name}.A"] @ tensors[f"{name}.B"]).T)

    maps = tuple(
        {group: merge_map(f"{layer}.{group}", blocks) for group, blocks in groups.items()}
        for layer, groups in enumerate(weights.maps)
    )
    return replace(weights, maps=maps)


KINDS: dict[str, Callable[[Lora, BasePaths, Path], None]] = {
    "onnx_adapter": _onnx_adapter,
    "peft": _peft,
    "onnx": _merged,
}
"""The forms an adapter can be exported in."""
