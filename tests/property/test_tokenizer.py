"""What holds for any text, and for any vocabulary learned as BPE learns."""

import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.models.errors import UnsupportedModelError
from idiolect.models.gguf_file import Vocabulary
from idiolect.models.tokenizer import KINDS, Tokenizer, build_tokenizer
from tests.conftest import ALPHABET

MERGES = ["Ġ t", "h e", "Ġt he", "i n", "in g", "Ġ Ġ", "Ã ©", "Ċ Ċ", "ð Ł", "ðŁ ĺ", "ã ģ"]

scalars = st.text(st.characters(exclude_categories=["Cs"]))
awkward = st.lists(
    st.sampled_from(
        [" ", "  ", "\t", "\r\n", "\u00a0", "\u3000", "'s", "'", "1", "٣", "é", "😀", " the", "か", "\u0301"]
    )
).map("".join)
words = st.lists(st.text("abc", min_size=1, max_size=8), max_size=12)


def build(path: Path, merges: list[str], name: str = "smollm") -> Tokenizer:
    kind = KINDS[name]
    tokens = [*kind.marks, *ALPHABET, *dict.fromkeys(merge.replace(" ", "") for merge in merges)]
    types = [3] * len(kind.marks) + [1] * (len(tokens) - len(kind.marks))
    build_tokenizer(Vocabulary.of_merges(kind, tokens, types, merges), path)
    return Tokenizer(path)


def learn(corpus: list[str], count: int) -> list[tuple[str, str]]:
    """BPE as it is learned: the most frequent pair of neighbours becomes the next merge."""
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs = Counter(pair for word in corpus for pair in pairwise(merge_in_order(word, merges)))
        if not pairs:
            break
        merges.append(max(pairs, key=lambda pair: (pairs[pair], pair)))
    return merges


def merge_in_order(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """The definition of BPE: each merge in turn, everywhere, from left to right."""
    parts = list(word)
    for left, right in merges:
        at = 0
        while at < len(parts) - 1:
            if parts[at : at + 2] == [left, right]:
                parts[at : at + 2] = [left + right]
            at += 1
    return parts


@pytest.fixture(scope="module", params=["smollm", "dbrx"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return build(tmp_path_factory.mktemp("tokenizer") / "tokenizer.model", MERGES, request.param)


@given(text=scalars | awkward)
def test_decoding_gives_the_text_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert b"".join(tokenizer.token_bytes(token) for token in ids) == text.encode()


@given(text=st.text(st.characters()))
def test_any_string_at_all_is_encoded_as_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert all(len(tokenizer.ends) <= token < tokenizer.vocab_size for token in ids)
    assert bool(tokenizer.decode(ids).encode()) == bool(text)


@given(text=scalars | awkward, cut=st.integers(0, 20))
def test_a_cut_costs_at_most_the_character_that_it_cuts(tokenizer: Tokenizer, text: str, cut: int) -> None:
    ids = tokenizer.encode(text)
    head, tail = tokenizer.decode(ids[:cut]), tokenizer.decode(ids[cut:])
    assert text.startswith(head.rstrip("\ufffd"))
    assert text.endswith(tail.lstrip("\ufffd"))


@settings(deadline=None)
@given(corpus=words, text=words)
def test_a_learned_vocabulary_merges_as_bpe_is_defined(corpus: list[str], text: list[str]) -> None:
    merges = learn(corpus, 12)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = build(Path(folder) / "tokenizer.model", [" ".join(pair) for pair in merges])
    for word in [*corpus, *text]:
        parts = [tokenizer.token_bytes(token).decode() for token in tokenizer.encode(word)]
        assert parts == merge_in_order(word, merges)


@settings(deadline=None)
@given(corpus=words, text=words, dice=st.randoms(use_true_random=False))
def test_any_other_order_is_exact_or_refused(corpus: list[str], text: list[str], dice: Random) -> None:
    merges = learn(corpus, 12)
    dice.shuffle(merges)
    with tempfile.TemporaryDirectory() as folder:
        try:
            tokenizer = build(Path(folder) / "tokenizer.model", [" ".join(pair) for pair in merges])
        except UnsupportedModelError:
            return
    for word in [*corpus, *text]:
        parts = [tokenizer.token_bytes(token).decode() for token in tokenizer.encode(word)]
        assert parts == merge_in_order(word, merges)
