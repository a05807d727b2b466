"""LoRA adapters (Hu et al. 2021): their shape, their tensors, and the blob kept in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from idiolect.models.architecture import Architecture, adapter_inputs
from idiolect.models.errors import ExitCode, IdiolectError

_SCALE = 4.0  # of a new adapter


class AdapterFormatError(IdiolectError, code="adapter-format", exit_code=ExitCode.TRAINING, http_status=500):
    """An adapter's bytes are not an adapter for this base model."""


def read_metadata(blob: bytes) -> dict[str, str]:
    """Return the metadata in the header of a safetensors file. Raises ValueError or KeyError where there are none."""
    header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    metadata: dict[str, str] = header["__metadata__"]
    return metadata


@dataclass(frozen=True)
class Lora:
    """An adapter: ``W x + (alpha / rank) B A x`` for each map; fused maps (q, k, v and gate, up) share one A.

    ``rank`` is the inner features of each pair; ``matrices`` are by graph input name, without the scale in B.
    """

    rank: int
    alpha: float
    matrices: dict[str, NDArray[np.float32]]

    @property
    def scale(self) -> float:
        """The factor of ``B A``, alpha / rank."""
        return self.alpha / self.rank

    @classmethod
    def fresh(cls, base: Architecture, rank: int, seed: int = 0) -> Lora:
        """Return a new adapter that changes nothing: A is uniform as in the reference implementation, B is zero."""
        random = np.random.default_rng(seed)
        matrices = {}
        for name, (features_in, features_out) in adapter_inputs(base):
            if name.endswith("A"):
                bound = 1.0 / np.sqrt(features_in)
                matrix = random.uniform(-bound, bound, (features_in, rank))
            else:
                matrix = np.zeros((rank, features_out))
            matrices[name] = matrix.astype(np.float32)
        return cls(rank, _SCALE * rank, matrices)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the graph's adapter inputs, with the scale multiplied into B."""
        scale = np.float32(self.scale)
        return {name: m * scale if name.endswith("B") else m for name, m in self.matrices.items()}

    def to_bytes(self) -> bytes:
        """Return the adapter as a safetensors file in half precision."""
        halves = {name: matrix.astype(np.float16) for name, matrix in self.matrices.items()}
        return safetensors.numpy.save(halves, {"lora": json.dumps({"rank": self.rank, "alpha": self.alpha})})

    @classmethod
    def from_bytes(cls, blob: bytes, base: Architecture) -> Lora:
        """Read what :meth:`to_bytes` returned.

        Raises:
            AdapterFormatError: not such a file, or made for a base model of another shape.
        """
        try:
            matrices = {k: v.astype(np.float32) for k, v in safetensors.numpy.load(blob).items()}
            values = json.loads(read_metadata(blob)["lora"])
            rank, alpha = values["rank"], values["alpha"]
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise AdapterFormatError(
                f"An adapter can't be read ({type(error).__name__}). Go back to another with `idiolect use`."
            ) from error
        expected = {
            name: (shape[0], rank) if name.endswith("A") else (rank, shape[1])
            for name, shape in adapter_inputs(base)
        }
        if {name: matrix.shape for name, matrix in matrices.items()} != expected:
            raise AdapterFormatError(
                "An adapter was made for another base model. Train a new one with `idiolect train`, "
                "or give back the former base model."
            )
        # In the order of a fresh one, which the file does not keep: a state of training has all matrices end to end.
        return cls(rank, alpha, {name: matrices[name] for name in expected})
