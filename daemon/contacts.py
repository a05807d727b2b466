"""E-mail addresses, phone numbers and web addresses: kept like any text, and known, to be offered less lightly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ContactKind: TypeAlias = Literal["e-mail", "phone", "url"]


@dataclass(frozen=True)
class Contact:
    """One of them in a text, from `start` to before `end`; equal `key`s are the same address or number."""

    kind: ContactKind
    start: int
    end: int
    key: str


def contacts(text: str) -> list[Contact]:
    """All contacts in `text`, in order, none within another; also one whose end is not there yet (`ann@exam`).

    Takes time linear in the text's length.
    """
    found: list[Contact] = []
    if "." in text or ":" in text:
        for match in _URL.finditer(text):
            end = match.start() + len(match[0].rstrip(_TAIL))
            found.append(Contact("url", match.start(), end, text[match.start() : end].casefold().rstrip("/")))
    if "@" in text:
        found += [
            Contact("e-mail", *match.span(), match[0].casefold())
            for match in _EMAIL.finditer(text)
            if not _inside(match, found)
        ]
    if _DIGITS.search(text):
        for match in _NUMBER.finditer(text):
            number = match["n"]
            digits = re.sub(r"\D", "", number)
            if (
                (match["word"] or (_SHAPE.fullmatch(number) and not _DATE.fullmatch(number)))
                and len(digits) <= _MOST
                and not _inside(match, found)
            ):
                found.append(Contact("phone", *match.span("n"), digits.removeprefix("00")))
    return sorted(found, key=lambda contact: contact.start)


def kinds_of_contact(text: str) -> frozenset[ContactKind]:
    """Which kinds of contacts are in `text`."""
    return frozenset(contact.kind for contact in contacts(text))


def _inside(match: re.Match[str], found: list[Contact]) -> bool:
    return any(contact.start < match.end() and match.start() < contact.end for contact in found)


_TAIL: Final = ".,;:!?)]}>\"'`"
_MOST: Final = 15  # digits of a phone number (E.164)

# A run that begins within a longer one is never tried: the look-behinds keep the time linear.
_EMAIL: Final = re.compile(
    r"(?<![\w.+%-])[\w+%-](?:[\w.+%-]{0,62}[\w+%-])?@(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}"
)
_TOP: Final = (  # endings that are no endings of files or words
    "com|org|net|edu|gov|mil|int|info|dev|app|io|eu|uk|de|fr|nl|ch|ca|au|jp|br|ru|se|fi|dk|cz|pl|hu|nz|kr|tv"
)
_HOST: Final = rf"(?:[a-z0-9-]{{1,63}}\.){{1,6}}(?:{_TOP}|(?:co|ac|org|gov|com|net|edu)\.[a-z]{{2}})"
_URL: Final = re.compile(
    r"(?i:(?<![a-z0-9])(?:https?|ftps?|sftp|ssh|git|file|ipfs|irc|wss?)://[^\s<>\"]+"
    r"|(?<![\w@./-])www\.[^\s<>\"]+"
    rf"|(?<![\w@./-]){_HOST}(?![\w@-]|\.\w)(?::\d{{2,5}})?(?:/[^\s<>\"]*)?)"
)
_DIGITS: Final = re.compile(r"\d{3}|\d[ ./-]\d")
_DATE: Final = re.compile(r"(?:\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./ ])\d{1,2}\2(?:\d{4}|\d{2}))")
# First what may be a number at all, each digit in one way only; whether it is one, its shape says, or a word before.
_NUMBER: Final = re.compile(
    r"(?<![\w.,:/+-])(?:(?i:(?P<word>(?<![a-z])(?:tel(?:ephone|efon)?|phone|mobile|cell|fax|call|ring|dial|whatsapp"
    r"|sms|text|hp|handy|mob)(?:[ ](?:me|us|him|her|them|at|on|no|nr|num|number|is)){0,3}[ .:#]{1,4})))?"
    r"(?P<n>(?:\+[ ]?|(?<!\d))\(?\d(?:[ ./()-]{0,3}\d){5,16})(?![\w-]|[.,:/]\d)"
)
_SHAPE: Final = re.compile(
    r"(?:\+[ ]?|00)[1-9][\d ()./-]+"  # with its country
    r"|(?:1[ .-])?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}|[2-9]\d{9}|\d{3}-\d{4}"  # North America
    r"|\(0\d{1,5}\)[ ./-]?[\d ./-]+|0[1-9]\d{1,4}[ /-][\d -]+|0[1-9]\d{7,10}|0\d(?:[ .]\d{2}){4}"  # trunk prefix
)
