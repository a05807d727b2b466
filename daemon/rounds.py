"""Training rounds: when one is due, the child process that runs it, and what becomes of its result."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from itertools import chain, takewhile
from typing import Any, ClassVar

import numpy as np

from idiolect.adapters.round import NothingNewError, Order
from idiolect.daemon.children import Children, Work
from idiolect.daemon.following import Following
from idiolect.daemon.manners import Manners, Senses
from idiolect.daemon.schedule import Decision, Facts, Schedule
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.checkpoints import FORGOTTEN_AFTER
from idiolect.daemon.storage.records import ROUND_DUE, AdapterDamagedError, Checkpoint
from idiolect.daemon.storage.store import Store
from idiolect.models.build import BasePaths
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.rounds")

_LOOK_EVERY_S = 30.0
_BY_ITSELF = "due"
_USED = "round_seconds"  # state: computing time of rounds, by local day
_DAYS_KEPT = 7
_CHECKPOINT_FORMAT = 5  # of `training.py`: a checkpoint in another is of no use
_MIXTURE = "base_mixture"  # state: the mixture weights of the base alone
# For the child: memory freed by one operation is kept for the next. Tensors of tens of megabytes come and go
# thousands of times a round; given back to the system each time, their pages would be cleared anew.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
}


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
        published: called after a round, with whether another adapter is to be served now.
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
        published: Callable[[bool], None],
        paused: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._store = store
        self._base = base
        self._children = children
        self._serving = serving
        self._published = published
        self._paused = paused
        self._schedule = Schedule(settings)
        self._manners = Manners(children, self._schedule, self._quiet_s, paused)
        self._senses = Senses(children)
        self._running: Following | None = None
        self._stopping = threading.Event()
        self._busy_at = time.monotonic()
        self._failed_at: float | None = None
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
        """Put off rounds that would start by themselves, and let one that did wait at once."""
        self._busy_at = time.monotonic()
        self._manners.look()

    new_text = user_is_typing

    def pause_changed(self) -> None:
        """Learning was paused, which a running round waits for, or goes on."""
        self._manners.look()

    def outlook(self) -> str:
        """What is next, and why not now, in one sentence."""
        return self._decision().reason

    @property
    def due(self) -> bool:
        """Whether a round starts by itself, sooner or later, with what there is."""
        return self._decision().due

    def progress(self) -> dict[str, Any] | None:
        """The running round's last progress event, and why it waits (`waits`, or None); None where none runs."""
        running = self._running
        return None if running is None else {**running.last, "waits": self._manners.waits}

    def today(self) -> dict[str, float]:
        """How much computing time rounds have used of this day's, in seconds."""
        return {"used_s": round(self._used_today_s(), 1), "budget_s": self._settings.daily_budget_s}

    def _quiet_s(self) -> float:
        return time.monotonic() - self._busy_at

    def _decision(self) -> Decision:
        machine = self._senses.machine(self._quiet_s())
        return self._schedule.decide(self._facts(), machine, datetime.now())

    def _facts(self) -> Facts:
        rounds = self._store.rounds()
        judged = [row for row in rounds if row.status in ("promoted", "refused")]
        last_entry = int(judged[-1].metrics.get("last_entry", 0)) if judged else 0
        since = int(self._store.get(FORGOTTEN_AFTER, 0))
        refused = takewhile(lambda row: row.status == "refused" and row.id > since, reversed(judged))
        ended = [row for row in rounds if row.status not in ("running", "interrupted")]
        failed = takewhile(lambda row: row.status in ("failed", "skipped"), reversed(ended))
        return Facts(
            tokens=self._store.counts().prose_tokens,
            new_tokens=self._store.tokens_after(last_entry),
            wanted=bool(self._store.get(ROUND_DUE)),
            unfinished=self._store.checkpoint() is not None,
            refused=sum(1 for _ in refused),
            failed=sum(1 for _ in failed),
            failed_s_ago=None if self._failed_at is None else time.monotonic() - self._failed_at,
            used_today_s=self._used_today_s(),
            paused=self._paused(),
            doing=self._children.doing,
        )

    def _used_today_s(self) -> float:
        return float(self._store.get(_USED, {}).get(_today(), 0.0))

    def _use(self, seconds: float) -> None:
        """Note computing time under this day. A clock that jumps finds each day's own sum again."""
        days: dict[str, float] = self._store.get(_USED, {})
        used = days.pop(_today(), 0.0) + seconds
        self._store.set(_USED, {**dict([*days.items()][-_DAYS_KEPT:]), _today(): round(used, 2)})

    def _watch_clock(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._decision().start:
                    for _ in self.run(None, _BY_ITSELF):
                        pass
            except Exception as error:  # noqa: BLE001 (the clock must not stop for a busy store or a failed round)
                log.warning("a round by itself: %s", getattr(error, "code", type(error).__name__))

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

        A round that was cut off goes on from its checkpoint, unless a budget is given. Where one that started by
        itself is under way, it waits for nothing any longer, and its events follow.

        Raises:
            TrainingBusyError: one is running that was asked for, or an evaluation is.
            TooLittleTextError: with how much there is and how much is needed.
            RoundFailedError: the child ended without a result.
        """
        by_itself = reason == _BY_ITSELF
        if not by_itself and (running := self._running) is not None and self._manners.by_itself:
            self._manners.by_itself = False
            self._manners.look()
            yield from running.follow()
            return
        with self._children.claim(TRAINING):
            self._running = running = Following()
            try:
                with self._manners.watching(by_itself=by_itself):
                    for event in self._run(budget_s, reason):
                        running.put(event)
                        yield event
                running.end(None)
            except IdiolectError as error:
                running.end(error)
                raise
            finally:
                running.end(RoundFailedError("The training round broke off. Ask again."))
                self._running = None

    def _run(self, budget_s: float | None, reason: str) -> Iterator[dict[str, Any]]:
        entries = [(entry, np.frombuffer(ids, dtype="<u4")) for entry, ids in self._store.token_ids()]
        tokens = sum(len(ids) for _, ids in entries)
        if tokens < self._settings.min_tokens:
            raise TooLittleTextError(
                f"There are {tokens:,} tokens of text and a round needs {self._settings.min_tokens:,} (about "
                "1,500 words). Add more with `idiolect add`; the fast memory uses what is there already."
            )
        parent = self._sound_parent()
        budget_s = budget_s or (self._schedule.round_s if reason == _BY_ITSELF else None)
        unfinished = self._store.checkpoint() if reason == _BY_ITSELF or budget_s is None else None
        order = self._order(parent, entries, budget_s)
        parts: Iterator[str] = iter(())
        if unfinished is not None:
            known = dict(entries)
            same = [(entry, known[entry]) for entry in unfinished.about["entries"] if entry in known]
            again = replace(
                self._order(parent, same, unfinished.about["budget_s"]), seed=unfinished.about["seed"]
            )
            if self._about(again, parent, same) == unfinished.about:
                entries, order = (
                    same,
                    replace(again, spent_s=unfinished.spent_s, checkpoint_parts=unfinished.parts),
                )
                parts = self._parts(unfinished)
            else:
                unfinished = None
        yield {"event": "progress", "phase": "prepare", "done": 0.0, "left_s": order.budget_s - order.spent_s}
        yield from self._round(entries, order, parts, parent, unfinished, reason)

    def _parts(self, unfinished: Checkpoint) -> Iterator[str]:
        for part in range(unfinished.parts):
            yield base64.b64encode(self._store.checkpoint_part(unfinished.round, part)).decode()

    def _round(
        self,
        entries: list[tuple[int, Any]],
        order: Order,
        parts: Iterator[str],
        parent: int | None,
        unfinished: Checkpoint | None,
        reason: str,
    ) -> Iterator[dict[str, Any]]:
        if unfinished is None:
            round_id = self._store.begin_round(parent, self._about(order, parent, entries))
        else:
            round_id = unfinished.round
            self._store.reopen_round(round_id)
        tokens = sum(len(ids) for _, ids in entries)
        log.info("round %d (%s): %d entries, %d tokens", round_id, reason, len(entries), tokens)
        spent_s = noted_s = order.spent_s
        kept = False  # a checkpoint, by this process
        lines = chain(parts, (ids.tolist() for _, ids in entries))
        try:
            for event in self._children.follow(TRAINING, order, lines, order.checkpoint_parts + len(entries)):
                if event["event"] == "result":
                    yield self._finish(round_id, parent, [entry for entry, _ in entries], tokens, event)
                    spent_s = event["seconds"]
                    self._failed_at = None
                    return
                if event["event"] == "checkpoint":
                    data, whole_s = base64.b64decode(event["data"]), event.get("spent_s")
                    self._store.add_checkpoint_part(round_id, event["part"], data, whole_s)
                    if whole_s is not None:
                        kept = True
                        self._use(spent_s - noted_s)
                        noted_s = spent_s
                    continue
                spent_s = event["spent_s"]
                yield event
        except NothingNewError as error:
            self._give_up(round_id, "skipped", str(error))
            raise
        except IdiolectError as error:
            cancelled = self._children.cancelled
            # One that fails again where it went on from its checkpoint begins anew the next time.
            resumable = cancelled is not None or kept
            self._give_up(round_id, "interrupted" if cancelled else "failed", str(error), resumable=resumable)
            raise
        except BaseException:  # whoever followed the events went away, or a mistake in the program
            self._give_up(round_id, "failed", "it broke off")
            raise
        finally:
            with contextlib.suppress(IdiolectError):
                self._use(spent_s - noted_s)

    def _sound_parent(self) -> int | None:
        """The adapter that serves; where it was damaged since it was loaded, first its nearest sound ancestor does."""
        parent = self._serving()
        if parent is not None:
            try:
                self._store.adapter_blob(parent)
            except AdapterDamagedError:
                self._published(True)
                parent = self._serving()
        return parent

    def _give_up(self, round_id: int, status: Any, reason: str, *, resumable: bool = False) -> None:
        if status != "interrupted":
            self._failed_at = time.monotonic()
        with contextlib.suppress(IdiolectError):
            self._store.end_round(round_id, status=status, reason=reason, metrics={}, resumable=resumable)

    def _order(self, parent: int | None, entries: list[tuple[int, Any]], budget_s: float | None) -> Order:
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

    def _about(self, order: Order, parent: int | None, entries: list[tuple[int, Any]]) -> dict[str, Any]:
        """All that a round's result depends on, as JSON values, each text as part of one hash."""
        text = hashlib.sha256()
        for entry, ids in entries:
            text.update(f"{entry} {len(ids)} ".encode() + ids.tobytes())
        left_out = ("parent", "seen", "mixtures", "spent_s", "checkpoint_parts", "checkpoint_s")
        asked = {name: value for name, value in asdict(order).items() if name not in left_out}
        asked |= {"base_sha256": self._base.source_sha256, "checkpoint_format": _CHECKPOINT_FORMAT}
        return {
            **asked,
            "parent": parent,
            "entries": [entry for entry, _ in entries],
            "text": text.hexdigest(),
        }

    def _finish(
        self, round_id: int, parent: int | None, ids: list[int], tokens: int, result: dict[str, Any]
    ) -> dict[str, Any]:
        promoted = result["status"] == "promoted"
        metrics = {
            **result["metrics"],
            "tokens": tokens,
            "last_entry": max(ids),
            "base_sha256": self._base.source_sha256,
            "mixture": result["mixtures"]["candidate"],
        }
        adapter = self._store.publish(
            round_id,
            blob=base64.b64decode(result["adapter"]),
            rank=result["rank"],
            parent=parent,
            seen=[ids[place] for place in result["learned"]],
            status="active" if promoted else "refused",
            reason=result["reason"],
            metrics=metrics,
            tokens_per_s=result["tokens_per_s"],
            seconds=result["seconds"],
            state={_MIXTURE: result["mixtures"]["base"], ROUND_DUE: False},
        )
        # Where the base goes on, it is known now how far the memory can be trusted beside it.
        self._published(promoted or parent is None)
        log.info("round %d: adapter %d %s: %s", round_id, adapter, result["status"], result["reason"])
        return {
            "event": "verdict",
            "adapter": adapter,
            **{k: result[k] for k in ("status", "reason", "tokens_per_s", "seconds")},
            "metrics": told(metrics),
        }


def _today() -> str:
    return datetime.now().date().isoformat()


def order_of(settings: Settings, budget_s: float | None, seed: int) -> Order:
    """A round by the settings that starts from the base; what it starts from otherwise is put in with `replace`."""
    return Order(
        base=str(settings.base_dir),
        budget_s=budget_s or settings.budget_s,
        rank=settings.rank,
        alpha=settings.alpha,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        products=settings.products,
        general_tolerance=settings.general_tolerance,
        recent_tokens=settings.recent_tokens,
        threads=settings.threads,
        seed=seed,
        parent=None,
        seen=[],
        mixtures={},
        checkpoint_s=settings.checkpoint_s,
        rare_min_count=settings.rare_min_count,
    )


def told(metrics: dict[str, Any]) -> dict[str, Any]:
    """A round's metrics without what only the program needs."""
    return {name: value for name, value in metrics.items() if name != "mixture"}
