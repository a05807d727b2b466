"""Gemma 3 270M, where the variable IDIOLECT_TEST_GEMMA names its GGUF: tokens and probabilities as in transformers.

Its terms of use are not open, so no test fetches it.
"""

import os
import random
from pathlib import Path

import pytest
import torch

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.models.build import ensure_base
from idiolect.models.gguf_file import read_gguf
from idiolect.models.graph import read_weights
from idiolect.models.session import Model, Session
from idiolect.models.shortlist import choose_tokens
from idiolect.models.tokenizer import Tokenizer, build_tokenizer
from idiolect.models.torch_model import TorchModel
from tests.e2e.test_tokenizer_parity import SCRIPTS, library_text, mixed_text
from tests.families import exactly, hugging_face, with_weights

GGUF = os.environ.get("IDIOLECT_TEST_GEMMA", "")
pytestmark = pytest.mark.skipif(not GGUF, reason="IDIOLECT_TEST_GEMMA names no GGUF of Gemma 3 270M")

CLOSE = 1e-4
"""Largest difference of the log-probabilities of the 1,000 likeliest tokens, in float32."""

LENGTHS = [1, 3, 17, 64, 200, 511, 512, 513, 560, 600]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    return ensure_base(tmp_path_factory.mktemp("gemma"), Path(GGUF))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
def test_the_graph_and_the_twin_are_transformers(gemma, in_float, make_lora, adapted):
    weights = read_weights(gemma.graph, gemma.config)
    text = "\n".join(read_general_passages()[1])
    ids = Tokenizer(gemma.tokenizer).encode(text)[: max(LENGTHS)]
    lora = make_lora(gemma.config, size=0.02) if adapted else None
    tensors = lora.tensors() if lora else {}
    matrices = {name: torch.from_numpy(matrix) for name, matrix in tensors.items()}
    model, twin = Model(in_float(gemma), gemma.config), TorchModel(weights)
    with torch.no_grad():
        theirs = exactly(with_weights(weights, matrices))(torch.tensor([[0, *ids]])).logits[0, 1:]
    worst = 0.0
    for length in LENGTHS:
        expected = torch.log_softmax(theirs[:length], dim=1)
        with torch.no_grad():
            ours = torch.log_softmax(twin.logits(torch.tensor([ids[:length]]), matrices)[0], dim=1)
        session = Session(model, length=length, adapter=tensors or None)
        served = torch.log_softmax(torch.from_numpy(session.feed(ids[:length], "all")), dim=1)
        likely = expected.topk(1000, dim=1).indices
        for found in (ours, served):
            worst = max(worst, float((found - expected).gather(1, likely).abs().max()))
    print(f"{worst:.1e}")
    assert worst < CLOSE


def test_every_token_of_varied_text_is_the_same(tmp_path):
    seen = []

    def keep(vocabulary):
        seen.append(vocabulary)
        return choose_tokens(vocabulary, ["en"])

    read_gguf(Path(GGUF), choose=keep)
    [every] = seen
    theirs = hugging_face(every)
    whole = choose_tokens(every, size=len(every.tokens))
    assert whole.rows is not None
    build_tokenizer(whole, tmp_path / "tokenizer.model")
    ours = Tokenizer(tmp_path / "tokenizer.model")
    size = 0
    # One token reaches over a space, and is not kept.
    for text in [
        text.replace("> </", "></") for text in [*library_text(), *SCRIPTS, *mixed_text(random.Random(7))]
    ]:
        found = [int(whole.rows[token]) for token in ours.encode(text)]
        assert found == theirs.encode(text, add_special_tokens=False).ids, f"{text[:80]!a}"
        size += len(text.encode())
    assert size >= 1_000_000
