"""What its user has written in a field: in the end, not key by key, and nothing that others wrote there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from idiolect.daemon.editors.written import shared
from idiolect.daemon.ingest.normalise import has_words

#: A program may add so much to what is typed: a closing bracket, a space.
_HELPED_CHARS: Final = 2
#: As much of one field is kept, in characters: the newest.
_MOST_CHARS: Final = 20_000
_MOST_PIECES: Final = 500


@dataclass
class _Piece:
    """A stretch of text that the program shows at once, and which of its characters were typed here."""

    text: str = ""
    own: bytearray = field(default_factory=bytearray)

    def change(self, text: str, *, typed: bool) -> None:
        """It holds this now; what is new in it was typed, or was not."""
        first = shared(self.text, text)
        rest = min(len(self.text), len(text)) - first
        last = min(shared(self.text[::-1], text[::-1]), rest)
        new = bytes([typed]) * (len(text) - first - last)
        self.own = self.own[:first] + new + self.own[len(self.own) - last :]
        self.text = text

    def runs(self) -> list[str]:
        """What was typed of it: all of it, or each stretch of several words."""
        if all(self.own):
            return [self.text.strip()]
        found, run = [], ""
        for char, own in zip(self.text + "\0", [*self.own, 0], strict=True):
            if own:
                run += char
            elif run:
                found.append(run.strip())
                run = ""
        return [one for one in found if len(one.split()) > 1]


class Written:
    """One field, from its focus until it is left."""

    def __init__(self) -> None:
        """What the field holds at first is not its user's for certain."""
        self._here: _Piece | None = None  # around the cursor, as the program tells
        self._elsewhere: list[_Piece] = []  # lines that the cursor has left
        self._budget = 0  # characters typed since the program told last
        self._returned = False  # Return was pressed since
        self._typed: str | None = ""  # where the program tells nothing; None: something could not be followed
        self._at = datetime.now(UTC).isoformat()

    def add(self, text: str) -> None:
        """This was typed, or taken."""
        self._at = datetime.now(UTC).isoformat()
        self._budget += len(text)
        if self._typed is not None:
            self._typed = (self._typed + text)[-_MOST_CHARS:]

    def take_back(self, characters: int) -> None:
        """So many characters before the cursor went away."""
        self._budget = max(self._budget - characters, 0)
        if self._typed is not None:
            self._typed = self._typed[:-characters] if len(self._typed) >= characters else None

    def new_line(self) -> None:
        """Return was pressed."""
        self._returned = True
        self.add("\n")

    def lose(self) -> None:
        """Something happened that cannot be followed."""
        self._typed = None

    def tell(self, text: str) -> bool:
        """The program says what stands around the cursor; whether a line that was written has gone from there."""
        if self._here is None:
            # What was typed before the program told of it is among this.
            self._here = _Piece()
            self._here.change(text, typed=self._typed is not None and text.strip() == self._typed.strip())
            self._budget = 0
            return False
        here = self._here
        if text == here.text:
            return False
        left = False
        if self._has_moved(text):
            left = self._returned and not text.strip() and any(here.own)
            self._elsewhere = [*self._elsewhere, here][-_MOST_PIECES:]
            self._here = self._back(text)
        else:
            new = len(text) - len(here.text)
            here.change(text, typed=self._budget > 0 and new <= self._budget + _HELPED_CHARS)
        self._budget, self._returned = 0, False
        return left

    def _has_moved(self, text: str) -> bool:
        """Whether this is another place rather than the same one changed."""
        old = self._here.text if self._here is not None else ""
        if self._returned:  # the line was left, or what was before the cursor has become a line
            return len(text) < len(old)
        alike = shared(old, text) + shared(old[::-1], text[::-1])
        return self._budget == 0 and bool(text) and alike < min(len(old), len(text)) // 2 + 1

    def _back(self, text: str) -> _Piece:
        for piece in reversed(self._elsewhere):
            if piece.text == text and text:
                self._elsewhere.remove(piece)
                return piece
        piece = _Piece()
        piece.change(text, typed=False)
        return piece

    def sent(self) -> tuple[str, str] | None:
        """The message was sent: what was written of it, which counts no more for :meth:`entry`."""
        found = self.entry()
        self._elsewhere.clear()
        return found

    def entry(self) -> tuple[str, str] | None:
        """What was written and stands there now, and when (ISO 8601); None where nothing was."""
        if self._here is None:
            text = self._typed or ""
        else:
            pieces = [*self._elsewhere, self._here]
            text = "\n".join(run for piece in pieces if any(piece.own) for run in piece.runs())
        text = text.strip()[-_MOST_CHARS:]
        return (text, self._at) if len(text.split()) > 1 and has_words(text) else None
