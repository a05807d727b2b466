"""Each pattern of redaction, and redaction as a whole, takes time that is linear in a text's length.

Growth is measured, not time. The worst cases are made of the patterns themselves: what one of them begins with, again
and again; a beginning and then without end what repeats in it; the rules' examples and halves of them; characters.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]

import pytest
import regex

from idiolect.adapters import secret_cues
from idiolect.daemon import redaction
from idiolect.daemon.ingest.entry_batch import cleaned
from idiolect.daemon.redaction import word_features
from idiolect.daemon.redaction.lazy_pattern import source
from idiolect.daemon.redaction.patterns import RULES
from idiolect.daemon.redaction.redact import redact
from idiolect.daemon.redaction.tagger import said

SMALL, LARGE = 1 << 10, 16 << 10
MOST_GROWTH = 40  # for 16 times the length; what is quadratic grows 256 times
QUICK_S = 0.002  # on text of LARGE: what takes no longer is not compared
MOST_CASES = 12  # of a pattern
COMPARED = 2  # of them: those that take longest
#: Patterns that are compared with a word, from its beginning; a longer one is not looked at.
OF_A_WORD = ("word_features._FORMS", "word_features.STATE", "tagger._NO_SECRET", "tagger._HASH")
WORD = word_features._LONGEST  # characters
CHARS = "a1A -_./:=\n\té0\"'<{([漢+#!,x"
END = "\x01"


def patterns():
    """All patterns of the folder, and of the module of cues, by what they are written of."""
    modules = [
        importlib.import_module(f"{redaction.__name__}.{one.name}")
        for one in pkgutil.iter_modules(redaction.__path__)
    ]
    found = {}

    def take(name, value, depth=0):
        written = value if isinstance(value, re.Pattern | regex.Pattern) else source(value)
        if isinstance(written, str):
            written = re.compile(written)
        if written is not None:
            found.setdefault((written.pattern, written.flags), (name, written))
        elif depth < 6:
            if isinstance(value, dict):
                parts = value.items()
            elif isinstance(value, list | tuple):
                parts = enumerate(value)
            else:
                own = type(value).__module__.startswith(redaction.__name__) and hasattr(value, "__dict__")
                parts = vars(value).items() if own else ()
            for part, held in parts:
                take(f"{name}.{part}", held, depth + 1)

    for module in [*modules, secret_cues]:
        for name, value in vars(module).items():
            take(f"{module.__name__.rpartition('.')[2]}.{name}", value)
    return {name: pattern for name, pattern in found.values() if repeats_much(pattern)}


def repeats_much(pattern):
    """Whether something in it may be repeated often: what has no such part looks at a few characters alone."""
    return not isinstance(pattern, re.Pattern) or any(
        repeats(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE), "", 0)
    )


def member(items):
    """A character of a set."""
    negated = any(code is sre.NEGATE for code, _ in items)
    literals = [chr(value) for code, value in items if code is sre.LITERAL]
    literals += [chr(value[0]) for code, value in items if code is sre.RANGE]
    classes = {"DIGIT": str.isdigit, "SPACE": str.isspace, "WORD": lambda char: char.isalnum() or char == "_"}

    def inside(char):
        for code, value in items:
            if code is sre.LITERAL and ord(char) == value:
                return True
            if code is sre.RANGE and value[0] <= ord(char) <= value[1]:
                return True
            if code is sre.CATEGORY:
                name = str(value).split("_")
                if classes[name[-1]](char) != ("NOT" in name):
                    return True
        return False

    return next((char for char in CHARS + "".join(literals) if inside(char) != negated), "a")


def inner(code, value):
    """The patterns that a part of a pattern is made of."""
    if code is sre.BRANCH:
        return value[1]
    if code is sre.SUBPATTERN:
        return [value[3]]
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [value[2]]
    if code in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return [value] if code is sre.ATOMIC_GROUP else []


def sample(parsed, branch=0, times=1):
    """A text that a pattern matches, or nearly."""
    text = ""
    for code, value in parsed:
        if code is sre.LITERAL:
            text += chr(value)
        elif code in (sre.NOT_LITERAL, sre.ANY):
            text += "a"
        elif code is sre.IN:
            text += member(value)
        elif code is sre.BRANCH:
            text += sample(value[1][branch % len(value[1])], branch, times)
        elif code in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            text += sample(inner(code, value)[0], branch, times)
        elif code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            text += sample(value[2], branch, times) * min(max(int(value[0]), min(times, int(value[1]))), 40)
    return text


def repeats(parsed, before, branch):
    """What stands before each part that repeats, and the part."""
    for code, value in parsed:
        if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT) and int(value[1]) > 8:
            yield before, sample(value[2], branch)
        for part in inner(code, value):
            yield from repeats(part, before, branch)
        before += sample([(code, value)], branch)


def worst_cases(pattern):
    """Beginnings, and what comes behind them again and again."""
    found = {}
    if isinstance(pattern, re.Pattern):
        parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
        for branch in (0, 1):
            for before, part in repeats(parsed, "", branch):
                found |= dict.fromkeys(((before, part), ("", before + part), (before, part + " ")))
            for times in (0, 2):
                whole = sample(parsed, branch, times)
                found |= dict.fromkeys((("", whole), ("", whole[:-1]), ("", whole[: len(whole) // 2])))
    cases = [case for case in found if case[1]]
    kept = cases[:: max(len(cases) // MOST_CASES, 1)][:MOST_CASES]
    return [*kept, *(("", char) for char in ("a", "A", "0", " ", "\n", "-", ".", "/"))]


PATTERNS = patterns()


def cost_s(work, text):
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def written(case, size):
    before, part = case
    return before + (part * (size // len(part) + 1))[:size] + END


def growth(work, case, small=SMALL, large=LARGE):
    """How many times as long `large` characters take as `small`; 0 where they take next to nothing."""
    few, many = written(case, small), written(case, large)
    least = float("inf")
    for _ in range(4):
        took = cost_s(work, many)
        if took < QUICK_S:
            return 0
        least = min(least, took / max(min(cost_s(work, few) for _ in range(3)), QUICK_S / 100))
        if least < MOST_GROWTH:
            break
    return least


def search(pattern):
    return lambda text: [None for _ in pattern.finditer(text)]


def slowest(work, cases, size):
    return sorted(cases, key=lambda case: cost_s(work, written(case, size)))[-COMPARED:]


@pytest.mark.parametrize("name", [name for name in PATTERNS if not name.startswith(OF_A_WORD)])
def test_a_pattern_takes_linear_time(name):
    work = search(PATTERNS[name])
    for case in slowest(work, worst_cases(PATTERNS[name]), SMALL):
        assert growth(work, case) < MOST_GROWTH, case


@pytest.mark.parametrize("name", [name for name in PATTERNS if name.startswith(OF_A_WORD)])
def test_a_pattern_of_a_word_takes_at_most_quadratic_time_for_a_word(name):
    def work(word):
        return [PATTERNS[name].match(word) for _ in range(50)]

    for case in slowest(work, worst_cases(PATTERNS[name]), WORD // 4):
        assert growth(work, case, WORD // 4, WORD) < MOST_GROWTH, case  # what is cubic grows 64 times


PIECES = [
    *(text.replace("¦", "") for rule in RULES for text, _ in rule.matches[:1]),
    *(
        " ",
        "\n",
        "\n\n",
        "http://a:b@",
        "`",
        "`a",
        '"',
        '"a ',
        "«",
        "'",
        "A B ",
        "a:\n",
        "A" * 199 + " ",
        "1 ",
        "[pin]",
    ),
    *(
        "password: a ",
        "passwords: ",
        "the password is ",
        "the password is blue7\n",
        "PIN: 4471\n",
        "4471 ",
        "é ",
    ),
    "PuTTY-User-Key-File-2:",
]


def lines(written):
    """Lines that differ by their number, as many as make LARGE or SMALL characters."""
    return lambda text: redact("".join(map(written, range(len(text) // len(written(100))))))


WHOLE = {
    "prose": redact,
    "commands": lambda text: redact(text, prose=False),
    "words": lambda text: word_features.features(text, word_features.words(text)),
    "cues": lambda text: secret_cues.CuesBefore(text).announce(text),
}


@pytest.mark.parametrize("name", WHOLE)
def test_redaction_takes_linear_time(name):
    for case in slowest(WHOLE[name], [("", f"{part}{end}") for part in PIECES for end in ("", " ")], SMALL):
        assert growth(WHOLE[name], case) < MOST_GROWTH, case


@pytest.mark.parametrize(
    "line",
    [
        lambda place: f"the password is fox{place}den\n",
        lambda place: f"the password is fox{place // 2}den\n",
        lambda place: f"{place}fox: the password is {place}fox\n",
        lambda place: f"PIN: {place:04}\n",
        lambda place: f"the password is blue7, {place} times\n",
    ],
)
def test_a_text_of_many_secrets_takes_linear_time(line):
    assert growth(lines(line), ("", "a")) < MOST_GROWTH


def test_a_secret_of_many_is_looked_for_by_how_it_begins():
    def work(text):
        secrets = [f"{place:05}fox" for place in range(len(text) // 10)]
        return said(" ".join(secrets), secrets)

    assert growth(work, ("", "a")) < MOST_GROWTH


def test_what_stands_before_a_text_may_have_any_length():
    assert growth(lambda text: cleaned("4471 says Ann", before=text), ("", "a ")) < MOST_GROWTH


def test_growth_tells_a_quadratic_pattern_from_a_linear_one():
    assert growth(search(re.compile(r"\s+$")), ("", " "), 256, 4096) > MOST_GROWTH
    assert growth(search(re.compile(r"\s++$")), ("a", "b")) < MOST_GROWTH
