"""The line in IBus's window: each word with its key, a ghost text with Tab, and a note.

IBus shows them as a list that lies down: it is as high as one word, however many there are. The list's own numbers are
left out, since they tell no key. IBus puts its window anew to the cursor only where its size changes.
"""

from __future__ import annotations

import unicodedata
from typing import Final, TypeAlias

from idiolect.daemon.clients.keyboard.key_outcomes import ShowSuggestions

#: A part of a text, and whether it is grey.
Piece: TypeAlias = tuple[str, bool]

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
#: What IBus puts around an entry, with a font of its usual size.
_AROUND: Final = 1.2


class SuggestionWindow:
    """What the window of one engine shows; it keeps its width while a word is typed, or gets wider."""

    def __init__(self) -> None:
        """Nothing is shown."""
        self._width = 0.0
        self._is_moving = False

    def move(self) -> None:
        """Have the window put anew to the cursor with what is shown next."""
        self._is_moving = True

    def entries(self, show: ShowSuggestions, ghost: str, take: str) -> list[list[Piece]]:
        """What is to be shown, with a ghost text that `take`, a key's name, takes; the last entry ends with spaces."""
        taken = [(f"Alt+{number} ", word) for number, word in enumerate(show.words, 1)]
        if ghost:
            taken.append((f"{take} ", ghost.strip()))
        entries = [[(key, True), (text, False)] for key, text in taken]
        if show.note:
            entries.append([(show.note, True)])
        if not entries:
            self._width = 0.0
            return []
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
