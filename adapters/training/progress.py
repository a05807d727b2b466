"""Reports the progress of a round, shares out its time, sends its checkpoints, and stops it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

from idiolect.adapters.memory.corpus import HELD_OUT_LEAST, MAX_HELD_OUT, RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.child import Emit, ParentMessages, StoppedError
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.gate import judge
from idiolect.models.session import Model

_JUDGING_SHARE = 0.3  # of the budget
_ADAPTER_SLOWDOWN = 1.15  # times as long as the base's is a pass with an adapter
_PART_BYTES = 1 << 20


class Progress:
    """Reports how far the round is, and stops it when the parent asks.

    ``time`` counts the budget, and ``every_s`` is the computing time between two checkpoints.
    """

    def __init__(self, time: ComputeClock, emit: Emit, messages: ParentMessages, every_s: float) -> None:
        self.time = time
        self.judging_s = 0.0
        self._emit = emit
        self._messages = messages
        self._every_s = every_s
        self._checkpoint_s = time.spent_s()
        self._sending: threading.Thread | None = None

    def time_judging(self, model: Model, probe: list[list[int]], recent: RecentText, *, adapted: bool) -> int:
        """Return how many held-out tokens can be judged in the time there is; a few passages are timed.

        Args:
            model: the loaded graph.
            probe: token ids of the passages to time.
            recent: text before each.
            adapted: True if an adapter is served.
        """
        memory = FastMemory(model.config.vocab)

        def time_s(passages: list[list[int]]) -> float:
            began_s = self.time.spent_s()
            judge(
                model,
                {"base": None},
                passages,
                recent=recent.copy(),
                memory=memory,
                mixtures={"base": Mixture()},
                report=lambda done: self.report("prepare", 0.3 + 0.7 * done * len(passages) / len(probe)),
            )
            return self.time.spent_s() - began_s

        time_s(probe[:1])
        each = time_s(probe) / sum(map(len, probe))
        # Half as much general text is read by the base and the candidate, which is one more pass of each half.
        each *= 1 + _ADAPTER_SLOWDOWN * (1 + adapted) + (1 + _ADAPTER_SLOWDOWN) / 2
        tokens = int(min(max(_JUDGING_SHARE * self.time.budget_s / each, HELD_OUT_LEAST), MAX_HELD_OUT))
        self.judging_s = each * tokens
        return tokens

    @property
    def training_s(self) -> float:
        """Seconds of the budget that are left for training."""
        return max(self.time.left_s() - self.judging_s, 1.0)

    def report(self, phase: str, done: float, left_s: float | None = None, **more: float) -> None:
        """Emit a progress line. The time left in it is by the clock, at the pace so far.

        ``done`` is the share of the phase ("prepare", "train" or "judge"), ``left_s`` its computing time left, where
        it is known, and ``more`` are further figures. Raises StoppedError if the parent asked for a stop and there is
        nothing new to keep.
        """
        if left_s is None:
            left = self.judging_s * (1 - done) if phase == "judge" else self.time.left_s()
        else:
            left = left_s + self.judging_s
        self._emit(
            {
                "event": "progress",
                "phase": phase,
                "done": round(done, 4),
                "left_s": round(max(left, 0.0) * self.time.pace(), 1),
                "spent_s": round(self.time.spent_s(), 2),
                **more,
            }
        )
        if phase != "train" and self._messages.stop.is_set():
            raise self._stopped()

    def send_checkpoint(self, snapshot: Callable[[], bytes], done: bool) -> None:
        """Emit a checkpoint after a step of training if it is time, if training is ``done``, or before a stop.

        Raises StoppedError if the parent asked for a stop.
        """
        stop = self._messages.stop.is_set()
        if stop or done or self.time.spent_s() - self._checkpoint_s >= self._every_s:
            self._checkpoint_s = self.time.spent_s()
            self._send(snapshot())
        if stop:
            raise self._stopped()

    def _stopped(self) -> StoppedError:
        if self._sending is not None:
            self._sending.join()
        return StoppedError()

    def _send(self, checkpoint: bytes) -> None:
        """Emit a checkpoint in a thread, since the parent may take its time to store it."""
        if self._sending is not None:
            self._sending.join()
        self._sending = threading.Thread(target=self._parts, args=(checkpoint, self._checkpoint_s))
        self._sending.start()

    def _parts(self, checkpoint: bytes, spent_s: float) -> None:
        parts = range(0, len(checkpoint), _PART_BYTES)
        for part, start in enumerate(parts):
            data = base64.b64encode(checkpoint[start : start + _PART_BYTES]).decode()
            last = {"spent_s": spent_s} if part == len(parts) - 1 else {}
            self._emit({"event": "checkpoint", "part": part, "data": data, **last})
