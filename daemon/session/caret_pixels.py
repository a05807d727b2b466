"""Where a field's caret stands on the screen, and where keys must have led it."""

from __future__ import annotations

from typing import Final

from idiolect.daemon.session import keysyms
from idiolect.daemon.session.keys import RETURN

#: A caret that moves down further than so many times its height is in another place, not on the next line.
_LINE_HEIGHTS: Final = 3


class Caret:
    """The caret by IBus's reports, in pixels from the left and down."""

    def __init__(self) -> None:
        """Begin without a report."""
        self._place = self._at_return = (0, 0)
        self._at_letter: tuple[int, int] | None = None
        self._is_placed = False  # it was reported, and no key since can have led elsewhere

    def lose(self) -> None:
        """Note that it may be anywhere: another field has the focus."""
        self._is_placed = False

    def pass_key(self, value: int) -> None:
        """Note a key that goes to the program."""
        self._is_placed = self._is_placed and keysyms.character(value) is not None
        self._at_letter = self._place if self._is_placed else None
        if value in (RETURN, keysyms.KEYPAD_ENTER):
            self._at_return = self._place

    def move(self, x: int, y: int) -> None:
        """Note a report."""
        self._place, self._is_placed = (x, y), True

    def is_below_return(self, height: int) -> bool:
        """Return whether it stands on a line below the last Return, lines being so high."""
        return self._at_return[1] < self._place[1] <= self._at_return[1] + _LINE_HEIGHTS * height

    @property
    def is_left_of_return(self) -> bool:
        """Whether it stands in the line of the last Return, before it."""
        return self._place[1] == self._at_return[1] and self._place[0] < self._at_return[0]

    @property
    def is_not_below_return(self) -> bool:
        """Whether it stands no lower than at the last Return."""
        return self._place[1] <= self._at_return[1]

    def has_wrapped(self, height: int) -> bool:
        """Return whether a letter led it to the next line, lines being so high."""
        if self._at_letter is None:
            return False
        x, y = self._at_letter
        return y < self._place[1] <= y + _LINE_HEIGHTS * height and self._place[0] < x
