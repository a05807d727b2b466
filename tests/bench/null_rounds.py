"""How often a round is promoted where there is nothing to learn: ``pytest tests/bench/null_rounds.py -s``.

Text in which each word is drawn by itself, all alike, has nothing to learn once an adapter knows which words there are.
Whole rounds in their own process, on the tiny model of the tests, go on from one another while such text arrives.
After the first ones every promotion is one by chance, which the gate should allow in about one round of twenty. Prints
the count with an interval, and fails on no figure.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from statistics import NormalDist

import numpy as np
import pytest

from idiolect.adapters.corpus import hold_out
from idiolect.adapters.training.round import TrainRequest

ROUNDS = int(os.environ.get("ROUNDS", "70"))
FIRST = 10  # rounds that learn which words there are
ENTRIES, WORDS = 60, 12  # a round


def run(order: TrainRequest, entries: list[list[int]]) -> dict:
    lines = [json.dumps(asdict(order)), str(len(entries)), *map(json.dumps, entries)]
    command = [sys.executable, "-P", "-m", "idiolect.adapters.training.round"]
    # Its input stays open while it runs: it ends with its parent.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdin.write("".join(f"{line}\n" for line in lines).encode())
        child.stdin.flush()
        events = [json.loads(line) for line in child.stdout]
        child.stdin.close()
    return next(event for event in events if event["event"] == "result")


def interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % of it (Wilson 1927)."""
    z, share = NormalDist().inv_cdf(0.975), hits / trials
    middle = share + z * z / (2 * trials)
    reach = z * (share * (1 - share) / trials + (z / (2 * trials)) ** 2) ** 0.5
    return (middle - reach) / (1 + z * z / trials), (middle + reach) / (1 + z * z / trials)


@pytest.mark.timeout(3600)
def test_promotions_by_chance(tiny, tiny_tokenizer):
    random = np.random.default_rng(7)
    some = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"
    words = some.split()
    order = TrainRequest(
        base=str(tiny.folder.parent),
        budget_s=60.0,
        rank=4,
        alpha=8.0,
        epochs=2,
        learning_rate=5e-3,
        general_tolerance=10.0,  # what general text says is not asked here
        recent_tokens=40,
        threads=1,
        seed=0,
        serving=None,
        seen=[],
        mixtures={},
        rare_min_count=3,
    )
    entries: list[list[int]] = []
    promoted, served, challenger = [], order, None
    for number in range(ROUNDS):
        before = len(entries)
        entries += [tiny_tokenizer.encode(" ".join(random.choice(words, WORDS))) for _ in range(ENTRIES)]
        order = served
        # As the service has it: what an adapter was found promising by must not judge it again
        if challenger and min(hold_out([*map(len, entries)], frozenset(challenger.seen))) >= before:
            order = challenger
        result = run(replace(order, seed=number), entries)
        promoted.append(result["status"] == "promoted")
        print(f"{number}: {result['status']}: {result['reason']}", flush=True)
        seen = sorted({*order.seen, *result["learned"]})
        challenger = replace(served, challenger=result["adapter"], seen=seen) if result["promising"] else None
        if promoted[-1]:
            mixtures = {"base": result["mixtures"]["base"], "serving": result["mixtures"]["candidate"]}
            served = replace(served, serving=result["adapter"], seen=seen, mixtures=mixtures)
        assert base64.b64decode(result["adapter"])
    hits, trials = sum(promoted[FIRST:]), ROUNDS - FIRST
    low, high = interval(hits, trials)
    print(f"{hits} of {trials} rounds promoted: {hits / trials:.3f} ({low:.3f} to {high:.3f})")
