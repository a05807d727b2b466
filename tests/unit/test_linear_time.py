"""Strangers' text costs time linear in its length: growth is measured, from 4 KB to 64 KB, not time.

Every pattern in the folders that read strangers' text is tried with its own worst cases, which are made from what it is
written of: what begins a match, again and again, and what never ends one.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import random
import re
import time
from collections.abc import Callable, Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from idiolect.daemon import sources
from idiolect.daemon.ingest import normalise as normalising
from idiolect.daemon.sources import markdown, org, rst, shell, slack
from idiolect.daemon.sources.lines import paragraphs, unescaped
from idiolect.daemon.sources.mail_message import plain, typed_text
from idiolect.daemon.sources.replies import own_words

SMALL, LARGE = 4 << 10, 64 << 10
MOST_GROWTH = 40  # for 16 times the length; what is quadratic grows 256 times
NOISE_S = 5e-4  # shorter times say nothing on a busy machine
TRIES = 4

_EXAMPLES = {"SPACE": " ", "DIGIT": "1", "WORD": "a", "NOT_SPACE": "a", "NOT_DIGIT": "a", "NOT_WORD": "."}


def _patterns() -> dict[str, re.Pattern[Any]]:
    names = [f"{sources.__name__}.{module.name}" for module in pkgutil.iter_modules(sources.__path__)]
    found = {}
    for name in [*names, normalising.__name__]:
        for constant, value in vars(importlib.import_module(name)).items():
            if isinstance(value, re.Pattern):
                found[f"{name.rpartition('.')[2]}.{constant}"] = value
    return found


PATTERNS = _patterns()


def _parsed(pattern: re.Pattern[Any]) -> Any:
    source = pattern.pattern
    if isinstance(source, bytes):
        return parser.parse(source.decode("latin-1"), pattern.flags)
    return parser.parse(source, pattern.flags & ~re.UNICODE)


def _inner(code: Any, value: Any) -> list[Any]:
    """The patterns that a part of a pattern is made of."""
    if code is sre.BRANCH:
        return list(value[1])
    if code is sre.SUBPATTERN:
        return [value[3]]
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [value[2]]
    if code in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return [value] if code is sre.ATOMIC_GROUP else []


def _members(items: Any) -> list[str]:
    """Some characters of a set, or beside it."""
    found = []
    for code, value in items:
        if code is sre.LITERAL:
            found.append(chr(value))
        elif code is sre.RANGE:
            found.append(chr(value[0]))
        elif code is sre.CATEGORY:
            found.append(_EXAMPLES[str(value).removeprefix("CATEGORY_").removeprefix("UNI_")])
        elif code is sre.NEGATE:
            found.append("a")
    return found


def _atoms(pattern: Any) -> Iterator[str]:
    """The characters and words that a pattern names."""
    run = ""
    for code, value in [*pattern, (None, None)]:
        if code is sre.LITERAL:
            run += chr(value)
            continue
        if run:
            yield run
            yield from (run[0], run[-1])
            run = ""
        if code is sre.NOT_LITERAL:
            yield chr(value)
        elif code is sre.IN:
            yield from _members(value)
        for inner in _inner(code, value) if code is not None else ():
            yield from _atoms(inner)


def _example(pattern: Any) -> str:
    """A short text that a pattern matches, or nearly."""
    text = ""
    for code, value in pattern:
        if code is sre.LITERAL:
            text += chr(value)
        elif code in (sre.ANY, sre.NOT_LITERAL):
            text += "a"
        elif code is sre.IN:
            negated = value[0][0] is sre.NEGATE
            text += "a" if negated else _members(value)[0]
        elif code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            text += _example(value[2]) * max(value[0], 1)
        elif code in (sre.BRANCH, sre.SUBPATTERN, sre.ATOMIC_GROUP):
            text += _example(_inner(code, value)[0])
    return text


def _worst_cases(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Beginnings, what is repeated behind them, and ends."""
    parts = list(_parsed(pattern))
    begun = [_example(parts[:place]) for place in range(len(parts) + 1)]
    begun = list(dict.fromkeys([*begun[:3], *begun[-3:]]))
    atoms = list(dict.fromkeys([*_atoms(parts), " ", "a", "\n"]))
    atoms = [*atoms[:10], *random.Random(1).sample(atoms[10:], min(4, len(atoms[10:])))]
    units = list(
        dict.fromkeys(
            [*atoms, *begun[1:], *map("".join, itertools.permutations([*atoms[:4], *begun[1:3]], 2))]
        )
    )
    heads = list(dict.fromkeys([*begun, *(f"{text}a" for text in begun[-3:])]))
    for unit in filter(None, units):
        yield from ((head, unit, end) for head in heads for end in ("", "\x01"))


def _text(case: tuple[str, str, str], size: int) -> str:
    head, unit, end = case
    return head + (unit * (size // len(unit) + 1))[:size] + end


def _cost_s(do: Callable[[], object]) -> float:
    start = time.thread_time()
    do()
    return time.thread_time() - start


def _growth(work: Callable[[int], Callable[[], object]]) -> float:
    """How much longer it takes for `LARGE` than for `SMALL`; the least of several tries."""
    small, large = work(SMALL), work(LARGE)
    least = float("inf")
    for _ in range(TRIES):
        least = min(least, _cost_s(large) / max(min(_cost_s(small) for _ in range(3)), NOISE_S))
        if least < MOST_GROWTH:
            break
    return least


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_linear_time(name):
    pattern = PATTERNS[name]

    def search(case: tuple[str, str, str], size: int) -> Callable[[], object]:
        text: Any = _text(case, size)
        if isinstance(pattern.pattern, bytes):
            text = text.encode("utf-8", "replace")
        return lambda: [None for _ in pattern.finditer(text)]

    costs = sorted(((_cost_s(search(case, SMALL)), case) for case in _worst_cases(pattern)), reverse=True)
    for _, case in costs[:3]:
        assert _growth(lambda size, case=case: search(case, size)) < MOST_GROWTH, case


#: Beginnings, and what is repeated behind them, for whole readers: blanks, marks that open and never close, and the
#: sort that a reader loops on.
UNITS = [
    *(" ", "\t", "\n", "a", "a ", "a\n", "\x0b", "é", "\u0301\u0316", "\u200d", "中", "1"),
    *(
        "[",
        "![",
        "](",
        "[[",
        "[^",
        "<",
        "<a ",
        "<!--",
        "<!---->",
        "-->",
        "`",
        "```\n",
        "~~~\n",
        "|",
        "| - ",
        "|-|\n",
    ),
    *(
        "# ",
        "#\n",
        "> ",
        ">\n",
        "- ",
        "- \n",
        "    a\n",
        "* ",
        "** ",
        "*** \n",
        "_",
        "__ ",
        "\\\n",
        "&#9",
        "&a",
        "&lt;",
    ),
    *(
        "http://a:b@",
        "<https:",
        "[cid:",
        "[fn:",
        "<<",
        "[2020-01-01",
        "#+begin_src\n",
        ":a:\n",
        ":a:`",
        "`a <",
        ".. a::\n",
    ),
    *(
        "From a@b ",
        "\n\nFrom 00:00",
        "From: a\n",
        "On a wrote:\n> ",
        "<a@b>",
        "<@a|",
        "<#a",
        "<!a",
        "&gt;a\n",
        "-- \n",
        "--",
    ),
    *(
        " \n",
        "a \n",
        "=?a?q?",
        "=?",
        "<div>a</div>",
        "<br>",
        "<div id=appendonsend></div>",
        "<p class=a style=b>a</p>",
    ),
]
HEADS = ("", "# a", "[a](", "<div class=WordSection1><div style=border-top></div>")
MAIL = (
    b"From: a@b.example\nContent-Type: multipart/mixed; boundary=aa\nSubject: ",
    b"Content-Type: text/plain; format=flowed\n\n",
    b"Content-Type: text/html\n\n",
)
WHOLE: dict[str, Callable[[str], object]] = {
    "markdown": lambda text: [*markdown.prose(text.splitlines())],
    "org": lambda text: [*org.prose(text.splitlines())],
    "rst": lambda text: [*rst.prose(text.splitlines())],
    "paragraphs": lambda text: [*paragraphs(text.splitlines())],
    "zsh": lambda text: [*shell._zsh(text.splitlines())],
    "bash": lambda text: [*shell._bash(text.splitlines())],
    "slack": lambda text: slack._text(text, {}),
    "own words": own_words,
    "flowed": lambda text: own_words(text, flowed=True, delete_space=True),
    "html": plain,
    "mail": lambda text: [typed_text(head + text.encode("utf-8", "replace")) for head in MAIL],
    "entities": unescaped,
    "normalise": normalising.normalise,
    "pieces": lambda text: [*normalising.pieces(text)],
}


@pytest.mark.parametrize("reader", WHOLE)
def test_a_reader_takes_linear_time(reader):
    read = WHOLE[reader]
    cases = [(head, unit, "x") for unit in UNITS for head in HEADS]

    def work(case: tuple[str, str, str], size: int) -> Callable[[], object]:
        text = _text(case, size)
        return lambda: read(text)

    costs = sorted(((_cost_s(work(case, SMALL)), case) for case in cases), reverse=True)
    for _, case in costs[:6]:
        assert _growth(lambda size, case=case: work(case, size)) < MOST_GROWTH, case


def test_growth_tells_a_quadratic_pattern_from_a_linear_one():
    def search(pattern: str) -> Callable[[int], Callable[[], object]]:
        return lambda size: lambda text=" " * size: re.search(pattern, text + "x")

    assert _growth(search(r"\s+$")) > 2 * MOST_GROWTH
    assert _growth(search(r"^\s+$")) < MOST_GROWTH


def test_a_letter_keeps_thirty_marks_and_no_text_more():
    assert normalising.normalise("e\u0301" + "x\u0323" * 3) == "\u00e9" + "x\u0323" * 3
    assert normalising.normalise("x" + "\u0316\u0301" * 40).count("\u0316") == 15


def test_a_number_of_thousands_of_digits_is_no_character():
    assert unescaped(f"a &amp; &#{'9' * 5000}; &#8364; b") == f"a & &#{'9' * 5000}; € b"
