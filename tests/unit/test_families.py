"""Gemma and Granite: read from a GGUF, the served graph and the torch twin compute what transformers computes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from idiolect.adapters.corpus import read_general_passages
from idiolect.adapters.export import terms_notice
from idiolect.models.build import BasePaths, ensure_base, find_base
from idiolect.models.errors import UnsupportedModelError
from idiolect.models.gguf_file import Vocabulary, read_gguf
from idiolect.models.graph import read_weights
from idiolect.models.known_bases import GEMMA
from idiolect.models.session import Model, Session
from idiolect.models.shortlist import choose_tokens
from idiolect.models.tokenizer import MARKS, SPACE, Tokenizer, build_tokenizer
from idiolect.models.torch_model import TorchModel, cross_entropy
from tests.conftest import ALPHABET, TINY, learn_merges
from tests.families import WINDOW, character_vocabulary, hugging_face, transformers_model, write_gguf

CLOSE = 1e-4
"""Largest difference of log-probabilities: float32 on all sides, the sums in another order."""

LENGTHS = [1, 2, 7, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW + 3, 63, 64, 100]


@pytest.fixture(scope="module", autouse=True)
def short_list():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idiolect.models.lexicon.SIZE", 200)
        yield


class Family:
    """A tiny model of a family: transformers' own, and the base model that is built from its GGUF."""

    def __init__(self, name: str, folder: Path, in_float: Callable[[BasePaths], Path]) -> None:
        if name == "gemma3":
            vocabulary: Any = character_vocabulary()
        else:
            merges = learn_merges(read_general_passages()[0][::4], TINY.vocab - 256 - 3)
            letters = sorted(ALPHABET)
            tokens = [*MARKS["bytes"], *letters, *(merge.replace(" ", "") for merge in merges)]
            vocabulary = tokens, merges, [3] * 3 + [1] * (len(tokens) - 3)
        self.theirs = transformers_model(name, len(vocabulary[0]))
        path = write_gguf(self.theirs, name, folder / f"{name}.gguf", vocabulary)
        self.vocabulary = read_gguf(path, choose=choose_tokens)[1]
        self.base = ensure_base(folder / "base", path)
        self.model = Model(in_float(self.base), self.base.config, threads=1)
        self.weights = read_weights(self.base.graph, self.base.config)
        self.twin = TorchModel(self.weights)
        self.config = self.base.config
        rows = self.vocabulary.rows
        self.rows = np.arange(self.config.vocab) if rows is None else rows

    def plain_log_probs(self, ids: torch.Tensor, matrices: dict[str, torch.Tensor]) -> torch.Tensor:
        """What transformers' model says after each token (S, vocab), with an adapter added to its weights."""
        start = [0] if self.config.starts_with_document else []
        theirs = torch.from_numpy(self.rows)[torch.tensor([*start, *ids.tolist()])]
        added = {}
        for layer in range(self.config.layers):
            for group, parts in self.config.parts().items():
                if f"{layer}.{group}.A" not in matrices:
                    continue
                whole = (matrices[f"{layer}.{group}.A"] @ matrices[f"{layer}.{group}.B"]).T
                if group in ("o", "down"):  # the factor is part of ours
                    whole = whole / self.config.residual_scale
                for (part, _), rows in zip(parts, whole.split([size for _, size in parts]), strict=True):
                    owner = "self_attn" if group in ("qkv", "o") else "mlp"
                    name = f"model.layers.{layer}.{owner}.{part}_proj.weight"
                    added[name] = self.theirs.get_parameter(name).detach() + rows
        logits = torch.func.functional_call(self.theirs, added, (theirs[None],)).logits[0, len(start) :]
        return torch.log_softmax(logits[:, torch.from_numpy(self.rows)], dim=1)


@pytest.fixture(scope="module", params=["gemma3", "granite"])
def family(request, tmp_path_factory, in_float, short_list):
    return Family(request.param, tmp_path_factory.mktemp(request.param), in_float)


@pytest.fixture(scope="module")
def ids(family):
    return torch.from_numpy(np.random.default_rng(3).integers(4, family.config.vocab, max(LENGTHS)))


@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
def test_the_graph_and_the_twin_are_transformers(family, ids, make_lora, adapted):
    adapter = make_lora(family.config).tensors() if adapted else {}
    matrices = {name: torch.from_numpy(matrix) for name, matrix in adapter.items()}
    for length in LENGTHS:
        some = ids[:length]
        with torch.no_grad():
            expected = family.plain_log_probs(some, matrices)
            twin = torch.log_softmax(family.twin.logits(some[None], matrices)[0], dim=1)
        session = Session(family.model, length=length, adapter=adapter or None)
        known = length // 2
        if known:
            session.feed(some[:known].tolist(), "none")
        served = torch.log_softmax(torch.from_numpy(session.feed(some[known:].tolist(), "all")), dim=1)
        assert (twin - expected).abs().max() < CLOSE, length
        assert (served - expected[known:]).abs().max() < CLOSE, length


def test_the_adapter_of_these_tests_matters(family, ids, make_lora):
    matrices = {name: torch.from_numpy(matrix) for name, matrix in make_lora(family.config).tensors().items()}
    with torch.no_grad():
        difference = family.plain_log_probs(ids, matrices) - family.plain_log_probs(ids, {})
    assert difference.abs().max() > 1000 * CLOSE


def test_gradients_are_those_of_autograd(family, ids, make_lora):
    matrices = {
        name: torch.from_numpy(matrix.copy()).requires_grad_()
        for name, matrix in make_lora(family.config).tensors().items()
    }
    some, targets = ids[:40], ids[1:41]
    states = family.twin.hidden(some[None], matrices)[0]
    loss = cross_entropy(states, family.twin.embedding, targets, torch.ones(40))
    ours = torch.autograd.grad(loss, list(matrices.values()))
    plain = F.nll_loss(family.plain_log_probs(some, matrices), targets, reduction="sum")
    expected = torch.autograd.grad(plain, list(matrices.values()))
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    for name, found, theirs in zip(matrices, ours, expected, strict=True):
        assert theirs.abs().max() > 0, name
        assert (found - theirs).abs().max() <= 3e-4 * theirs.abs().max(), name


def test_a_text_that_is_cut_back_and_wiped_begins_as_a_new_one(family, ids):
    some = ids[:30].tolist()
    expected = Session(family.model, length=40).feed(some, "all")
    session = Session(family.model, length=40)
    session.feed(some[::-1], "none")
    session.truncate(0)
    assert np.abs(session.feed(some, "all") - expected).max() < CLOSE
    session.wipe([])
    assert np.abs(session.feed(some, "all") - expected).max() < CLOSE
    kept = some[:3]
    session.forget_all_texts(kept)
    assert session.tokens == kept
    assert np.abs(session.feed(some[3:], "all") - expected[3:]).max() < CLOSE


def test_a_base_says_its_architecture_and_holds_the_very_numbers_of_the_gguf(family):
    assert family.base.config == find_base(family.base.folder.parent, verify=True).config
    theirs = family.theirs.get_parameter("model.layers.1.mlp.down_proj.weight").detach().numpy()
    ours = family.weights.maps[1]["down"].dequantize() / family.config.residual_scale
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


def test_a_gguf_of_gemmas_family_comes_under_gemmas_terms(family):
    assert GEMMA.terms is not None
    bound = family.config.activation == "gelu-tanh"
    assert terms_notice(family.base) == (GEMMA.terms.notice if bound else None)


# The tokens of a vocabulary of characters


@pytest.fixture(scope="module")
def characters():
    tokens, scores, types = character_vocabulary()
    return Vocabulary("characters", tokens, types, [], scores)


@pytest.fixture(scope="module")
def theirs(characters):
    """Hugging Face's tokenizer for the same tokens, as Gemma's is set up."""
    return hugging_face(characters)


@pytest.fixture(scope="module")
def chosen(characters):
    return choose_tokens(characters)


@pytest.fixture(scope="module")
def ours(chosen, tmp_path_factory):
    path = tmp_path_factory.mktemp("characters") / "tokenizer.model"
    build_tokenizer(chosen, path)
    return Tokenizer(path)


def varied_texts() -> list[str]:
    dice = random.Random(20_240_229)
    words = " ".join(read_general_passages()[1]).split(" ")
    pieces = [*words[:300], "über", "naïve", "東京", "👍🏿", "<h1>", "<bos>", "\x00"]
    gaps = [
        *[" "] * 5,
        "",
        "  ",
        "   ",
        "    ",
        "     ",
        "\n",
        "\n\n",
        "\n\n\n\n",
        "\t\t\t",
        " \n ",
        "\u00a0",
        "\r\n",
    ]
    return ["".join(dice.choice(pieces) + dice.choice(gaps) for _ in range(12)) for _ in range(2_000)]


def test_every_token_is_that_of_hugging_faces_tokenizer(ours, theirs, chosen):
    assert chosen.rows is not None
    for text in varied_texts():
        found = [int(chosen.rows[token]) for token in ours.encode(text)]
        assert found == theirs.encode(text, add_special_tokens=False).ids, f"{text!a}"


def test_any_text_comes_back(ours):
    for text in [*varied_texts(), f"a{SPACE}b {SPACE}{SPACE}", "\ufffd\u0301", "".join(map(chr, range(512)))]:
        assert ours.decode(ours.encode(text)) == text


def test_marks_are_no_text_and_end_one(ours):
    assert (ours.document, ours.bos, ours.eos, ours.ends) == (0, 1, 2, {0, 1, 2, 3})
    ids = ours.encode("<bos><start_of_turn><eos>")
    assert not ours.ends & {*ids}
    assert ours.decode([0, *ids, 3]) == "<bos><start_of_turn><eos>"


def test_a_byte_that_text_has_a_token_for_is_never_said(ours):
    [of_letter] = [token for token in ours.starting_with(b"a").tolist() if ours.token_bytes(token) == b"a"]
    assert ours.encode("a") == [of_letter]


@pytest.mark.parametrize("size", [360, 400, 440])
def test_what_is_left_out_is_read_in_parts_and_what_is_kept_as_before(
    characters, ours, tmp_path, monkeypatch, size
):
    monkeypatch.setattr("idiolect.models.shortlist._WORDS", 500)
    told: list[float] = []
    some = choose_tokens(characters, ["en"], size, told.append)
    assert told == [1.0]
    assert len(some.tokens) <= size < len(characters.tokens)
    build_tokenizer(some, tmp_path / "tokenizer.model")
    short = Tokenizer(tmp_path / "tokenizer.model")
    known = {*short.all_token_bytes()}
    same = 0
    for text in varied_texts():
        whole, parts = ours.encode(text), short.encode(text)
        assert short.decode(parts) == text
        if {ours.token_bytes(token) for token in whole} <= known:
            same += 1
            assert [short.token_bytes(token) for token in parts] == [
                ours.token_bytes(token) for token in whole
            ]
        else:
            assert len(parts) >= len(whole)
    print(f"{size} tokens: {same} texts as before")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda tokens, scores, types: (tokens[3:], scores[3:], types[3:]), "lacks the tokens"),
        (lambda tokens, scores, types: (tokens, scores[1:], types), "lacks scores"),
        (
            lambda tokens, scores, types: (tokens, scores, [kind for kind in types if kind != 6]),
            "repeats itself",
        ),
    ],
)
def test_a_vocabulary_that_would_not_run_exactly_is_refused(chosen, tmp_path, change, why):
    tokens, scores, types = change(chosen.tokens, chosen.scores, chosen.types)
    with pytest.raises(UnsupportedModelError, match=why):
        build_tokenizer(Vocabulary("characters", tokens, types, [], scores), tmp_path / "tokenizer.model")
    assert list(tmp_path.iterdir()) == []
