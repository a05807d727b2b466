"""Fine-tuning an adapter: AdamW over packed rows, as long as the time budget lasts.

Imported by the training child alone (torch).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idiolect.adapters.corpus import Rows
from idiolect.adapters.lora import Lora
from idiolect.models.twin import Twin, cross_entropy

_SETTLED = 3  # steps before another number of threads is tried
_UNDISTURBED = 0.85  # share of its threads' time that a step gets on an idle machine
_LONGEST_STEP = 0.04  # of the budget
_RETRY = 12  # steps between two trials of it
_ROWS = 2  # rows whose activations are held at once


@dataclass(frozen=True)
class TrainConfig:
    """Hyper-parameters; first figures for them are in docs/log.md."""

    learning_rate: float = 1e-3
    epochs: float = 3.0
    batch: int = 4  # rows a step
    length: int = 256  # tokens a row
    warmup: float = 0.06  # share of the round
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Step:
    """How far training is: ``done`` is the share of the round, ``loss`` nats a counted token."""

    done: float
    left_s: float
    loss: float
    tokens: int


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    lora: Lora
    tokens: int
    seconds: float
    epochs: float


def train(
    twin: Twin,
    start: Lora,
    rows: Rows,
    config: TrainConfig,
    *,
    budget_s: float,
    threads: int,
    seed: int,
    report: Callable[[Step], None],
) -> Trained:
    """Train ``start`` further on ``rows`` for ``config.epochs``, or until ``budget_s`` seconds are over.

    At most ``threads`` threads are used, fewer while other programs are busy.

    The learning rate follows the share of the round that is done (linear warm-up, cosine to zero,
    Loshchilov & Hutter 2017), whichever of steps and time is ahead, so that a run cut by its
    budget still ends with small steps.
    """
    torch.manual_seed(seed)
    matrices = {k: torch.from_numpy(v.copy()).requires_grad_() for k, v in start.matrices.items()}
    decay = {"params": list(matrices.values()), "weight_decay": config.weight_decay}
    optimizer = torch.optim.AdamW([decay], lr=config.learning_rate, betas=(0.9, 0.98), fused=True)
    planned = max(1.0, rows.weights.size * config.epochs)  # tokens
    order = _order(len(rows), np.random.default_rng(seed))
    size = config.batch
    pace = _Pace(threads)
    started, tokens, done = time.monotonic(), 0, 0.0
    while done < 1:
        chosen = [next(order) for _ in range(size)]
        ids, weights = torch.from_numpy(rows.ids[chosen]), torch.from_numpy(rows.weights[chosen])
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(done, config.warmup)
        pace.begin()
        optimizer.zero_grad(set_to_none=True)
        loss = _backward(twin, start.config.scale, matrices, ids, weights)
        torch.nn.utils.clip_grad_norm_(matrices.values(), 1.0)
        optimizer.step()
        if pace.end() > _LONGEST_STEP * budget_s:  # a busy machine: smaller steps keep to the budget
            size = max(size // 2, 1)
        tokens += weights.numel()
        elapsed = time.monotonic() - started
        done = max(tokens / planned, elapsed / budget_s)
        report(Step(min(done, 1.0), elapsed * (1 / done - 1) if done < 1 else 0.0, loss, tokens))
    trained = {name: matrix.detach().numpy() for name, matrix in matrices.items()}
    return Trained(
        Lora(start.config, trained), tokens, time.monotonic() - started, tokens / max(1, rows.weights.size)
    )


def _backward(twin: Twin, scale: float, matrices: dict[str, Tensor], ids: Tensor, weights: Tensor) -> float:
    """Accumulate the gradients of a batch, a few rows at a time so that activations fit; its loss."""
    counted = weights.sum().clamp(min=1.0)
    total = 0.0
    for part, weight in zip(torch.split(ids, _ROWS), torch.split(weights, _ROWS), strict=True):
        scaled = {name: matrix * scale if name.endswith("B") else matrix for name, matrix in matrices.items()}
        states = twin.hidden(part[:, :-1], scaled)
        flat = weight.reshape(-1)
        targets = part[:, 1:].reshape(-1)
        loss = cross_entropy(states.reshape(len(flat), -1), twin.embedding, targets, flat) / counted
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    return total


def _order(count: int, random: np.random.Generator) -> Iterator[int]:
    """The rows in a new random order each epoch, without end."""
    while True:
        yield from random.permutation(count).tolist()


class _Pace:
    """Chooses how many threads a step uses by how fast the last steps were.

    Threads wait for one another at every operation: beside a program that keeps one core busy, two
    of them can be many times slower than one. Now and then the other count gets a step to prove itself.
    """

    def __init__(self, most: int) -> None:
        self._seconds = dict.fromkeys(range(1, most + 1), 0.0)
        self._steps = 0
        self._threads = most
        self._started = (0.0, 0.0)
        self._contended = False

    def begin(self) -> None:
        untried = [count for count, seconds in self._seconds.items() if seconds == 0.0]
        if self._steps < _SETTLED:
            self._threads = max(self._seconds)
        elif self._contended and (self._steps % _RETRY == 0 or untried):
            others = (
                untried or [count for count in self._seconds if count != self._threads] or [self._threads]
            )
            self._threads = others[self._steps // _RETRY % len(others)]
        else:
            tried = {count: seconds for count, seconds in self._seconds.items() if seconds}
            self._threads = min(tried, key=tried.__getitem__)
        torch.set_num_threads(self._threads)
        self._started = (time.perf_counter(), time.process_time())

    def end(self) -> float:
        """The step's seconds."""
        seconds = time.perf_counter() - self._started[0]
        got = (time.process_time() - self._started[1]) / (seconds * self._threads)
        self._contended = got < _UNDISTURBED or self._threads < max(self._seconds)
        self._seconds[self._threads] = seconds
        self._steps += 1
        return self._seconds[self._threads]


def _schedule(done: float, warmup: float) -> float:
    if done < warmup:
        return (done + 0.2 * warmup) / (1.2 * warmup)
    return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))
