"""One training round: its input, child process, checkpoints and result."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np

from idiolect.adapters.memory.corpus import hold_out
from idiolect.adapters.training.round import NothingNewError, TrainRequest
from idiolect.daemon.profile.decisions import ServeNoMore
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.rounds.judged_rounds import RoundRecord, describe_gains, find_gains
from idiolect.daemon.rounds.round_policy import words_of
from idiolect.daemon.rounds.round_tuning import USUAL, RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses, ChildWork
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.user_stats import judged_mixture
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import (
    BASE_MIXTURE,
    ROUND_DUE,
    AdapterDamagedError,
    AdapterRow,
    Checkpoint,
    NewAdapter,
    public_metrics,
)
from idiolect.models.base_choice import serving_folder
from idiolect.models.errors import ExitCode, IdiolectError

log = logging.getLogger("idiolect.rounds")

_CHECKPOINT_FORMAT = 9  # of `finetune.py`: a checkpoint in another is of no use
_USED = "round_seconds"  # state: computing time of rounds, by local day
_DAYS_KEPT = 7
_CHILD_ENVIRONMENT = {
    # Memory freed by one operation is kept for the next. Tensors of tens of megabytes come and go thousands of times a
    # round; given back to the system each time, their pages would be cleared anew.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
    # A thread of libgomp that waits for another one spins so often before it sleeps. By itself it spins sixty times as
    # long, and keeps that one off a processor which a busy program has left.
    "GOMP_SPINCOUNT": "5000",
}


class TooLittleTextError(IdiolectError, code="too-little-text", exit_code=ExitCode.TRAINING, http_status=409):
    """There is not enough text for a round; the fast memory works all the same."""


class RoundFailedError(IdiolectError, code="round-failed", exit_code=ExitCode.TRAINING, http_status=500):
    """The training process ended without a result."""


TRAINING = ChildWork(
    "a training round",
    "idiolect.adapters.training.round",
    RoundFailedError,
    (NothingNewError,),
    _CHILD_ENVIRONMENT,
)


class Trainer:
    """Runs single rounds for the `model` that serves."""

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        model: LiveModel,
        children: ChildProcesses,
        tuning: RoundTuning = USUAL,
    ) -> None:
        self._settings = settings
        self.tuning = tuning
        self._profile = profile
        self._store = profile.store
        self._model = model
        self._children = children
        # Of a clock that does not jump; None once a round came to its end.
        self.failed_at: float | None = None

    def used_today_s(self) -> float:
        """Computing time that rounds have used on this day of the local clock, in seconds."""
        return float(self._store.state.get(_USED, {}).get(_today(), 0.0))

    def add_used_s(self, seconds: float) -> None:
        """Add computing time to this day. A clock that jumps finds each day's own sum again."""
        with self._store.together():
            days: dict[str, float] = self._store.state.get(_USED, {})
            used = days.pop(_today(), 0.0) + seconds
            self._store.state.set(_USED, {**dict([*days.items()][-_DAYS_KEPT:]), _today(): round(used, 2)})

    def run(self, budget_s: float | None, reason: str, *, resume: bool) -> Iterator[dict[str, Any]]:
        """Run one round. Yields its progress events and at last its verdict.

        `budget_s` is computing time (None: the usual), and `reason` is for the log. With `resume` it goes on from the
        checkpoint of a round that was cut off, if there is one. Raises TooLittleTextError and RoundFailedError.
        """
        entries = [(entry, np.frombuffer(ids, dtype="<u4")) for entry, ids in self._store.entries.token_ids()]
        tokens = sum(len(ids) for _, ids in entries)
        if tokens < self.tuning.min_tokens:
            raise TooLittleTextError(
                f"There are about {words_of(tokens):,} words of text and a round needs "
                f"{words_of(self.tuning.min_tokens):,}. Add more with `idiolect add`; the "
                "fast memory uses what is there already."
            )
        serving = self._sound_serving()
        unfinished = self._store.checkpoints.last() if resume else None
        again = None if unfinished is None else self._again(unfinished, serving, entries)
        parent: int | None
        if again is None:
            unfinished = None
            parent = self.find_parent(serving)
            order = self._order(serving, parent, entries, budget_s)
        else:
            parent, entries, order = again
        yield {"event": "progress", "phase": "prepare", "done": 0.0, "left_s": order.budget_s - order.spent_s}
        yield from self._round(entries, order, (serving, parent), unfinished, reason)

    def _again(
        self, unfinished: Checkpoint, serving: int | None, entries: list[tuple[int, Any]]
    ) -> tuple[int | None, list[tuple[int, Any]], TrainRequest] | None:
        """What a round that was cut off started from, its entries and its order; None if any of it is another now."""
        known, about = dict(entries), unfinished.about
        same = [(entry, known[entry]) for entry in about["entries"] if entry in known]
        parent = self.find_parent(serving)
        order = replace(self._order(serving, parent, same, about["budget_s"]), seed=about["seed"])
        if self._about(order, serving, parent, same) != about:
            return None
        return parent, same, replace(order, spent_s=unfinished.spent_s, checkpoint_parts=unfinished.parts)

    def _round(
        self,
        entries: list[tuple[int, Any]],
        order: TrainRequest,
        adapters: tuple[int | None, int | None],
        unfinished: Checkpoint | None,
        reason: str,
    ) -> Iterator[dict[str, Any]]:
        """Run a round; ``adapters`` are the adapter that serves, and the adapter that is trained further."""
        if unfinished is None:
            round_id = self._store.rounds.begin(adapters[1], self._about(order, *adapters, entries))
        else:
            round_id = unfinished.round
            self._store.rounds.reopen(round_id)
        tokens = sum(len(ids) for _, ids in entries)
        log.info("round %d (%s): %d entries, %d tokens", round_id, reason, len(entries), tokens)
        spent_s = noted_s = order.spent_s
        kept = False  # a checkpoint, by this process
        parts = (
            base64.b64encode(self._store.checkpoints.part(round_id, part)).decode()
            for part in range(order.checkpoint_parts)
        )
        parent = adapters[1]
        state = (
            self._store.adapters.training_state(parent) if order.has_state and parent is not None else None
        )
        coded = () if state is None else (base64.b64encode(state).decode(),)
        lines = chain(parts, coded, (ids.tolist() for _, ids in entries))
        count = order.checkpoint_parts + order.has_state + len(entries)
        try:
            for event in self._children.follow(TRAINING, order, lines, count):
                if event["event"] == "result":
                    ids = [entry for entry, _ in entries]
                    yield self._finish(round_id, *adapters, ids, tokens, event)
                    spent_s = event["seconds"]
                    self.failed_at = None
                    return
                if event["event"] == "checkpoint":
                    data, whole_s = base64.b64decode(event["data"]), event.get("spent_s")
                    self._store.checkpoints.add_part(round_id, event["part"], data, whole_s)
                    if whole_s is not None:
                        kept = True
                        self.add_used_s(spent_s - noted_s)
                        noted_s = spent_s
                    continue
                spent_s = event["spent_s"]
                yield event
        except NothingNewError as error:
            self._give_up(round_id, "skipped", str(error))
            raise
        except IdiolectError as error:
            cancelled = self._children.cancelled
            # A resumed round that fails without a new checkpoint begins anew the next time.
            resumable = cancelled is not None or kept
            self._give_up(round_id, "interrupted" if cancelled else "failed", str(error), resumable=resumable)
            raise
        except BaseException:  # whoever followed the events went away, or a mistake in the program
            self._give_up(round_id, "failed", "it broke off")
            raise
        finally:
            with contextlib.suppress(IdiolectError):
                self.add_used_s(spent_s - noted_s)

    def _sound_serving(self) -> int | None:
        """The adapter that serves; where it was damaged since it was loaded, first a sound ancestor does."""
        serving = self._model.adapter_id
        return serving if serving is None or self._is_sound(serving) else self._model.adapter_id

    def _is_sound(self, adapter: int) -> bool:
        """Whether an adapter's weights are what was stored; where they are not, it is never served again."""
        try:
            self._store.adapters.weights(adapter)
        except AdapterDamagedError:
            self._profile.decide(ServeNoMore(adapter))
            return False
        return True

    def find_parent(self, serving: int | None) -> int | None:
        """Return the adapter whose training goes on: the newest, if it was promising beside what serves, else that one.

        A round adds too little to tell from chance, so a refused adapter goes on too, unless it seems worse.
        """
        base = self._model.base.source_sha256
        of_base = (
            row for row in reversed(self._store.adapters.all()) if row.metrics.get("base_sha256") == base
        )
        row = next(of_base, None)
        if row is None or row.status != "refused" or not row.kept or row.rank != self.tuning.rank:
            return serving
        record = RoundRecord.from_json(row.metrics)
        goes_on = record.promising and record.against == serving and self._is_sound(row.id)
        return row.id if goes_on else serving

    def _times_judged(self, parent: int | None, serving: int | None, entries: list[tuple[int, Any]]) -> int:
        """Return how many ancestors of an adapter, itself included, were judged by what the next one is judged by."""
        rows, line = {row.id: row for row in self._store.adapters.all()}, list[AdapterRow]()
        while (row := None if parent in (None, serving) else rows.get(parent or 0)) is not None:
            line.append(row)
            parent = row.parent
        if not line:
            return 0
        seen = frozenset(self._places(entries, self._store.adapters.seen(line[0].id)))
        judges = hold_out([len(ids) for _, ids in entries], seen)
        records = (RoundRecord.from_json(row.metrics) for row in line)
        return sum(record.last_entry >= entries[judges[0]][0] for record in records) if judges else 0

    def _give_up(self, round_id: int, status: Any, reason: str, *, resumable: bool = False) -> None:
        if status != "interrupted":
            self.failed_at = time.monotonic()
        with contextlib.suppress(IdiolectError):
            self._store.rounds.end(round_id, status=status, reason=reason, metrics={}, resumable=resumable)

    def _order(
        self,
        serving: int | None,
        parent: int | None,
        entries: list[tuple[int, Any]],
        budget_s: float | None,
    ) -> TrainRequest:
        known = {"base": judged_mixture(self._store, None)}
        if serving is not None:
            known["serving"] = judged_mixture(self._store, serving)
        return replace(
            order_of(
                self._settings, self._model.languages, budget_s, len(self._store.rounds.all()), self.tuning
            ),
            serving=self._weights(serving),
            parent=None if parent == serving else self._weights(parent),
            has_state=parent is not None and self._store.adapters.training_state(parent) is not None,
            seen=[] if parent is None else self._places(entries, self._store.adapters.seen(parent)),
            judged=self._times_judged(parent, serving, entries),
            mixtures={name: weights for name, weights in known.items() if weights is not None},
            kept=tuple(rule.text for rule in self._store.words.all("mine", "never_correct")),
            replaced=tuple(
                (rule.text, rule.replacement)
                for rule in self._store.words.all("always_correct")
                if rule.replacement is not None
            ),
        )

    def _weights(self, adapter: int | None) -> str | None:
        return None if adapter is None else base64.b64encode(self._store.adapters.weights(adapter)).decode()

    @staticmethod
    def _places(entries: list[tuple[int, Any]], ids: frozenset[int]) -> list[int]:
        return [place for place, (entry, _) in enumerate(entries) if entry in ids]

    def _about(
        self, order: TrainRequest, serving: int | None, parent: int | None, entries: list[tuple[int, Any]]
    ) -> dict[str, Any]:
        """All that a round's result depends on, as JSON values, each text as part of one hash."""
        text = hashlib.sha256()
        for entry, ids in entries:
            text.update(f"{entry} {len(ids)} ".encode() + ids.tobytes())
        left_out = {
            "serving",
            "seen",
            "mixtures",
            "spent_s",
            "checkpoint_parts",
            "checkpoint_s",
        }
        asked = {name: value for name, value in asdict(order).items() if name not in left_out}
        asked = json.loads(json.dumps(asked))  # a tuple is a list where it was stored
        asked |= {"base_sha256": self._model.base.source_sha256, "checkpoint_format": _CHECKPOINT_FORMAT}
        return {
            **asked,
            "serving": serving,
            "parent": parent,
            "entries": [entry for entry, _ in entries],
            "text": text.hexdigest(),
        }

    def _finish(
        self,
        round_id: int,
        serving: int | None,
        parent: int | None,
        ids: list[int],
        tokens: int,
        result: dict[str, Any],
    ) -> dict[str, Any]:
        promoted, reason = result["status"] == "promoted", result["reason"]
        learned = [ids[place] for place in result["learned"]]
        if result["missed"]:
            before = frozenset[int]() if parent is None else self._store.adapters.seen(parent)
            # It may have seen some whose text was let go since.
            so_far = {*before, *learned}.intersection(ids)
            reason += f"; its time was enough for {len(so_far):,} of {len(ids):,} entries, the next round takes others"
        if result["promising"]:
            reason += "; the next round can go on from it"
        record = RoundRecord(
            tokens=tokens,
            last_entry=max(ids),
            base_sha256=self._model.base.source_sha256,
            mixture=result["mixtures"]["candidate"],
            against=serving,
            promising=result["promising"],
        )
        metrics = result["metrics"] | record.to_json()
        made = NewAdapter(
            base64.b64decode(result["adapter"]),
            result["rank"],
            parent,
            learned,
            promoted,
            reason,
            metrics,
            result["tokens_per_s"],
            result["seconds"],
            base64.b64decode(result["state"]),
        )
        state = {BASE_MIXTURE: result["mixtures"]["base"], ROUND_DUE: False}
        # Where the base goes on, it is known now how far the memory can be trusted beside it.
        adapter = self._profile.publish(round_id, made, state, serves=promoted or serving is None)
        log.info("round %d: adapter %d %s: %s", round_id, adapter, result["status"], reason)
        return {
            "event": "verdict",
            "adapter": adapter,
            "reason": reason,
            **{k: result[k] for k in ("status", "tokens_per_s", "seconds")},
            "added": describe_gains(find_gains(self._store.rounds.all(), self._model.base.source_sha256)),
            "metrics": public_metrics(metrics),
        }


def _today() -> str:
    return datetime.now().date().isoformat()


def order_of(
    settings: Settings,
    languages: tuple[str, ...],
    budget_s: float | None,
    seed: int,
    tuning: RoundTuning = USUAL,
) -> TrainRequest:
    """Return a round that starts from the base; what it starts from otherwise is put in with `replace`."""
    return TrainRequest(
        base=str(serving_folder(settings.base_dir)),
        budget_s=budget_s or tuning.round_s,
        threads=settings.threads,
        seed=seed,
        serving=None,
        seen=[],
        mixtures={},
        rank=tuning.rank,
        epochs=tuning.epochs,
        learning_rate=tuning.learning_rate,
        products=tuning.products,
        checkpoint_s=tuning.checkpoint_s,
        keyboard=settings.keyboard,
        languages=languages,
    )
