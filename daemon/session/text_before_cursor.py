"""The text before the cursor, as far as it is certain, from key presses and the program's reports.

A program may report its *surrounding text*, mostly before each key, so one key late; until then, typed characters
count as there. After a moved cursor, or another event that cannot be followed, nothing counts until a typed key and
the next report agree: some programs go on reporting the old place. For programs that report nothing, the text is what
was typed since the focus came.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CHARS: Final = 4000  # before the cursor, and behind it
_MAX_AHEAD: Final = 64  # unreported keys
#: After so many unreported keys in a row, the program reports another field than the one typed into.
_DEAF_KEYS: Final = 5
#: Two windows on a long text are taken for the same place if this many characters agree.
_OVERLAP_CHARS: Final = 40
#: A report that ends with so many characters as they were typed is of the field typed into; it may be up to `_MAX_LATE`
#: keys late.
_RUN_CHARS: Final = 6
_MAX_LATE: Final = 16
#: Behind the cursor: the rest of a word.
_GOES_ON: Final = re.compile(r"['’]?[^\W_]")


class TextBeforeCursor:
    """The text before the cursor of one field, from its focus to its end."""

    def __init__(self, *, many_lines: bool = False) -> None:
        """Begin in a field; `many_lines`: it is known to have room for several lines."""
        self.many_lines = many_lines
        self.behind = ""  # behind the cursor, by the last report
        self._reported: str | None = None  # before the cursor, by the last report
        self._ahead: list[str] = []  # the report to expect after each key since
        self._trusted = False
        self._run = ""  # typed in a row, without an event that cannot be followed
        self._new_lines: tuple[str, ...] = ()  # possible next reports, since Return was pressed ...
        self._late: list[str] = []  # ... and possible late reports of the keys before that
        self._selected = False
        self._deaf = False  # the reports do not follow the keys
        self._hears = False  # a report has followed a key
        self._left: str | None = None  # the last report of the place that the cursor was led from
        self.moved_to: str | None = (
            None  # what it reports since then: the text before the cursor at its new place
        )
        self._typed: str | None = ""  # since the focus came; None: the beginning is not known

    @property
    def reported(self) -> bool:
        """Whether the program reports its text."""
        return self._reported is not None and not self._deaf

    @property
    def ahead(self) -> int:
        """The number of changes that the program has not reported; 0 if it reports nothing."""
        return len(self._ahead) if self.reported else 0

    @property
    def within_word(self) -> bool:
        """Whether letters stand right behind the cursor, as far as the program reports."""
        return self.reported and _GOES_ON.match(self.behind) is not None

    @property
    def text(self) -> str | None:
        """The text before the cursor; None if it is not certain."""
        if not self.reported:
            return self._typed
        return self._newest() if self._trusted and not self._selected else None

    def is_typed(self, text: str) -> bool:
        """Return whether a text at the cursor was typed or taken in a row, with no other key between."""
        return self._run.endswith(text)

    def _newest(self) -> str:
        return self._ahead[-1] if self._ahead else self._reported or ""

    # Reports

    def report(self, text: str, cursor: int, anchor: int, *, certain: bool = False) -> None:
        """Take the program's report of the text around the cursor, and of the selection's end.

        `certain`: the report is not late, and of the place that is typed at.
        """
        before, self.behind = text[:cursor][-MAX_CHARS:], text[cursor : cursor + MAX_CHARS]
        self._selected = cursor != anchor
        if certain:
            self._reported, self._new_lines = before, ()
            return self._trust("")
        self.many_lines = self.many_lines or "\n" in text
        has_moved = self._left is not None and not self._selected and not _alike(self._left, before)
        self.moved_to = before if has_moved else None
        if self._reported is None:
            self._reported = before
            # A field that was empty at its focus, and whose whole text was typed, is certain.
            self._trusted = self._typed is not None and self._typed.startswith(before)
            if self._trusted and self._typed is not None:
                self._ahead = [self._typed[:end] for end in range(len(before) + 1, len(self._typed) + 1)]
            return None
        places = [place for place, one in enumerate(self._ahead) if _alike(one, before)]
        if any(_alike(one, before) for one in self._new_lines):
            hears = self._hears or before != self._reported
            self._reported, self._new_lines = before, ()
            self._trust(self._run)
            self._hears = hears
        elif self._new_lines and any(_alike(one, before) for one in self._late):
            self._reported = self._reported if self._trusted else before  # a line that was guessed stays
        elif places:
            del self._ahead[: places[-1] + 1]
            self._reported, self._trusted, self._deaf, self._hears = before, True, False, True
            self._new_lines = ()
        elif _alike(self._reported, before):
            self._deaf = self._deaf or (not self._hears and len(self._ahead) >= _DEAF_KEYS)
            self._new_lines = () if self._trusted else self._new_lines
        else:
            self._reported, self._trusted, self._typed = before, False, None
            self._ahead.clear()
            self._new_lines = ()
            self._align(before)
        return None

    def _align(self, before: str) -> None:
        """Find the last typed characters in a report that is late, or has changed text."""
        ends = range(max(len(self._run) - _MAX_LATE, _RUN_CHARS), len(self._run) + 1)
        fits = [end for end in ends if before.endswith(self._run[end - _RUN_CHARS : end])]
        if len(fits) == 1:
            self._trust(self._run[fits[0] :])

    def _trust(self, late: str) -> None:
        """Trust the report: it is of the field typed into, without the characters of `late`."""
        self._ahead = [(self._reported or "") + late[:end] for end in range(1, len(late) + 1)]
        self._trusted, self._deaf, self._hears = True, False, True

    def stand_behind(self, before: str) -> None:
        """Note what stands before the cursor: of what was typed in a row elsewhere, nothing counts."""
        self._run = self._run if before.endswith(self._run) else ""

    # Keys

    def add(self, text: str) -> None:
        """Add a text that was typed, or inserted."""
        self._left = self.moved_to = None
        self._run = (self._run + text)[-_MAX_AHEAD:]
        if self._typed is not None:
            self._typed = (self._typed + text)[-MAX_CHARS:]
        elif text[-1:].isspace():
            self._typed = ""
        if self._reported is not None:
            if self._selected:
                return self._doubt()
            self._ahead = [*self._ahead[1 - _MAX_AHEAD :], (self._newest() + text)[-MAX_CHARS:]]
        return None

    def take_back(self, characters: int) -> None:
        """Remove so many characters before the cursor."""
        self._left = self.moved_to = None
        self._run = self._run[:-characters]
        if self._typed is not None:
            self._typed = self._typed[:-characters] if len(self._typed) >= characters else None
        if self._reported is not None:
            if self._selected or len(self._newest()) < characters:
                return self._doubt()
            self._ahead = [*self._ahead[1 - _MAX_AHEAD :], self._newest()[:-characters]]
        return None

    def new_line(self) -> None:
        """Note that Return was pressed: a new line, or a message that was sent.

        A program reports all its text, or the line alone, which is empty then, as is the field of a sent message.
        """
        whole, line = f"{self._newest()}\n"[-MAX_CHARS:], ""
        new_lines = (whole, line) if self.text is not None else (line,)
        late, told = [self._reported or "", *self._ahead], self.reported
        self._doubt()
        self._new_lines, self._late, self._typed = new_lines if told else (), late, ""

    def on_new_line(self, *, down: bool) -> None:
        """Begin a line where the cursor's place shows one, before the program reports it.

        `down`: the cursor stands below the place of Return. Else it moved to the left: the text was moved up under it,
        or the field is empty now.
        """
        if len(self._new_lines) < 2:  # the text before Return is not certain, or a line was guessed already
            return
        whole, line = self._new_lines
        reports_all = "\n" in whole[:-1]
        if down or not reports_all:
            self._reported, self._new_lines = (whole, (line,)) if reports_all else (line, (whole,))
            self._trust(self._run)

    def reset(self) -> None:
        """Note that the program reset its input: after a key that it handled itself, or after a click."""
        after_return = bool(self._new_lines) and not self._trusted  # programs of GTK do then
        if not (self.ahead or after_return):
            self.lose()

    def lose(self) -> None:
        """Note an event that cannot be followed, such as a moved cursor."""
        self._doubt()
        self._typed, self._left = None, self._reported

    def _doubt(self) -> None:
        self._left = self.moved_to = None
        self._trusted, self._run, self._new_lines, self._ahead = False, "", (), []


def _alike(one: str, other: str) -> bool:
    """Return whether two texts are equal, or long windows on the same place."""
    if one == other:
        return True
    shorter = min(len(one), len(other))
    return shorter >= _OVERLAP_CHARS and one[-shorter:] == other[-shorter:]
