"""Running an evaluation: it selects held-out text and an adapter, and starts the child process."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idiolect.adapters.evaluation.eval_split import (
    EvalMessage,
    EvalSplit,
    split_answers,
    split_corpus,
    split_history,
)
from idiolect.adapters.evaluation.run import TypingRequest
from idiolect.adapters.training.round import NothingNewError
from idiolect.daemon.evaluation.answers import read_answers, without_secrets
from idiolect.daemon.ingest.file_import import saved_at
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.rounds.round_runner import TRAINING, Trainer, order_of
from idiolect.daemon.runtime.child_processes import ChildProcesses, ChildWork
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.user_stats import judged_mixture
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.items import Item, NothingToReadError, Skipped, UnreadableError, status
from idiolect.daemon.sources.kinds import SAID
from idiolect.daemon.sources.people import EVERYONE
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.records import MEASURED, EvalRequest
from idiolect.daemon.storage.store import Store
from idiolect.models.base_choice import serving_folder
from idiolect.models.errors import ExitCode, IdiolectError

Encode = Callable[[str], list[int]]


class EvalFailedError(IdiolectError, code="eval-failed", exit_code=ExitCode.TRAINING, http_status=500):
    """An evaluation ended without a result."""


EVALUATION = ChildWork("an evaluation", "idiolect.adapters.evaluation.run", EvalFailedError)


class Evaluations:
    """Runs evaluations of the `model` that serves, one at a time and never beside a round."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        trainer: Trainer,
        children: ChildProcesses,
        model: LiveModel,
        reader: Reader,
    ) -> None:
        self._settings = settings
        self._store = store
        self._trainer = trainer
        self._children = children
        self._model = model
        self._reader = reader

    def run(self, wanted: EvalRequest) -> Iterator[dict[str, Any]]:
        """Evaluate. Yields progress events and at last the result; closed before that, it ends the work.

        Raises TrainingBusyError, TooLittleToTypeError, AnswersFileError, EvalFailedError, and the errors of reading and
        training.
        """
        with self._children.claim(EVALUATION):
            if wanted.path is None:
                split, order = self._own(wanted)
            else:
                split, order = self._corpus(wanted.path, wanted), self._order(wanted)
            yield {"event": "progress", "phase": "prepare", "arm": None, "done": 0.0, "left_s": None}
            if wanted.path is not None and wanted.train:
                order = yield from self._train(split, wanted, order)
            order = replace(order, history=len(split.history), repeats=split.repeats)
            count = len(split.history) + len(split.test)
            for event in self._children.follow(EVALUATION, order, _handed_over(split), count):
                if event["event"] == "result" and wanted.path is None and wanted.context is None:
                    self._store.state.set(MEASURED, _served_savings(event))
                yield event

    def _corpus(self, path: Path, wanted: EvalRequest) -> EvalSplit:
        status(path)  # raises for a link that leads nowhere
        path = real_path(path)
        named = path.parent if path.name == ".git" else path
        name = named.name if named.is_dir() else named.stem
        messages = read_messages(self._reader, path, self._settings.exclude)
        return split_corpus(messages, name=name, seed=wanted.seed, chars=wanted.chars)

    def _own(self, wanted: EvalRequest) -> tuple[EvalSplit, TypingRequest]:
        entries = [*self._store.entries.select()]
        active = self._model.adapter_id
        ids = frozenset() if active is None else self._store.adapters.seen(active)
        messages = [EvalMessage(entry.text, entry.at.isoformat(), entry.text) for entry in entries]
        seen = {place for place, entry in enumerate(entries) if entry.id in ids}
        if wanted.context is None:
            split = split_history(messages, seen, seed=wanted.seed, chars=wanted.chars)
        else:
            answers = read_answers(real_path(wanted.context))
            split = split_answers(answers, messages, seen, seed=wanted.seed, chars=wanted.chars)
            split = replace(split, test=without_secrets(split.test))
        mixtures = {"base": judged_mixture(self._store, None)}
        blob = about = None
        if active is not None:
            row = next(row for row in self._store.adapters.all() if row.id == active)
            made = next((made for made in self._store.rounds.all() if made.adapter == active), None)
            about = {
                "id": active,
                "status": row.status,
                "reason": row.reason,
                "seconds": (made and made.seconds) or 0.0,
            }
            blob = base64.b64encode(self._store.adapters.weights(active)).decode()
            mixtures["adapter"] = judged_mixture(self._store, active)
        return split, replace(
            self._order(wanted),
            adapter=blob,
            about_adapter=about,
            mixtures={name: weights for name, weights in mixtures.items() if weights is not None},
            calibration=self._model.stats.calibration.to_json(),
            word_calibration=self._model.stats.word_calibration.to_json(),
        )

    def _train(
        self, split: EvalSplit, wanted: EvalRequest, order: TypingRequest
    ) -> Generator[dict[str, Any], None, TypingRequest]:
        """Run a round on the history, as for a new user. Yields its progress; returns the order with the adapter."""
        texts = [
            ids for message in split.history if (ids := self._model.loaded.tokenizer.encode(message.kept))
        ]
        tokens = sum(map(len, texts))
        needed = self._trainer.tuning.min_tokens
        if tokens < needed:
            why = f"the history has {tokens:,} tokens and a round needs {needed:,}"
            return replace(order, about_adapter=_skipped(why))
        round_order = order_of(
            self._settings, self._model.languages, wanted.budget_s, wanted.seed, self._trainer.tuning
        )
        try:
            for event in self._children.follow(TRAINING, round_order, texts, len(texts)):
                if event["event"] == "result":  # whether or not the gate let the adapter through
                    order = replace(
                        order,
                        adapter=event["adapter"],
                        about_adapter={
                            "id": None,
                            **{name: event[name] for name in ("status", "reason", "seconds")},
                        },
                        mixtures={
                            "base": event["mixtures"]["base"],
                            "adapter": event["mixtures"]["candidate"],
                        },
                    )
                elif event["event"] == "progress":  # checkpoints are for rounds that are kept
                    yield {**event, "arm": None}
        except NothingNewError as error:
            order = replace(order, about_adapter=_skipped(str(error)))
        return order

    def _order(self, wanted: EvalRequest) -> TypingRequest:
        """What is to be typed, but for the messages, and without an adapter."""
        settings = self._settings
        return TypingRequest(
            base=str(serving_folder(settings.base_dir)),
            threads=settings.threads,
            seed=wanted.seed,
            source=str(wanted.path or wanted.context or "your history"),
            history=0,
            repeats=[],
            adapter=None,
            about_adapter=None,
            mixtures={},
            calibration=None,
            mistakes=wanted.mistakes,
            keyboard=settings.keyboard,
            languages=self._model.languages,
            key_ms=self._model.stats.key_ms,
            answering=wanted.context is not None,
        )


def _handed_over(split: EvalSplit) -> Iterator[dict[str, Any]]:
    """The messages of ``split``, which is then empty: the service holds all of the text no longer than it must."""
    for messages in (split.history, split.test):
        messages.reverse()
        while messages:
            yield asdict(messages.pop())


def _served_savings(result: dict[str, Any]) -> float | None:
    """The share of keystrokes that three words save with what is served, 0 to 1."""
    arms = {arm["name"]: arm["all"]["savings"]["3"]["value"] for arm in result["arms"]}
    return next((arms[name] for name in ("both", "memory") if name in arms), None)


def _skipped(why: str) -> dict[str, Any]:
    return {"id": None, "status": "skipped", "reason": why, "seconds": 0.0}


def read_messages(reader: Reader, path: Path, exclude: Sequence[str]) -> list[EvalMessage]:
    """The texts at ``path``, a file, a folder or a ``.git`` folder, in order of time. Nothing is stored.

    They are read as an import reads them. As typed, a text is as its file has it; the text to learn is normalised and
    without secrets. A text without a time is as old as its file. Raises NoSuchPathError, UnreadableError,
    NothingToReadError and GitError.
    """
    found: list[tuple[datetime, EvalMessage]] = []
    for item, at in _texts(reader, path, exclude):
        if text := item.raw.strip():
            found.append((at, EvalMessage(text, at.isoformat(), item.text)))
    if not found:
        raise NothingToReadError(
            f"There is no text at {path}. Give {SAID}, a folder that holds some, or the .git folder of a "
            "repository."
        )
    return [message for _, message in sorted(found, key=lambda pair: pair[0])]


def _texts(reader: Reader, path: Path, exclude: Sequence[str]) -> Iterator[tuple[Item, datetime]]:
    now = datetime.now(UTC)
    for found in reader.find(path, exclude):
        if isinstance(found, Skipped):
            continue
        file = found.path
        try:
            if (kind := reader.look(file).kind) is None:
                continue
            written = saved_at(status(file)) if file.is_file() else now
            everyone = (EVERYONE,) if kind == "git" else ()
            items = [one for one in reader.pieces(file, kind, everyone, raw=True) if isinstance(one, Item)]
            for item in reversed(items) if kind == "git" else items:
                yield item, item.at or written
        except (NoSuchPathError, UnreadableError):
            if file == path:
                raise
