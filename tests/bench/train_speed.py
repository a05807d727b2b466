"""Training of one contender in a process of its own: ``train_speed.py BASE CONTENDER [CORPUS]``, one of CONTENDERS.

Its speed: rank 8 on all linear layers, batch 4 x 256 tokens, 2 threads, AdamW, the weights that are served, the same
rows of general text. With a file of people's messages, instead, what one of LEARNERS learns: the perplexity of the
newest ``HELD_OUT`` tokens after one pass over the ``LEARNED`` before them, with the same rank, batch and rates, or, for
the last one, as a round trains. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import common  # noqa: F401 (where the module below is found)
import numpy as np
import torch
from families import with_weights
from peft import LoraConfig as PeftConfig
from peft import get_peft_model

from idiolect.adapters.memory.corpus import Rows, pack, read_general_passages
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.finetune import (
    TrainConfig,
    _learning_rate_factor,
    dtype_name,
    fastest_compute_dtype,
    train,
)
from idiolect.adapters.training.lora import Lora, LoraConfig
from idiolect.models.build import BasePaths, find_base
from idiolect.models.graph import read_weights
from idiolect.models.tokenizer import Tokenizer
from idiolect.models.torch_model import TorchModel

STEPS = 5
LEARNED, HELD_OUT = 20_480, 4_096  # tokens
THREADS = 2
#: transformers + peft in single precision; with products that oneDNN rounds to bfloat16; mixed; in bfloat16 throughout.
CONTENDERS = ("ours", "peft fp32", "peft fp32 medium", "peft autocast", "peft bf16")
LEARNERS = ("untrained", "peft fp32", "ours", "ours, as a round trains")
PLAIN = TrainConfig(epochs=1, min_tokens=0, learning_rate=5e-4, batch=4, length=256, before=0)


def by_us(
    base: BasePaths, text: Rows, config: TrainConfig, lora: LoraConfig, report: Callable[[], None]
) -> tuple[TorchModel, Lora]:
    model = TorchModel(read_weights(base.graph, base.config), fastest_compute_dtype(THREADS))
    found = train(
        model,
        Lora.fresh(lora, base.config),
        text,
        config,
        clock=ComputeClock(1e9),
        budget_s=1e9,
        threads=THREADS,
        seed=0,
        report=lambda _step: report(),
    )
    return model, found.lora


def by_peft(base: BasePaths, how: str, text: Rows, steps: int, report: Callable[[], None]) -> torch.nn.Module:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if how == "fp32 medium":
        torch.set_float32_matmul_precision("medium")
    mixed = torch.autocast("cpu", torch.bfloat16) if how == "autocast" else contextlib.nullcontext()
    theirs = with_weights(read_weights(base.graph, base.config))
    theirs = theirs.to(torch.bfloat16 if how == "bf16" else torch.float32)
    model = get_peft_model(theirs, PeftConfig(r=8, lora_alpha=16, target_modules="all-linear"))
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=PLAIN.learning_rate)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _learning_rate_factor(step / steps, PLAIN.warmup)
    )
    for step in range(steps):
        ids = torch.from_numpy(text.ids[4 * step : 4 * step + 4, :-1])
        optimizer.zero_grad()
        with mixed:
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        rates.step()
        report()
    return model.eval()


def tokens_per_s(base: BasePaths, contender: str) -> float:
    tokenizer, stamps = Tokenizer(base.tokenizer), list[float]()
    passages = [tokenizer.encode(passage) for half in read_general_passages() for passage in half]
    text = pack(passages, PLAIN.length, tokenizer.encode("\n"))

    def report() -> None:
        stamps.append(time.perf_counter())

    if contender == "ours":
        few = replace(PLAIN, epochs=4 * (STEPS + 1) / len(text))
        by_us(base, text, few, LoraConfig(8, 16), report)
    else:
        by_peft(base, contender.removeprefix("peft "), text, STEPS + 1, report)
    return STEPS * 1024 / (stamps[STEPS] - stamps[0])


def perplexity(base: BasePaths, learner: str, corpus: Path) -> float:
    """Of a person's newest text, after the same tokens before it; in rows of 256, by torch alone."""
    tokenizer = Tokenizer(base.tokenizer)
    breaks = tokenizer.encode("\n")
    entries = [tokenizer.encode(json.loads(line)["text"]) for line in corpus.read_text("utf-8").splitlines()]
    line = [token for entry in entries for token in (*breaks, *entry)][-LEARNED - HELD_OUT - 1 :]
    text, newest = line[:LEARNED], pack([line[LEARNED + 1 :]], 256, breaks)
    matrices = None
    if learner.startswith("peft"):
        rows = pack([text], 256, breaks)
        model = by_peft(base, learner.removeprefix("peft "), rows, LEARNED // 1024, int)
    else:
        as_a_round = learner.endswith("trains")
        config = TrainConfig() if as_a_round else PLAIN
        rows = pack([text], config.length, breaks, before=config.before)
        few = replace(config, epochs=1e-9) if learner == "untrained" else config
        ours, lora = by_us(base, rows, few, LoraConfig(16, 64) if as_a_round else LoraConfig(8, 16), int)
        if learner != "untrained":
            matrices = {name: torch.from_numpy(matrix) for name, matrix in lora.tensors().items()}
    nats = count = 0.0
    for row, weights in zip(newest.ids, newest.weights, strict=True):
        ids, counted = torch.from_numpy(row[None]), torch.from_numpy(weights)
        with torch.no_grad():
            logits = model(ids[:, :-1]).logits if "peft" in learner else ours.logits(ids[:, :-1], matrices)
            lost = torch.nn.functional.cross_entropy(logits[0].float(), ids[0, 1:], reduction="none")
        nats, count = nats + float(lost @ counted), count + float(counted.sum())
    return float(np.exp(nats / count))


if __name__ == "__main__":
    found, name = find_base(Path(sys.argv[1])), sys.argv[2]
    if len(sys.argv) > 3:
        told = {"perplexity": round(perplexity(found, name, Path(sys.argv[3])), 2)}
    else:
        products = dtype_name(fastest_compute_dtype(THREADS)) if name == "ours" else ""
        told = {"tokens_per_s": round(tokens_per_s(found, name), 1), "products": products}
    print(json.dumps(told))
