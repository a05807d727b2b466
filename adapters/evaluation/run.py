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
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.adapters.evaluation.mistyping import measure_mistyping
from idiolect.adapters.evaluation.slipping_typist import answer_pages, share_saved
from idiolect.adapters.evaluation.typing_simulator import BARS, WRONG_SHOW, TypedText, type_text
from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.steps import finish
from idiolect.adapters.mending.keyboards import Layout
from idiolect.adapters.prediction.answered import NOTHING, AnsweredText
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.look_value import USUAL_KEY_MS
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.training.child import Emit, work
from idiolect.adapters.training.lora import Lora
from idiolect.models.build import find_base
from idiolect.models.lexicon import ENGLISH
from idiolect.models.session import Adapter

_RESAMPLES = 2000
_LEVEL = 0.95


def row(messages: Sequence[TypedText], seed: int, key_s: float) -> dict[str, Any] | None:
    """Return the savings with words and with ghosts over all ``messages``, of which a key takes ``key_s``, or None.

    The intervals are those of a bootstrap over messages (Efron & Tibshirani 1993, percentile method) with this seed.
    """
    if not messages:
        return None
    chars = sum(typed.characters for typed in messages)
    seen = [typed.shown for typed in messages]
    positions, shown, right, wrong_new = (
        sum(getattr(counts, name) for counts in seen) for name in ("positions", "shown", "right", "wrong_new")
    )
    net = [typed.keys["words"] + WRONG_SHOW * typed.shown.wrong_new for typed in messages]
    return {
        "messages": len(messages),
        "characters": chars,
        "savings": {str(most): savings(messages, f"bar{most}", seed) for most in BARS},
        "ghost": {
            **{name: savings(messages, name, seed) for name in ("whole", "words")},
            "net": _interval(net, messages, seed),
            "seconds": _interval([typed.ghost_s / key_s for typed in messages], messages, seed),
            "shown_rate": round(shown / positions, 5),
            "precision": round(right / shown, 5) if shown else None,
            "wrong_new_per_100": round(100 * wrong_new / chars, 3),
        },
    }


def savings(messages: Sequence[TypedText], way: str, seed: int) -> dict[str, float]:
    """Return the keystroke savings, 0 to 1, of one way to type (:attr:`TypedText.keys`), with their interval."""
    return _interval([typed.keys[way] for typed in messages], messages, seed)


def _interval(keys: Sequence[float], messages: Sequence[TypedText], seed: int) -> dict[str, float]:
    spent = np.array(keys, dtype=np.float64)
    typed = np.array([message.characters for message in messages], dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(len(typed), size=(_RESAMPLES, len(typed)))
    ratios = 1 - spent[drawn].sum(axis=1) / typed[drawn].sum(axis=1)
    value = float(1 - spent.sum() / typed.sum())
    low, high = (_percentile(ratios, 100 * share) for share in ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return {"value": round(value, 5), "low": round(low, 5), "high": round(high, 5)}


def latency(messages: Sequence[TypedText]) -> dict[str, float]:
    """Return the median and the 95th percentile of the milliseconds that each suggestion took."""
    asked = [spent for typed in messages for spent in typed.milliseconds]
    return {f"p{percent}": round(_percentile(asked, percent), 3) for percent in (50, 95)}


def _percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """Return the smallest value that ``percent`` % of them do not exceed."""
    return float(np.percentile(np.asarray(values), percent, method="inverted_cdf"))


_GHOST_WORDS = 8
_REPORT_EVERY_S = 0.5
_SLIPPING_CHARS = 3000  # that are typed with slips: each is asked about many times
_TIMED_EVERY = 5  # every such message is typed without what is typed being known beforehand


@dataclass(frozen=True)
class TypingRequest:
    """The order for an evaluation, sent as one JSON line."""

    base: str  # the folder of the base model
    threads: int
    seed: int  # of the intervals
    source: str  # where the messages come from, for the result
    history: int  # how many of the first messages are learned from; the others are typed
    repeats: list[bool]  # for each message to type
    adapter: str | None  # its bytes in base64
    about_adapter: dict[str, Any] | None  # for the result
    mixtures: dict[str, list[Any]]  # the weights that "base" and "adapter" were judged with, where they were
    calibration: list[Any] | None  # how often ghosts were right (`Calibration.to_json`); None: the usual
    word_calibration: list[Any] | None = None  # the same of whole words
    mistakes: bool = False  # also mistype words, and count how many are mended
    key_ms: float = USUAL_KEY_MS  # the user's time between two letters, for which ghosts are judged
    keyboard: Layout | None = None
    languages: tuple[str, ...] = ENGLISH
    answering: bool = (
        False  # type with all that was learned alone, without and with what each message answers
    )


@dataclass(frozen=True)
class _Arm:
    name: str
    learns: bool = True  # has read the history, and reads each message once it was typed
    memory: bool = False  # and counts its tokens and words; else it is only context
    adapted: bool = False
    context: bool = True  # has the latest messages before what is typed
    answers: bool = False  # sees what each message answers


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
    slipping = _first_messages(test) if request.mistakes else []
    clock = _ProgressReporter(len(arms) * _count_characters(test) + _count_characters(slipping), emit)
    clock.report("prepare")
    base = find_base(Path(request.base))
    serving = LoadedModel(
        base, threads=request.threads, keyboard=request.keyboard, languages=request.languages
    )
    adapter = None
    if request.adapter is not None:
        adapter = Lora.from_bytes(base64.b64decode(request.adapter), base.config).tensors()
    known = [ids for message in history if (ids := serving.tokenizer.encode(message.kept))]
    typed = {arm.name: _type(_Writer(serving, arm, request, adapter, known), test, clock) for arm in arms}
    mistyping = None
    if request.mistakes:
        clock.report("mistype", arms[-1].name)
        writer = _Writer(serving, arms[-1], request, adapter, known)
        mistyping = _mistype(writer, test, slipping, serving.channel.layout, clock)
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


def _count_characters(messages: Sequence[EvalMessage]) -> int:
    return sum(len(message.text) for message in messages)


def _about(messages: Sequence[EvalMessage]) -> dict[str, Any]:
    return {
        "entries": len(messages),
        "characters": _count_characters(messages),
        "from": messages[0].at,
        "to": messages[-1].at,
    }


def _arm_figures(arm: _Arm, typed: Sequence[TypedText], request: TypingRequest) -> dict[str, Any]:
    new = [text for text, repeat in zip(typed, request.repeats, strict=True) if not repeat]
    return {
        "name": arm.name,
        "condition": "after" if arm.learns else "before",
        "all": row(typed, request.seed, request.key_ms / 1e3),
        "no_repeats": row(new, request.seed, request.key_ms / 1e3),
        "latency_ms": latency(typed[::_TIMED_EVERY]),
    }


class _ProgressReporter:
    """Reports how many of all ``characters`` are ``typed``, with the time left at the pace so far."""

    def __init__(self, characters: int, emit: Emit) -> None:
        self.typed = 0
        self._characters = characters
        self._emit = emit
        self._started = self._reported_at = time.monotonic()

    def report(self, phase: str, arm: str | None = None) -> None:
        """Emit a progress line."""
        self._reported_at = time.monotonic()
        done = min(self.typed / self._characters, 1.0)
        left_s = round((self._reported_at - self._started) * (1 - done) / done, 1) if done > 0.01 else None
        event = {"event": "progress", "phase": phase, "arm": arm, "done": round(done, 4), "left_s": left_s}
        self._emit(event)

    def count_character(self, arm: str) -> None:
        """Count a character that was typed, and report now and then."""
        self.typed += 1
        if time.monotonic() - self._reported_at > _REPORT_EVERY_S:
            self.report("type", arm)


def _type(writer: _Writer, test: Sequence[EvalMessage], clock: _ProgressReporter) -> list[TypedText]:
    """Type each message in order."""
    arm, key_ms = writer.arm, writer.request.key_ms
    clock.report("type", arm.name)

    def ask(prefix: str) -> Suggestion:
        clock.count_character(arm.name)
        return writer.predictor.suggest(replace(asked, prefix=prefix))

    typed = []
    for number, message in enumerate(test):
        before = clock.typed
        answered = AnsweredText(message.answered, message.sender) if arm.answers else NOTHING
        asked = Question("", candidates=max(BARS), ghost_words=_GHOST_WORDS, key_ms=key_ms, answered=answered)
        # Long after the last message, of which nothing is being written any more. What is answered and the recent
        # entries are read before the first key.
        writer.predictor.forget_texts()
        finish(writer.predictor.prefill_in_pieces(asked))
        if number % _TIMED_EVERY:  # in few passes: five times as fast as one by one, and not to be timed
            writer.predictor.precompute(message.text)
        typed.append(type_text(message.text, ask, key_s=key_ms / 1e3))
        if arm.learns:
            writer.learn(message.kept)
        clock.typed = before + len(message.text)
    return typed


def _first_messages(test: Sequence[EvalMessage]) -> Sequence[EvalMessage]:
    """Return the first messages, which are typed with slips."""
    ends = accumulate(len(message.text) for message in test)
    return [message for message, end in zip(test, ends, strict=True) if end <= _SLIPPING_CHARS] or test[:1]


def _mistype(
    writer: _Writer,
    test: Sequence[EvalMessage],
    slipping: Sequence[EvalMessage],
    layout: Layout,
    clock: _ProgressReporter,
) -> dict[str, Any]:
    """Measure how mistyped words are mended, and the share of time that grey text and mending ``saved``."""
    predictor, seed, key_s = writer.predictor, writer.request.seed, writer.request.key_ms / 1e3

    def learn(message: EvalMessage) -> None:
        writer.learn(message.kept)
        clock.typed += len(message.text)
        clock.report("mistype", writer.arm.name)

    found = measure_mistyping(predictor, [message.text for message in test], layout, seed)
    pages = answer_pages(predictor, slipping, layout, str(seed), [key_s], learn)
    return found | {"saved": {way: round(share, 4) for way, share in share_saved(pages, key_s).items()}}


class _Writer:
    """Someone who uses an arm, and has written the ``history`` (token ids) before, if the arm learns."""

    def __init__(
        self,
        serving: LoadedModel,
        arm: _Arm,
        request: TypingRequest,
        adapter: Adapter | None,
        history: Sequence[Sequence[int]],
    ) -> None:
        self.arm, self.request = arm, request
        self._serving = serving
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
        self.predictor = self._build_predictor()

    def _build_predictor(self) -> Predictor:
        return self._serving.build_predictor(
            self._user_model,
            self.request.mixtures.get("adapter" if self.arm.adapted else "base"),
            adapter=self._adapter,
            calibration=self._calibration,
            word_calibration=self._word_calibration,
        )

    def learn(self, text: str) -> None:
        """Learn a message as soon as it was typed."""
        ids = self._serving.tokenizer.encode(text)
        if not ids:
            return
        self.predictor.observe(text, ids)
        if self.arm.memory:
            self._user_model.learn(text, ids)
        else:
            # A predictor tells by the memory that something was learned, and this arm has none: it takes a new one.
            self._user_model.recent.add(ids)
            self.predictor = self._build_predictor()


if __name__ == "__main__":
    sys.exit(main())
