"""Gemma and Granite: read from a GGUF, the served graph and the torch twin compute what transformers computes."""

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.training.export import terms_notice
from idiolect.adapters.training.lora import Lora
from idiolect.models.build import BasePaths, ensure_base, find_base
from idiolect.models.cross_entropy import cross_entropy
from idiolect.models.errors import UnsupportedModelError
from idiolect.models.gguf_file import read_gguf
from idiolect.models.graph import read_weights
from idiolect.models.known_bases import GEMMA
from idiolect.models.session import Model, Session
from idiolect.models.shortlist import LANGUAGES, choose_tokens
from idiolect.models.tokenizer import SPACE, Tokenizer, build_tokenizer
from idiolect.models.torch_model import TorchModel
from tests.families import (
    WINDOW,
    byte_vocabulary,
    character_vocabulary,
    hugging_face,
    transformers_model,
    write_gguf,
)
from tests.unit.test_round import messages, request_on, run

CLOSE = 1e-4
"""Largest difference of log-probabilities: float32 on all sides, the sums in another order."""

VOCABULARIES = {"gemma3": character_vocabulary, "granite": byte_vocabulary}

LENGTHS = [1, 2, 7, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW + 3, 63, 64, 100]


@pytest.fixture(scope="module", autouse=True)
def short_list():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idiolect.models.lexicon.SIZE", 200)
        yield


class Family:
    """A tiny model of a family: transformers' own, and the base model that is built from its GGUF."""

    def __init__(self, name: str, folder: Path, in_float: Callable[[BasePaths], Path]) -> None:
        vocabulary = VOCABULARIES[name]()
        self.theirs = transformers_model(name, len(vocabulary.tokens))
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


@pytest.fixture(scope="module", params=VOCABULARIES)
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


def test_a_round_learns_on_it_and_its_adapter_suggests(family):
    tokenizer = Tokenizer(family.base.tokenizer)
    entries = [tokenizer.encode(text) for text in messages()]
    events, status, errors = run(request_on(family.base, epochs=1), entries)
    assert (status, errors) == (0, b"")
    metrics = events[-1]["metrics"]
    assert metrics["adapter"]["perplexity"] < 0.9 * metrics["base"]["perplexity"]
    adapter = Lora.from_bytes(base64.b64decode(events[-1]["adapter"]), family.config).tensors()
    loaded = LoadedModel(family.base, threads=1, context_tokens=64, recent_tokens=40, rare_min_count=3)
    predictor = loaded.build_predictor(loaded.build_user_model(entries), None, adapter=adapter)
    words = predictor.suggest(Question("we met.\n\nThe boat har", candidates=3)).words
    assert "harbour" in [f"har{word.text}" for word in words]


def test_a_gguf_of_gemmas_family_comes_under_gemmas_terms(family):
    assert GEMMA.terms is not None
    bound = family.config.activation == "gelu-tanh"
    assert terms_notice(family.base) == (GEMMA.terms.notice if bound else None)


# The tokens of a vocabulary


@pytest.fixture(scope="module", params=VOCABULARIES)
def vocabulary(request):
    return VOCABULARIES[request.param]()


@pytest.fixture(scope="module")
def theirs(vocabulary):
    """Hugging Face's tokenizer for the same tokens."""
    return hugging_face(vocabulary)


@pytest.fixture(scope="module")
def chosen(vocabulary):
    return choose_tokens(vocabulary)


@pytest.fixture(scope="module")
def ours(chosen, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    build_tokenizer(chosen, path)
    return Tokenizer(path)


@cache
def varied_texts() -> list[str]:
    dice = random.Random(20_240_229)
    words = [word for passage in read_general_passages(LANGUAGES)[1][:35] for word in passage.split(" ")]
    odd = ["IT'S", "'ſ", "12345", "3.14", "東京", "👍🏿", "<h1>", "<bos>", "<think>", "f(x)", "\x00"]
    pieces, spaces = [*words, *odd], [" " * count for count in (1, 1, 1, 1, 1, 0, 2, 3, 4, 5)]
    gaps = [*spaces, "\n", "\n\n", "\n\n\n\n", "\t\t\t", " \n ", ".\n\n", "\u00a0", "\r\n"]
    return ["".join(dice.choice(pieces) + dice.choice(gaps) for _ in range(12)) for _ in range(2_000)]


def test_every_token_is_that_of_hugging_faces_tokenizer(ours, theirs, chosen):
    assert chosen.rows is not None
    for text in varied_texts():
        found = [int(chosen.rows[token]) for token in ours.encode(text)]
        assert found == theirs.encode(text, add_special_tokens=False).ids, f"{text!a}"


def test_any_text_comes_back(ours):
    for text in [*varied_texts(), f"a{SPACE}b {SPACE}{SPACE}", "\ufffd\u0301", "".join(map(chr, range(512)))]:
        assert ours.decode(ours.encode(text)) == text


def test_marks_are_no_text_and_end_one(ours, chosen):
    marks = "".join(chosen.kind.marks)
    assert ours.ends == {*range(len(chosen.kind.marks))}
    ids = ours.encode(marks)
    assert not ours.ends & {*ids}
    assert ours.decode([0, *ids, 2]) == marks


def test_a_byte_with_a_text_token_is_encoded_by_that_token(ours):
    [of_letter] = [token for token in ours.starting_with(b"a").tolist() if ours.token_bytes(token) == b"a"]
    assert ours.encode("a") == [of_letter]


def test_the_tokens_of_its_users_languages_are_kept(tmp_path, monkeypatch):
    every = character_vocabulary()
    path = write_gguf(
        transformers_model("gemma3", len(every.tokens)), "gemma3", tmp_path / "gemma.gguf", every
    )
    monkeypatch.setattr("idiolect.models.shortlist._WORDS", 500)
    asked = []

    def few(vocabulary, languages, report):
        asked.append(tuple(languages))
        read = languages if len(languages) == 2 else ["en"]  # of all, one: each takes seconds
        return choose_tokens(vocabulary, read, len(every.tokens) - 150, report)

    monkeypatch.setattr("idiolect.models.shortlist.choose_tokens", few)
    german, usual = (
        ensure_base(tmp_path / name, path, languages=languages)
        for name, languages in (("de", ["de", "xx"]), ("usual", []))
    )
    assert asked == [("de", "en"), LANGUAGES]
    assert (german.languages, usual.languages) == (("de", "en"), ())
    assert german.tokenizer.read_bytes() != usual.tokenizer.read_bytes()


@pytest.mark.parametrize("left_out", [30, 150])
def test_left_out_tokens_are_read_in_parts_and_kept_tokens_as_before(
    vocabulary, ours, tmp_path, monkeypatch, left_out
):
    monkeypatch.setattr("idiolect.models.shortlist._WORDS", 500)
    told: list[float] = []
    size = ours.vocab_size - left_out
    some = choose_tokens(vocabulary, ["en"], size, told.append)
    assert told == [1.0]
    assert len(some.tokens) <= size
    build_tokenizer(some, tmp_path / "tokenizer.model")
    short = Tokenizer(tmp_path / "tokenizer.model")
    known = {short.token_bytes(token) for token in range(short.vocab_size)}
    same = 0
    for text in [*varied_texts(), *" ".join(varied_texts()[:100]).split()]:
        whole, parts = ours.encode(text), short.encode(text)
        assert short.decode(parts) == text
        if {ours.token_bytes(token) for token in whole} <= known:
            same += 1
            assert [short.token_bytes(token) for token in parts] == [
                ours.token_bytes(token) for token in whole
            ]
        else:
            assert len(parts) >= len(whole)
    assert same


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: replace(it, tokens=[*it.tokens[1:], it.tokens[0]]), "does not begin with the tokens"),
        (lambda it: replace(it, scores=it.scores[1:]), "does not match its token types or scores"),
        (lambda it: replace(it, types=it.types[1:]), "does not match its token types or scores"),
        (
            lambda it: replace(it, types=[1] * len(it.types), merges=it.merges[1:]),
            "lacks tokens for single bytes|not made of bytes by merging",
        ),
    ],
)
def test_a_vocabulary_that_would_not_run_exactly_is_refused(chosen, tmp_path, change, why):
    with pytest.raises(UnsupportedModelError, match=why):
        build_tokenizer(change(chosen), tmp_path / "tokenizer.model")
    assert list(tmp_path.iterdir()) == []
