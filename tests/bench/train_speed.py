"""Training speed of one contender in a process of its own: ``train_speed.py BASE CONTENDER``, one of CONTENDERS.

Rank 8 on all linear layers, batch 4 x 256 tokens, 2 threads, AdamW, the weights that are served, the
same rows of general text. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

from idiolect.adapters.corpus import Rows, general_passages, pack
from idiolect.models.build import BasePaths, find_base
from idiolect.models.graph import read_weights
from idiolect.models.llama import Weights
from idiolect.models.tokenizer import Tokenizer

STEPS = 5
THREADS = 2
#: transformers + peft in single precision; with products that oneDNN rounds to bfloat16; mixed; in bfloat16 throughout.
CONTENDERS = ("ours", "peft fp32", "peft fp32 medium", "peft autocast", "peft bf16")


def rows(base: BasePaths) -> Rows:
    tokenizer = Tokenizer(base.tokenizer)
    return pack(
        [tokenizer.encode(p) for half in general_passages() for p in half], 256, tokenizer.encode("\n")
    )


def ours(base: BasePaths) -> float:
    from idiolect.adapters.clock import Clock
    from idiolect.adapters.lora import Lora, LoraConfig
    from idiolect.adapters.training import TrainConfig, fastest_products, train
    from idiolect.models.twin import Twin

    text = rows(base)
    twin = Twin(read_weights(base.graph, base.config), fastest_products(THREADS))
    start = Lora.fresh(LoraConfig(rank=8, alpha=16), base.config)
    stamps: list[float] = []
    few = TrainConfig(epochs=4 * (STEPS + 1) / len(text), learning_rate=5e-4, batch=4, length=256)
    train(
        twin,
        start,
        text,
        few,
        clock=Clock(1e9),
        budget_s=1e9,
        threads=THREADS,
        seed=0,
        report=lambda _step: stamps.append(time.perf_counter()),
    )
    return STEPS * 1024 / (stamps[STEPS] - stamps[0])


def peft(base: BasePaths, how: str) -> float:
    from peft import LoraConfig, get_peft_model

    torch.set_num_threads(THREADS)
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
    text = rows(base)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4)
    stamps = []
    for step in range(STEPS + 1):
        ids = torch.from_numpy(text.ids[4 * step : 4 * step + 4, :-1])
        optimizer.zero_grad()
        with mixed:
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        stamps.append(time.perf_counter())
    return STEPS * 1024 / (stamps[-1] - stamps[0])


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
    speed = ours(found) if name == "ours" else peft(found, name.removeprefix("peft "))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps({"tokens_per_s": round(speed, 1), "peak_mb": round(peak_mb)}))
