"""X key symbols: which character a key types, and which keys are modifiers or shortcuts."""

from __future__ import annotations

import unicodedata
from typing import Final

from idiolect.daemon.session.keys import ALT, CONTROL, SUPER

KEYPAD_ENTER: Final = 0xFF8D
#: What makes a key a shortcut. AltGr (1 << 7) does not: it types characters.
_SHORTCUT: Final = CONTROL | ALT | SUPER | 1 << 26 | 1 << 27 | 1 << 28
RELEASE: Final = 1 << 30

#: Of the older names of characters, those whose tables are ISO 8859's: the high byte says which.
_CODECS: Final = {1: "iso8859-2", 2: "iso8859-3", 3: "iso8859-4", 0x13: "iso8859-15"}
_SINGLE: Final = {
    0x20AC: "€",
    0xAA9: "—",
    0xAAA: "–",
    0xAD0: "‘",
    0xAD1: "’",
    0xAD2: "“",
    0xAD3: "”",
    0xAFE: "„",
}


def is_modifier(value: int) -> bool:
    """Whether a key types nothing itself: Shift and the like, and the switches of layouts."""
    return 0xFFE1 <= value <= 0xFFEE or 0xFE01 <= value <= 0xFE13 or value in (0xFF7E, 0xFF7F, 0xFFFFFF)


def is_alt(value: int) -> bool:
    """Whether a key is one of those that hold Alt."""
    return value in (0xFFE9, 0xFFEA)


def is_shortcut(state: int) -> bool:
    """Whether a modifier is held with which a key types nothing."""
    return bool(state & _SHORTCUT)


def digit(value: int) -> int | None:
    """Which digit of the main block a key is."""
    return value - 0x30 if 0x30 <= value <= 0x39 else None


def in_number_row(code: int) -> int | None:
    """Which digit a key of the number row has, by its place; some layouts type it with Shift alone."""
    return (code - 1) % 10 if 2 <= code <= 11 else None


def is_composing(value: int) -> bool:
    """Whether a key only begins a character: a dead key, or Compose."""
    return 0xFE50 <= value <= 0xFE8F or value == 0xFF20


def of_character(char: str) -> int:
    """Return the symbol of the key that types a character."""
    return ord(char) if ord(char) <= 0xFF else 0x01000000 + ord(char)


def character(value: int) -> str | None:
    """The character that a key types; None where it types none, or none that is known here."""
    if 0x20 <= value <= 0x7E or 0xA0 <= value <= 0xFF:
        return chr(value)
    if 0x01000100 <= value <= 0x0110FFFF:
        found = chr(value - 0x01000000)
        return found if unicodedata.category(found)[0] != "C" else None
    if 0xFFAA <= value <= 0xFFB9:  # the keypad
        return chr(value - 0xFF80)
    if value in _SINGLE:
        return _SINGLE[value]
    codec = _CODECS.get(value >> 8)
    if codec is None or value & 0xFF < 0xA0:
        return None
    try:
        return bytes([value & 0xFF]).decode(codec)
    except UnicodeDecodeError:
        return None
