"""The fast memory from 10 K to 10 M tokens: look-ups, additions and size.

``python tests/bench/memory_growth.py`` prints a table; ``memory_growth()`` gives its rows as plain values. Nobody has
typed ten million tokens for us: real people's messages (``../shared/corpora`` beside the checkout) are shuffled
again and again, and 15 % of their tokens are swapped for others that are as frequent. That share makes the number of
distinct 2- to 5-grams at 10 M tokens (13, 36, 51 and 61 % of the tokens) what the real text's own growth points to
(11, 35, 50 and 63 %, from its curve up to 530 K). Each size is measured in a process of its own, which
gets the text over stdin. Times are the thread's own, so that other programs on the machine do not count, and nothing
here fails on one.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from common import BASE, PEOPLE, entries, percentile, show
from numpy.typing import NDArray

from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.models.build import find_base
from idiolect.models.tokenizer import Tokenizer

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SWAPPED = 0.15
ADDED = 2_000  # entries learned one by one, or half of them where there are fewer: the newest ones
LOOKUPS = 20_000  # places in entries that the memory has not seen
CHILD = [sys.executable, str(Path(__file__).resolve()), "--measure"]


def memory_growth(sizes: Sequence[int] = SIZES) -> list[dict]:
    """One row a size."""
    encode = Tokenizer(find_base(BASE).tokenizer).encode
    real = [np.array(encode(entry["text"]), np.uint16) for person in PEOPLE for entry in entries(person)]
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
    memory.add_many(known[: len(known) - len(new)])
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
    return {
        "tokens": memory.tokens,
        "lookup_p50_us": round(percentile(lookups_us, 50), 1),
        "lookup_p99_us": round(percentile(lookups_us, 99), 1),
        "add_p99_ms": percentile(adds_ms, 99),
        "resident_mb": round(process.memory_info().rss / 2**20 - before_mb, 1),
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(_measure()))
    else:
        show("fast memory", memory_growth())
