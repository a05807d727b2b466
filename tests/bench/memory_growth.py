"""The fast memory from 10 K to 10 M tokens: look-ups, additions, size, build time, and what a suggestion takes.

``python tests/bench/memory_growth.py`` prints a table; ``memory_growth()`` gives its rows as plain values. Nobody has
typed ten million tokens for us: real people's messages (``../shared/corpora`` beside the checkout) are shuffled
again and again, and 15 % of their tokens are swapped for others that are as frequent. That share makes the number of
distinct 2- to 5-grams at 10 M tokens (13, 36, 51 and 61 % of the tokens) what the real text's own growth points to
(11, 35, 50 and 63 %, from its curve up to 530 K). Each size is measured in a process of its own, which
gets the text over stdin. Times are the thread's own, so that other programs on the machine do not count, and nothing
here fails on one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.steps import finish
from idiolect.models.build import find_base

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
BASE = ROOT / ".cache" / "base"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SWAPPED = 0.15
ADDED = 2_000  # entries learned one by one, or half of them where there are fewer: the newest ones
KEYSTROKES = 1_000  # typed by somebody with such a history
LOOKUPS = 20_000  # places in entries that the memory has not seen
CHILD = [sys.executable, str(Path(__file__).resolve()), "--measure"]


def memory_growth(sizes: Sequence[int] = SIZES) -> list[dict]:
    """One row a size; none where the corpora or the base model's tokenizer are absent."""
    real = _real_entries()
    if not real:
        return []
    random = np.random.default_rng(0)
    unseen = _grown(real, LOOKUPS, random)
    rows = []
    for size in sizes:
        known = _grown(real, size, random)
        payload = b"".join(part.tobytes() for part in (*_packed(known), *_packed(unseen)))
        rows.append(
            json.loads(subprocess.run(CHILD, input=payload, stdout=subprocess.PIPE, check=True).stdout)
        )
    return rows


def _real_entries() -> list[NDArray[np.uint16]]:
    from idiolect.models.errors import IdiolectError
    from idiolect.models.tokenizer import Tokenizer

    files = sorted(CORPORA.glob("*.jsonl"))
    try:
        tokenizer = Tokenizer(find_base(BASE).tokenizer)
    except (IdiolectError, OSError):
        return []
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return [np.array(tokenizer.encode(json.loads(line)["text"]), np.uint16) for line in lines]


def _grown(
    real: list[NDArray[np.uint16]], tokens: int, random: np.random.Generator
) -> list[NDArray[np.uint16]]:
    """Entries of ``tokens`` tokens in all, or a few more."""
    count = np.bincount(np.concatenate(real))
    # Classes by powers of two of how often a token occurs; once and never are one, so that the vocabulary grows.
    frequency = np.frexp(np.maximum(count, 1))[1]
    classes = {kind: np.flatnonzero(frequency == kind) for kind in np.unique(frequency)}
    grown: list[NDArray[np.uint16]] = []
    have = 0
    while True:
        shuffled = [real[place] for place in random.permutation(len(real))]
        text = np.concatenate(shuffled)
        swapped = np.flatnonzero(random.random(len(text)) < SWAPPED)
        kinds = frequency[text[swapped]]
        for kind, members in classes.items():
            places = swapped[kinds == kind]
            text[places] = random.choice(members, len(places))
        for entry in np.split(text, np.cumsum([len(entry) for entry in shuffled])[:-1]):
            if have >= tokens:
                return grown
            grown.append(entry)
            have += len(entry)


def _packed(entries: list[NDArray[np.uint16]]) -> tuple[NDArray[np.uint32], ...]:
    lengths = [len(entry) for entry in entries]
    return np.array([len(entries), *lengths], np.uint32), np.concatenate(entries).astype(np.uint32)


def _unpacked(payload: NDArray[np.uint32]) -> tuple[list[NDArray[np.uint32]], NDArray[np.uint32]]:
    count = int(payload[0])
    ends = np.cumsum(payload[1 : count + 1], dtype=np.int64)
    text = payload[count + 1 :]
    return np.split(text[: ends[-1]], ends[:-1]), text[ends[-1] :]


def _measure() -> dict:
    """In the child: all figures of one size."""
    known, rest = _unpacked(np.frombuffer(sys.stdin.buffer.read(), np.uint32))
    unseen, _ = _unpacked(rest)
    one_by_one = known[-min(ADDED, len(known) // 2) :]
    new = [entry.tolist() for entry in one_by_one]
    contexts = [entry[max(0, end - 8) : end].tolist() for entry in unseen for end in range(len(entry))]
    process = psutil.Process()
    before_mb = process.memory_info().rss / 2**20
    memory = FastMemory(1 << 16)
    started = time.thread_time()
    memory.add_many(known[: len(known) - len(new)])
    build_s = time.thread_time() - started
    adds_ms = []
    for entry in new:
        started = time.thread_time()
        memory.add(entry)
        adds_ms.append(1e3 * (time.thread_time() - started))
    lookups_us = []
    for context in contexts[:LOOKUPS]:
        started = time.thread_time()
        memory.predict(context)
        lookups_us.append(1e6 * (time.thread_time() - started))
    tokens = memory.tokens
    resident_mb = process.memory_info().rss / 2**20 - before_mb
    peak_mb = _peak_mb() - before_mb
    del memory
    return {
        "tokens": tokens,
        "lookup_p50_us": round(float(np.percentile(lookups_us, 50)), 1),
        "lookup_p99_us": round(float(np.percentile(lookups_us, 99)), 1),
        "add_p50_ms": round(float(np.percentile(adds_ms, 50)), 2),
        "add_p99_ms": round(float(np.percentile(adds_ms, 99)), 2),
        "add_max_ms": round(max(adds_ms), 2),
        "resident_mb": round(resident_mb, 1),
        "peak_mb": round(peak_mb, 1),
        "build_s": round(build_s, 2),
        **_typing(known, unseen),
    }


def _typing(known: list[NDArray[np.uint32]], unseen: list[NDArray[np.uint32]]) -> dict:
    """What a keystroke takes one who wrote all of this, words and ghost: in all, and outside of the passes."""
    base = find_base(BASE)
    serving = LoadedModel(base, threads=2, context_tokens=384, recent_tokens=160, rare_min_count=3)
    predictor = serving.build_predictor(serving.build_user_model(known), None)
    finish(predictor.warm())
    session = predictor._next_token._session
    feed, passes_s = session.feed, 0.0

    def timed_feed(*given: object) -> NDArray[np.float32]:
        nonlocal passes_s
        started = time.thread_time()
        logits = feed(*given)
        passes_s += time.thread_time() - started
        return logits

    session.feed = timed_feed
    every_ms, outside_ms = [], []
    for entry in unseen:
        text = serving.tokenizer.decode(entry.tolist())[:60]
        for end in range(len(text) + 1):
            passes_s, began, started = 0.0, time.perf_counter(), time.thread_time()
            predictor.suggest(text[:end])
            outside_ms.append(1e3 * (time.thread_time() - started - passes_s))
            every_ms.append(1e3 * (time.perf_counter() - began))
        if len(every_ms) > KEYSTROKES:
            break
    return {
        "suggest_p50_ms": round(float(np.percentile(every_ms, 50)), 2),
        "suggest_p95_ms": round(float(np.percentile(every_ms, 95)), 2),
        "outside_p50_ms": round(float(np.percentile(outside_ms, 50)), 2),
        "outside_p95_ms": round(float(np.percentile(outside_ms, 95)), 2),
    }


def _peak_mb() -> float:
    """The most that this process has held; what getrusage tells includes its parent's peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10


def show(rows: list[dict]) -> None:
    """Print the rows as a table."""
    console = Console()
    if not rows:
        console.print(f"Skipped: {CORPORA} or the base model in {BASE} is absent.")
        return
    table = Table(title="fast memory")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(f"{row['tokens']:,}", *(str(row[name]) for name in list(row)[1:]))
    console.print(table)


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(_measure()))
    else:
        show(memory_growth())
