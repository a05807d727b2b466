"""An evaluation in a process of its own: held-out messages are typed with more and more of what is learned.

``python -m idiolect.adapters.evaluation.run`` reads a :class:`TypingRequest` and then messages, first the history and
then the test (:mod:`idiolect.adapters.training.child`), and ends with a ``result`` line. Each arm asks the same
:class:`Predictor` as the endpoint does, built in the same place.
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idiolect.adapters.evaluation.eval_metrics import latency, row
from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.adapters.evaluation.mistyping import measure_mistyping
from idiolect.adapters.evaluation.typing_simulator import BARS, TypedText, type_text
from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.steps import finish
from idiolect.adapters.mending.keyboards import Layout
from idiolect.adapters.prediction.answered import NOTHING, AnsweredText
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.ghost_value import USUAL_KEY_MS
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.training.child import Emit, work
from idiolect.adapters.training.lora import Lora
from idiolect.models.build import find_base
from idiolect.models.lexicon import ENGLISH
from idiolect.models.session import Adapter

_GHOST_WORDS = 8
_REPORT_EVERY_S = 0.5
_TIMED_EVERY = 5  # every such message is typed without what is typed being known beforehand


@dataclass(frozen=True)
class TypingRequest:
    """The order for an evaluation, sent as one JSON line.

    Args:
        base: the folder of the base model.
        threads: that compute one forward pass.
        seed: of the intervals.
        source: where the messages come from, for the result.
        history: how many of the first messages are learned from; the others are typed.
        repeats: for each message to type, whether it is a repeat.
        adapter: base64 of an adapter's bytes, or None.
        about_adapter: passed on to the result.
        mixtures: weights that the base and the adapter were judged with, where they were.
        calibration: how often ghosts were right (:meth:`Calibration.to_json`), or None for the usual.
        word_calibration: how often whole words came (:meth:`Calibration.to_json`), or None for the usual.
        mistakes: also mistype words, and count how many are mended.
        key_ms: the user's time between two letters, for which ghosts are judged.
        keyboard: the user's layout, for that; None: the usual one.
        languages: the languages that the user writes.
        answering: type with all that was learned alone, without and with what each message answers.
    """

    base: str
    threads: int
    seed: int
    source: str
    history: int
    repeats: list[bool]
    adapter: str | None
    about_adapter: dict[str, Any] | None
    mixtures: dict[str, list[Any]]
    calibration: list[Any] | None
    word_calibration: list[Any] | None = None
    mistakes: bool = False
    key_ms: float = USUAL_KEY_MS
    keyboard: Layout | None = None
    languages: tuple[str, ...] = ENGLISH
    answering: bool = False


@dataclass(frozen=True)
class _Arm:
    name: str
    learns: bool = True  # has read the history, and reads each message once it was typed
    memory: bool = False  # and counts its tokens and words; else it is only context
    adapted: bool = False
    context: bool = True  # has the latest messages before what is typed
    answers: bool = False  # sees what each message answers

    def mixture(self, request: TypingRequest) -> list[Any] | None:
        """Return the weights that its adapter, or the base, was judged with."""
        return request.mixtures.get("adapter" if self.adapted else "base")


_ARMS = (
    _Arm("base", learns=False),
    _Arm("context"),
    _Arm("memory", memory=True),
    _Arm("adapter", adapted=True),
    _Arm("no context", memory=True, adapted=True, context=False),
    _Arm("both", memory=True, adapted=True),
)


def main() -> int:
    """Run one evaluation and return the exit status."""
    return work(
        lambda request, entries, emit: run(
            TypingRequest(**request), [EvalMessage(**entry) for entry in entries], emit
        ),
        "The evaluation ran out of memory. Close other programs and evaluate again.",
    )


def run(request: TypingRequest, messages: Sequence[EvalMessage], emit: Emit) -> None:
    """Type the messages with each arm and emit the result."""
    history, test = messages[: request.history], messages[request.history :]
    arms = _arms(request)
    clock = _ProgressReporter(sum(len(message.text) for message in test), len(arms), emit)
    clock.report("prepare")
    runner = _ArmRunner(request, history, test, clock)
    typed = {arm.name: runner.type(arm) for arm in arms}
    mistyping = runner.mistype(arms[-1]) if request.mistakes else None
    emit(
        {
            "event": "result",
            "mistakes": mistyping,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "seed": request.seed,
            "key_ms": round(request.key_ms),
            "source": request.source,
            "history": _about(history),
            "test": _about(test) | {"repeats": sum(request.repeats)},
            "adapter": request.about_adapter,
            "arms": [_arm_figures(arm, typed[arm.name], request) for arm in arms],
        }
    )


def _arms(request: TypingRequest) -> list[_Arm]:
    adapted = request.adapter is not None
    if request.answering:
        served = _Arm("without", memory=True, adapted=adapted)
        return [served, replace(served, name="with", answers=True)]
    return [arm for arm in _ARMS if adapted or not arm.adapted]


def _about(messages: Sequence[EvalMessage]) -> dict[str, Any]:
    return {
        "entries": len(messages),
        "characters": sum(len(message.text) for message in messages),
        "from": messages[0].at,
        "to": messages[-1].at,
    }


def _arm_figures(arm: _Arm, typed: Sequence[TypedText], request: TypingRequest) -> dict[str, Any]:
    new = [one for one, repeat in zip(typed, request.repeats, strict=True) if not repeat]
    return {
        "name": arm.name,
        "condition": "after" if arm.learns else "before",
        "all": row(typed, request.seed, request.key_ms / 1e3),
        "no_repeats": row(new, request.seed, request.key_ms / 1e3),
        "latency_ms": latency(typed[::_TIMED_EVERY]),
    }


class _ProgressReporter:
    """Reports progress over all that is typed, with the time left at the pace so far.

    ``typings`` is how many times the ``characters`` are typed.
    """

    def __init__(self, characters: int, typings: int, emit: Emit) -> None:
        self._emit = emit
        self._characters = characters
        self._typings = typings
        self._before = 0  # typings that are over
        self._started = self._reported_at = time.monotonic()

    def report(self, phase: str, arm: str | None = None, share: float = 0.0) -> None:
        """Emit a progress line; ``share`` of a further typing is done."""
        self._reported_at = time.monotonic()
        done = (self._before + share) / self._typings
        spent_s = self._reported_at - self._started
        left_s = round(spent_s * (1 - done) / done, 1) if done > 0.01 else None
        self._emit(
            {
                "event": "progress",
                "phase": phase,
                "arm": arm,
                "done": round(min(done, 1.0), 4),
                "left_s": left_s,
            }
        )

    def report_typing(self, arm: str, characters: int) -> None:
        """Report, now and then, that so many characters were typed in this arm."""
        if time.monotonic() - self._reported_at > _REPORT_EVERY_S:
            self.report("type", arm, characters / self._characters)

    def finish_typing(self) -> None:
        """Count a typing as finished."""
        self._before += 1


class _ArmRunner:
    """Types the test with one arm after the other."""

    def __init__(
        self,
        request: TypingRequest,
        history: Sequence[EvalMessage],
        test: Sequence[EvalMessage],
        clock: _ProgressReporter,
    ) -> None:
        base = find_base(Path(request.base))
        self._serving = LoadedModel(
            base, threads=request.threads, keyboard=request.keyboard, languages=request.languages
        )
        self._request = request
        self._adapter: Adapter | None = None
        if request.adapter is not None:
            self._adapter = Lora.from_bytes(base64.b64decode(request.adapter), base.config).tensors()
        self._history = [self._serving.tokenizer.encode(message.kept) for message in history]
        self._test = test
        self._clock = clock

    def type(self, arm: _Arm) -> list[TypedText]:
        """Type each message in order, as a user who wrote the history before."""
        self._clock.report("type", arm.name)
        history = [ids for ids in self._history if ids]
        served = _ArmPredictor(self._serving, arm, self._request, self._adapter, history)
        asked = 0

        def ask(prefix: str) -> Suggestion:
            nonlocal asked
            asked += 1
            self._clock.report_typing(arm.name, asked)
            return served.suggest(prefix, _GHOST_WORDS)

        typed = []
        for number, message in enumerate(self._test):
            served.begin(AnsweredText(message.answered, message.sender) if arm.answers else NOTHING)
            if number % _TIMED_EVERY:
                served.precompute(message.text)
            typed.append(type_text(message.text, ask, key_s=self._request.key_ms / 1e3))
            if arm.learns:
                served.learn(message.kept)
        self._clock.finish_typing()
        return typed

    def mistype(self, arm: _Arm) -> dict[str, Any]:
        """Mistype words of the messages, as a user who wrote the whole history before."""
        self._clock.report("mistype", arm.name)
        knowing = self._serving.build_user_model(self._history)
        predictor = self._serving.build_predictor(
            knowing, arm.mixture(self._request), adapter=self._adapter if arm.adapted else None
        )
        common = [*self._serving.general.common]
        texts = [message.text for message in self._test]
        layout = self._serving.channel.layout
        return measure_mistyping(predictor, texts, layout, self._request.seed, common)


class _ArmPredictor:
    """The suggestions of one arm, once the ``history`` was written, if it learns."""

    def __init__(
        self,
        serving: LoadedModel,
        arm: _Arm,
        request: TypingRequest,
        adapter: Adapter | None,
        history: Sequence[Sequence[int]],
    ) -> None:
        self._serving = serving
        self._arm = arm
        self._request = request
        self._adapter = adapter if arm.adapted else None
        self._calibration, self._word_calibration = Calibration(), Calibration(prior=WHOLE_WORDS)
        if arm.learns and request.calibration is not None:
            self._calibration = Calibration.from_json(request.calibration)
        if arm.learns and request.word_calibration is not None:
            self._word_calibration = Calibration.of_whole_words(request.word_calibration)
        history = history if arm.learns else ()
        known = serving.build_user_model(history if arm.memory else ())
        if not arm.context:
            known = replace(known, recent=RecentText(0, serving.tokenizer.encode("\n")))
        elif not arm.memory:
            known = replace(known, recent=serving.build_recent_text(history))
        self._user_model = known
        self._answered = NOTHING
        self._predictor = self._build_predictor()

    def _build_predictor(self) -> Predictor:
        return self._serving.build_predictor(
            self._user_model,
            self._arm.mixture(self._request),
            adapter=self._adapter,
            calibration=self._calibration,
            word_calibration=self._word_calibration,
        )

    def begin(self, answered: AnsweredText) -> None:
        """Begin a message to ``answered``, long after the one before: nothing of that is being written any more.

        What is answered and the recent entries are read before the first key.
        """
        self._answered = answered
        self._predictor.forget_texts()
        finish(self._predictor.prefill_in_pieces("", answered))

    def suggest(self, prefix: str, ghost_words: int) -> Suggestion:
        return self._predictor.suggest(
            prefix,
            candidates=max(BARS),
            ghost_words=ghost_words,
            key_ms=self._request.key_ms,
            answered=self._answered,
        )

    def precompute(self, text: str) -> None:
        """Read what will be typed in few passes: five times as fast as one by one, and not to be timed."""
        self._predictor.precompute(text)

    def learn(self, text: str) -> None:
        """Learn a message as soon as it was typed."""
        ids = self._serving.tokenizer.encode(text)
        if not ids:
            return
        self._predictor.observe(text, ids)
        if self._arm.memory:
            self._user_model.learn(text, ids)
        else:
            # A predictor tells by the memory that something was learned, and this arm has none: it takes a new one.
            self._user_model.recent.add(ids)
            self._predictor = self._build_predictor()


if __name__ == "__main__":
    sys.exit(main())
