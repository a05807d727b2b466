"""The user's own text in a field: the final text, without the parts that others wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.text.normalise import has_words
from idiolect.daemon.text.replies import is_quoted
from idiolect.daemon.text.typed_text import (
    BEFORE_CHARS,
    FOREIGN,
    Pauses,
    Run,
    kept_ends,
    runs,
    shared,
)

#: A program may add so many characters to typed ones, such as a closing bracket or a space.
_HELPED_CHARS: Final = 2
#: Programs replace typed quotes and spaces by these.
_PLAIN: Final = str.maketrans("’‘“”\u00a0", "''\"\" ")
_UNREPORTED_S: Final = 1.0  # a character that is not reported by then did not get into the text
_LATE_S: Final = 30.0  # a later report is not about the last key
_RECENT_CHARS: Final = 256  # that are compared with a report
#: Kept of one field, the newest.
_MAX_CHARS: Final = 20_000
_MAX_LINES: Final = 500
_NO_PAUSES: Final = Pauses(())
_TYPED_S: Final = (
    1.0  # the mark of a typed character; its time does not matter, since a pause begins a field anew
)


class WrittenText(NamedTuple):
    """A text, when it was written (ISO 8601), and the text before it in its field."""

    text: str
    at: str
    before: str


@dataclass
class Line:
    """A line of a field, marks of its typed characters (FOREIGN for others), and the text above it."""

    text: str = ""
    typed_s: list[float] = field(default_factory=list)
    above: str = ""

    @property
    def holds_own(self) -> bool:
        """Whether a character of it was typed."""
        return any(self.typed_s)

    def new_in(self, text: str) -> str:
        """Return the part of a text that is new in this line."""
        first, last = kept_ends(self.text, text)
        return text[first : len(text) - last]

    def change(self, text: str, *, typed: bool) -> None:
        """Replace the line by a text whose new part was typed, or was not."""
        first, last = kept_ends(self.text, text)
        self.replace(
            first, len(self.text) - last, text[first : len(text) - last], _TYPED_S if typed else FOREIGN
        )

    def replace(self, start: int, end: int, new: str, typed_s: float) -> None:
        """Put a text in the place of another; `typed_s` marks its characters."""
        self.typed_s[start:end] = [typed_s] * len(new)
        self.text = self.text[:start] + new + self.text[end:]

    def own(self, pauses: Pauses) -> list[Run]:
        """Return its typed texts of several words outside of pauses; all of a line that was all typed.

        A quoted line has none: others' words are mended there, or copied by hand.
        """
        if is_quoted(self.text) or not self.holds_own:
            return []
        if min(self.typed_s) > FOREIGN and not any(map(pauses.cover, set(self.typed_s))):
            return [Run(self.text.strip(), 0)]
        return [run for run in runs(self.text, self.typed_s, pauses) if len(run.text.split()) > 1]


class FieldAuthorship:
    """One field, from its focus until it is left."""

    def __init__(self, clock: Clock, before: str = "") -> None:
        """Begin with a field whose text counts as foreign; `before` is the end of its last text."""
        self._clock = clock
        self._before = before
        self._here: Line | None = None  # the cursor's line, by the program's report
        self._elsewhere: list[Line] = []  # lines with typed text that the cursor has left
        self._budget = 0  # typed characters that the program has not reported
        self._budget_s = float("-inf")  # when the last character was typed
        self._recent = ""  # typed last
        self._late = ""  # typed before an event that cannot be followed, and perhaps reported later
        self._returned_s = float("-inf")  # when Return was pressed, until the program has reported it
        self._deleted = False  # a key that deletes was pressed
        self._all = False  # all is selected
        self._typed: str | None = ""  # before the first report; None: it could not be followed
        self._at = self._clock.date

    @property
    def untouched(self) -> bool:
        """Whether no key has changed anything yet."""
        return self._budget_s < 0 and not self._deleted

    # Keys

    def add(self, text: str) -> None:
        """Add a text that was typed, or taken."""
        self._replace_all()
        self._at = self._clock.date
        now_s = self._clock.now_s
        self._budget = len(text) + (self._budget if now_s - self._budget_s < _UNREPORTED_S else 0)
        self._budget_s = now_s
        self._recent = (self._recent + text)[-_RECENT_CHARS:]
        if self._typed is not None:
            self._typed = (self._typed + text)[-_MAX_CHARS:]

    def take_back(self, characters: int) -> None:
        """Remove so many characters before the cursor."""
        # The budget stays: a late program still reports characters that are gone by now.
        self.delete()
        if self._typed is not None:
            self._typed = self._typed[:-characters] if len(self._typed) >= characters else None

    def delete(self) -> None:
        """Note a key that deletes."""
        self._replace_all()
        self._deleted = True

    def new_line(self) -> None:
        """Note that Return was pressed."""
        self.add("\n")
        self._returned_s = self._clock.now_s

    def select_all(self) -> None:
        """Note that all is selected: the next change replaces it."""
        self.lose()
        self._all = True

    def _replace_all(self) -> None:
        if self._all:
            self._elsewhere.clear()
            self._all, self._deleted = False, True

    def lose(self) -> None:
        """Note an event that cannot be followed."""
        self._typed = None
        self._late = self._recent[-self._budget :] if self._budget else ""
        self._budget = 0
        self._all = self._deleted = False

    # Reports

    def report(self, text: str, cursor: int) -> bool:
        """Take the program's report of the text around the cursor. Return whether a typed line has gone from there."""
        begin = text.rfind("\n", 0, cursor) + 1
        line = text[begin:].partition("\n")[0]
        above = text[max(begin - BEFORE_CHARS, 0) : begin]
        here = self._here
        if self._clock.now_s - self._budget_s >= _LATE_S:
            self._budget = 0  # unreported characters were taken back, and stand for no later report
        if here is None:
            # The report includes characters typed before it, though the program has reset its input meanwhile.
            unreported = self._late if self._typed is None else self._typed
            typed = unreported.startswith(text)
            self._here = Line(above=above)
            self._here.change(line, typed=typed)
            if self._typed is None:
                self._late = unreported[len(text) :] if typed else ""
            else:
                self._budget = len(unreported) - len(text) if typed else 0
            return False
        if line == here.text:
            return False
        if self._reported_late(here, line):
            return False
        left = False
        if self._has_moved(line):
            left = self._returned and not text and here.holds_own
            self._returned_s = float("-inf")
            if here.holds_own:
                self._elsewhere = [*self._elsewhere, here][-_MAX_LINES:]
            self._here = self._find_line(line)
            self._here.above = above
        else:
            new = max(len(line) - len(here.text), 0)
            here.above = above
            here.change(line, typed=self.is_typed(here.new_in(line)))
            self._budget = max(self._budget - new, 0)
        self._deleted = False
        return left

    def is_typed(self, new: str) -> bool:
        """Return whether typed characters are due that a program's new text may be."""
        return self._budget > 0 and self._was_typed(new)

    def _was_typed(self, new: str) -> bool:
        """Return whether a text was typed last, but for a few characters that a program may add."""
        recent, new = self._recent.translate(_PLAIN).casefold(), new.translate(_PLAIN).casefold()
        cuts = (
            (begin, end) for begin in range(_HELPED_CHARS + 1) for end in range(_HELPED_CHARS + 1 - begin)
        )
        return any(new[begin : len(new) - end] in recent for begin, end in cuts)

    def _reported_late(self, here: Line, line: str) -> bool:
        """Return whether only characters typed before a shortcut (such as the one that saves) are new in a line."""
        late, self._late = self._late, ""
        added = line.removeprefix(here.text)
        if len(added) == len(line) - len(here.text) and added and late.startswith(added):
            here.change(line, typed=True)
            self._late = late[len(added) :]
            return True
        return False

    @property
    def _returned(self) -> bool:
        return self._clock.now_s - self._returned_s < _UNREPORTED_S

    def _has_moved(self, line: str) -> bool:
        """Return whether a line is another one, rather than the same line changed."""
        old = self._here.text if self._here is not None else ""
        if self._returned and not old.startswith(line[:-1] or "\0") and not line.startswith(old):
            self._budget = max(self._budget - 1, 0)
            return True
        if self._budget or self._deleted:
            return False
        alike = shared(old, line) + shared(old[::-1], line[::-1])
        return alike < min(len(old), len(line)) // 2 + 1

    def _find_line(self, line: str) -> Line:
        for one in reversed(self._elsewhere):
            if one.text == line and line:
                self._elsewhere.remove(one)
                return one
        fresh = Line()
        fresh.change(line, typed=False)
        return fresh

    # The texts

    def sent(self) -> list[WrittenText]:
        """Return the texts of a message that was sent, and drop them."""
        found = self.entries()
        self._before = self.end
        self._elsewhere.clear()
        return found

    @property
    def end(self) -> str:
        """The end of the text: the next text stands behind it, unless the program reports otherwise."""
        if self._here is None:
            return (self._before + (self._typed or ""))[-BEFORE_CHARS:]
        line = next((one for one in (self._here, *reversed(self._elsewhere)) if one.text), self._here)
        return f"{line.above}{line.text}\n"[-BEFORE_CHARS:]

    def entries(self) -> list[WrittenText]:
        """Return the user's texts that stand there now: one, or several with foreign text between.

        There are none if the program does not report its text.
        """
        lines = [*self._elsewhere, self._here] if self._here is not None else []
        return [text._replace(at=self._at) for text in texts_of(lines, before=self._before)]


def texts_of(lines: Sequence[Line], pauses: Pauses = _NO_PAUSES, *, before: str = "") -> list[WrittenText]:
    """Return its user's texts in the lines of a field, and when each was typed last; `before` stood before them all."""
    found = list[WrittenText]()
    for line in lines:
        for run in line.own(pauses):
            lead, last = line.above + line.text[: run.start], found[-1] if found else None
            at = _time_of(max(line.typed_s[run.start : run.start + len(run.text)]))
            above = lead.strip()
            if last is not None and (above.endswith(last.text) or last.text.endswith(above)):
                gap = lead[len(lead.rstrip()) :]
                text = last.text + (gap if "\n" in gap else "\n") + run.text
                found[-1] = WrittenText(text, max(at, last.at), last.before)
            else:
                found.append(WrittenText(run.text, at, lead if above else before))
    return [
        WrittenText(text[-_MAX_CHARS:], at, (lead + text[:-_MAX_CHARS])[-BEFORE_CHARS:])
        for text, at, lead in found
        if len(text.split()) > 1 and has_words(text)
    ]


def _time_of(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
