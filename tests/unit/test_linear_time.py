"""What strangers write, and what is redacted, costs time linear in its length: growth is measured, not time.

Every pattern of the folders that read or redact text is tried with worst cases that are made from what it is written
of: what begins a match, again and again, and what never ends one.
"""

import contextlib
import importlib
import itertools
import pkgutil
import random
import re
import time
from collections.abc import Callable, Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
import regex
from redaction_examples import taken

from idiolect.adapters.memory import secret_cues
from idiolect.adapters.prediction import answered
from idiolect.daemon import sources, text
from idiolect.daemon.clients.editors import prose
from idiolect.daemon.serving import answered_text
from idiolect.daemon.sources import markdown
from idiolect.daemon.sources.mail_message import plain, typed_text
from idiolect.daemon.text import normalise as normalising
from idiolect.daemon.text import redaction
from idiolect.daemon.text.cleaning import cleaned
from idiolect.daemon.text.lines import paragraphs, unescaped
from idiolect.daemon.text.redaction import word_features
from idiolect.daemon.text.redaction.redact import redact
from idiolect.daemon.text.redaction.rule import source
from idiolect.daemon.text.redaction.tagger import said
from idiolect.daemon.text.replies import depths, own_words, split, split_mail

SMALL, LARGE = 1 << 10, 16 << 10
MAX_GROWTH = 40  # for 16 times the length; what is quadratic grows 256 times
QUICK_S = 0.002  # on text of LARGE: what takes no longer is not compared
#: Patterns that are compared with a word, from its beginning; a longer one is not looked at.
OF_A_WORD = (
    *("word_features._FORMS", "word_features.STATE", "tagger._NO_SECRET", "tagger._HASH"),
    *("secret_apps._NEVER", "secret_apps._ENDINGS"),  # names of programs
    "typed_text._BEGUN",  # the last 100 characters
)
WORD = word_features.LONGEST  # characters

Work = Callable[[str], object]
Case = tuple[str, str]  # a beginning, and what is repeated behind it

_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_EXAMPLES = {"SPACE": " ", "DIGIT": "1", "WORD": "a", "NOT_SPACE": "a", "NOT_DIGIT": "a", "NOT_WORD": "."}


# --- growth ------------------------------------------------------------------------------------------


def cost_s(work, text):
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def written(case, size):
    before, part = case
    return before + (part * (size // len(part) + 1))[:size] + "\x01"


def growth(work, case, small=SMALL, large=LARGE):
    """How many times as long `large` characters take as `small`; 0 where they take next to nothing."""
    few, many = written(case, small), written(case, large)
    least = float("inf")
    for _ in range(4):
        took = cost_s(work, many)
        if took < QUICK_S:
            return 0
        least = min(least, took / max(min(cost_s(work, few) for _ in range(3)), QUICK_S / 100))
        if least < MAX_GROWTH:
            break
    return least


def slowest(work, cases, small=SMALL, large=LARGE):
    """The growth of the cases that take longest when they are short."""
    longest = sorted(cases, key=lambda case: cost_s(work, written(case, small)))[-3:]
    return max(growth(work, case, small, large) for case in longest)


# --- the worst cases of a pattern --------------------------------------------------------------------


def _parsed(pattern):
    text = pattern.pattern
    return parser.parse(
        text if isinstance(text, str) else text.decode("latin-1"), pattern.flags & ~re.UNICODE
    )


def _inner(code, value):
    """The patterns that a part of a pattern is made of."""
    if code is sre.BRANCH:
        return list(value[1])
    if code is sre.SUBPATTERN:
        return [value[3]]
    if code in _REPEATS:
        return [value[2]]
    if code in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return [value] if code is sre.ATOMIC_GROUP else []


def _repeats(pattern):
    """Whether something in it may be repeated often: what has no such part looks at a few characters alone."""
    return any(
        (code in _REPEATS and int(value[1]) > 8) or any(map(_repeats, _inner(code, value)))
        for code, value in pattern
    )


def _members(items):
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


def _atoms(pattern):
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


def _example(pattern):
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
        elif code in _REPEATS:
            text += _example(value[2]) * max(min(int(value[0]), 40), 1)
        elif code in (sre.BRANCH, sre.SUBPATTERN, sre.ATOMIC_GROUP):
            text += _example(_inner(code, value)[0])
    return text


def worst_cases(pattern):
    """Beginnings of a match, and what is repeated behind them."""
    if not isinstance(pattern, re.Pattern):  # one of the library `regex`, which shows nothing of its parts
        yield from (("", part) for part in "aA0 \n-./")
        return
    parts = list(_parsed(pattern))
    begun = [_example(parts[:place]) for place in range(len(parts) + 1)]
    begun = list(dict.fromkeys([*begun[:3], *begun[-3:]]))
    atoms = list(dict.fromkeys([*_atoms(parts), " ", "a", "\n"]))
    atoms = [*atoms[:10], *random.Random(1).sample(atoms[10:], min(4, len(atoms[10:])))]
    pairs = map("".join, itertools.permutations([*atoms[:4], *begun[1:3]], 2))
    for part in filter(None, dict.fromkeys([*atoms, *begun[1:], *pairs])):
        yield from (
            (before, part) for before in dict.fromkeys([*begun, *(f"{text}a" for text in begun[-3:])])
        )


def patterns():
    """The patterns of the folders and modules that look at text, each once, by the name that it has there."""
    modules = [secret_cues, prose, answered]
    for folder in (sources, text, redaction):
        names = [f"{folder.__name__}.{one.name}" for one in pkgutil.iter_modules(folder.__path__)]
        modules += map(importlib.import_module, names)
    found: dict[Any, tuple[str, Any]] = {}

    def take(name, value, depth=0):
        pattern = value if isinstance(value, re.Pattern | regex.Pattern) else source(value)
        if isinstance(pattern, str):
            pattern = re.compile(pattern)
        if pattern is not None:
            found.setdefault((pattern.pattern, pattern.flags), (name, pattern))
        elif depth < 6:
            parts: Iterable[tuple[Any, Any]] = ()
            if isinstance(value, dict):
                parts = value.items()
            elif isinstance(value, list | tuple):
                parts = enumerate(value)
            elif type(value).__module__.startswith(redaction.__name__) and hasattr(value, "__dict__"):
                parts = vars(value).items()
            for part, held in parts:
                take(f"{name}.{part}", held, depth + 1)

    for module in modules:
        for name, value in vars(module).items():
            take(f"{module.__name__.rpartition('.')[2]}.{name}", value)
    return {
        name: one for name, one in found.values() if not isinstance(one, re.Pattern) or _repeats(_parsed(one))
    }


PATTERNS = patterns()


def search(pattern):
    if isinstance(pattern.pattern, bytes):
        return lambda text: [None for _ in pattern.finditer(text.encode("utf-8", "replace"))]
    return lambda text: [None for _ in pattern.finditer(text)]


@pytest.mark.parametrize("name", [name for name in PATTERNS if not name.startswith(OF_A_WORD)])
def test_a_pattern_takes_linear_time(name):
    assert slowest(search(PATTERNS[name]), worst_cases(PATTERNS[name])) < MAX_GROWTH


@pytest.mark.parametrize("name", [name for name in PATTERNS if name.startswith(OF_A_WORD)])
def test_a_pattern_of_a_word_takes_at_most_quadratic_time_for_a_word(name):
    def work(word):
        return [PATTERNS[name].match(word) for _ in range(50)]

    # What is cubic grows 64 times.
    assert slowest(work, worst_cases(PATTERNS[name]), WORD // 4, WORD) < MAX_GROWTH


def test_a_quadratic_pattern_is_told_from_a_linear_one():
    for quadratic in (r"\s+$", r"a[^b]*b"):
        assert (
            slowest(search(re.compile(quadratic)), worst_cases(re.compile(quadratic)), 256, 4096) > MAX_GROWTH
        )
    for linear in (r"^\s+$", r"a[^ab]*b"):
        assert slowest(search(re.compile(linear)), worst_cases(re.compile(linear))) < MAX_GROWTH


# --- whole readers, and redaction --------------------------------------------------------------------

#: What readers loop on: blanks, marks that open and never close.
UNITS = [
    *(" ", "\t", "\n", "a", "a ", "a\n", "\x0b", "é", "\u0301\u0316", "\u200d", "中", "1"),
    *("[", "![", "](", "[[", "[^", "<", "<a ", "<!--", "<!---->", "-->", "`", "```\n", "~~~\n"),
    *("# ", "#\n", "> ", ">\n", "- ", "- \n", "A-", "a.", "    a\n", "* ", "** ", "*** \n", "_", "__ "),
    *("|", "| - ", "|-|\n", "\\\n", "&#9", "&a", "&lt;"),
    *("http://a:b@", "<https:", "[cid:"),
    *("From a@b ", "\n\nFrom 00:00", "From: a\n"),
    *("On a wrote:\n> ", "<a@b>", "&gt;a\n", "-- \n", "--"),
    *(" \n", "a \n", "=?a?q?", "=?", "<div>a</div>", "<br>"),
    *("<div id=appendonsend></div>", "<p class=a style=b>a</p>"),
]
HEADS = ("", "# a", "[a](", "<div class=WordSection1><div style=border-top></div>")
MAIL = (
    b"From: a@b.example\nContent-Type: multipart/mixed; boundary=aa\nSubject: ",
    b"Content-Type: text/plain; format=flowed\n\n",
    b"Content-Type: text/html\n\n",
    b"Content-Type: multipart/mixed; boundary=a\n\n--a\n",
)
READERS: dict[str, Work] = {
    "markdown": lambda text: [*markdown.read_paragraphs(text.splitlines())],
    "paragraphs": lambda text: [*paragraphs(text.splitlines())],
    "own words": own_words,
    "flowed": lambda text: own_words(text, flowed=True, delete_space=True),
    "quoted lines": depths,
    "a reply": lambda text: [split(text, text).context(), split_mail(f"To: a\n{text}", text).context()],
    "a commit message": lambda text: prose.in_commit_message("", text).context(),
    "who wrote": lambda text: answered_text.named_in(f"To: {text}"),
    "what is answered": lambda text: answered.with_few_repeats(answered.without_addresses(text)),
    "html": plain,
    "mail": lambda text: [typed_text(head + text.encode("utf-8", "replace")) for head in MAIL],
    "entities": unescaped,
    "normalise": normalising.normalise,
    "pieces": lambda text: [*normalising.pieces(text)],
}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_takes_linear_time(reader):
    cases = [(head, unit) for unit in UNITS for head in HEADS]
    assert slowest(READERS[reader], cases, 2 << 10, 32 << 10) < MAX_GROWTH


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("unit", [";a=1", ";a=1{end} "])
def test_the_parameters_of_a_mail_take_linear_time(end, unit):
    def read(text):
        with contextlib.suppress(ValueError):
            typed_text(text.encode())

    case = (f"From: a@b.example{end}Content-Type: text/plain", unit.format(end=end))
    assert growth(read, case, 8 << 10, 128 << 10) < MAX_GROWTH


KEY = "-----BEGIN PRIVATE" + " KEY-----"
PIECES = [
    *{rule.name: text for rule, text, _ in reversed(taken())}.values(),
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
    ),
    *("[pin]", "password: a ", "passwords: ", "the password is ", "the password is blue7\n", "PIN: 4471\n"),
    *("4471 ", "é ", "PuTTY-User-Key-File-2:", KEY, "DE89 ", "sk-", "--token ", "eyJaaaaaaaa.", "a."),
]
#: What is slow only behind something else.
BEHIND = [(f"{KEY}\n", "A" * 12 + " "), (f"{KEY}\n", "A "), ("password: ", "<a"), ("password: ", "x")]
REDACTION: dict[str, Work] = {
    "prose": redact,
    "rules": lambda text: redact(text, prose=False),
    "words": lambda text: word_features.features(text, word_features.words(text)),
    "cues": lambda text: secret_cues.CuesBefore(text).announce(text),
}


@pytest.mark.parametrize("part", REDACTION)
def test_redaction_takes_linear_time(part):
    cases = [("", f"{piece}{end}") for piece in PIECES for end in ("", " ")]
    # Eight times the length; what is quadratic grows 64 times.
    assert slowest(REDACTION[part], [*BEHIND, *cases], 2 << 10, 16 << 10) < MAX_GROWTH


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
    def work(text):
        return redact("".join(map(line, range(len(text) // len(line(100))))))

    assert growth(work, ("", "a")) < MAX_GROWTH


def test_a_secret_of_many_is_looked_for_by_how_it_begins():
    def work(text):
        secrets = [f"{place:05}fox" for place in range(len(text) // 10)]
        return said(" ".join(secrets), secrets)

    assert growth(work, ("", "a")) < MAX_GROWTH


def test_what_stands_before_a_text_may_have_any_length():
    assert growth(lambda text: cleaned("4471 says Ann", before=text), ("", "a ")) < MAX_GROWTH


def test_a_letter_keeps_thirty_marks_and_no_text_more():
    assert normalising.normalise("e\u0301" + "x\u0323" * 3) == "\u00e9" + "x\u0323" * 3
    assert normalising.normalise("x" + "\u0316\u0301" * 40).count("\u0316") == 15


def test_a_number_of_thousands_of_digits_is_no_character():
    assert unescaped(f"a &amp; &#{'9' * 5000}; &#8364; b") == f"a & &#{'9' * 5000}; € b"
