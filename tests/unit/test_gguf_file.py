"""The base model's weights: blocks of 8 and 4 bits, and what is read from a GGUF."""

import struct
from dataclasses import replace

import gguf
import numpy as np
import pytest

from idiolect.models.architecture import GROUPS, Architecture
from idiolect.models.errors import DamagedModelError, UnsupportedModelError
from idiolect.models.gguf_file import read_gguf
from idiolect.models.shortlist import choose_tokens
from idiolect.models.tokenizer import KINDS
from idiolect.models.weights import BLOCK, Blocks, OffsetBlocks, quantize
from tests.conftest import TINY


def test_rounding_is_within_half_a_step_of_each_block():
    random = np.random.default_rng(1)
    matrix = (random.normal(size=(7, 96)) * random.uniform(0.01, 30, (7, 1))).astype(np.float32)
    blocks = quantize(matrix)
    assert blocks.values.dtype == np.uint8
    assert blocks.scales.shape == (7, 3)
    error = np.abs(blocks.dequantize() - matrix).reshape(7, 3, BLOCK).max(axis=2)
    assert (error <= blocks.scales * 0.5001).all()
    assert np.abs(blocks.scales * 127 - np.abs(matrix).reshape(7, 3, BLOCK).max(axis=2)).max() < 1e-5


def test_rounding_again_changes_nothing():
    matrix = np.random.default_rng(2).normal(size=(5, 64)).astype(np.float32)
    once = quantize(matrix)
    again = quantize(once.dequantize())
    assert np.array_equal(again.values, once.values)
    assert np.allclose(again.scales, once.scales, rtol=1e-6)


def test_a_block_of_zeros_stays_zero():
    matrix = np.zeros((2, 64), dtype=np.float32)
    matrix[1, 40] = -3.0
    blocks = quantize(matrix)
    assert np.array_equal(blocks.dequantize(), matrix)
    assert np.isfinite(blocks.scales).all()


def test_blocks_are_scaled_by_their_own_scale():
    values = np.full((1, 64), 128, dtype=np.uint8)
    values[0, 0], values[0, 33] = 130, 120
    blocks = Blocks(values, np.array([[0.5, 2.0]], dtype=np.float32))
    expected = np.zeros((1, 64), dtype=np.float32)
    expected[0, 0], expected[0, 33] = 1.0, -16.0
    assert np.array_equal(blocks.dequantize(), expected)


def test_rotary_angles_fall_geometrically():
    config = Architecture(1, 32, 1, 1, 8, 32, 10, 10_000.0, 1e-5, 64)
    cos, sin = config.rotary(5)
    assert cos.shape == sin.shape == (5, 4)
    for position in range(5):
        for pair in range(4):
            angle = position / 10_000 ** (2 * pair / 8)
            assert cos[position, pair] == pytest.approx(np.cos(angle), abs=1e-6)
            assert sin[position, pair] == pytest.approx(np.sin(angle), abs=1e-6)


@pytest.fixture(scope="module")
def weights(make_gguf, tmp_path_factory):
    return read_gguf(make_gguf(tmp_path_factory.mktemp("gguf") / "a.gguf"))[0]


def test_a_gguf_gives_back_its_weights(weights, tiny_dense):
    config = weights.config

    def close(blocks: Blocks, *names: str) -> None:
        expected = np.concatenate([tiny_dense[f"{name}.weight"] for name in names])
        assert blocks.values.shape == expected.shape
        steps = np.repeat(blocks.scales, BLOCK, axis=1)
        assert (np.abs(blocks.dequantize() - expected) <= 0.5001 * steps).all(), names

    close(weights.embedding, "model.embed_tokens")
    assert np.array_equal(weights.output_norm, tiny_dense["model.norm.weight"])
    assert len(weights.maps) == len(weights.norms) == config.layers
    for layer, (maps, norms) in enumerate(zip(weights.maps, weights.norms, strict=True)):
        prefix = f"model.layers.{layer}"
        assert set(maps) == set(GROUPS)
        close(maps["qkv"], *(f"{prefix}.self_attn.{part}_proj" for part in "qkv"))
        close(maps["o"], f"{prefix}.self_attn.o_proj")
        close(maps["gate_up"], f"{prefix}.mlp.gate_proj", f"{prefix}.mlp.up_proj")
        close(maps["down"], f"{prefix}.mlp.down_proj")
        assert np.array_equal(norms["attention"], tiny_dense[f"{prefix}.input_layernorm.weight"])
        assert np.array_equal(norms["ffn"], tiny_dense[f"{prefix}.post_attention_layernorm.weight"])


def test_maps_in_four_bits_stay_so(make_gguf, tmp_path, tiny_dense):
    """The values are the GGUF's, and a block's offset is off by a 196th of the largest one at most."""
    weights, _ = read_gguf(make_gguf(tmp_path / "a.gguf", q4_1=range(3)))
    modules = {
        "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "o": ("self_attn.o_proj",),
        "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
        "down": ("mlp.down_proj",),
    }
    for layer, maps in enumerate(weights.maps):
        for group, names in modules.items():
            stored = gguf.quants.quantize(
                np.concatenate([tiny_dense[f"model.layers.{layer}.{name}.weight"] for name in names]),
                gguf.GGMLQuantizationType.Q4_1,
            )
            expected = gguf.quants.dequantize(stored, gguf.GGMLQuantizationType.Q4_1)
            found = maps[group]
            assert isinstance(found, OffsetBlocks)
            off = (found.dequantize() - expected).reshape(len(expected), -1, BLOCK)
            assert np.ptp(off, axis=2).max() < 1e-6
            assert np.abs(off).max() <= np.abs(expected).max() / 196 + 1e-6


def test_a_map_is_in_four_bits_only_if_all_its_parts_are(make_gguf, tmp_path):
    weights, _ = read_gguf(make_gguf(tmp_path / "a.gguf", q4_1=[2]))
    kinds = [{type(blocks) for blocks in maps.values()} for maps in weights.maps]
    assert kinds == [{Blocks}, {Blocks}, {OffsetBlocks}]


def test_shapes_and_parts_agree_with_the_weights(weights):
    config = weights.config
    for group, (features_in, features_out) in config.shapes().items():
        assert weights.maps[0][group].values.shape == (features_out, features_in)
        assert sum(rows for _, rows in config.parts()[group]) == features_out


def test_a_gguf_gives_back_its_shape_and_vocabulary(make_gguf, tmp_path):
    reported: list[float] = []
    weights, vocabulary = read_gguf(make_gguf(tmp_path / "a.gguf"), reported.append)
    assert replace(weights.config, norm_eps=TINY.norm_eps) == TINY
    assert weights.config.norm_eps == pytest.approx(TINY.norm_eps)
    assert Architecture(**weights.config.to_json()) == weights.config
    assert len(vocabulary.tokens) == len(vocabulary.types) == 512
    assert vocabulary.tokens[:3] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    assert all("".join(merge.split(" ")) in vocabulary.tokens for merge in vocabulary.merges)
    assert reported == sorted(reported)
    assert all(0 <= done < 1 for done in reported)


def test_a_gguf_in_half_precision_is_read_too(make_gguf, tmp_path, weights):
    half, _ = read_gguf(make_gguf(tmp_path / "half.gguf", matrices=np.float16))
    for group in GROUPS:
        expected = weights.maps[1][group].dequantize()
        assert np.abs(half.maps[1][group].dequantize() - expected).max() < 0.02 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"architecture": "qwen2"}, "architecture qwen2"),
        ({"pre": "llama-bpe"}, "the tokenizer llama-bpe"),
        ({"extra": ["output.weight"]}, "tied embeddings"),
        ({"extra": ["blk.0.attn_q.bias"]}, "blk.0.attn_q.bias"),
        ({"drop": ["blk.1.ffn_up.weight"]}, "blk.1.ffn_up.weight"),
        ({"drop": ["token_embd.weight"]}, "token_embd.weight"),
        ({"drop": ["head_count"]}, "llama.attention.head_count"),
        ({"drop": ["tokens"]}, "tokenizer.ggml.tokens"),
        ({"drop": ["merges"]}, "tokenizer.ggml.merges"),
        ({"drop": ["types"]}, "tokenizer.ggml.token_type"),
        ({"tokens": (1 << 16) + 1}, "65,536"),
        ({"matrices": np.int8}, "quantized"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_kind_of_gguf_is_refused(make_gguf, tmp_path, changes, named):
    path = make_gguf(tmp_path / "other.gguf", **changes)
    with pytest.raises(UnsupportedModelError) as raised:
        read_gguf(path)
    assert named in str(raised.value)
    assert str(path) in str(raised.value)


def damage(data: bytes, kind: str) -> bytes:
    return {
        "empty": b"",
        "text": b"# a page about models\n" * 40,
        "magic": b"GGUF",
        "head": data[:2000],
        "half": data[: len(data) // 2],
        "tail": data[:-1000],
        "version": data[:4] + (99).to_bytes(4, "little") + data[8:],
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "magic", "head", "half", "tail", "version"])
def test_a_damaged_gguf_is_called_damaged(make_gguf, tmp_path, kind):
    path = make_gguf(tmp_path / "a.gguf")
    path.write_bytes(damage(path.read_bytes(), kind))
    with pytest.raises(DamagedModelError) as raised:
        read_gguf(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"embedding_length": lambda file: file.add_string("llama.embedding_length", "wide")}, "TypeError"),
        ({"head_count": lambda file: file.add_head_count(0)}, "ZeroDivisionError"),
        ({"head_count": lambda file: file.add_head_count(3)}, "heads do not fit together"),
        ({"head_count_kv": lambda file: file.add_head_count_kv([2, 0, 2])}, "layers of several kinds"),
        ({"block_count": lambda file: file.add_block_count(0)}, "heads do not fit together"),
        ({"block_count": lambda file: file.add_block_count(2**32 - 1)}, "lacks the tensor blk.3."),
        ({"feed_forward_length": lambda file: file.add_feed_forward_length(64)}, "(64, 96)"),
        ({"context_length": lambda file: file.add_context_length(512)}, "reads 512 tokens at most"),
        ({"tokens": lambda file: file.add_token_list(["<|endoftext|>", b"\xff\xfe"])}, "UnicodeDecodeError"),
        ({"tokens": lambda file: file.add_token_list(["a", "b"])}, "lacks the tokens"),
        (
            {"rms_epsilon": lambda file: file.add_string("llama.attention.layer_norm_rms_epsilon", "?")},
            "ValueError",
        ),
    ],
)
def test_a_gguf_with_impossible_fields_is_refused_before_anything_is_built(make_gguf, tmp_path, wrong, named):
    path = make_gguf(tmp_path / "wrong.gguf", wrong=wrong)
    with pytest.raises(UnsupportedModelError) as raised:
        read_gguf(path, choose=choose_tokens)
    assert named in str(raised.value)


def test_a_large_vocabulary_of_characters_without_single_bytes_is_refused(make_gguf, tmp_path):
    many = [*KINDS["llama"].marks, *(f"word{number}" for number in range(1 << 16))]
    fields = {
        "model": lambda file: file.add_tokenizer_model("llama"),
        "tokens": lambda file: file.add_token_list(many),
        "types": lambda file: file.add_token_types([3] * 4 + [1] * (1 << 16)),
        "merges": lambda file: file.add_token_scores([0.0] * len(many)),
    }
    path = make_gguf(tmp_path / "no bytes.gguf", wrong=fields)
    with pytest.raises(UnsupportedModelError):
        read_gguf(path, choose=lambda every: choose_tokens(every, ["en"]))


def field_of_lists(kind: int, length: int, *, deep: int = 1) -> bytes:
    """The head of a GGUF whose only field is a list of so many values, or of lists of lists."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<I", 9)
    return head + struct.pack("<IQ", 9, 1) * (deep - 1) + struct.pack("<IQ", kind, length)


@pytest.mark.parametrize(
    "data",
    [
        field_of_lists(0, 2**62),
        field_of_lists(8, 2**62),
        field_of_lists(0, 2**62, deep=5000),
        b"GGUF" + struct.pack("<IQQ", 3, 2**62, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**62),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**63) + b"a",
    ],
    ids=["bytes", "strings", "lists of lists", "tensors", "fields", "name"],
)
def test_a_gguf_that_claims_to_hold_more_than_it_does_ends(data, tmp_path):
    path = tmp_path / "long.gguf"
    path.write_bytes(data)
    with pytest.raises(DamagedModelError):
        read_gguf(path)
