"""A training round in a process of its own: text in on stdin, progress and the result out as JSON lines.

``python -m idiolect.adapters.round`` reads one line of :class:`Order` and then one line of token ids
an entry, trains, exports, judges, and ends with a ``result`` line. It keeps no state and writes no
file. It runs at the lowest priority, and ends when the process that started it does.
"""

from __future__ import annotations

import base64
import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psutil

from idiolect.adapters.child import Emit, work
from idiolect.adapters.corpus import (
    HELD_OUT_LEAST,
    HELD_OUT_MOST,
    Recent,
    Rows,
    general_passages,
    hold_out,
    pack,
)
from idiolect.adapters.gate import Judged, decide, general_perplexity, judge
from idiolect.adapters.lora import Lora, LoraConfig
from idiolect.adapters.memory import FastMemory
from idiolect.adapters.mixture import Mixture
from idiolect.models.build import find_base
from idiolect.models.errors import IdiolectError
from idiolect.models.session import Model
from idiolect.models.tokenizer import Tokenizer

_GENERAL_TOKENS = 2000
_REPLAY_SHARE = 0.1  # general text among the training tokens
_JUDGING_SHARE = 0.3  # of the budget
_ARMS = 4.0  # passes over the held-out text and half as much general text, with what scoring adds to them


class NothingNewError(IdiolectError):
    """All text was already trained on, so that nothing is left to judge by."""

    code: ClassVar[str] = "nothing-new"
    exit_code: ClassVar[int] = 28
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class Order:
    """What a round is asked to do; sent as one JSON line.

    ``parent`` (base64 of the adapter's bytes, or None) and ``mixtures`` are those of what is served now;
    ``seen`` are the places of the entries that the parent was trained on.
    """

    base: str
    budget_s: float
    rank: int
    alpha: float
    epochs: float
    learning_rate: float
    general_tolerance: float
    recent_tokens: int
    threads: int
    seed: int
    parent: str | None
    seen: list[int]
    mixtures: dict[str, list[Any]]


def main() -> int:
    """Run one round; the exit status is 0 also where the adapter is refused."""
    return work(
        lambda order, entries, emit: run(Order(**order), entries, emit),
        "The round ran out of memory. Close other programs and train again.",
    )


def run(order: Order, entries: list[list[int]], emit: Emit) -> None:
    """Train on all but the newest entries, judge on those, and emit the result."""
    clock = _Clock(order.budget_s, emit)
    clock.report("prepare", 0.0)
    base = find_base(Path(order.base))
    tokenizer = Tokenizer(base.tokenizer)
    breaks = tokenizer.encode("\n")
    places = hold_out([len(entry) for entry in entries], frozenset(order.seen))
    if not 0 < len(places) < len(entries):
        raise NothingNewError(
            "There is no text to judge a new adapter by that the one that serves has not learned from. Train "
            "again when more has been written."
        )
    held_out = [entries[place] for place in places]
    judged_by = set(places)
    seen = [entry for place, entry in enumerate(entries) if place not in judged_by]
    replay, general = ([tokenizer.encode(p) for p in part] for part in general_passages())
    general = general[: _fit(general, _GENERAL_TOKENS)]

    tokens = clock.time_judging(base, order.threads, breaks, general)
    held_out = held_out[len(held_out) - _fit(held_out[::-1], tokens) :]
    general = general[: _fit(general, tokens // 2)]
    lora, facts = _train(order, base, seen, replay, breaks, clock)
    del replay
    blob = lora.to_bytes()
    # Judge what will be served: the adapter as it is stored.
    candidate = Lora.from_bytes(blob, base.config).tensors()
    model = Model(base.graph, base.config, threads=order.threads)
    parent = _parent(order, base.config)
    adapters = {"base": None, "candidate": candidate} | ({"serving": parent} if parent else {})
    memory, recent = FastMemory(base.config.vocab), Recent(order.recent_tokens, breaks)
    memory.add_many(seen)
    for entry in seen[-200:]:
        recent.add(entry)
    mixtures = {name: _mixture(order, name) for name in adapters}
    judged = judge(
        model,
        adapters,
        held_out,
        recent=recent,
        memory=memory,
        mixtures=mixtures,
        report=lambda done: clock.report("judge", 0.8 * done),
    )
    general_before = general_perplexity(model, None, general, breaks)
    clock.report("judge", 0.9)
    general_after = general_perplexity(model, candidate, general, breaks)
    clock.report("judge", 1.0)
    serving = judged.get("serving", judged["base"])
    verdict = decide(
        judged["candidate"].mixed,
        serving.mixed,
        general_before=general_before,
        general_after=general_after,
        tolerance=order.general_tolerance,
        seed=order.seed,
    )
    emit(
        {
            "event": "result",
            "status": "promoted" if verdict.promoted else "refused",
            "reason": verdict.reason,
            "metrics": _metrics(judged, serving, general_before, general_after)
            | {"held_out_entries": len(held_out), "gain_bits": verdict.gain_bits, "p_value": verdict.p_value}
            | facts,
            "mixtures": {name: result.mixture.to_json() for name, result in judged.items()},
            "held_out": places,
            "adapter": base64.b64encode(blob).decode(),
            "rank": lora.config.rank,
            "tokens_per_s": facts["tokens_per_s"],
            "seconds": round(clock.elapsed(), 1),
        }
    )


class _Clock:
    """Progress of the whole round with the time left, from how long its parts take on this machine."""

    def __init__(self, budget_s: float, emit: Emit) -> None:
        self.budget_s = budget_s
        self.judging_s = 0.0
        self._emit = emit
        self._started = time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def time_judging(self, base: Any, threads: int, breaks: list[int], general: list[list[int]]) -> int:
        """How many held-out tokens can be judged in the time there is: a few passages are timed."""
        model = Model(base.graph, base.config, threads=threads)  # not kept: training needs the memory
        probe = general[:4]
        general_perplexity(model, None, probe[:1], breaks)
        started = time.monotonic()
        general_perplexity(model, None, probe, breaks)
        each = _ARMS * (time.monotonic() - started) / sum(map(len, probe))
        tokens = int(min(max(_JUDGING_SHARE * self.budget_s / each, HELD_OUT_LEAST), HELD_OUT_MOST))
        self.judging_s = each * tokens
        return tokens

    @property
    def training_s(self) -> float:
        """What is left of the budget for training."""
        return max(self.budget_s - self.elapsed() - self.judging_s, 1.0)

    def report(self, phase: str, done: float, left_s: float | None = None, **more: float) -> None:
        """Emit a progress line; ``left_s`` is that of the phase, to which the judging is added."""
        if left_s is None:
            left = self.judging_s * (1 - done) if phase == "judge" else self.budget_s
        else:
            left = left_s + self.judging_s
        self._emit(
            {"event": "progress", "phase": phase, "done": round(done, 4), "left_s": round(left, 1), **more}
        )


def _train(
    order: Order, base: Any, seen: list[list[int]], replay: list[list[int]], breaks: list[int], clock: _Clock
) -> tuple[Lora, dict[str, Any]]:
    # Imported here: torch is the trainer's alone, and its memory is given back before the judging.
    from idiolect.adapters.training import TrainConfig, train
    from idiolect.models.graph import read_weights
    from idiolect.models.twin import Twin

    config = TrainConfig(learning_rate=order.learning_rate, epochs=order.epochs)
    own = pack(seen, config.length, breaks)
    rows = _with_replay(own, pack(replay, config.length, breaks))
    wanted = LoraConfig(order.rank, order.alpha)
    start = Lora.fresh(wanted, base.config, order.seed)
    if order.parent is not None:
        parent = Lora.from_bytes(base64.b64decode(order.parent), base.config)
        if parent.config == wanted:  # else the settings ask for another shape, which begins anew
            start = parent
    twin = Twin(read_weights(base.graph, base.config))
    result = train(
        twin,
        start,
        rows,
        config,
        budget_s=clock.training_s,
        threads=order.threads,
        seed=order.seed,
        report=lambda step: clock.report(
            "train", step.done, step.left_s, loss=round(step.loss, 3), tokens=step.tokens
        ),
    )
    facts = {
        "trained_tokens": result.tokens,
        "epochs": round(result.epochs, 2),
        "tokens_per_s": round(result.tokens / max(result.seconds, 1e-9), 1),
        "train_seconds": round(result.seconds, 1),
        "peak_mb": _peak_mb(),
    }
    return result.lora, facts


def _with_replay(own: Rows, general: Rows) -> Rows:
    """The user's rows and, spread among them by the shuffling, a share of general ones."""
    import numpy as np

    count = min(len(general), max(1, round(len(own) * _REPLAY_SHARE)))
    return Rows(
        np.concatenate([own.ids, general.ids[:count]]), np.concatenate([own.weights, general.weights[:count]])
    )


def _parent(order: Order, config: Any) -> Any:
    if order.parent is None:
        return None
    return Lora.from_bytes(base64.b64decode(order.parent), config).tensors()


def _mixture(order: Order, name: str) -> Mixture:
    known = order.mixtures.get("serving" if name == "candidate" else name, order.mixtures.get("base"))
    return Mixture() if known is None else Mixture.from_json(known)


def _fit(texts: list[list[int]], tokens: int) -> int:
    """How many of the first texts have at most ``tokens`` tokens together; one at the least."""
    total = 0
    for index, text in enumerate(texts):
        total += len(text)
        if total > tokens:
            return max(index, 1)
    return len(texts)


def _metrics(
    judged: dict[str, Judged], serving: Judged, general_before: float, general_after: float
) -> dict[str, Any]:
    candidate, base = judged["candidate"], judged["base"]
    return {
        "base": base.alone.summary(),
        "memory": base.mixed.summary(),
        "adapter": candidate.alone.summary(),
        "both": candidate.mixed.summary(),
        "serving": serving.mixed.summary(),
        "general_before": round(general_before, 3),
        "general_after": round(general_after, 3),
        "held_out_tokens": sum(base.alone.tokens),
    }


def _peak_mb() -> float:
    with contextlib.suppress(ImportError):
        import resource

        scale = 2**20 if sys.platform == "darwin" else 2**10
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)
    return round(psutil.Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    sys.exit(main())
