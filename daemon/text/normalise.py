"""Normalisation of texts: Unicode NFC, plain spaces and line ends, nothing invisible; long texts are cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

import regex

#: Longest piece that is kept as one entry, in characters, where it can be cut between words.
PIECE_CHARS: Final = 2000

# More marks on one letter than any script has (30: Unicode Standard Annex 15, "Stream-Safe Text Format"): NFC sorts
# them in time quadratic in their number.
_MANY_MARKS: Final = regex.compile(r"(\p{M}{30})\p{M}+")
_LINE_ENDS: Final = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_TERMINAL: Final = re.compile(r"\x1b(?:\[[0-?]{0,30}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\))")
# Control characters; soft hyphen, zero-width space, word joiner, byte order mark, directional marks.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    r"\ud800-\udfff]"
)
# A joiner makes letters and emoji what they are (Persian, Hindi, families); beside ASCII it does nothing.
_JOINER: Final = re.compile(
    r"(?<![^\x00-\x7f\s\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\s\u200c\u200d])"
)
_BLANKS: Final = re.compile(r"[\u00a0\u2007\u202f]")  # no-break spaces
_LINE_TAIL: Final = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_SENTENCE_END: Final = re.compile(r"[.!?…][\"'”’)\]]*\s|[。！？]|\n")


def normalise(text: str) -> str:
    """`text` in Unicode's NFC with plain line ends and spaces, without characters that nobody sees.

    Terminal sequences, control and zero-width characters go (but not the joiners that scripts and emoji
    need), no-break spaces become spaces, blanks at line ends and around the text go. Letter case, words
    and tabs stay as they are. Idempotent.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MANY_MARKS.sub(r"\1", text))
    text = _LINE_ENDS.sub("\n", text)
    text = _INVISIBLE.sub("", _TERMINAL.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _JOINER.sub("", _BLANKS.sub(" ", text)))
    return _EMPTY_LINES.sub("\n\n", _LINE_TAIL.sub("", text)).strip()


def has_words(text: str) -> bool:
    """Whether anything in `text` was meant to be read: a letter, a figure, or a symbol such as an emoji."""
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in text)


def pieces(text: str, longest_chars: int = PIECE_CHARS) -> Iterator[str]:
    """`text` in pieces of at most `longest_chars`, cut after sentences where possible, else between words."""
    start, end = 0, len(text)
    while end - start > longest_chars:
        cut = 0
        for match in _SENTENCE_END.finditer(text, start + longest_chars // 2, start + longest_chars):
            cut = match.end()
        cut = cut or max(text.rfind(blank, start + 1, start + longest_chars) for blank in " \t")
        cut = cut if cut > 0 else start + longest_chars
        if piece := text[start:cut].strip():
            yield piece
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if rest := text[start:].strip():
        yield rest
