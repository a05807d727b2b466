"""What an adapter is worth beside memory and recent text: keystrokes saved, by so large a sample that it shows.

``python tests/bench/worth.py [CORPUS...]`` trains one round on each person's history (``../shared/corpora`` beside the
checkout) and types 24,000 characters of what they wrote later by the words offered alone, which is quicker than a whole
evaluation. The standard error of the difference is that of a bootstrap over messages (Efron 1979).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from idiolect.adapters.evaluation import run as evaluation
from idiolect.adapters.evaluation.eval_split import EvalMessage, EvalSplit, split_corpus
from idiolect.adapters.evaluation.typing_simulator import BARS, TypedText
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.daemon.rounds.round_runner import TRAINING, order_of
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.settings import Settings
from idiolect.models.build import find_base
from idiolect.models.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
BASE = ROOT / ".cache" / "base"
SEED = 1
RESAMPLES = 2000


def messages(name: str) -> list[EvalMessage]:
    lines = map(json.loads, (CORPORA / f"{name}.jsonl").read_text("utf-8").splitlines())
    return [EvalMessage(line["text"], line["ts"], line["text"]) for line in lines]


def loaded(settings: Settings) -> LoadedModel:
    """The base model as the service has it by these settings."""
    return LoadedModel(
        find_base(BASE),
        threads=settings.threads,
        context_tokens=settings.context_tokens,
        recent_tokens=settings.recent_tokens,
        rare_min_count=settings.rare_min_count,
    )


def trained(split: EvalSplit, settings: Settings, kept: tuple[str, ...] = ()) -> dict[str, Any]:
    """The result of one round on the history, as a new user has it who says that the words ``kept`` are theirs."""
    tokenizer = Tokenizer(find_base(BASE).tokenizer)
    entries = [ids for message in split.history if (ids := tokenizer.encode(message.kept))]
    order = replace(order_of(settings, None, SEED), base=str(BASE), kept=kept)
    children = ChildProcesses()
    with children.claim(TRAINING):
        events = [*children.follow(TRAINING, order, iter(entries), len(entries))]
    return events[-1]


def typed(split: EvalSplit, result: dict[str, Any], settings: Settings) -> dict[str, list[TypedText]]:
    """The test, typed with the memory and with the adapter as well."""
    order = evaluation.TypingRequest(
        base=str(BASE),
        threads=settings.threads,
        context_tokens=settings.context_tokens,
        recent_tokens=settings.recent_tokens,
        seed=SEED,
        source="",
        history=len(split.history),
        repeats=split.repeats,
        adapter=result["adapter"],
        about_adapter=None,
        mixtures={"base": result["mixtures"]["base"], "adapter": result["mixtures"]["candidate"]},
        calibration=None,
        rare_min_count=settings.rare_min_count,
    )
    arms = [arm for arm in evaluation._ARMS if arm.memory and arm.context]
    clock = evaluation._ProgressReporter(1, 1, lambda _event: None)
    typist = evaluation._ArmRunner(order, split.history, split.test, clock)
    return {arm.name: typist.type(arm, len(split.history), ghosts=False) for arm in arms}


def points(found: dict[str, list[TypedText]], words: int) -> tuple[float, float, float]:
    """Keystrokes saved of 100 characters with the memory, what the adapter adds, and the standard error of that."""
    characters = np.array([text.characters for text in found["memory"]])
    memory, both = (np.array([text.keys[f"bar{words}"] for text in found[arm]]) for arm in ("memory", "both"))
    drawn = np.random.default_rng(SEED).integers(0, len(memory), (RESAMPLES, len(memory)))
    gains = 100 * (memory - both)[drawn].sum(axis=1) / characters[drawn].sum(axis=1)
    saved, gain = (100 * keys.sum() / characters.sum() for keys in (characters - memory, memory - both))
    return float(saved), float(gain), float(gains.std())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = sorted(path.stem for path in CORPORA.glob("*.jsonl"))
    parser.add_argument("corpora", nargs="*", default=names, help="names; default: all")
    parser.add_argument("--chars", type=int, default=24_000, help="to type")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds of a round, with one thread")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    if not names:
        sys.exit(f"Skipped: {CORPORA} is absent.")
    table = Table("text", "tokens learned", *(f"{words} words: memory, adapter" for words in BARS))
    gains = []
    for name in asked.corpora:
        split = split_corpus(messages(name), name=name, seed=SEED, chars=asked.chars)
        with tempfile.TemporaryDirectory(prefix="idiolect-worth-") as home:
            settings = Settings(home=Path(home), budget_s=asked.budget, threads=asked.threads, keyring=False)
            result = trained(split, settings)
            found = typed(split, result, settings)
        rows = [points(found, words) for words in BARS]
        gains.append([gain for _, gain, _ in rows])
        told = [f"{saved:.1f} {gain:+.2f} ({error:.2f})" for saved, gain, error in rows]
        print(name, *told, flush=True)
        table.add_row(name, f"{result['metrics']['trained_tokens']:,}", *told)
    Console().print(table)
    means = zip(BARS, np.mean(gains, axis=0), strict=True)
    print(
        "The adapter is worth, in the mean:",
        *(f"{gain:+.2f} with {words} on offer." for words, gain in means),
    )


if __name__ == "__main__":
    main()
