"""A training round in a process of its own: text in on stdin, progress and the result out as JSON lines.

``python -m idiolect.adapters.training.round`` reads a line with a :class:`TrainRequest` and a line of token ids for
each entry. It trains, exports, judges, and ends with a ``result`` line. It keeps no state and writes no file:
checkpoints are events too, and come back with the request of a process that goes on from there. It runs at the lowest
priority, and ends when the process that started it ends.
"""

from __future__ import annotations

import base64
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from idiolect.adapters.memory.corpus import (
    RECENT_TOKENS,
    RecentText,
    Rows,
    drop_repeats,
    hold_out,
    pack,
    read_general_passages,
)
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.rare_strings import RARE_MIN_COUNT, RareStrings, weigh_training_tokens
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.keyboards import Layout, usual_layout
from idiolect.adapters.mending.mistakes import Mistakes, as_meant, decisions
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.child import Emit, ParentMessages, work
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.gate import decide, general_perplexity, judge
from idiolect.adapters.training.lora import Lora
from idiolect.adapters.training.progress import Progress
from idiolect.models.build import BasePaths, find_base
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.languages import open_word_list
from idiolect.models.lexicon import ENGLISH
from idiolect.models.session import Model
from idiolect.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    from idiolect.adapters.training.finetune import TrainConfig

_GENERAL_TOKENS = 2000
_GENERAL_SHARE = 0.2  # rows of general text, for each of the user's


class NothingNewError(IdiolectError, code="nothing-new", exit_code=ExitCode.TRAINING, http_status=409):
    """All text was trained on already, so nothing is left to learn, or to judge by."""


@dataclass(frozen=True)
class TrainRequest:
    """The order for a training round, sent as one JSON line."""

    base: str  # the folder of the base model
    budget_s: float  # computing time of the whole round
    threads: int  # the most that compute
    seed: int
    serving: str | None  # base64 of the adapter that is served, to judge against; None: the base
    seen: list[int]  # places of the entries that the adapter to train further was trained on
    mixtures: dict[str, list[Any]]  # of model and memory (`Mixture.to_json`), for "base" and "serving"
    rank: int = 16
    epochs: float = 1.0  # passes over the user's text
    learning_rate: float | None = None  # None: what suits the base model
    parent: str | None = None  # base64 of the adapter to train further, where another one is served
    judged: int = 0  # how often the newest text has judged that adapter and its ancestors
    products: str = "fastest"  # or the name of the type that matrix products are made in
    spent_s: float = 0.0  # of the budget, by earlier processes of this round
    checkpoint_parts: int = 0  # how many lines after this one are base64 of the round's checkpoint
    has_state: bool = False  # the next line is base64 of what the adapter's training goes on from
    checkpoint_s: float = 90.0  # computing time between two checkpoints of 50 to 110 MB
    keyboard: Layout | None = None  # by which mistyped words are trained on as they were meant
    languages: tuple[str, ...] = ENGLISH  # of the user, and of the general text
    kept: tuple[str, ...] = ()  # words that are never mended
    replaced: tuple[tuple[str, str], ...] = ()  # words that are always mended, each with what it becomes


def main() -> int:
    """Run one round and return the exit status: 0 also if the adapter is refused."""
    messages = ParentMessages()
    return work(
        lambda request, lines, emit: run(TrainRequest(**request), lines, emit, messages),
        "The round ran out of memory. Close other programs and train again.",
        messages,
    )


def run(request: TrainRequest, lines: list[Any], emit: Emit, messages: ParentMessages) -> None:
    """Train on all but the newest entries, judge on those, and emit the result.

    ``lines`` are the parts of a checkpoint, a state of training, and the token ids of each entry. The list is left with
    the last of these, since nobody needs tens of megabytes of base64 during the training.

    Raises:
        NothingNewError: nothing is left to judge by.
        StoppedError: the parent asked for a stop; the checkpoint is sent.
    """
    checkpoint = b"".join(map(base64.b64decode, lines[: request.checkpoint_parts])) or None
    del lines[: request.checkpoint_parts]
    entries: list[list[int]] = lines[request.has_state :]

    def take_state() -> bytes | None:
        return base64.b64decode(lines.pop(0)) if request.has_state else None

    clock = Progress(
        ComputeClock(request.budget_s, request.spent_s, lambda: messages.suspended_s),
        emit,
        messages,
        request.checkpoint_s,
    )
    clock.report("prepare", 0.0)
    base = find_base(Path(request.base))
    tokenizer = Tokenizer(base.tokenizer)
    breaks = tokenizer.encode("\n")
    places = hold_out([len(entry) for entry in entries], frozenset(request.seen))
    if not 0 < len(places) < len(entries):
        raise NothingNewError(
            "There is no text to judge a new adapter by that the one it starts from has not learned from. Train "
            "again when more has been written."
        )
    held_out = [entries[place] for place in places]
    known = {place: entries[place] for place in sorted({*range(len(entries))} - {*places})}
    clock.report("prepare", 0.1)
    lexicon, lists = open_word_list(base, request.languages, tokenizer)
    words = GeneralWords(lexicon, lists.dictionary)
    decided = decisions(request.kept, request.replaced)
    layout = request.keyboard or usual_layout(request.languages[0])
    mistakes = Mistakes(words, TypingChannel(layout, languages=request.languages), lambda: decided)
    known = dict(zip(known, as_meant(mistakes, [*known.values()], tokenizer), strict=True))
    clock.report("prepare", 0.2)
    passages = read_general_passages(request.languages)
    replay, general = ([tokenizer.encode(passage) for passage in part] for part in passages)
    general = general[: _fit(general, _GENERAL_TOKENS)]
    memory, recent = FastMemory(base.config.vocab), RecentText(RECENT_TOKENS, breaks)
    memory.add_many(known.values())
    for entry in [*known.values()][-200:]:
        recent.add(entry)

    model = Model(base.graph, base.config, threads=request.threads)
    tokens = clock.time_judging(model, general[:4], recent, adapted=bool(request.serving))
    del model  # training needs its memory
    held_out = held_out[len(held_out) - _fit(held_out[::-1], tokens) :]
    general = general[: _fit(general, tokens // 2)]
    served, parent = (
        None if blob is None else Lora.from_bytes(base64.b64decode(blob), base.config)
        for blob in (request.serving, request.parent)
    )
    trained = _train(request, base, tokenizer, known, replay, clock, checkpoint, parent or served, take_state)
    del replay, checkpoint
    blob = trained.lora.to_bytes()
    # Judge what will be served: the adapter as it is stored.
    candidate = Lora.from_bytes(blob, base.config).tensors()
    model = Model(base.graph, base.config, threads=request.threads)
    adapters = {"base": None, "candidate": candidate} | ({"serving": served.tensors()} if served else {})
    mixtures = {name: _mixture(request, name) for name in adapters}
    judged = judge(
        model,
        adapters,
        held_out,
        recent=recent,
        memory=memory,
        mixtures=mixtures,
        report=lambda done: clock.report("judge", 0.8 * done),
    )
    before = general_perplexity(model, None, general, breaks)
    clock.report("judge", 0.9)
    after = general_perplexity(model, candidate, general, breaks)
    clock.report("judge", 1.0)
    of_base, of_candidate = judged["base"], judged["candidate"]
    serving = judged.get("serving", of_base).mixed
    verdict = decide(
        of_candidate.mixed,
        serving,
        of_base.mixed if trained.successor else None,
        general_before=before,
        general_after=after,
        judged=request.judged,
        seed=request.seed,
    )
    metrics = {  # of held-out text, but for the general text
        "base": of_base.alone.summary(),
        "memory": of_base.mixed.summary(),
        "adapter": of_candidate.alone.summary(),
        "both": of_candidate.mixed.summary(),
        "serving": serving.summary(),
        "general_before": round(before, 3),
        "general_after": round(after, 3),
        "held_out_tokens": sum(of_base.alone.tokens),
        "held_out_entries": len(held_out),
        "gain_bits": verdict.gain_bits,
        "p_value": verdict.p_value,
        **trained.figures,
    }
    emit(
        {
            "event": "result",
            "status": "promoted" if verdict.promoted else "refused",
            "reason": verdict.reason,
            "promising": verdict.promising,
            "metrics": metrics,
            "mixtures": {name: result.mixture.to_json() for name, result in judged.items()},
            "learned": trained.learned,
            "missed": trained.missed,
            "held_out": places,
            "adapter": base64.b64encode(blob).decode(),
            "state": base64.b64encode(trained.state).decode(),
            "rank": trained.lora.rank,
            "tokens_per_s": metrics["tokens_per_s"],
            "seconds": round(clock.time.spent_s(), 1),
        }
    )


@dataclass(frozen=True)
class _TrainedAdapter:
    lora: Lora
    successor: bool  # of the adapter that serves, whose training went on
    state: bytes  # from which the next round goes on
    learned: list[int]  # the places of the entries that it has learned from
    missed: int  # how many it was to learn from besides
    figures: dict[str, Any]


def _train(
    request: TrainRequest,
    base: BasePaths,
    tokenizer: Tokenizer,
    known: dict[int, list[int]],
    replay: list[list[int]],
    clock: Progress,
    checkpoint: bytes | None,
    parent: Lora | None,
    take_state: Callable[[], bytes | None],
) -> _TrainedAdapter:
    """Train on the ``known`` entries (tokens by place), from ``parent`` or anew, or on from a ``checkpoint``.

    ``take_state`` returns the parent's state, once.
    """
    # Imported here: torch is the trainer's alone, and its memory is given back before the judging.
    from idiolect.adapters.training.finetune import (
        TrainConfig,
        choose_compute_dtype,
        dtype_name,
        train,
        usual_learning_rate,
    )
    from idiolect.models.graph import read_weights
    from idiolect.models.torch_model import TorchModel

    rate = request.learning_rate or usual_learning_rate(base.config)
    config = TrainConfig(learning_rate=rate, epochs=request.epochs)
    if parent is not None and parent.rank == request.rank:
        start, seen = parent, request.seen
    else:
        start, seen = Lora.fresh(base.config, request.rank, request.seed), []
    rows, chosen = _rows(request, seen, tokenizer, known, replay, config)
    products = choose_compute_dtype(request.products, request.threads, checkpoint)
    llama = TorchModel(read_weights(base.graph, base.config), products)
    result = train(
        llama,
        start,
        rows,
        config,
        clock=clock.time,
        budget_s=clock.training_s,
        threads=request.threads,
        seed=request.seed,
        report=partial(clock.report, "train"),
        on_step=clock.send_checkpoint,
        state=take_state() if start is parent else None,
        checkpoint=checkpoint,
    )
    drawn = (range(*rows.entries[row]) for row in result.rows if not rows.is_general(row))
    texts = {tuple(known[chosen[entry]]) for entries in drawn for entry in entries}
    missed = {tuple(known[place]) for place in chosen} - texts
    texts |= {tuple(known[place]) for place in seen if place in known}  # the third time it is not read again
    return _TrainedAdapter(
        result.lora,
        request.serving is not None and start is parent,
        result.state,
        [place for place, entry in known.items() if tuple(entry) in texts],
        sum(tuple(entry) in missed for entry in known.values()),
        {
            "trained_tokens": result.tokens,
            "epochs": round(result.epochs, 2),
            "tokens_per_s": round(result.tokens / max(result.seconds, 1e-9), 1),
            "train_seconds": round(result.seconds, 1),
            "products": dtype_name(llama.compute_dtype),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
        },
    )


def _rows(
    request: TrainRequest,
    seen: list[int],
    tokenizer: Tokenizer,
    known: dict[int, list[int]],
    replay: list[list[int]],
    config: TrainConfig,
) -> tuple[Rows, list[int]]:
    """Return what is trained on, all that is not yet ``seen``, and the indices of the entries that are in it.

    Raises:
        NothingNewError: there is less than a row of it.
    """
    rare = RareStrings(RARE_MIN_COUNT)
    rare.learn_many(map(tokenizer.decode, known.values()))
    read = frozenset(seen)
    chosen = [place for place in drop_repeats(known) if place not in read]
    if sum(len(known[place]) for place in chosen) < min(config.length, sum(map(len, known.values()))):
        raise NothingNewError(
            "All text but the newest, which is kept aside to judge by, has been learned. Train again when more has "
            "been written."
        )
    breaks = tokenizer.encode("\n")
    own = pack(
        [known[place] for place in chosen],
        config.length,
        breaks,
        partial(weigh_training_tokens, rare, token_bytes=tokenizer.token_bytes),
    )
    return _with_general(own, pack(replay, config.length, breaks), request.seed), chosen


def _with_general(own: Rows, general: Rows, seed: int) -> Rows:
    """Return the user's rows followed by general ones, others in each round, which training mixes among them."""
    count = max(1, round(len(own) * _GENERAL_SHARE))
    some = np.resize(np.random.default_rng(seed).permutation(len(general)), count)
    columns = ((own.ids, general.ids), (own.weights, general.weights), (own.entries, general.entries))
    ids, weights, entries = (np.concatenate([mine, others[some]]) for mine, others in columns)
    return Rows(ids, weights, entries, count)


def _mixture(request: TrainRequest, name: str) -> Mixture:
    """Return the weights to judge an adapter with: the candidate starts from the serving adapter's."""
    known = request.mixtures.get("serving" if name == "candidate" else name, request.mixtures.get("base"))
    return Mixture() if known is None else Mixture.from_json(known)


def _fit(texts: list[list[int]], tokens: int) -> int:
    """Return how many of the first texts have at most ``tokens`` tokens together; at least one."""
    total = 0
    for index, text in enumerate(texts):
        total += len(text)
        if total > tokens:
            return max(index, 1)
    return len(texts)


if __name__ == "__main__":
    sys.exit(main())
