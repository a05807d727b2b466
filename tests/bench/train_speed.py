"""Training speed of one contender in a process of its own: ``train_speed.py BASE CONTENDER``, one of CONTENDERS.

Rank 8 on all linear layers, AdamW, the weights that are served, the same text; the steps of a round, or for the others
4 x 256 tokens. Prints one JSON object: tokens that are learned in a second of one thread's processor time.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import common  # noqa: F401 (where the module below is found)
import torch
from families import with_weights
from peft import LoraConfig as PeftConfig
from peft import get_peft_model

from idiolect.adapters.memory.corpus import Rows, pack, read_general_passages
from idiolect.adapters.training.compute_clock import ComputeClock
from idiolect.adapters.training.finetune import (
    TrainConfig,
    dtype_name,
    fastest_compute_dtype,
    train,
)
from idiolect.adapters.training.lora import Lora
from idiolect.models.build import BasePaths, find_base
from idiolect.models.graph import read_weights
from idiolect.models.tokenizer import Tokenizer
from idiolect.models.torch_model import TorchModel

STEPS = 5  # of 1,024 tokens, after the first
THREADS = 1  # several wait for each other beside other programs
#: transformers + peft in single precision; with products that oneDNN rounds to bfloat16; mixed; in bfloat16 throughout.
CONTENDERS = ("ours", "peft fp32", "peft fp32 medium", "peft autocast", "peft bf16")
LEARNING_RATE = 5e-4


def by_us(
    base: BasePaths, text: Rows, config: TrainConfig, rank: int, report: Callable[[], None]
) -> tuple[TorchModel, Lora]:
    model = TorchModel(read_weights(base.graph, base.config), fastest_compute_dtype(THREADS))
    found = train(
        model,
        Lora.fresh(base.config, rank),
        text,
        config,
        clock=ComputeClock(1e9),
        budget_s=1e9,
        threads=THREADS,
        seed=0,
        report=lambda *_done, **_more: report(),
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
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LEARNING_RATE)
    for step in range(steps):
        ids = torch.from_numpy(text.ids[4 * step : 4 * step + 4, :-1])
        optimizer.zero_grad()
        with mixed:
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        report()
    return model.eval()


def tokens_per_s(base: BasePaths, contender: str) -> float:
    tokenizer, stamps = Tokenizer(base.tokenizer), list[float]()
    passages = [tokenizer.encode(passage) for half in read_general_passages() for passage in half]

    def report() -> None:
        stamps.append(time.thread_time())

    if contender == "ours":
        config = TrainConfig(min_tokens=0, learning_rate=LEARNING_RATE)
        text = pack(passages, config.length, tokenizer.encode("\n"))
        tokens = (STEPS + 1) * 1024 / (len(text) * text.length)
        by_us(base, text, replace(config, epochs=tokens), 8, report)
    else:
        text = pack(passages, 256, tokenizer.encode("\n"))
        by_peft(base, contender.removeprefix("peft "), text, STEPS + 1, report)
    return STEPS * 1024 / (stamps[-1] - stamps[len(stamps) // (STEPS + 1) - 1])


if __name__ == "__main__":
    found, name = find_base(Path(sys.argv[1])), sys.argv[2]
    products = dtype_name(fastest_compute_dtype(THREADS)) if name == "ours" else ""
    print(json.dumps({"tokens_per_s": round(tokens_per_s(found, name), 1), "products": products}))
