"""Training of one contender in a process of its own: ``train_speed.py BASE CONTENDER [CORPUS]``, one of CONTENDERS.

Its speed: rank 8 on all linear layers, batch 4 x 256 tokens, 2 threads, AdamW, the weights that are served, the same
rows of general text. With a file of people's messages, instead, what it learns: the perplexity of the newest
``HELD_OUT`` tokens after one pass over the ``LEARNED`` before them, with the same rank, batch and rates, or, for ours,
as a round trains. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from idiolect.adapters.corpus import Rows, pack, read_general_passages
from idiolect.models.build import BasePaths, find_base
from idiolect.models.graph import read_weights
from idiolect.models.tokenizer import Tokenizer
from idiolect.models.weights import Weights

if TYPE_CHECKING:
    from idiolect.adapters.lora import Lora
    from idiolect.adapters.training.finetune import Step, TrainConfig
    from idiolect.models.torch_model import TorchModel

STEPS = 5
LEARNED, HELD_OUT = 20_480, 4_096  # tokens
THREADS = 2
RATE = 5e-4
#: transformers + peft in single precision; with products that oneDNN rounds to bfloat16; mixed; in bfloat16 throughout.
CONTENDERS = ("ours", "peft fp32", "peft fp32 medium", "peft autocast", "peft bf16")
LEARNERS = ("untrained", "peft fp32", "ours", "ours, as a round trains")


def rows(base: BasePaths) -> Rows:
    tokenizer = Tokenizer(base.tokenizer)
    return pack(
        [tokenizer.encode(p) for half in read_general_passages() for p in half], 256, tokenizer.encode("\n")
    )


def ours(base: BasePaths) -> float:
    from idiolect.adapters.training.finetune import TrainConfig

    text = rows(base)
    stamps: list[float] = []
    few = TrainConfig(epochs=4 * (STEPS + 1) / len(text), learning_rate=RATE, batch=4, length=256)
    trained_by_us(base, text, few, 16, 8, lambda _step: stamps.append(time.perf_counter()))
    return STEPS * 1024 / (stamps[STEPS] - stamps[0])


def trained_by_us(
    base: BasePaths, text: Rows, config: TrainConfig, alpha: float, rank: int, report: Callable[[Step], None]
) -> tuple[TorchModel, Lora]:
    from idiolect.adapters.compute_clock import ComputeClock
    from idiolect.adapters.lora import Lora, LoraConfig
    from idiolect.adapters.training.finetune import fastest_compute_dtype, train
    from idiolect.models.torch_model import TorchModel

    llama = TorchModel(read_weights(base.graph, base.config), fastest_compute_dtype(THREADS))
    start = Lora.fresh(LoraConfig(rank, alpha), base.config)
    clock = ComputeClock(1e9)
    found = train(
        llama, start, text, config, clock=clock, budget_s=1e9, threads=THREADS, seed=0, report=report
    )
    return llama, found.lora


def peft(base: BasePaths, how: str) -> float:
    stamps: list[float] = []
    trained_by_peft(base, how, rows(base), STEPS + 1, lambda: stamps.append(time.perf_counter()))
    return STEPS * 1024 / (stamps[-1] - stamps[0])


def trained_by_peft(
    base: BasePaths, how: str, text: Rows, steps: int, report: Callable[[], None]
) -> torch.nn.Module:
    from peft import LoraConfig, get_peft_model

    from idiolect.adapters.training.finetune import TrainConfig, _learning_rate_factor

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if how == "fp32 medium":
        torch.set_float32_matmul_precision("medium")
    kind = torch.bfloat16 if how == "bf16" else torch.float32
    mixed = torch.autocast("cpu", torch.bfloat16) if how == "autocast" else contextlib.nullcontext()
    model = get_peft_model(
        reference(read_weights(base.graph, base.config)).to(kind),
        LoraConfig(
            r=8,
            lora_alpha=16,
            target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        ),
    )
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE)
    warmup = TrainConfig().warmup
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _learning_rate_factor(step / steps, warmup)
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
    return model


def perplexity(base: BasePaths, learner: str, corpus: Path) -> float:
    """Of a person's newest text, after the same tokens before it; in rows of 256, by torch alone."""
    from idiolect.adapters.training.finetune import TrainConfig

    tokenizer = Tokenizer(base.tokenizer)
    breaks = tokenizer.encode("\n")
    entries = [tokenizer.encode(json.loads(line)["text"]) for line in corpus.read_text("utf-8").splitlines()]
    line = [token for entry in entries for token in (*breaks, *entry)][-LEARNED - HELD_OUT - 1 :]
    text, newest = line[:LEARNED], pack([line[LEARNED + 1 :]], 256, breaks)
    steps, matrices = LEARNED // 1024, None
    if learner.startswith("peft"):
        model = trained_by_peft(base, learner.removeprefix("peft "), pack([text], 256, breaks), steps, int)
        model.eval()
    else:
        plain = TrainConfig(epochs=1, min_tokens=0, learning_rate=RATE, batch=4, length=256, before=0)
        config = TrainConfig() if learner.endswith("trains") else plain
        ours = pack([text], config.length, breaks, before=config.before)
        few = replace(plain, epochs=1e-9) if learner == "untrained" else config
        alpha, rank = (64, 16) if config is not plain else (16, 8)
        llama, lora = trained_by_us(base, ours, few, alpha, rank, lambda _step: None)
        matrices = {} if learner == "untrained" else lora.tensors()
        matrices = {name: torch.from_numpy(matrix) for name, matrix in matrices.items()} or None
    nats = count = 0.0
    for row, weights in zip(newest.ids, newest.weights, strict=True):
        ids, counted = torch.from_numpy(row[None]), torch.from_numpy(weights)
        with torch.no_grad():
            logits = model(ids[:, :-1]).logits if "peft" in learner else llama.logits(ids[:, :-1], matrices)
            lost = torch.nn.functional.cross_entropy(logits[0].float(), ids[0, 1:], reduction="none")
        nats, count = nats + float(lost @ counted), count + float(counted.sum())
    return float(np.exp(nats / count))


def reference(weights: Weights) -> torch.nn.Module:
    """transformers' Llama with the served weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    c = weights.config
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c.vocab,
            hidden_size=c.width,
            intermediate_size=c.ffn,
            num_hidden_layers=c.layers,
            num_attention_heads=c.heads,
            num_key_value_heads=c.kv_heads,
            rms_norm_eps=c.norm_eps,
            rope_theta=c.rope_theta,
            tie_word_embeddings=True,
        )
    )
    state = {
        "model.embed_tokens.weight": weights.embedding.dequantize(),
        "model.norm.weight": np.array(weights.output_norm),
    }
    for index, (norms, maps) in enumerate(zip(weights.norms, weights.maps, strict=True)):
        layer = f"model.layers.{index}"
        state[f"{layer}.input_layernorm.weight"] = np.array(norms["attention"])
        state[f"{layer}.post_attention_layernorm.weight"] = np.array(norms["ffn"])
        names = {"q": "self_attn.q", "k": "self_attn.k", "v": "self_attn.v", "o": "self_attn.o"}
        names |= {part: f"mlp.{part}" for part in ("gate", "up", "down")}
        for group, parts in c.parts().items():
            whole, start = maps[group].dequantize(), 0
            for part, size in parts:
                state[f"{layer}.{names[part]}_proj.weight"] = whole[start : start + size]
                start += size
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state.items()}
    missing = model.load_state_dict(tensors, strict=False)
    assert missing.missing_keys in ([], ["lm_head.weight"])
    assert not missing.unexpected_keys
    return model


if __name__ == "__main__":
    found = find_base(Path(sys.argv[1]))
    name = sys.argv[2]
    if len(sys.argv) > 3:
        print(json.dumps({"perplexity": round(perplexity(found, name, Path(sys.argv[3])), 2)}))
        sys.exit()
    speed = ours(found) if name == "ours" else peft(found, name.removeprefix("peft "))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    from idiolect.adapters.training.finetune import dtype_name, fastest_compute_dtype

    products = dtype_name(fastest_compute_dtype(THREADS)) if name == "ours" else ""
    print(json.dumps({"tokens_per_s": round(speed, 1), "peak_mb": round(peak_mb), "products": products}))
