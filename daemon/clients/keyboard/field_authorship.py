"""What the user wrote in a field: its final text, without what others wrote there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from idiolect.daemon.text.normalise import has_words
from idiolect.daemon.text.replies import is_quoted
from idiolect.daemon.text.typed_text import BEFORE_CHARS, FOREIGN, Pauses, kept_ends, runs, shared

#: Characters that a program may add to what is typed, such as a closing bracket or a space.
_HELPED_CHARS: Final = 2
#: Quotes and spaces that programs put in place of those that are typed.
_PLAIN: Final = str.maketrans("’‘“”\u00a0", "''\"\" ")
#: What was typed longer ago than this, and not reported since, did not get into the text.
_UNTOLD_S: Final = 1.0
#: A report that comes later than this after the last key is not about that key.
_LATE_S: Final = 30.0
#: Characters typed last that are compared with a report.
_RECENT_CHARS: Final = 256
#: Characters and lines kept of one field, the newest.
_MAX_CHARS: Final = 20_000
_MAX_LINES: Final = 500
_TYPED_S: Final = 1.0  # a mark of what was typed: when does not matter, since a pause begins a field anew


class WrittenText(NamedTuple):
    """What was written, when (ISO 8601), and what stands before it in its field."""

    text: str
    at: str
    before: str


@dataclass
class _Line:
    """A line of a field, which of its characters were typed here (FOREIGN for others), and what stands above it."""

    text: str = ""
    typed_s: list[float] = field(default_factory=list)
    above: str = ""

    @property
    def holds_own(self) -> bool:
        """Whether something in it was typed."""
        return any(self.typed_s)

    def new_in(self, text: str) -> str:
        """What is new once the line holds this."""
        first, last = kept_ends(self.text, text)
        return text[first : len(text) - last]

    def change(self, text: str, *, typed: bool) -> None:
        """It holds this now; what is new in it was typed, or was not."""
        first, last = kept_ends(self.text, text)
        new = [_TYPED_S if typed else FOREIGN] * (len(text) - first - last)
        self.typed_s[first : len(self.text) - last] = new
        self.text = text

    def own(self) -> list[tuple[str, str]]:
        """What was typed of it, behind what stands before that: all of it, or each stretch of several words.

        Nothing of a line that is quoted: there, others' words are mended, or copied by hand.
        """
        if is_quoted(self.text) or not self.holds_own:
            return []
        if FOREIGN not in self.typed_s:
            return [(self.above, self.text.strip())]
        found = runs(self.text, self.typed_s, Pauses(()))
        return [(self.above + self.text[: run.start], run.text) for run in found if len(run.text.split()) > 1]


class FieldAuthorship:
    """One field, from its focus until it is left."""

    def __init__(self, before: str = "") -> None:
        """What the field holds at first is not its user's for certain. `before`: what was written in it last."""
        self._before = before
        self._here: _Line | None = None  # where the cursor is, as the program tells
        self._elsewhere: list[_Line] = []  # those with something typed that the cursor has left
        self._budget = 0  # characters typed that the program has not told of
        self._budget_s = 0.0  # when the last of them was
        self._recent = ""  # typed last
        self._late = ""  # typed before something that cannot be followed, and perhaps told of only now
        self._returned_s = float("-inf")  # when Return was pressed, until the program has told of it
        self._deleted = False  # a key that deletes was
        self._all = False  # all is selected
        self._typed: str | None = ""  # before the program tells anything; None: it could not be followed
        self._at = datetime.now(UTC).isoformat()

    @property
    def untouched(self) -> bool:
        """Whether no key has changed anything yet."""
        return not self._budget_s and not self._deleted

    # What is typed

    def add(self, text: str) -> None:
        """This was typed, or taken."""
        self._replace_all()
        self._at = datetime.now(UTC).isoformat()
        now_s = time.monotonic()
        self._budget = len(text) + (self._budget if now_s - self._budget_s < _UNTOLD_S else 0)
        self._budget_s = now_s
        self._recent = (self._recent + text)[-_RECENT_CHARS:]
        if self._typed is not None:
            self._typed = (self._typed + text)[-_MAX_CHARS:]

    def take_back(self, characters: int) -> None:
        """So many characters before the cursor went away."""
        # Not off the budget: a program that is late still tells of what was typed and is gone by now.
        self.delete()
        if self._typed is not None:
            self._typed = self._typed[:-characters] if len(self._typed) >= characters else None

    def delete(self) -> None:
        """A key that deletes something was pressed."""
        self._replace_all()
        self._deleted = True

    def new_line(self) -> None:
        """Return was pressed."""
        self.add("\n")
        self._returned_s = time.monotonic()

    def select_all(self) -> None:
        """All was selected: the next change takes its place."""
        self.lose()
        self._all = True

    def _replace_all(self) -> None:
        if self._all:
            self._elsewhere.clear()
            self._all, self._deleted = False, True

    def lose(self) -> None:
        """Something happened that cannot be followed."""
        self._typed = None
        self._late = self._recent[-self._budget :] if self._budget else ""
        self._budget = 0
        self._all = self._deleted = False

    # What the program tells

    def report(self, text: str, cursor: int) -> bool:
        """The program says what stands around the cursor; whether a line that was written has gone from there."""
        begin = text.rfind("\n", 0, cursor) + 1
        line = text[begin:].partition("\n")[0]
        above = text[max(begin - BEFORE_CHARS, 0) : begin]
        here = self._here
        if time.monotonic() - self._budget_s >= _LATE_S:
            self._budget = 0  # what was not told of by now was taken back, and stands for nothing that comes
        if here is None:
            # What was typed before the program told of it is among this, though it has reset its input meanwhile.
            untold = self._late if self._typed is None else self._typed
            typed = untold.startswith(text)
            self._here = _Line(above=above)
            self._here.change(line, typed=typed)
            if self._typed is None:
                self._late = untold[len(text) :] if typed else ""
            else:
                self._budget = len(untold) - len(text) if typed else 0
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
            self._here = self._back(line)
            self._here.above = above
        else:
            new = max(len(line) - len(here.text), 0)
            here.above = above
            here.change(line, typed=self._budget > 0 and self._was_typed(here.new_in(line)))
            self._budget = max(self._budget - new, 0)
        self._deleted = False
        return left

    def _was_typed(self, new: str) -> bool:
        """Whether this is what was typed last, but for what a program may add: of its own it can write anything."""
        recent, new = self._recent.translate(_PLAIN).casefold(), new.translate(_PLAIN).casefold()
        cuts = (
            (begin, end) for begin in range(_HELPED_CHARS + 1) for end in range(_HELPED_CHARS + 1 - begin)
        )
        return any(new[begin : len(new) - end] in recent for begin, end in cuts)

    def _reported_late(self, here: _Line, line: str) -> bool:
        """Whether a line has only what was typed before a shortcut, such as the one that saves."""
        late, self._late = self._late, ""
        added = line.removeprefix(here.text)
        if len(added) == len(line) - len(here.text) and added and late.startswith(added):
            here.change(line, typed=True)
            self._late = late[len(added) :]
            return True
        return False

    @property
    def _returned(self) -> bool:
        return time.monotonic() - self._returned_s < _UNTOLD_S

    def _has_moved(self, line: str) -> bool:
        """Whether this is another line rather than the same one changed."""
        old = self._here.text if self._here is not None else ""
        if self._returned and not old.startswith(line[:-1] or "\0") and not line.startswith(old):
            self._budget = max(self._budget - 1, 0)
            return True
        if self._budget or self._deleted:
            return False
        alike = shared(old, line) + shared(old[::-1], line[::-1])
        return alike < min(len(old), len(line)) // 2 + 1

    def _back(self, line: str) -> _Line:
        for one in reversed(self._elsewhere):
            if one.text == line and line:
                self._elsewhere.remove(one)
                return one
        fresh = _Line()
        fresh.change(line, typed=False)
        return fresh

    # What is learned

    def sent(self) -> list[WrittenText]:
        """The message was sent: what was written of it, which counts no more for :meth:`entries`."""
        found = self.entries()
        self._before = self.end
        self._elsewhere.clear()
        return found

    @property
    def end(self) -> str:
        """The end of what stands there: where nobody tells of it later, what is written next stands behind it."""
        if self._here is None:
            return (self._before + (self._typed or ""))[-BEFORE_CHARS:]
        line = next((one for one in (self._here, *reversed(self._elsewhere)) if one.text), self._here)
        return f"{line.above}{line.text}\n"[-BEFORE_CHARS:]

    def entries(self) -> list[WrittenText]:
        """What was written and stands there now: one text, or several where something of others stands between.

        Nothing where the program does not tell what stands there.
        """
        found: list[tuple[str, str]] = []
        lines = [*self._elsewhere, self._here] if self._here is not None else []
        for before, run in (stretch for line in lines for stretch in line.own()):
            above = before.strip()
            if found and (above.endswith(found[-1][1]) or found[-1][1].endswith(above)):
                found[-1] = found[-1][0], f"{found[-1][1]}\n{run}"
            else:
                found.append((before if above else self._before, run))
        return [
            WrittenText(text[-_MAX_CHARS:], self._at, (before + text[:-_MAX_CHARS])[-BEFORE_CHARS:])
            for before, text in found
            if len(text.split()) > 1 and has_words(text)
        ]
