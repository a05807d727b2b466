"""A text in plain characters, each in its place: full widths, capitals and line ends are unified."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPACES: Final = "\u00a0\u2002-\u200a\u202f\u3000"
_HYPHENS: Final = "\u2010-\u2012\u2212"
# Full-width signs, letters in mathematical styles, and the digits of scripts that many people write figures in.
_OTHER: Final = re.compile(
    rf"[{_SPACES}{_HYPHENS}\uff01-\uff5e\U0001d400-\U0001d7ff\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59]"
)


def plain(text: str) -> str:
    """`text` in which each digit, letter, space and hyphen of another width is the ASCII one; as long as before.

    The form NFKC of the whole text would move what stands behind such a character; here each stays in its place.
    """
    return text if text.isascii() else _OTHER.sub(_ascii, text)


def _ascii(match: re.Match[str]) -> str:
    char = match[0]
    folded = unicodedata.normalize("NFKC", char)
    if folded.isascii() and len(folded) == 1:
        return folded
    digit = unicodedata.decimal(char, None)
    return str(digit) if digit is not None else "-" if unicodedata.category(char) in ("Pd", "Sm") else char


_CAPITALS: Final = r"[^\W\d_a-zß-öø-ÿ]++(?!\w)"
_SHOUTED: Final = re.compile(rf"(?<![\w-]){_CAPITALS}(?:[ \t'’]{_CAPITALS})++")
_LABEL_END: Final = re.compile(r"(?<=[:：])[ \t]{0,8}\n(?:[ \t]{0,8}\n)?")


def unadorned(text: str) -> str:
    """`text` with spaces for line ends behind a colon, and with rows of capitals in small letters."""
    return _SHOUTED.sub(_quiet, _LABEL_END.sub(_spaces, text))


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _quiet(match: re.Match[str]) -> str:
    words = match[0]
    return words.lower() if words.isupper() and len(words.lower()) == len(words) else words
