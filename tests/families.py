"""Tiny random models of other families: as transformers runs them, and as GGUFs that hold the same numbers."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import tokenizers
import torch
from tokenizers import models, normalizers, pre_tokenizers, trainers
from transformers.convert_slow_tokenizer import TikTokenConverter

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.models.gguf_file import Vocabulary
from idiolect.models.shortlist import LANGUAGES
from idiolect.models.tokenizer import KINDS, SPACE
from idiolect.models.weights import Weights
from tests.conftest import GGUF_NAMES, merged

WINDOW = 16  # tokens that a local layer of the tiny Gemma sees
Q8 = gguf.GGMLQuantizationType.Q8_0
NAMES = {
    "gemma3": {
        **GGUF_NAMES,
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
        "self_attn.q_norm": "attn_q_norm",
        "self_attn.k_norm": "attn_k_norm",
    },
    "granite": GGUF_NAMES,
}
"""What a GGUF calls the parts of a layer that transformers calls so."""


def character_vocabulary(merges: int = 200) -> Vocabulary:
    """Tokens as Gemma has them: marks, bytes, white space, characters, merges."""
    texts = read_general_passages()[0][::4]
    words = Counter(f"{SPACE}{word}" for text in texts for word in text.split())
    parts = {tuple(word): times for word, times in words.items()}
    characters = sorted({character for word in words for character in word})
    made: list[str] = []
    while len(made) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in parts.items():
            for pair in pairwise(word):
                pairs[pair] += times
        left, right = max(pairs, key=lambda pair: (pairs[pair], pair))
        made.append(left + right)
        parts = {merged(word, left, right): times for word, times in parts.items()}
    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    spaces = ["\n", "\n\n", "\n\n\n", "  ", "   ", "\t", "\t\t", "<h1>"]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = [*marks, *spaces, *byte_tokens, *made, *characters]
    places = len(made) + len(characters)
    scores = [-1000.0] * (len(marks) + len(spaces)) + [0.0] * 256 + [-float(place) for place in range(places)]
    types = [3] * len(marks) + [4] * len(spaces) + [6] * 256 + [1] * places
    return Vocabulary(KINDS["llama"], tokens, types, scores)


def byte_vocabulary(merges: int = 800) -> Vocabulary:
    """Tokens as Granite 4 has them, learned by Hugging Face's trainer from seven languages: bytes, merges, marks."""
    learned = tokenizers.Tokenizer(models.BPE())
    learned.pre_tokenizer = _granites_words()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learned.train_from_iterator(
        read_general_passages(LANGUAGES)[0],
        trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False),
    )
    model = json.loads(learned.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    marks = ["<|pad|>", "<|end_of_text|>", "<|fim_prefix|>", "<|start_of_role|>", "<|end_of_role|>"]
    types = [1] * len(tokens) + [3] * len(marks) + [4, 5]
    pairs = [" ".join(pair) for pair in model["merges"]]
    return Vocabulary.of_merges(KINDS["dbrx"], [*tokens, *marks, "<think>", "[PAD]"], types, pairs)


def _granites_words() -> pre_tokenizers.PreTokenizer:
    """Words as transformers cuts them for a vocabulary of tiktoken's, which Granite's is."""
    words = pre_tokenizers.Split(tokenizers.Regex(TikTokenConverter().pattern), behavior="isolated")
    return pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def transformers_model(family: str, vocab: int) -> Any:
    """A tiny random model whose matrices are whole numbers of 8 bits times scales."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig, GraniteConfig, GraniteForCausalLM

    shape = {
        "vocab_size": vocab,
        "hidden_size": 64,
        "intermediate_size": 96,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
    }
    torch.manual_seed(5)
    model: Any
    if family == "gemma3":
        heads = {"num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 32}
        model = Gemma3ForCausalLM(
            Gemma3TextConfig(
                **shape,
                **heads,
                num_hidden_layers=7,
                sliding_window=WINDOW,
                query_pre_attn_scalar=32,
                rms_norm_eps=1e-6,
            )
        )
    else:
        model = GraniteForCausalLM(
            GraniteConfig(
                **shape,
                num_attention_heads=4,
                num_key_value_heads=2,
                num_hidden_layers=3,
                embedding_multiplier=12.0,
                attention_multiplier=0.11,
                residual_multiplier=0.22,
                logits_scaling=4.0,
                rms_norm_eps=1e-5,
            )
        )
    random = np.random.default_rng(7)
    state = {}
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 2:
            size = 2.0 if "embed" in name else 1.0
            dense = random.normal(size=tensor.shape) * size / np.sqrt(tensor.shape[1])
            packed = gguf.quants.quantize(dense.astype(np.float32), Q8)
            state[name] = torch.from_numpy(gguf.quants.dequantize(packed, Q8))
        else:
            state[name] = torch.from_numpy(
                (float(family != "gemma3") + 0.2 * random.normal(size=tensor.shape)).astype(np.float32)
            )
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model.eval()


def write_gguf(model: Any, family: str, path: Path, vocabulary: Vocabulary) -> Path:
    """Write a model of :func:`transformers_model` as a GGUF; its tokens are those of the vocabulary."""
    config = model.config
    writer = gguf.GGUFWriter(path, family)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if family == "gemma3":
        writer.add_rope_freq_base(config.rope_parameters["full_attention"]["rope_theta"])
        writer.add_key_length(config.head_dim)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_sliding_window(config.sliding_window)
        writer.add_tokenizer_model("llama")
        writer.add_token_scores(vocabulary.scores)
    else:
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_logit_scale(config.logits_scaling)
        writer.add_head_count_kv([config.num_key_value_heads] * config.num_hidden_layers)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("dbrx")
        writer.add_token_merges(vocabulary.merges)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    for name, tensor in model.state_dict().items():
        array = tensor.numpy()
        place = name.removesuffix(".weight").split(".", 3)
        if place[0] == "lm_head":
            continue
        if place[1] in ("embed_tokens", "norm"):
            target = {"embed_tokens": "token_embd", "norm": "output_norm"}[place[1]]
        else:
            target = f"blk.{place[2]}.{NAMES[family][place[3]]}"
        if array.ndim == 1:
            writer.add_tensor(f"{target}.weight", array + np.float32(family == "gemma3"))
            continue
        if family == "granite" and target.endswith(("attn_q", "attn_k")):
            heads = config.num_attention_heads if target.endswith("q") else config.num_key_value_heads
            array = array.reshape(heads, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        packed = gguf.quants.quantize(np.ascontiguousarray(array), Q8)
        writer.add_tensor(f"{target}.weight", packed, raw_dtype=Q8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def with_weights(weights: Weights) -> Any:
    """Transformers' Llama with the weights of a base model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = weights.config
    shape = {
        "vocab_size": config.vocab,
        "hidden_size": config.width,
        "intermediate_size": config.ffn,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "max_position_embeddings": config.context,
        "tie_word_embeddings": True,
    }
    rope = {"rope_type": "default", "rope_theta": config.rope_theta}
    model: Any = LlamaForCausalLM(LlamaConfig(**shape, rope_parameters=rope))
    names = {"attention": "input_layernorm", "ffn": "post_attention_layernorm"}
    state = {
        "model.embed_tokens.weight": weights.embedding.dequantize(),
        "model.norm.weight": weights.output_norm,
    }
    for layer, (maps, norms) in enumerate(zip(weights.maps, weights.norms, strict=True)):
        for name, theirs in names.items():
            state[f"model.layers.{layer}.{theirs}.weight"] = norms[name]
        for group, parts in config.parts().items():
            whole = maps[group].dequantize()
            split = np.split(whole, np.cumsum([size for _, size in parts])[:-1])
            for (part, _), matrix in zip(parts, split, strict=True):
                owner = "self_attn" if group in ("qkv", "o") else "mlp"
                state[f"model.layers.{layer}.{owner}.{part}_proj.weight"] = matrix
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    model.load_state_dict(tensors)
    return model.eval()


def hugging_face(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    """Hugging Face's tokenizer for the tokens of a vocabulary, as Gemma's or Granite's is set up; no text is a mark."""
    places = {token: place for place, token in enumerate(vocabulary.tokens)}
    if vocabulary.merges:
        of_bytes = tokenizers.Tokenizer(
            models.BPE(vocab=places, merges=[tuple(merge.split(" ")) for merge in vocabulary.merges])
        )
        of_bytes.pre_tokenizer = _granites_words()
        return of_bytes
    kinds = list(zip(vocabulary.tokens, vocabulary.types, strict=True))
    pairs = [
        (-vocabulary.scores[places[token]], token[:cut], token[cut:])
        for token, kind in kinds
        if kind == 1
        for cut in range(1, len(token))
        if token[:cut] in places and token[cut:] in places
    ]
    model = models.BPE(
        vocab=places,
        merges=[(left, right) for _, left, right in sorted(pairs)],
        byte_fallback=True,
        unk_token="<unk>",
        fuse_unk=True,
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    text = [token for token, kind in kinds if kind == 4 and not token.startswith(("<start", "<end", "["))]
    tokenizer.add_tokens([tokenizers.AddedToken(token, normalized=False) for token in text])
    return tokenizer
