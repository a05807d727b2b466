"""Recovery seeds: words of a BIP 39 list in a row."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from idiolect.daemon.text.redaction.rule import Span, lazy

#: The fewest words of a phrase (BIP 39 has 12, 15, 18, 21 and 24).
FEWEST: Final = 12
MAX: Final = 24
_WORD: Final = r"(?:[^\W\d_]{3,11}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]{1,8})"
# Between two words: white space, a comma, the end of a line, the number of the next.
_BETWEEN: Final = r"(?:[ \t]{0,2}[,;.|/·•-]?[\s]{1,3}[>*•-]?[ \t]{0,2}(?:\(?\d{1,2}[.):=]{0,2}[ \t]{0,2})?|,)"
_ROW: Final = lazy(rf"(?<![^\W\d_]){_WORD}(?:{_BETWEEN}{_WORD}(?![^\W\d_])){{{FEWEST - 1},}}+")
_EACH: Final = lazy(_WORD)


def _writings(word: str) -> set[str]:
    """A word as it is written, and without its accents."""
    if word.isascii():
        return {word}
    apart = unicodedata.normalize("NFKD", word)
    return {
        unicodedata.normalize("NFC", word),
        "".join(char for char in apart if not unicodedata.combining(char)),
    }


@cache
def _lists() -> dict[str, int]:
    """Each word of each list, as written and without its accents, with a bit for each language that has it."""
    from mnemonic import Mnemonic  # the lists are read where a text first has a row of words that may be one

    found: dict[str, int] = {}
    for place, language in enumerate(Mnemonic.list_languages()):
        for word in Mnemonic(language).wordlist:
            for written in _writings(word):
                found[written] = found.get(written, 0) | 1 << place
    found |= {str(number): 0 for number in range(1, MAX + 1)}  # what stands before words in lists
    return found


def find(text: str) -> Iterator[Span]:
    """Where seed phrases are in `text`, each as [start, end): words of one list in a row, with one slip at most."""
    if not _has_row(text):
        return
    known = _lists()
    for row in _ROW.finditer(text):
        words = [
            (match.span(), known.get(match[0].lower(), 0)) for match in _EACH.finditer(text, *row.span())
        ]
        place = 0
        while place < len(words):
            last, shared, slips = place, words[place][1], 0
            for following in range(place + 1, len(words)) if shared else ():
                if shared & words[following][1]:
                    shared &= words[following][1]
                    last = following
                elif slips or following - last > 1:
                    break
                else:
                    slips += 1
            start, end, count = words[place][0][0], words[last][0][1], last - place + 1
            # Drawn from 2,048, hardly a word comes twice; "word word word" is somebody's joke or padding.
            if count >= FEWEST and 3 * len(set(_EACH.findall(text, start, end))) >= 2 * count:
                yield start, end
            place = max(last, place) + 1


_STEP: Final = 3
_ROW_OF: Final = bytes([True]) * (FEWEST // _STEP)
_SIGNS: Final = ",.;:|()\"'"


def _has_row(text: str) -> bool:
    """Whether every third word is of some list, or a number, four times on end: in most texts none is."""
    text = text.lower()
    for sign in _SIGNS:
        text = text.replace(sign, " ")
    return _ROW_OF in bytes(map(_lists().__contains__, text.split()[::_STEP]))
