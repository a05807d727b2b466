"""A model's weights in blocks of 8 or 4 bits.

One set of weights serves and trains: the ONNX graph multiplies by the blocks directly and the torch model
de-quantizes the same blocks, so an adapter learns against what it will run on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idiolect.models.architecture import Architecture

BLOCK = 32
"""Weights that share one scale."""


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

    # (out, (in + 2 * sum_columns(in)) / 2), two values a byte, the lower half first
    values: NDArray[np.uint8]
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

    config: Architecture
    embedding: Blocks  # (vocab, width)
    output_norm: NDArray[np.float32]  # (width,)
    norms: tuple[dict[str, NDArray[np.float32]], ...]  # of each layer, as Architecture.norms names them
    maps: tuple[dict[str, Blocks | OffsetBlocks], ...]  # a layer: {group: (out, in)}
