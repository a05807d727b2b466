"""The tokenizer on a vocabulary small enough to check by eye."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from idiolect.models import tokenizer as module
from idiolect.models.errors import DamagedModelError, UnsupportedModelError
from idiolect.models.gguf_file import Vocabulary
from idiolect.models.tokenizer import KINDS, Tokenizer, build_tokenizer
from tests.conftest import ALPHABET

SMOLLM, GRANITE = KINDS["smollm"], KINDS["dbrx"]
MARKS = [*SMOLLM.marks]
LETTERS = sorted(ALPHABET)
DOUBLED = ["a" * 2**times for times in range(1, 10)]
MERGES = ["Ġ t", "h e", "Ġt he", "i n", "in g", "Ġ Ġ", "ĠĠ ĠĠ", "Ã ©", "Ċ Ċ", "' s", "1 2"]


def build(path, letters=LETTERS, merges=MERGES, kind=SMOLLM):
    tokens = [*kind.marks, *letters, *(merge.replace(" ", "") for merge in merges)]
    types = [3] * len(MARKS) + [1] * (len(tokens) - len(MARKS))
    build_tokenizer(Vocabulary.of_merges(kind, tokens, types, merges), path)
    return Tokenizer(path)


@pytest.fixture
def tokenizer(tmp_path):
    return build(tmp_path / "tokenizer.model")


def pieces(tokenizer, text):
    return [tokenizer.token_bytes(token) for token in tokenizer.encode(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" the", [b" the"]),
        ("the", [b"t", b"he"]),
        (" thing", [b" t", b"h", b"ing"]),
        ("é", ["é".encode()]),
        ("\n\n", [b"\n\n"]),
        ("it's", [b"i", b"t", b"'s"]),
        ("12", [b"1", b"2"]),
        (" 12", [b" ", b"1", b"2"]),
        ("     a", [b"    ", b" ", b"a"]),
        ("a    ", [b"a", b"    "]),
        ("\ta", [b"\t", b"a"]),
        ("\x00\u00ad", [b"\x00", b"\xc2", b"\xad"]),
    ],
)
def test_words_are_cut_and_merged(tokenizer, text, expected):
    assert pieces(tokenizer, text) == expected
    assert pieces(tokenizer, text) == expected, "remembered words are the same"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's IT'S", [b"i", b"t", b"'s", b" ", b"I", b"T", b"'", b"S"]),
        ("a123 4567", [b"a", b"12", b"3", b" ", b"4", b"5", b"6", b"7"]),
        ("in.\n\nthe", [b"in", b".\n\n", b"t", b"he"]),
        ("(in \n  the", [b"(in", b" ", b"\n", b" ", b" the"]),
        ("\r\n\n", [b"\r", b"\n\n"]),
        ("a    ", [b"a", b"    "]),
    ],
)
def test_granites_words_hold_a_mark_before_and_line_ends_behind(tmp_path, text, expected):
    merges = [*MERGES, "( in", ". ĊĊ"]
    assert pieces(build(tmp_path / "tokenizer.model", merges=merges, kind=GRANITE), text) == expected


def test_all_pairs_of_a_token_may_be_listed_one_behind_the_other(tmp_path):
    merges = ["b c", "a b", "a bc", "ab c"]
    tokens = [*MARKS, *LETTERS, "bc", "ab", "abc"]
    vocabulary = Vocabulary.of_merges(SMOLLM, tokens, [3] * 3 + [1] * 259, merges)
    build_tokenizer(vocabulary, tmp_path / "tokenizer.model")
    assert pieces(Tokenizer(tmp_path / "tokenizer.model"), "abc ab") == [b"abc", b" ", b"ab"]


def test_a_token_that_holds_a_line_end_ends_a_line(tmp_path):
    tokenizer = build(tmp_path / "tokenizer.model", merges=[*MERGES, ". ĊĊ"], kind=GRANITE)
    ends = {
        text: tokenizer.ends_line(tokenizer.encode(text)[-1]) for text in ("\n", "in.\n\n", ".", " ", "in")
    }
    assert ends == {"\n": True, "in.\n\n": True, ".": False, " ": False, "in": False}
    assert tokenizer.ends_line(0)


def test_marks_cannot_be_typed(tokenizer):
    for mark in MARKS:
        ids = tokenizer.encode(mark)
        assert not tokenizer.ends & {*ids}
        assert tokenizer.decode(ids) == mark


def test_marks_are_no_text(tokenizer):
    assert tokenizer.ends == {0, 1, 2}
    assert tokenizer.decode([1, *tokenizer.encode("in"), 2, 0]) == "in"


def test_the_vocabulary_in_bytes(tokenizer):
    vocabulary = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size)]
    assert vocabulary[:4] == [b"", b"", b"", b"!"]
    assert len(vocabulary) == len(MARKS) + 256 + len(MERGES)
    assert {*vocabulary} >= {bytes([byte]) for byte in range(256)}
    assert vocabulary[-1] == b"12"


def test_surrogates_are_joined_or_replaced(tokenizer):
    assert tokenizer.decode(tokenizer.encode("a\ud83d\ude00b")) == "a\U0001f600b"
    assert tokenizer.decode(tokenizer.encode("a\ud83d b\ude00")) == "a\ufffd b\ufffd"


def test_bytes_without_a_token_are_left_out(tmp_path):
    tokenizer = build(tmp_path / "tokenizer.model", [letter for letter in LETTERS if letter != "x"])
    assert pieces(tokenizer, "ixn") == [b"in"]
    assert tokenizer.encode("x") == []


def test_a_full_memory_of_words_changes_nothing(tokenizer, tmp_path, monkeypatch):
    text = "".join(f" {chr(97 + number % 26) * (1 + number // 26)}" for number in range(2_000))
    expected = tokenizer.encode(text)
    monkeypatch.setattr(module, "_REMEMBERED_WORDS", 50)
    small = Tokenizer(tmp_path / "tokenizer.model")
    assert small.encode(text) == expected
    assert small.encode(text) == expected


def test_threads_may_share_it(tokenizer, monkeypatch):
    monkeypatch.setattr(module, "_REMEMBERED_WORDS", 20)
    interval = sys.getswitchinterval()
    texts = [f" thing {chr(97 + number % 26) * 3}ing the 12é" * 5 for number in range(200)]
    expected = [tokenizer.encode(text) for text in texts]
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(tokenizer.encode, texts)) == expected
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize(
    ("tokens", "merges", "why"),
    [
        ([*MARKS[1:], *LETTERS], [], r"lacks the tokens <\|endoftext\|>"),
        ([*MARKS, *LETTERS, "a"], [], "repeats itself"),
        ([*MARKS, *LETTERS, ""], [], "no character"),
        ([*MARKS, *LETTERS, *DOUBLED], [f"{half} {half}" for half in ["a", *DOUBLED[:-1]]], "far too many"),
        ([*MARKS, *LETTERS], ["a b"], "make no token"),
        ([*MARKS, *LETTERS, "ab"], [], "not made of bytes"),
        ([*MARKS, *LETTERS, "東"], [], "not made of bytes"),
        ([*MARKS, *LETTERS, "bc", "ab", "abc"], ["b c", "a b", "ab c"], "more than their order"),
        ([*MARKS, *LETTERS, "bc", "abc", "ab"], ["b c", "a bc", "a b", "ab c"], "more than their order"),
        ([*MARKS, *LETTERS, "abc"], ["ab c"], "more than their order"),
    ],
)
def test_a_vocabulary_that_would_not_run_exactly_is_refused(tmp_path, tokens, merges, why):
    types = [3 if token in MARKS else 1 for token in tokens]
    with pytest.raises(UnsupportedModelError, match=why):
        build_tokenizer(Vocabulary.of_merges(SMOLLM, tokens, types, merges), tmp_path / "tokenizer.model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_the_error_of_a_damaged_file_names_its_remedy(tmp_path, content):
    path = tmp_path / "tokenizer.model"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DamagedModelError, match="missing or damaged"):
        Tokenizer(path)


def test_a_file_cut_short_is_not_used(tmp_path):
    build(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedModelError):
        Tokenizer(tmp_path / "cut")


@pytest.mark.parametrize("letters", [1, 15, 16, 17, 40, 64])
def test_tokens_are_found_by_their_beginning_however_long(tmp_path, letters):
    merges = [f"{half} {half}" for half in ("a", *DOUBLED[:5])]
    tokenizer = build(tmp_path / "tokenizer.model", merges=merges)
    found = [len(tokenizer.token_bytes(token)) for token in tokenizer.starting_with(b"a" * letters).tolist()]
    assert found == [length for length in (2**times for times in range(7)) if length >= letters]
