"""The window at the cursor: one line with each word behind its key, a ghost text behind its own, and a note.

IBus puts its window anew to the cursor only where its size changes.
"""

from __future__ import annotations

import asyncio
import unicodedata
from abc import ABC, abstractmethod
from typing import Final, TypeAlias

from idiolect.daemon.session.effects import ShowSuggestions

#: Widths of characters in fonts without serifs, such as DejaVu Sans and Noto Sans, as shares of the font's size.
_WIDTHS: Final = {
    **dict.fromkeys("ijl'’|!.,:;", 0.27),
    **dict.fromkeys("ftI()[]-", 0.37),
    "r": 0.41,
    " ": 0.31,
    **dict.fromkeys("csvxyzk", 0.53),
    **dict.fromkeys("wm%@MW", 0.9),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ→+", 0.67),
}
_WIDTH: Final = 0.6
_WIDE: Final = 1.0
#: The margins of an entry, with IBus's usual font size.
_AROUND: Final = 1.2
#: The window stays so long after its words have gone: mostly others follow at once, and a window that blinks disturbs.
_LINGER_S: Final = 0.15

#: Texts in a row, each in grey or not: the key, the word behind it, and spaces; a note is all in grey.
Entry: TypeAlias = list[tuple[str, bool]]


class SuggestionWindow(ABC):
    """The window of one engine, and the ghost text at its cursor.

    The window keeps its width while a word is typed, or gets wider.
    """

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._width = 0.0
        self._is_moving = False  # put the window anew to the cursor with the next list
        self._cursor_y = self._shown_y = 0
        self._shown: tuple[ShowSuggestions, str] | None = None  # with the ghost text in the window
        self._drawn: list[Entry] = []
        self._is_inline = False  # a ghost text stands at the cursor
        self._hiding: asyncio.TimerHandle | None = None

    @abstractmethod
    def show_ghost(self, text: str) -> None:
        """Show a ghost text at the cursor; "" takes it away."""

    @abstractmethod
    def draw(self, entries: list[Entry], *, first: bool) -> None:
        """Show entries side by side; none: hide the window. `first`: none were shown before."""

    def show(self, show: ShowSuggestions) -> None:
        """Show suggestions."""
        if show.inline or self._is_inline:
            self.show_ghost(show.ghost if show.inline else "")
            self._is_inline = show.inline
        if self._hiding is not None:
            self._hiding.cancel()
            self._hiding = None
        ghost_in_window = "" if show.inline else show.ghost
        if show.words or ghost_in_window or show.note:
            self._is_moving = self._is_moving or show.fresh
            self._draw(show, ghost_in_window)
        elif self._shown is not None:
            self._hiding = asyncio.get_running_loop().call_later(_LINGER_S, self._hide)

    def place_window(self, y: int) -> None:
        """Keep the window off the cursor's line, `y` pixels from the top."""
        self._cursor_y = y
        if self._shown is not None and y != self._shown_y:
            self._is_moving = True
            self._draw(*self._shown)

    def _draw(self, show: ShowSuggestions, ghost: str) -> None:
        first, drawn = self._shown is None, self._drawn
        self._drawn = self._entries(show, ghost)
        if first or self._drawn != drawn:
            self.draw(self._drawn, first=first)
        self._shown, self._shown_y = (show, ghost), self._cursor_y

    def _hide(self) -> None:
        self.draw([], first=False)
        self._width = 0.0
        self._shown = self._hiding = None

    def _entries(self, show: ShowSuggestions, ghost: str) -> list[Entry]:
        """Return the entries, each as texts that are grey or not; the last entry ends with spaces."""
        taken = [(f"{key} ", word) for key, word in zip(show.word_keys, show.words, strict=True)]
        if ghost:
            taken.append((f"{show.ghost_key} ", ghost.strip()))
        entries = [[(key, True), (text, False)] for key, text in taken]
        if show.note:
            entries.append([(show.note, True)])
        width = sum(_width(text) for entry in entries for text, _ in entry) + _AROUND * len(entries)
        missing = 0.0 if show.fresh else max(self._width - width, 0.0)
        if self._is_moving and abs(width + missing - self._width) < _WIDTH:
            missing += _WIDTH
        self._width, self._is_moving = width + missing, False
        entries[-1].append((" " * round(missing / _WIDTHS[" "]), True))
        return entries


def _width(text: str) -> float:
    return sum(
        _WIDTHS.get(char, _WIDE if unicodedata.east_asian_width(char) in "WF" else _WIDTH) for char in text
    )
