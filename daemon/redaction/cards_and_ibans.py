"""Rules for card numbers and IBANs: how they are written, and their check digits."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Span: TypeAlias = tuple[int, int]

# One of what stands between groups, mixed as people do: a sign, spaces, a line break of a narrow letterhead.
_BETWEEN: Final = r"(?:[ \t]?[-.–·/][ \t]?|[ \t]{1,3}|[ \t]{0,3}\r?\n[ \t>]{0,4})"
# Both look ahead: what turns out to be none (a year, a week) must not use up the number that begins within it.
#: What may be a card's number.
CARD: Final = re.compile(
    rf"(?<![\w.-])(?=(?P<s>[2-6]\d{{11,18}}"
    rf"|[2-6]\d{{3}}{_BETWEEN}\d{{4}}{_BETWEEN}?\d{{4}}{_BETWEEN}\d{{4}}(?:{_BETWEEN}\d{{1,3}})?"
    rf"|[2-6]\d{{7}}{_BETWEEN}\d{{8}}"
    rf"|3\d{{3}}{_BETWEEN}\d{{6}}{_BETWEEN}\d{{4,5}})(?![\w-]))"
)
#: What an IBAN may begin in.
IBAN: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?=(?P<s>[A-Za-z]{{2}}[ ]?\d{{2}}(?:{_BETWEEN}?[A-Za-z0-9]){{11,40}}))"
)
#: The figures on the back, in few words behind a card's number (or before it) and at the end of what is said: no
#: date, no price, no count of something.
BACK: Final = re.compile(
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
        if _RANGES.fullmatch(digits) and _luhn(digits):
            return start, start + len(tried)
    return None


_SIGNS: Final = " \t\r\n>.–·/-"
_LAST: Final = re.compile(rf"[{_SIGNS}]+")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


# Length of an IBAN by country (ISO 13616 registry).
_IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG YE",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}


def iban(match: re.Match[str]) -> Span | None:
    """The first characters of the match that make a whole IBAN (ISO 7064 MOD 97-10)."""
    length = _IBAN_LENGTHS.get(match["s"][:2].upper())
    if length is None:
        return None
    places = [place for place, char in enumerate(match["s"]) if char.isalnum()][:length]
    rest = match.string[match.start("s") + places[-1] + 1 :][:1]
    if len(places) < length or rest.isalnum():
        return None
    letters = "".join(match["s"][place] for place in places)
    number = "".join(str(int(char, 36)) for char in letters[4:] + letters[:4])
    start = match.start("s")
    return (start, start + places[-1] + 1) if int(number) % 97 == 1 else None
