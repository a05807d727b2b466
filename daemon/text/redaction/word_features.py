"""The features of words for the tagger: position, form and neighbours."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.rule import PLACEHOLDER
from idiolect.models.hashed_frequencies import zipf

_LETTER: Final = r"[^\W\d_]"
#: What a word looks like; the first that fits counts. "cap", "upper" and "camel" are "lower" with capitals.
_FORMS: Final = tuple(
    (name, re.compile(rf"(?:{pattern})\Z"))
    for name, pattern in (
        ("placeholder", PLACEHOLDER + r".*"),
        ("url", r"(?:https?://|www\.).*"),
        ("mail", r"[\w.+-]+@[\w-]+\.[\w.-]+"),
        ("at", r"@\w+"),
        ("hashtag", rf"#{_LETTER}\w*"),
        (
            "unit",
            r"[€£$]\d[\d.,]*[km]?|\d[\d.,]*(?:[€£$%°\"]|k?g|[kcm]?m|ml|l|[kmgt]b|m?s|[kmg]?hz|p[xt]|x"
            r"|th|st|nd|rd|[ap]m|er|e|eme|[oaªº]|min|std|uhr|k?w|kwh|mah)",
        ),
        ("groups", r"\d(?:[ -]\d){3,9}[#*]?|\d{2,4}(?: \d{2,4}){1,2}[#*]?|\d{3}-\d{3}|\d{4}-\d{4}"),
        ("time", r"\d{1,2}[:h.]\d{2}(?:[:.]\d{2})?h?|\d{1,2}h"),
        ("parts", r"\+?\d+(?:[.,/:-]\d+)+"),
        ("year", r"(?:19|20)\d\d"),
        ("digits1", r"\d{1,2}"),
        ("digits3", r"\d{3}"),
        ("digits4", r"\d{4}"),
        ("digits5", r"\d{5}"),
        ("digits6", r"\d{6}"),
        ("digits7", r"\d{7,8}"),
        ("digits9", r"\d{9,}"),
        ("dialled", r"[#*]?\d{3,10}[#*]"),
        ("hex", r"(?=.*\d)(?=.*[a-f])[0-9a-f]{7,}|(?=.*\d)(?=.*[A-F])[0-9A-F]{8,}"),
        ("base32", r"(?=.*[2-7])[A-Z2-7]{16,}|(?=.*[2-7])[a-z2-7]{16,}"),
        ("shortcode", r"[A-Z]{1,2}\d{2,5}[A-Z]?|\d{2,5}[A-Z]{1,2}\d{0,3}|[A-Z]\d{2}[A-Z]\d"),
        ("lower", rf"{_LETTER}+(?:['’]{_LETTER}+)*[!*]*"),
        # "Markdown-Dokumente", and what German and French put into words of persons: "Kolleg*innen", "client·es".
        ("hyphen", rf"{_LETTER}+(?:[-·⋅•]{_LETTER}+)+|{_LETTER}{{3,}}[*_]in(?:nen)?{_LETTER}*"),
        ("wordnumber", rf"{_LETTER}{{2,}}[-_]?\d{{1,6}}[!?.#$*%]*"),
        ("numberword", rf"\d+{_LETTER}{{2,}}"),
        ("mixed", r"[^\W_]+"),
        ("path", r"(?:[~.\w-]*[/\\])+[\w.~-]*"),
        ("symbols", r"(?=.*\w)\S+"),
        ("punctuation", r"\W+"),
        ("other", r"(?s:.*)"),
    )
)
_CASES: Final = ("cap", "upper", "camel", "caphyphen", "random")
FORMS: Final = (*(name for name, _ in _FORMS), *_CASES)
"""All forms, in the order of their places in a vector."""

_PLACE: Final = {name: place for place, name in enumerate(FORMS)}
_MEASURES: Final = 8  # numbers that say more of a form: length, shares of digits and capitals ...
_BESIDE: Final = 18  # numbers that say what stands directly before and behind
_FREQUENCY: Final = 4
WIDTH: Final = len(FORMS) + _MEASURES + len(Cue) + _FREQUENCY + _BESIDE
"""Features of a word."""

CUES_AT: Final = len(FORMS) + _MEASURES
"""Where the cues begin among a word's features."""

COMMON_AT: Final = CUES_AT + len(Cue) + 3
"""Where it says among a word's features that it is one of the commonest."""

COLON_AT: Final = WIDTH - _BESIDE + 2
"""Where it says that a colon stands before the word."""

BUCKETS: Final = 4096
"""Hashes of words and of their endings: rows of the tagger's table."""

#: How words end that say how something is: "expired", "abgelaufen", "bloquée"; and words of several: "case-sensitive".
STATE: Final = re.compile(
    r"[^-]{0,40}(?:ed|ing|able|ible|ive|less|ful|ous|al|ic|ent|ant|ly|en|ert|elt|igt|bar|lich|los|isch|ée?s?|a[dt][oa]s?"
    r"|i[dt][oa]s?|iv[oa])\Z"
    r"|.{1,40}-(?:sensitive|known|based|[a-z]{1,20}ed|time|date|free|only|safe|proof|wide|day|term|off|out|up|in|to|on|long"
    r"|like|specific|related)\Z"
)

_OPENING: Final = "\"'“”„«»‹›([{<`‘’*_¿¡…~"
_CLOSING: Final = ".,;:?\"'”“»›)]}>…`’‘~"
# Figures in groups are one word: "4 4 1 9", "350-218".
_GROUPS: Final = (
    r"(?<![\w.,:/+-])(?:\d(?:[ -]\d){3,9}|\d{2,4}(?:[ -]\d{2,4}){1,2})[#*]?(?![\w,.:/-]\w|\w| ?\d)"
)
_RUN: Final = re.compile(rf"{_GROUPS}|\S+")
_RUN_OR_PLACEHOLDER: Final = re.compile(rf"{PLACEHOLDER}|{_GROUPS}|(?:(?!{PLACEHOLDER})\S)+")
_IS_PLACEHOLDER: Final = re.compile(PLACEHOLDER)
# Signs that end a word within a run, as in "wifi:blue7", "user/blue7".
_WITHIN: Final = re.compile(
    rf"(?<={_LETTER})[:=：](?=[^\s/\\:=])|[→←]|-{{2,}}|—|(?<=\w)[,;](?={_LETTER})|(?<={_LETTER})[/|](?={_LETTER})"
)
_ADDRESS: Final = re.compile(r"\w{1,20}+://|(?:[0-9a-fA-F]{1,4}:){2}")  # of a page, of a machine
_CHANGE: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")
_SIGN_WITHIN: Final = re.compile(r".{1,200}[@!#$%&*+_~^].")
_LEET: Final = re.compile(r"(?=.{0,200}[a-z]).{0,200}[a-z][013457](?:[a-z]|\Z)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?]\s")
_QUOTES: Final = frozenset("\"“”„«»`'‘’")
LONGEST: Final = 200  # characters of a word whose form is looked at
_COMMON: Final = 4.75  # on Zipf's scale: the two thousand most used words of a language
_PLAIN_FORMS: Final = frozenset(("lower", "cap", "upper", "camel"))
_REACH: Final = 8  # characters before and behind a word that are looked at
_REMEMBERED: Final = 5_000  # vectors of plain words, 0.7 kB each
_LONGEST_REMEMBERED: Final = 20  # letters
_REMEMBERED_SIGNS: Final = 2_000  # vectors of what stands between words


class FormedWord(NamedTuple):
    """A word: where it stands in its text, [start, end) in characters, and its form."""

    start: int
    end: int
    form: str


def words(text: str) -> list[FormedWord]:
    """The words of ``text``, in order, without the quotes, brackets and punctuation around them."""
    found, forms = [], dict[str, str]()
    for start, end in _runs(text):
        first, last = start, end
        if text[start] == "[" and _IS_PLACEHOLDER.fullmatch(text, start, end):
            found.append(FormedWord(start, end, "placeholder"))
            continue
        while first < last and text[first] in _OPENING:
            if text[first] == "*" == text[last - 1] and last - first > 1:  # emphasis, as Markdown marks it
                last -= 1
            first += 1
        while last > first and text[last - 1] in _CLOSING:
            last -= 1
        if first >= last:
            first, last = start, end
        word = text[first:last]
        if word not in forms:
            forms[word] = form(word)
        found.append(FormedWord(first, last, forms[word]))
    return found


def _runs(text: str) -> list[tuple[int, int]]:
    runs = []
    for run in (_RUN_OR_PLACEHOLDER if "[" in text else _RUN).finditer(text):
        start, end = run.span()
        if " " not in run[0] and not run[0].isalnum() and not _ADDRESS.match(run[0]):
            for cut in _WITHIN.finditer(run[0]):
                runs += [
                    (start, run.start() + cut.start()),
                    (run.start() + cut.start(), run.start() + cut.end()),
                ]
                start = run.start() + cut.end()
        runs.append((start, end))
    return [(start, end) for start, end in runs if start < end]


def form(word: str) -> str:
    """The form of a word, one of :data:`FORMS`."""
    if len(word) > LONGEST:
        return "other"
    name = "lower" if word.isalpha() else next(name for name, pattern in _FORMS if pattern.match(word))
    if name == "lower" and not word.islower():
        if word.isupper():
            return "upper"
        return "cap" if word[:1].isupper() and word[1:].islower() else "camel"
    if name == "hyphen" and all(part[:1].isupper() for part in word.split("-")):
        return "caphyphen"
    return name


def features(text: str, found: list[FormedWord]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What the tagger is given of each of the N words of a text.

    Returns: (N, :data:`WIDTH`) float32, and (N, 2) int64, the buckets of the word and of its ending.
    """
    alone: list[tuple[NDArray[np.float32], tuple[int, int]]] = []  # of each different word
    row: dict[str, int] = {}  # where it is in that list
    rows: list[int] = []
    around: list[NDArray[np.float32]] = []
    not_spaced: list[int] = []  # words with more than a space before or behind them
    since = 0
    for place, word in enumerate(found):
        written = text[word.start : word.end]
        at = row.get(written)
        if at is None:
            at = row[written] = len(alone)
            plain = written.isalpha() and len(written) <= _LONGEST_REMEMBERED
            alone.append(_remembered(written) if plain else _alone(written, word.form))
        rows.append(at)
        until = found[place + 1].start if place + 1 < len(found) else len(text)
        before = text[max(since, word.start - _REACH) : word.start]
        behind = text[word.end : min(until, word.end + _REACH)]
        since = word.end
        if before != " " or behind != " ":
            not_spaced.append(place)
            around.append(_around(before, behind, first=not place, last=place + 1 == len(found)))
    vectors = np.zeros((len(found), WIDTH), dtype=np.float32)
    if found:
        vectors[:, : WIDTH - _BESIDE] = np.array([vector for vector, _ in alone])[rows]
    if around:
        vectors[not_spaced, WIDTH - _BESIDE :] = np.array(around)
    return vectors, np.array([pair for _, pair in alone], dtype=np.int64).reshape(-1, 2)[rows]


@lru_cache(_REMEMBERED)
def _remembered(word: str) -> tuple[NDArray[np.float32], tuple[int, int]]:
    return _alone(word, form(word))


def forget_words() -> None:
    """Forget the words that were looked at."""
    _remembered.cache_clear()
    _around.cache_clear()


def _alone(word: str, its_form: str) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """What is known of a word without its neighbours, and its two buckets."""
    plain = folded(word)
    changes = sum(1 for _ in _CHANGE.finditer(word))
    english, elsewhere = zipf(plain.strip("'!*"))
    vector = np.zeros(WIDTH - _BESIDE, dtype=np.float32)
    vector[_PLACE[its_form]] = 1
    if its_form in ("mixed", "symbols", "hex") and len(word) >= 14 and changes / len(word) >= 0.35:
        vector[_PLACE["random"]] = 1
    vector[len(FORMS) : CUES_AT] = (
        min(len(word), 40) / 10,
        sum(map(str.isdigit, word)) / len(word),
        sum(map(str.isupper, word)) / len(word),
        (len(word) - sum(map(str.isalnum, word))) / len(word),
        changes / max(len(word) - 1, 1),
        word[-1] in "!#*$%",
        _SIGN_WITHIN.match(word) is not None,
        not word.isdigit() and _LEET.match(word) is not None,
    )
    for cue in cues(plain):
        vector[CUES_AT + cue] = 1
    vector[-_FREQUENCY:] = (
        english / 8,
        elsewhere / 8,
        not english and not elsewhere,
        max(english, elsewhere) > _COMMON,
    )
    if plain.isalpha() or its_form in _PLAIN_FORMS or len(plain) <= 2:
        plain = plain.rstrip("!*") or plain
        hashed = _bucket(plain), _bucket(f"~{plain[-4:]}")
    else:  # a value is told by its form, not learned by heart
        hashed = (_bucket(f"#{its_form}"),) * 2
    return vector, hashed


def _numbers(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def _bucket(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS


@lru_cache(_REMEMBERED_SIGNS)
def _around(before: str, behind: str, *, first: bool, last: bool) -> NDArray[np.float32]:
    """What stands between a word and its neighbours."""
    return _numbers(
        *(
            first,
            "\n" in before,
            ":" in before,
            "=" in before,
            "→" in before or "->" in before,
            "(" in before,
            not _QUOTES.isdisjoint(before),
            before.strip() in ("-", "–", "—"),
            "," in before,
            _SENTENCE.search(before) is not None,
            last,
            "\n" in behind,
            "." in behind,
            "," in behind,
            "?" in behind,
            ")" in behind,
            not _QUOTES.isdisjoint(behind),
            ":" in behind,
        )
    )
