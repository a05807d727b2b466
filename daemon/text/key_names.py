"""Names of keys in settings, such as `Alt+1`, and the numbers that X has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACKSPACE: Final = 0xFF08
TAB: Final = 0xFF09
RETURN: Final = 0xFF0D
ESCAPE: Final = 0xFF1B
UP: Final = 0xFF52
DOWN: Final = 0xFF54
DELETE: Final = 0xFFFF

SHIFT: Final = 1 << 0
CONTROL: Final = 1 << 2
ALT: Final = 1 << 3
SUPER: Final = 1 << 6

#: Names as X has them, for settings.
_NAMED: Final = {
    "BackSpace": BACKSPACE,
    "Tab": TAB,
    "Return": RETURN,
    "Escape": ESCAPE,
    "Home": 0xFF50,
    "Left": 0xFF51,
    "Up": UP,
    "Right": 0xFF53,
    "Down": DOWN,
    "Page_Up": 0xFF55,
    "Page_Down": 0xFF56,
    "End": 0xFF57,
    "Insert": 0xFF63,
    "Delete": DELETE,
    "space": 0x20,
    **{f"F{number}": 0xFFBD + number for number in range(1, 13)},
}
_MODIFIERS: Final = {"Shift": SHIFT, "Control": CONTROL, "Alt": ALT, "Super": SUPER}
#: The modifiers that a key can be pressed with; AltGr, which types characters, is none.
HELD: Final = SHIFT | CONTROL | ALT | SUPER


@dataclass(frozen=True)
class Key:
    """A key that a setting names: its value and the modifiers that are held with it."""

    value: int
    modifiers: int

    def fits(self, value: int, state: int) -> bool:
        """Whether a pressed key is this one, whatever locks are on."""
        return _small(value) == self.value and state & HELD == self.modifiers


def parse_key(name: str) -> Key:
    """The key of a setting, such as "Control+Right". Raises ValueError."""
    *modifiers, last = name.split("+")
    value = ord(last.lower()) if len(last) == 1 and last.isprintable() else _NAMED.get(last)
    if value is None or not all(modifier in _MODIFIERS for modifier in modifiers):
        raise ValueError("it is no key such as Tab, F9 or Control+Right")
    return Key(value, sum(_MODIFIERS[modifier] for modifier in set(modifiers)))


def _small(value: int) -> int:
    """A letter's small form, which is what a setting names."""
    return ord(chr(value).lower()) if 0x41 <= value <= 0x5A else value
