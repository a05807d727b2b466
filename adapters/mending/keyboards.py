"""Keyboard layouts: which keys are neighbours, and so are hit for each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Layout = Literal["qwerty", "qwertz", "azerty", "qwerty-es", "dvorak", "colemak"]

ROWS: Final[Mapping[Layout, tuple[str, str, str]]] = {
    "qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "qwerty-es": ("qwertyuiop", "asdfghjklñ", "zxcvbnm"),
    "dvorak": ("'  pyfgcrl", "aoeuidhtns", " qjkxbmwvz"),
    "colemak": ("qwfpgjluy", "arstdhneio", "zxcvbkm"),
}
"""The letters of each layout, row by row."""
_USUAL: Final[Mapping[str, Layout]] = {"de": "qwertz", "fr": "azerty", "es": "qwerty-es"}


def neighbours(layout: Layout) -> dict[str, frozenset[str]]:
    """Return for each letter the letters of the keys around it, in its row and in the rows above and below."""
    rows = ROWS[layout]
    found = {}
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter == " ":  # a key without a letter
                continue
            around = {
                rows[j][i]
                for j in (y - 1, y, y + 1)
                for i in (x - 1, x, x + 1)
                if 0 <= j < len(rows) and 0 <= i < len(rows[j])
            }
            found[letter] = frozenset(around - {letter, " "})
    return found


def usual_layout(language: str) -> Layout:
    """Return the layout that most people use who write a language."""
    return _USUAL.get(language, "qwerty")
