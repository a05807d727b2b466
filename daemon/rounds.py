"""Training rounds: when one is due, the child process that runs it, and what becomes of its result."""

from __future__ import annotations

import base64
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import psutil

from idiolect.adapters.round import NothingNewError, Order
from idiolect.daemon.children import Children, Work
from idiolect.daemon.records import ROUND_DUE
from idiolect.daemon.settings import Settings
from idiolect.daemon.store import Store
from idiolect.models.build import BasePaths
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.rounds")

_LOOK_EVERY_S = 30.0
_QUIET_S = 120.0  # without a keystroke or new text, before a round starts by itself
_BUSY_LOAD = 0.3  # running programs a core; the machine counts as idle below it
_MIXTURE = "base_mixture"  # state: the mixture weights of the base alone
# For the child: memory freed by one operation is kept for the next. Tensors of tens of megabytes come and go
# thousands of times a round; given back to the system each time, their pages would be cleared anew.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
_RETRY_S = 3600.0


class TooLittleTextError(IdiolectError):
    """There is not enough text for a round; the fast memory works all the same."""

    code: ClassVar[str] = "too-little-text"
    exit_code: ClassVar[int] = 25
    http_status: ClassVar[int] = 409


class RoundFailedError(IdiolectError):
    """The training process ended without a result."""

    code: ClassVar[str] = "round-failed"
    exit_code: ClassVar[int] = 27
    http_status: ClassVar[int] = 500


TRAINING = Work(
    "a training round", "idiolect.adapters.round", RoundFailedError, (NothingNewError,), _KEEP_MEMORY
)


class Rounds:
    """Runs rounds one at a time, asked for or by itself.

    Args:
        settings: the profile's.
        store: where text comes from and adapters go.
        base: the base model that is served.
        children: runs the training process.
        serving: the adapter that answers now, or None for the base.
        published: called once another adapter is to be served.
        paused: whether learning is paused; no round starts by itself then.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        base: BasePaths,
        children: Children,
        *,
        serving: Callable[[], int | None],
        published: Callable[[], None],
        paused: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._store = store
        self._base = base
        self._children = children
        self._serving = serving
        self._published = published
        self._paused = paused
        self._progress: dict[str, Any] | None = None
        self._stopping = threading.Event()
        self._busy_at = time.monotonic()
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._watch_clock, name="rounds", daemon=True)

    # When

    def start(self) -> None:
        """Begin to look whether a round is due."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more rounds. One that runs is ended by :meth:`Children.stop`, and its text waits for the next."""
        self._stopping.set()
        self._thread.join()

    def user_is_typing(self) -> None:
        """Put off rounds that would start by themselves."""
        self._busy_at = time.monotonic()

    new_text = user_is_typing

    def ask(self) -> None:
        """Let a round start by itself as soon as the machine is idle, for instance after forgetting."""
        self._store.set(ROUND_DUE, True)

    def outlook(self) -> str:
        """What is next, and why not now, in one sentence."""
        return self._why_not() or "a round is due and starts within a minute"

    def progress(self) -> dict[str, Any] | None:
        """The running round's last progress event, or None."""
        return self._progress

    def _why_not(self) -> str | None:
        settings = self._settings
        if not settings.auto_train:
            return "rounds start only when asked for (auto_train is off)"
        if self._paused():
            return "learning is paused"
        if (doing := self._children.doing) is not None:
            return f"{doing} is running"
        tokens = self._store.counts().tokens
        new = max(0, tokens - self._tokens_at_last_round())
        missing = settings.min_tokens - tokens
        if not self._store.get(ROUND_DUE):
            missing = max(missing, settings.train_every_tokens - new)
        if missing > 0:
            return f"a round is due after {missing:,} more tokens of new text"
        if time.monotonic() < self._not_before:
            return "a round is due; it is tried again within the hour, since the last one failed"
        quiet = time.monotonic() - self._busy_at
        if quiet < _QUIET_S:
            return "a round is due; it waits until the keyboard rests"
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        if battery is not None and not battery.power_plugged:
            return "a round is due; it waits for mains power"
        if psutil.getloadavg()[0] / (psutil.cpu_count() or 1) > _BUSY_LOAD:
            return "a round is due; it waits until the machine is idle"
        return None

    def _tokens_at_last_round(self) -> int:
        ended = [row for row in self._store.rounds() if row.status in ("promoted", "refused")]
        return int(ended[-1].metrics.get("tokens", 0)) if ended else 0

    def _watch_clock(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._why_not() is None:
                    for _ in self.run(None, "due"):
                        pass
            except Exception as error:  # noqa: BLE001 (the clock must not stop for a busy store or a failed round)
                log.warning("a round by itself: %s", getattr(error, "code", type(error).__name__))
                self._not_before = time.monotonic() + _RETRY_S

    # How

    def mixture(self, adapter_id: int | None) -> list[Any] | None:
        """The weights that an adapter (None: the base) was judged with, if it ever was."""
        if adapter_id is None:
            kept: list[Any] | None = self._store.get(_MIXTURE)
            return kept
        return next(
            (row.metrics.get("mixture") for row in self._store.adapters() if row.id == adapter_id), None
        )

    def run(self, budget_s: float | None, reason: str) -> Iterator[dict[str, Any]]:
        """Run one round. Yields its progress events and at last its verdict.

        Raises:
            TrainingBusyError: one is running, or an evaluation is.
            TooLittleTextError: with how much there is and how much is needed.
            RoundFailedError: the child ended without a result.
        """
        with self._children.claim(TRAINING):
            try:
                entries = [(entry, np.frombuffer(ids, dtype="<u4")) for entry, ids in self._store.token_ids()]
                tokens = sum(len(ids) for _, ids in entries)
                if tokens < self._settings.min_tokens:
                    raise TooLittleTextError(
                        f"There are {tokens:,} tokens of text and a round needs {self._settings.min_tokens:,} (about "
                        "1,500 words). Add more with `idiolect add`; the fast memory uses what is there already."
                    )
                budget_s = budget_s or self._settings.budget_s
                yield {"event": "progress", "phase": "prepare", "done": 0.0, "left_s": budget_s}
                yield from self._round(entries, tokens, budget_s, reason)
            finally:
                self._progress = None

    def _round(
        self, entries: list[tuple[int, Any]], tokens: int, budget_s: float, reason: str
    ) -> Iterator[dict[str, Any]]:
        parent = self._serving()
        round_id = self._store.begin_round(parent)
        log.info("round %d (%s): %d entries, %d tokens", round_id, reason, len(entries), tokens)
        try:
            order = self._order(parent, entries, budget_s)
            for event in self._children.follow(
                TRAINING, order, (ids.tolist() for _, ids in entries), len(entries)
            ):
                if event["event"] == "result":
                    yield self._finish(round_id, parent, [entry for entry, _ in entries], tokens, event)
                    return
                self._progress = event
                yield event
        except NothingNewError as error:
            self._give_up(round_id, "skipped", str(error))
            raise
        except IdiolectError as error:
            self._give_up(round_id, "interrupted" if self._children.cancelled else "failed", str(error))
            raise
        except BaseException:  # whoever followed the events went away, or a mistake in the program
            self._give_up(round_id, "failed", "it broke off")
            raise

    def _give_up(self, round_id: int, status: Any, reason: str) -> None:
        with contextlib.suppress(IdiolectError):
            self._store.end_round(round_id, status=status, reason=reason, metrics={})

    def _order(self, parent: int | None, entries: list[tuple[int, Any]], budget_s: float) -> Order:
        order = order_of(self._settings, budget_s, seed=len(self._store.rounds()))
        known = {"base": self.mixture(None)}
        if parent is not None:
            known["serving"] = self.mixture(parent)
            order = replace(
                order,
                parent=base64.b64encode(self._store.adapter_blob(parent)).decode(),
                seen=self._places(entries, self._store.seen(parent)),
            )
        mixtures = {name: weights for name, weights in known.items() if weights is not None}
        return replace(order, mixtures=mixtures)

    @staticmethod
    def _places(entries: list[tuple[int, Any]], ids: frozenset[int]) -> list[int]:
        return [place for place, (entry, _) in enumerate(entries) if entry in ids]

    def _finish(
        self, round_id: int, parent: int | None, ids: list[int], tokens: int, result: dict[str, Any]
    ) -> dict[str, Any]:
        promoted = result["status"] == "promoted"
        held_out = set(result["held_out"])
        metrics = {
            **result["metrics"],
            "tokens": tokens,
            "base_sha256": self._base.source_sha256,
            "mixture": result["mixtures"]["candidate"],
        }
        adapter = self._store.publish(
            round_id,
            blob=base64.b64decode(result["adapter"]),
            rank=result["rank"],
            parent=parent,
            seen=[entry for place, entry in enumerate(ids) if place not in held_out],
            status="active" if promoted else "refused",
            reason=result["reason"],
            metrics=metrics,
            tokens_per_s=result["tokens_per_s"],
            seconds=result["seconds"],
            state={_MIXTURE: result["mixtures"]["base"], ROUND_DUE: False},
        )
        self._published()
        log.info("round %d: adapter %d %s: %s", round_id, adapter, result["status"], result["reason"])
        return {
            "event": "verdict",
            "adapter": adapter,
            **{k: result[k] for k in ("status", "reason", "tokens_per_s", "seconds")},
            "metrics": told(metrics),
        }


def order_of(settings: Settings, budget_s: float | None, seed: int) -> Order:
    """A round by the settings that starts from the base; what it starts from otherwise is put in with `replace`."""
    return Order(
        base=str(settings.base_dir),
        budget_s=budget_s or settings.budget_s,
        rank=settings.rank,
        alpha=settings.alpha,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        general_tolerance=settings.general_tolerance,
        recent_tokens=settings.recent_tokens,
        threads=settings.threads,
        seed=seed,
        parent=None,
        seen=[],
        mixtures={},
    )


def told(metrics: dict[str, Any]) -> dict[str, Any]:
    """A round's metrics without what only the program needs."""
    return {name: value for name, value in metrics.items() if name != "mixture"}
