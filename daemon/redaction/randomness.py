"""Strings that nobody thought up: told from names, versions, hashes and paths by how their characters change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The shortest word that is told from others, in characters.
SHORTEST: Final = 16
#: Pairs of letters that make up most of English and of the names in programs; of random pairs they are a third.
_PAIRS: Final = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me "
    "de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot "
    "il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai "
    "sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke ui fr oo av "
    "ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef "
)
_COMMON: Final = frozenset(_PAIRS.split())
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F-]+")
_PUBLIC: Final = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)-|AAAA[BCE]3Nza|urn:|[A-Za-z]+://")
_FIGURE: Final = re.compile("[0-9]")
_LETTERS: Final = re.compile(r"[A-Za-z]{2,}")
_CHANGE: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")

# A run of characters that random strings are written with, in a word.
_WORD: Final = re.compile(rf"(?<!\S)\S{{{SHORTEST},}}")
_RUN: Final = re.compile(
    r"(?<![\w+/.:@$%&?#~-])(?P<s>[A-Za-z0-9][A-Za-z0-9+/_-]{14,}[A-Za-z0-9+/_-]={0,2})(?![\w@+/=-]|[.:/]\w)"
)


def common_pairs(word: str) -> float:
    """The share of the letter pairs of `word` that are common in words: a third where they were drawn at random."""
    pairs = [
        run[place : place + 2].lower() for run in _LETTERS.findall(word) for place in range(len(run) - 1)
    ]
    return sum(pair in _COMMON for pair in pairs) / len(pairs) if pairs else 0.0


def is_random(word: str) -> bool:
    """Whether a word of letters, figures and `+/_-=` was drawn at random, by chance of error of a few in a hundred.

    Hashes in hexadecimal, UUIDs, digests that say so and public keys are none: they are no secrets. Random
    characters change between small letters, capitals and figures at six places in ten, and a third of their
    letter pairs are common in words; in names it is the other way round.
    """
    body = word.rstrip("=")
    figures = len(_FIGURE.findall(body))
    if len(body) < SHORTEST or (not figures and (len(body) < 24 or body.islower())):
        return False
    if _HEX.fullmatch(body) or _PUBLIC.match(body):
        return False
    written = sum(map(str.isalnum, body))
    changes = sum(1 for _ in _CHANGE.finditer(body)) / max(written - 1, 1)
    common = common_pairs(body)
    if body.upper() == body or body.lower() == body:  # one case of letters: figures must tell
        return len(body) >= 20 and 0.1 <= figures / written <= 0.6 and changes >= 0.25 and common <= 0.66
    if figures:
        return changes >= (0.4 if len(body) >= 20 else 0.5) and (common <= 0.66 or changes >= 0.55)
    return len(body) >= 24 and changes >= 0.4 and common <= 0.55


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where random strings are in `text`, each as [start, end); what is in web addresses is none of them."""
    for word in _WORD.finditer(text):
        body = word[0]
        if (_FIGURE.search(body) or (len(body) >= 24 and not body.islower())) and "://" not in body:
            for run in _RUN.finditer(text, *word.span()):
                if is_random(run["s"]):
                    yield run.span("s")
