"""Fine-tunes an adapter: AdamW over packed rows, as long as the time budget lasts, from where the last round ended.

Imported by the training process alone (torch).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from idiolect.adapters.memory.corpus import Rows
from idiolect.adapters.training.averaged_adamw import AveragedAdamW
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.lora import Lora, read_metadata
from idiolect.models.architecture import Architecture
from idiolect.models.cross_entropy import cross_entropy
from idiolect.models.torch_model import TorchModel

_UNTIMED_STEPS = 3  # steps before another number of threads is tried
_MIN_CPU_SHARE = 0.85  # share of its threads' time that a step gets on an idle machine
_RETRY_STEPS = 12  # steps between two trials of it
_TIMED_SHAPE = (512, 1536)  # shape of the matrices by which products are timed
_MIN_BF16_SPEEDUP = 1.5  # times: what has instructions for bfloat16 is above 2, what has none below 1


@dataclass(frozen=True)
class TrainConfig:
    """Hyper-parameters; docs/experiments.md has the figures that they were chosen by."""

    learning_rate: float = 7e-4  # of every step, but for the first ones of an adapter
    epochs: float = 1.0  # passes over the rows
    min_tokens: int = 4800  # an adapter's first text, where it is shorter, is passed over once more
    length: int = 128  # tokens of a row, which is a step: many small steps learn more than few large ones
    stretch: int = 3  # rows of text that are learned in order, each with the earlier ones in view


@dataclass(frozen=True)
class Trained:
    """A finished run: what may be served, and ``state``, from which the next run goes on.

    ``rows`` are the indices of the rows that were learned from.
    """

    lora: Lora
    state: bytes
    rows: frozenset[int]
    tokens: int
    seconds: float
    epochs: float


def train(
    llama: TorchModel,
    start: Lora,
    rows: Rows,
    config: TrainConfig,
    *,
    clock: ComputeClock,
    budget_s: float,
    threads: int,
    seed: int,
    report: Callable[..., None],
    on_step: Callable[[Callable[[], bytes], bool], None] = lambda _snapshot, _done: None,
    state: bytes | None = None,
    checkpoint: bytes | None = None,
) -> Trained:
    """Train ``start`` further on ``rows`` for ``config.epochs``, or until ``budget_s`` more seconds are used up.

    The learning rate stays as it is, from round to round: a run goes on from the ``state`` of the run that made
    ``start``, and what is handed over is the average of the steps (:mod:`.averaged_adamw`). Without a state it begins
    at the values of ``start``.

    ``clock`` counts the seconds. Fewer than ``threads`` compute while other programs are busy. ``report`` gets, after
    each step, the share that is done and the computing time left, and as ``loss`` and ``tokens`` the nats a weighted
    token and the tokens so far; ``on_step`` gets a function that makes a checkpoint, and whether it was the last step.
    A ``checkpoint`` is of the same rows, configuration and seed: training goes on after it.
    """
    torch.manual_seed(seed)
    trainable = _TrainableLora(start, llama)
    optimizer = AveragedAdamW(trainable.values)
    if state is not None:
        optimizer.go_on(state)
        del state  # tens of megabytes
    once = max(1, len(rows) * rows.length)  # tokens
    planned = (
        once * config.epochs
        if optimizer.steps
        else max(once * config.epochs, min(2 * once, config.min_tokens))
    )
    order = _order(rows, config.stretch, seed)
    at, view = _Position(), _View()
    if checkpoint is not None:
        at = _restore(checkpoint, optimizer, view)
        next(islice(order, at.drawn, at.drawn), None)
    budget_s += at.seconds
    tuner = _ThreadTuner(threads, clock.awake_s)
    began_s = clock.spent_s() - at.seconds

    def snapshot() -> bytes:
        return _snapshot(at, optimizer, view, llama.compute_dtype)

    while at.done < 1:
        row, ends = next(order)
        tuner.begin()
        loss = _backward(llama, trainable, rows, row, view)
        torch.nn.utils.clip_grad_norm_([trainable.values], 1.0)
        optimizer.step(config.learning_rate)
        tuner.end()
        if ends:
            view = _View()
        at.drawn += 1
        at.tokens += rows.length
        at.seconds = clock.spent_s() - began_s
        at.done = max(at.tokens / planned, at.seconds / budget_s)
        left_s = at.seconds * (1 / at.done - 1) if at.done < 1 else 0.0
        report(min(at.done, 1.0), left_s, loss=round(loss, 3), tokens=at.tokens)
        on_step(snapshot, at.done >= 1)
    drawn = frozenset(row for row, _ in islice(_order(rows, config.stretch, seed), at.drawn))
    lora = Lora(start.rank, start.alpha, trainable.matrices(optimizer.average))
    return Trained(lora, optimizer.to_bytes(), drawn, at.tokens, at.seconds, at.tokens / once)


def usual_learning_rate(architecture: Architecture) -> float:
    """Return the learning rate that suits a base model; docs/experiments.md has the figures."""
    # A norm behind each block makes a change as large as the block's whole output: such a model forgets at 7e-4.
    return 2e-4 if architecture.post_norms else TrainConfig.learning_rate


def fastest_compute_dtype(threads: int) -> torch.dtype:
    """Return bfloat16 if this processor makes matrix products in it clearly faster, else float32.

    Timed, since no name of a processor tells: with matrix units (AMX) bfloat16 is four to seven times as fast, with
    AVX-512's own instructions twice, without either often slower. One thread is timed: several wait for each other,
    and so for other programs. Afterwards torch uses ``threads``.
    """
    torch.set_num_threads(1)

    def time_s(kind: torch.dtype) -> float:
        left, right = torch.ones(_TIMED_SHAPE, dtype=kind), torch.ones(_TIMED_SHAPE, dtype=kind).T
        times = []
        for _ in range(6):
            began_s = time.thread_time()  # and not on the wall, where other programs count too
            left @ right
            times.append(time.thread_time() - began_s)
        return min(times)

    faster = time_s(torch.float32) > _MIN_BF16_SPEEDUP * time_s(torch.bfloat16)
    torch.set_num_threads(threads)
    return torch.bfloat16 if faster else torch.float32


def choose_compute_dtype(wanted: str, threads: int, checkpoint: bytes | None = None) -> torch.dtype:
    """Return the type of matrix products: that of the checkpoint, else the ``wanted`` one, which may be "fastest"."""
    name = read_metadata(checkpoint)["products"] if checkpoint else wanted
    return fastest_compute_dtype(threads) if name == "fastest" else getattr(torch, name)


class _TrainableLora:
    """An adapter's matrices end to end in one tensor, so that each operation on all numbers is one call."""

    def __init__(self, start: Lora, llama: TorchModel) -> None:
        self._shapes = {name: matrix.shape for name, matrix in start.matrices.items()}
        self.values = torch.from_numpy(np.concatenate([m.ravel() for m in start.matrices.values()]))
        factors = [
            (torch.ones(shape) * (llama.norm(name) if name.endswith("A") else start.scale)).ravel()
            for name, shape in self._shapes.items()
        ]
        self._factors = torch.cat(factors)
        self._folded = torch.empty_like(self.values, dtype=llama.compute_dtype)
        #: The matrices as TorchModel takes them: the scale in B, the norm before the map in A.
        self.folded = {name: part.requires_grad_() for name, part in self._split(self._folded).items()}

    @torch.no_grad()
    def fold(self) -> None:
        """Make the folded matrices anew from the values."""
        torch.mul(self.values, self._factors, out=self._folded)

    @torch.no_grad()
    def collect_gradients(self) -> None:
        """Make the values' gradient of the folded matrices' gradients, and drop those."""
        parts = [part.grad.ravel() for part in self.folded.values() if part.grad is not None]
        self.values.grad = torch.cat(parts) * self._factors
        for part in self.folded.values():
            part.grad = None

    def matrices(self, values: Tensor) -> dict[str, NDArray[np.float32]]:
        """Return values, these or their average, as the matrices that an adapter holds."""
        return {name: matrix.numpy().copy() for name, matrix in self._split(values).items()}

    def _split(self, values: Tensor) -> dict[str, Tensor]:
        parts = torch.split(values, [math.prod(shape) for shape in self._shapes.values()])
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(shape) for (name, shape), part in named}


@dataclass
class _Position:
    drawn: int = 0  # rows
    tokens: int = 0
    seconds: float = 0.0  # of the clock
    done: float = 0.0  # share of the training


@dataclass
class _View:
    """The keys and values by layer of the earlier rows of a stretch, by the adapter and by the base."""

    adapter: list[Tensor] = field(default_factory=list)
    base: list[Tensor] = field(default_factory=list)  # of general text alone


def _snapshot(at: _Position, optimizer: AveragedAdamW, view: _View, compute_dtype: torch.dtype) -> bytes:
    """Return a checkpoint as a safetensors file: the optimizer, earlier rows, random state, progress."""
    kept = {f"{name}.view": torch.stack(past) for name, past in vars(view).items() if past}
    kept |= {**optimizer.tensors(), "random": torch.get_rng_state()}
    return safetensors.torch.save(kept, {"at": json.dumps(asdict(at)), "products": dtype_name(compute_dtype)})


def _restore(checkpoint: bytes, optimizer: AveragedAdamW, view: _View) -> _Position:
    """Put back what :func:`_snapshot` kept; return the progress."""
    kept = safetensors.torch.load(checkpoint)
    optimizer.restore(kept)
    for name, past in vars(view).items():
        past += kept.get(f"{name}.view", ())
    torch.set_rng_state(kept["random"])
    return _Position(**json.loads(read_metadata(checkpoint)["at"]))


def dtype_name(compute_dtype: torch.dtype) -> str:
    """Return the name of a type, such as `bfloat16`."""
    return str(compute_dtype).removeprefix("torch.")


def _backward(llama: TorchModel, trainable: _TrainableLora, rows: Rows, row: int, view: _View) -> float:
    """Compute the gradients of a row's loss, and return the loss."""
    ids, weights = torch.from_numpy(rows.ids[row]), torch.from_numpy(rows.weights[row])
    read, targets = ids[None, :-1], ids[1:]
    if rows.is_general(row):
        with torch.no_grad():
            targets = llama.hidden_folded(read, {}, view.base)[0]
    trainable.fold()
    states = llama.hidden_folded(read, trainable.folded, view.adapter)[0]
    loss = cross_entropy(states, llama.embedding, targets, weights) / weights.sum().clamp(min=1.0)
    torch.autograd.backward(loss)
    trainable.collect_gradients()
    return loss.item()


def _order(rows: Rows, stretch: int, seed: int) -> Iterator[tuple[int, bool]]:
    """Yield rows without end, and whether a stretch ends with it: each epoch has stretches in a new random order."""
    random = np.random.default_rng(seed)
    own = len(rows) - rows.general
    stretches = [
        range(start, min(start + stretch, end))
        for first, end in ((0, own), (own, len(rows)))
        for start in range(first, end, stretch)
    ]
    while True:
        for place in random.permutation(len(stretches)):
            yield from ((row, row == stretches[place][-1]) for row in stretches[place])


class _ThreadTuner:
    """Chooses how many threads a step uses by how fast the last steps were.

    Threads wait for one another at every operation: beside a program that keeps one core busy, two can be many times
    slower than one. Now and then another count, of at most ``most``, gets a step to prove itself.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds = dict.fromkeys(range(1, most + 1), 0.0)
        self._steps = 0
        self._threads = most
        self._started = (0.0, 0.0)
        self._contended = False

    def begin(self) -> None:
        """Choose the threads of the next step, and start its time."""
        tried = {count: seconds for count, seconds in self._seconds.items() if seconds}
        untried = [*self._seconds.keys() - tried.keys()]
        if self._steps < _UNTIMED_STEPS:
            self._threads = max(self._seconds)
        elif self._contended and (self._steps % _RETRY_STEPS == 0 or untried):
            others = untried or [*self._seconds.keys() - {self._threads}] or [self._threads]
            self._threads = others[self._steps // _RETRY_STEPS % len(others)]
        else:
            self._threads = min(tried, key=tried.__getitem__)
        torch.set_num_threads(self._threads)
        self._started = (self._clock(), time.process_time())

    def end(self) -> None:
        """Note how fast the step was."""
        seconds = max(self._clock() - self._started[0], 1e-6)
        got = (time.process_time() - self._started[1]) / (seconds * self._threads)
        self._contended = got < _MIN_CPU_SHARE or self._threads < max(self._seconds)
        self._seconds[self._threads] = seconds
        self._steps += 1
