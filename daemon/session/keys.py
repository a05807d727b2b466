"""The keys that the keyboard uses, by the numbers that X has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACKSPACE: Final = 0xFF08
TAB: Final = 0xFF09
RETURN: Final = 0xFF0D
ESCAPE: Final = 0xFF1B
RIGHT: Final = 0xFF53
DELETE: Final = 0xFFFF

SHIFT: Final = 1 << 0
CONTROL: Final = 1 << 2
ALT: Final = 1 << 3
SUPER: Final = 1 << 6
#: The modifiers that a key can be pressed with; AltGr, which types characters, is none.
HELD: Final = SHIFT | CONTROL | ALT | SUPER


@dataclass(frozen=True)
class Key:
    """A key, and the modifiers that are held with it."""

    value: int
    modifiers: int = 0

    def fits(self, value: int, state: int) -> bool:
        """Whether a pressed key is this one, whatever locks are on."""
        small = ord(chr(value).lower()) if 0x41 <= value <= 0x5A else value
        return small == self.value and state & HELD == self.modifiers

    @property
    def is_programs(self) -> bool:
        """Whether it is no key for commands: programs use it while its user types."""
        return not self.modifiers and not 0xFFBE <= self.value <= 0xFFC9


#: Pauses learning, and resumes it: always this one, so that it holds before the service has told of others.
PAUSE: Final = Key(ord("i"), CONTROL | ALT)

#: With a modifier, these select all, undo, and cut or undo.
SELECT_ALL: Final = frozenset(map(ord, "aA"))
UNDO: Final = frozenset(map(ord, "zZ"))
CUT: Final = UNDO | frozenset((*map(ord, "xX"), BACKSPACE, DELETE))
