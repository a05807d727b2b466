"""The real vocabulary, token for token against Hugging Face's tokenizers."""

import random
import sys
import sysconfig
import unicodedata
from pathlib import Path

import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from idiolect.models.fetch import fetch
from idiolect.models.gguf_file import read_gguf
from idiolect.models.tokenizer import Tokenizer, build_tokenizer

SEED = 20_240_229

SCRIPTS = [
    "The ferry was late again; we'd've caught it, they said, if we'll believe 'em. It's 07:45, isn't it?",
    "今日は朝から雨が降っていて、駅までの道が混んでいました。カタカナとひらがな、漢字が混ざる文。",
    "今天早上下雨，去车站的路上堵车。繁體字也要試試看：國語、臺灣。한국어도 조금 써 봅니다, 안녕하세요!",
    "تأخر القطار هذا الصباح بسبب المطر، ووصلنا بعد الساعة ٨:٤٥. הגענו באיחור, אבל הקפה היה טוב.",
    "आज सुबह बारिश हुई, इसलिए बस देर से आई। १२३ रुपये का टिकट। தமிழ் எழுத்துகள், ไทยไม่มีเว้นวรรค",
    "Поезд опоздал на 45 минут… Ο καιρός ήταν άσχημος. Şişli'de yağmur, İzmir'de güneş; naïve façade œuvre.",
    "👩🏽‍🚀🚀 🏳️‍🌈 🇨🇭🇯🇵 👨‍👩‍👧‍👦 ok 👍🏿👍 ☕️ ¯\\_(ツ)_/¯ ʕ•ᴥ•ʔ",
    "½ ⅞ Ⅻ ² ₃ ① ٣ ३ 五 𝟘 𝒜𝓫 ﬁ №5 €1,234.56 ±3°C",
    "e\u0301 a\u0308o\u0304\u0323 Z\u0351\u036b\u0343a\u0310l\u034cg\u0322o\u0337 \u1112\u1161\u11ab ก็ กำ",
    "def f(x: int=0x1F, *, y=1e-9) -> str:\n\treturn f'{x!r:>{10}}' # don't\r\n",
    "\r\n    if a&&b||!c {\n\t\t};;\n",
    "one\u00a0two\u3000three\u2003four\u200bfive\u2028six\u0085seven\ufeff",
    "eight \t \r\n \n\n\n   nine  \u00a0 10",
    "<|im_start|>user\nnot a mark<|im_end|><|endoftext|> <repo_name>x</s> 'S 'RE I'M it's'tis 's1 '1s  's",
    "\x00\x01\x04\x06\x13\x14\x16\x1b[31m\x1c\x1d\x1e\x1f\x7f\x80\x9f \x1c \x1f\x1f  \x0b\x0c  \x85",
]


def library_text():
    """Python's own sources and reference manual: code and English of many hands."""
    folder = Path(sysconfig.get_path("stdlib"))
    names = sorted(path for path in folder.rglob("*.py") if "site-packages" not in path.parts)
    sources = [path.read_text(encoding="utf-8", errors="replace") for path in names[:: len(names) // 30 or 1]]
    from pydoc_data import topics

    return [*sources, *topics.topics.values()]


def mixed_text(dice):
    """Pieces of every script, cut and joined at random by every kind of white space."""
    spaces = ["", " ", "  ", "\t", "\n", "\r\n", " \n ", "\u00a0", "\u3000", "\u2009 ", "\n\n\n"]
    gaps = [*spaces, "1", "'", "'s"]
    texts = []
    for _ in range(2_000):
        parts = []
        for _ in range(dice.randrange(1, 9)):
            script = dice.choice(SCRIPTS)
            start = dice.randrange(len(script))
            parts += [script[start : start + dice.randrange(1, 40)], dice.choice(gaps)]
        texts.append("".join(parts))
    return texts


def random_text(dice):
    """Characters at random from all that this Python's Unicode tables know."""
    known = [
        chr(point)
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) not in ("Cn", "Cs", "Co")
    ]
    plain = [chr(point) for point in range(0x250)]
    return [
        "".join(dice.choice(dice.choice((known, plain))) for _ in range(dice.randrange(1, 120)))
        for _ in range(4_000)
    ]


@pytest.fixture(scope="module")
def vocabulary():
    folder = Path(__file__).parents[2] / ".cache" / "gguf"
    folder.mkdir(parents=True, exist_ok=True)
    return read_gguf(fetch(folder))[1]


@pytest.fixture(scope="module")
def ours(vocabulary, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    build_tokenizer(vocabulary, path)
    return Tokenizer(path)


@pytest.fixture(scope="module")
def theirs(vocabulary):
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    pairs = [tuple(merge.split(" ")) for merge in vocabulary.merges]
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=ids, merges=pairs))
    digits = pre_tokenizers.Digits(individual_digits=True)
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@pytest.fixture(scope="module")
def texts():
    dice = random.Random(SEED)
    return [*library_text(), *SCRIPTS, *mixed_text(dice), *random_text(dice)]


def test_every_token_of_varied_text_is_the_same(ours, theirs, texts):
    size = tokens = 0
    for text in texts:
        expected = theirs.encode(text).ids
        assert ours.encode(text) == expected, f"differs on {text[:80]!a} (seed {SEED})"
        size += len(text.encode())
        tokens += len(expected)
    assert size >= 1_000_000
    print(f"{size / 1e6:.2f} MB, {tokens} tokens, no difference")


def test_any_slice_of_tokens_decodes_the_same(ours, theirs, texts):
    dice = random.Random(SEED)
    for text in texts[-2_000:]:
        ids = ours.encode(text)
        start = dice.randrange(len(ids) + 1)
        cut = ids[start : start + dice.randrange(1, 9)]
        assert ours.decode(cut) == theirs.decode(cut)


def test_marks_have_their_published_ids(ours):
    assert (ours.ends, ours.vocab_size) == ({0, 1, 2}, 49_152)
    assert ours.decode([1, *ours.encode("user"), 2, 0]) == "user"
