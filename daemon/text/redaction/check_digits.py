"""Numbers with a form and check digits: cards, IBANs, and national identity numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final

from stdnum import luhn
from stdnum.iban import is_valid as is_iban

from idiolect.daemon.text.redaction.rule import Span, lazy

# --- cards and IBANs

# One of what stands between groups, mixed as people do: a sign, spaces, a line break of a narrow letterhead.
_BETWEEN: Final = r"(?:[ \t]?[-.–·/][ \t]?|[ \t]{1,3}|[ \t]{0,3}\r?\n[ \t>]{0,4})"
# Both look ahead: what turns out to be none (a year, a week) must not use up the number that begins within it.
#: What may be a card's number.
CARD: Final = (
    rf"(?<![\w.-])(?=(?P<s>[2-6]\d{{11,18}}"
    rf"|[2-6]\d{{3}}{_BETWEEN}\d{{4}}{_BETWEEN}?\d{{4}}{_BETWEEN}\d{{4}}(?:{_BETWEEN}\d{{1,3}})?"
    rf"|[2-6]\d{{7}}{_BETWEEN}\d{{8}}"
    rf"|3\d{{3}}{_BETWEEN}\d{{6}}{_BETWEEN}\d{{4,5}})(?![\w-]))"
)
#: What an IBAN may begin in.
IBAN: Final = rf"(?<![A-Za-z0-9])(?=(?P<s>[A-Za-z]{{2}}[ ]?\d{{2}}(?:{_BETWEEN}?[A-Za-z0-9]){{11,40}}))"
#: The figures on the back, in few words behind a card's number (or before it) and at the end of what is said: no
#: date, no price, no count of something.
BACK: Final = (
    r"\[card\](?:(?!\[|\n\n)[\s\S]){1,90}?(?<![\w.,/:€$£#+-])(?<![€$£] )(?<![\d(] )(?P<s>\d{3})"
    r"(?=[.,;:!?)\"'»”*_]{0,3}(?:[ \t]{0,8}\Z|[ \t]{0,8}\n)"
    r"|[.;!?)]{1,3}\s|,[ \t]{1,8}(?!\d)|[ \t]{1,8}(?:(?:and|und|et|y|e|en|o)\b|[(–—]))"
)

# Lengths by the issuers' prefixes (ISO/IEC 7812 ranges of the large networks).
_RANGES: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d|0\d\d)\d{12}(?:\d{3})?|35\d{14}|62\d{14,17}"
    r"|220[0-4]\d{12,15}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
)


def card(match: re.Match[str]) -> Span | None:
    """The span of a match of `CARD` that a network may have issued and whose check digit is right (Luhn).

    What stands behind a number in groups may be another one, such as a date: it is tried without.
    """
    start, written = match.start("s"), match["s"]
    last = len(written) - len(_LAST.split(written)[-1])
    for tried in (written, written[:last].rstrip(_SIGNS)):
        digits = re.sub(r"\D", "", tried)
        if _RANGES.fullmatch(digits) and luhn.is_valid(digits):
            return start, start + len(tried)
    return None


_SIGNS: Final = " \t\r\n>.–·/-"
_LAST: Final = re.compile(rf"[{_SIGNS}]+")


_IBAN_LENGTHS: Final = range(15, 35)  # characters (ISO 13616); each country has one length


def iban(match: re.Match[str]) -> Span | None:
    """The first characters of the match that make a whole IBAN: check digits (ISO 7064), letters where they belong."""
    start, written = match.start("s"), match["s"]
    places = [place for place, char in enumerate(written) if char.isalnum()]
    letters = "".join(written[place] for place in places).upper()
    for length in _IBAN_LENGTHS:
        if length <= len(letters) and is_iban(letters[:length], check_country=False):
            end = start + places[length - 1] + 1
            return None if match.string[end : end + 1].isalnum() else (start, end)
    return None


# --- national numbers

#: Written so that the form tells much: module of python-stdnum (or a name of `_OWN`), pattern. All are tried, in
#: this order, at each place where a number may begin.
SHAPES: Final[tuple[tuple[str, str], ...]] = (
    ("ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}"),
    ("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    ("ru", r"\d{3}-\d{3}-\d{3}[ -]\d{2}"),
    ("cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]"),
    ("be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}[.-]\d{2}"),
    ("us.ssn", r"\d{3}-\d{2}-\d{4}"),
    ("kr.rrn", r"\d{6}-[0-9]\d{6}"),
    ("lv.pvn", r"\d{6}-\d{5}"),
    ("se.personnummer", r"(?:19|20)?\d{6}[-+]\d{4}"),
    ("se.personnummer", r"(?:19|20)\d{10}"),
    ("fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]"),
    ("cz.rc", r"\d{6}/\d{3,4}"),
    ("my.nric", r"\d{6}-\d{2}-\d{4}"),
    ("ar.cuit", r"\d{2}-\d{8}-\d"),
    ("pk.cnic", r"[1-7]\d{4}-\d{7}-\d"),
    ("ae", r"784-\d{4}-\d{7}-\d"),
    ("do.cedula", r"\d{3}-\d{7}-\d"),
    ("th.pin", r"\d-\d{4}-\d{5}-\d{2}-\d"),
    ("fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"),
    ("cn", r"\d{17}[\dXx]"),
    ("no.fodselsnummer", r"\d{6} ?\d{5}"),
    ("es.dni", r"\d{8}[- ]?[A-Z]"),
    ("es.nie", r"[XYZ][- ]?\d{7}[- ]?[A-Z]"),
    (
        "it.codicefiscale",
        r"[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2} ?[A-EHLMPRST] ?[\dLMNP-V]{2} ?[A-Z] ?[\dLMNP-V]{3} ?[A-Z]",
    ),
    ("it.codicefiscale", r"[a-z]{6}\d{2}[a-z]\d{2}[a-z]\d{3}[a-z]"),
    ("mx.curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d"),
    ("gb", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    ("sg", r"[STFG]\d{7}[A-Z]"),
    ("driver", r"[A-Z][A-Z9]{4} ?\d{6} ?[A-Z][A-Z9] ?\d ?[A-Z]{2}"),
    ("kv", r"[A-Z]\d{9}"),
    ("rv", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
    ("pis", r"\d{3}\.\d{5}\.\d{2}-\d"),
    ("ie.pps", r"\d{7}[A-W][A-IW]?"),
    ("in_.pan", r"[A-Z]{3}P[A-Z]\d{4}[A-Z]"),
    ("hk", r"[A-Z]{1,2}\d{6}\([\dA]\)"),
)

#: Words that must stand right before a number, since its form alone says too little, and its module. Numbers that
#: `near_words.papers` finds some words away are not here.
NAMED: Final[tuple[tuple[str, str], ...]] = (
    (r"id-nr|tin", "de.idnr"),
    (r"cpr|cpr-nr|cpr-nummer|cprnummer", "dk.cpr"),
    (r"cnp", "ro.cnp"),
    (r"egn|егн", "bg.egn"),
    (r"oib", "hr.oib"),
    (r"isikukood", "ee.ik"),
    (r"asmens kodas", "lt.asmens"),
    (r"amka|αμκα", "gr.amka"),
    (r"nhs", "gb.nhs"),
    (r"nas", "ca.sin"),
    (r"itin", "us.itin"),
    (r"id|identity|sa id", "za.idnr"),
    (r"kimlik", "tr.tckimlik"),
    (r"teudat zehut|id|identity|תעודת זהות", "il.idnr"),
    (r"emšo|emso|jmbg", "si.emso"),
    (r"kennitala", "is_.kennitala"),
    (r"nik|ktp", "id.nik"),
    (r"my number|mynumber|マイナンバー|個人番号", "jp.in_"),
    (r"инн|inn", "ru.inn"),
    (r"rut|run", "cl.rut"),
    (r"rodne cislo|rodné číslo", "cz.rc"),
    (r"fødselsnummer|fodselsnummer|personnummer", "no.fodselsnummer"),
    (r"personnummer|pnr", "se.personnummer"),
    (r"cc|cartão de cidadão", "pt.cc"),
)

_AT: Final = r"(?<![\w.,/-])(?<![#+])"
_TO: Final = r"(?![\w-])(?!\.\d|/\d)"
_EACH: Final = tuple((name, lazy(shape + _TO)) for name, shape in SHAPES)
_SHAPE: Final = lazy(
    _AT
    + r"(?:(?=\d)(?:"
    + "|".join(shape for _, shape in SHAPES if not re.match(r"\[[A-Za-z]", shape))
    + r")|(?=[A-Za-z])(?:"
    + "|".join(shape for _, shape in SHAPES if re.match(r"\[[A-Za-z]", shape))
    + "))"
    + _TO
)
_NAMED: Final = tuple(
    (
        tuple(frozenset(re.findall(r"[^\W\d_]+", word)) for word in words.split("|")),
        lazy(
            rf"(?i:(?<![^\W_])(?:{words})"
            r"[ ]?(?:(?:card|code|kodas|number|nummer|no|nr|num|is|ist|lautet|är|er|to)\.?[ ]?|[:=#().-][ ]?"
            r"|\(?idnr\)?[ ]?){0,4})(?P<v>[A-Z]{0,5}\d(?:[ ./-]?\d){3,13}(?:[ ./-]?[A-Z0-9]{1,3})?)(?![\w-])"
        ),
        name,
    )
    for words, name in NAMED
)
_BEFORE, _BEHIND = 10, 12  # characters of a number that may stand around what makes it worth while to look
_LETTERS: Final = lazy(r"[^\W\d_]+")
#: What makes it worth while to look: figures close together, or letters and figures as in Italy and India.
_WORTH: Final = lazy(
    r"(?<!\d)(?!(?:19|20)\d\d-\d\d-\d\d(?!\d))\d(?:(?:[ ./+-]?[\dA]){5}|\d ?[A-Za-z] ?\d\d ?[A-Za-z] ?\d{3}|\d{3}[A-Z])"
)


def national_numbers(text: str) -> list[Span]:
    """Where national identity numbers are in `text` whose check digits are right, each as [start, end)."""
    places = [match.span() for match in _WORTH.finditer(text)]
    if not places:
        return []
    found = []
    for start, end in places:
        for match in _SHAPE.finditer(text, max(0, start - _BEFORE), end + _BEHIND):
            if (span := _shaped(text, match.start())) is not None:
                found.append(span)
    said = set(_LETTERS.findall(text.lower()))
    for words, pattern, name in _NAMED:
        if any(map(said.issuperset, words)):
            found += [match.span("v") for match in pattern.finditer(text) if check(name)(match["v"])]
    return found


def _shaped(text: str, start: int) -> Span | None:
    for name, shape in _EACH:
        match = shape.match(text, start)
        if match is not None and check(name)(match[0]):
            return match.span()
    return None


@cache
def check(name: str) -> Callable[[str], bool]:
    """What tells whether a number's check digits are right: a module of python-stdnum, or our own."""
    # Loaded where a text has such a number: most users have those of one country or two.
    if name in _OWN:
        return _OWN[name]
    check: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return check


# What python-stdnum does not know, or knows too strictly.


def _chinese(written: str) -> bool:
    """GB 11643-1999, without asking which counties there were in which year."""
    from datetime import date

    from stdnum.cn import ric

    try:
        date(int(written[6:10]), int(written[10:12]), int(written[12:14]))
    except ValueError:
        return False
    return 1900 <= int(written[6:10]) <= 2100 and ric.calc_check_digit(written[:-1]) == written[-1].upper()


def _british(written: str) -> bool:
    """National Insurance numbers have no check digit, but prefixes that are never given."""
    return written[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def _singaporean(written: str) -> bool:
    total = sum(
        int(digit) * weight for digit, weight in zip(written[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True)
    )
    total += 4 if written[0] in "TG" else 0
    return written[8] == ("JZIHGFEDCBA" if written[0] in "ST" else "XWUTRQPNMLK")[total % 11]


def _hongkongese(written: str) -> bool:
    body = written[:-3].rjust(8)
    values = [36 if char == " " else int(char, 36) for char in body]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (total + int(written[-2], 16)) % 11 == 0


def _russian(written: str) -> bool:
    """SNILS: the weighted sum, modulo 101."""
    digits = re.sub(r"\D", "", written)
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
    return total % 101 % 100 == int(digits[9:])


def _digits(written: str) -> list[int]:
    """The figures of a German insurance number: its letter as two of them, A as 01."""
    letters = "".join(
        f"{ord(char) - 64:02d}" if char.isalpha() else char for char in written if char.isalnum()
    )
    return [int(char) for char in letters]


def _crossfoot(figures: list[int], weights: tuple[int, ...]) -> int:
    """The sum of the digits of the weighted figures, modulo 10 (§ 290 SGB V, § 4 VKVV)."""
    return sum(sum(divmod(figure * weight, 10)) for figure, weight in zip(figures, weights, strict=True)) % 10


def _insured(written: str) -> bool:
    """The lifelong part of a German health insurance number."""
    figures = _digits(written)
    return _crossfoot(figures[:10], (1, 2) * 5) == figures[10]


def _pensioned(written: str) -> bool:
    """A German pension insurance number: area, birthday, letter, serial, check digit."""
    figures = _digits(written)
    day, month = figures[2] * 10 + figures[3], figures[4] * 10 + figures[5]
    born = 1 <= day <= 31 and 1 <= month <= 12
    return born and _crossfoot(figures[:12], (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) == figures[12] % 10


def _driver(written: str) -> bool:
    """A British driver number: decade, month (of women 50 more), day and year of birth in its figures."""
    figures = written.replace(" ", "")[5:11]
    return int(figures[1:3]) % 50 in range(1, 13) and figures[1] in "0156" and 1 <= int(figures[3:5]) <= 31


def _employed(written: str) -> bool:
    """A Brazilian PIS or PASEP number."""
    figures = [int(char) for char in written if char.isdigit()]
    total = sum(
        figure * weight for figure, weight in zip(figures, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2), strict=False)
    )
    return (11 - total % 11) % 11 % 10 == figures[10]


_OWN: Final[dict[str, Callable[[str], bool]]] = {
    "cn": _chinese,
    "gb": _british,
    "sg": _singaporean,
    "hk": _hongkongese,
    "ru": _russian,
    "ae": lambda written: luhn.is_valid(re.sub(r"\D", "", written)),
    "kv": _insured,
    "rv": _pensioned,
    "driver": _driver,
    "pis": _employed,
}
