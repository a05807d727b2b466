"""Which characters of an open document the user typed, as opposed to files, snippets and formatters."""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from idiolect.daemon.text import typed_text

#: One word may come at once: from an input method, or from a list of words.
_WORD_CHARS: Final = 32
#: An editor may report some keys together, as Neovim reports all keys within a sixth of a second.
_BURST_CHARS: Final = 40
#: After so many changes of one character, an editor is known to report each key.
_MANY_KEYS: Final = 20
_REMOVED_KEPT: Final = 50
#: Lines compared one by one. `SequenceMatcher` sets frequent lines aside by itself: else two texts of 1,000 paragraphs
#: would take a minute.
_MAX_LINES: Final = 2_000
_SEARCHED_CHARS: Final = 4_000  # a paragraph's next word stands at most so far behind the word before it ...
_NEAR_CHARS: Final = 40  # ... and best so near before the word after it
_CANDIDATES: Final = 20
_PART: Final = re.compile(r"\s+|\S+")
_MAX_PARTS: Final = 4_000  # words and spaces that are compared one by one


@dataclass(frozen=True)
class Edit:
    """`text` takes the place of what stands in [start, end), in characters."""

    start: int
    end: int
    text: str


class Hand:
    """Tells keys from the edits of programs, for one editor."""

    def __init__(self) -> None:
        """Begin with an editor of unknown habits."""
        self._keys = self._bursts = 0

    def typed(self, edits: Sequence[Edit], *, whole: bool = False) -> bool:
        """Return whether keys made these edits, which an editor reports in one message.

        An editor that sends the `whole` document, such as Kate, may report several keys together at any time.
        """
        # Several cursors type the same text; else each key continues where the key before it ended.
        same = len({edit.text for edit in edits}) == 1
        goes_on = all(
            before.start <= edit.end and edit.start <= before.start + len(before.text)
            for before, edit in itertools.pairwise(edits)
        )
        return (same or goes_on) and all(self._is_typed(edit.text.strip(), whole) for edit in edits)

    def _is_typed(self, text: str, whole: bool) -> bool:
        if len(text) <= 1:
            self._keys += len(text)
            return True
        if len(text) <= _WORD_CHARS and not any(char.isspace() for char in text):
            return True
        tells_keys = not whole and self._keys >= _MANY_KEYS and self._bursts * _MANY_KEYS < self._keys
        if tells_keys or len(text) > _BURST_CHARS or "\n" in text:
            return False
        self._bursts += 1
        return True


@dataclass(frozen=True)
class _Removed:
    """A removed text, its place, and when each of its characters was typed."""

    text: str
    typed_s: array[float]
    at: int

    def joined(self, then: _Removed) -> _Removed | None:
        """Return this text and the text removed after it as one; None if they did not touch."""
        if then.at + len(then.text) == self.at:
            return _Removed(then.text + self.text, then.typed_s + self.typed_s, then.at)
        if then.at == self.at:
            return _Removed(self.text + then.text, self.typed_s + then.typed_s, self.at)
        return None


class Authorship:
    """A document's text, and when each of its characters was typed, in seconds since 1970."""

    def __init__(self, text: str) -> None:
        """Begin with the text of a document that was opened: none of it counts as typed."""
        self.text = text
        self._typed_s = _foreign(len(text))
        self._removed: list[_Removed] = []
        self._told_s = typed_text.FOREIGN  # text typed until then was returned by `new`

    def edit(self, edit: Edit, typed_s: float | None) -> None:
        """Apply an edit that was typed at `typed_s`, or by nobody (None)."""
        if typed_s is None and edit.text:
            for part in reversed(list(_by_words(self.text, edit))):
                self._replace(part, None)
        else:
            self._replace(edit, typed_s)

    def _replace(self, edit: Edit, typed_s: float | None) -> None:
        old = self.text[edit.start : edit.end]
        first, last = typed_text.kept_ends(old, edit.text)
        start, end = edit.start + first, edit.end - last
        new = edit.text[first : len(edit.text) - last]
        gone = _Removed(self.text[start:end], self._typed_s[start:end], start)
        marks = self._brought_back(new)
        if marks is None:
            marks = _foreign(len(new)) if typed_s is None else array("d", [typed_s]) * len(new)
        self.text = self.text[:start] + new + self.text[end:]
        self._typed_s[start:end] = marks
        if gone.text:
            joined = self._removed[-1].joined(gone) if self._removed else None
            self._removed[-1:] = [joined] if joined else [*self._removed[-1:], gone]
            self._removed = self._removed[-_REMOVED_KEPT:]

    def _brought_back(self, new: str) -> array[float] | None:
        """Return when each character of a text was typed that an undo brings back; None for another text."""
        for one in reversed(self._removed if len(new) > 1 else ()):
            if (at := one.text.find(new)) >= 0:
                return one.typed_s[at : at + len(new)]
        return None

    def disown(self, typed_s: float) -> None:
        """Count the text that was typed at `typed_s` as typed by nobody."""
        for at, mark in enumerate(self._typed_s):
            if mark == typed_s:
                self._typed_s[at] = typed_text.FOREIGN

    def saved(self) -> Saved:
        """Return a copy of the text and its marks."""
        return Saved(self.text, self._typed_s[:])

    def new(self, saved: Saved, paragraphs: Iterable[str]) -> list[Paragraph]:
        """Return those of a saved text's paragraphs that hold typed characters that were not returned before."""
        found: list[Paragraph] = []
        newest_s = max(saved.typed_s, default=typed_text.FOREIGN)
        if newest_s <= self._told_s:
            return found
        place, before = 0, ""
        for text in paragraphs:
            marks, place = _marks_of(text, saved, place)
            marks = [-mark if mark <= self._told_s else mark for mark in marks]
            if max(marks, default=typed_text.FOREIGN) > typed_text.FOREIGN:
                found.append(Paragraph(text, tuple(marks), before))
            before = f"{before}{text}\n\n"[-typed_text.BEFORE_CHARS :]
        self._told_s = newest_s
        return found


@dataclass(frozen=True)
class Saved:
    """A text as it was saved, and when each of its characters was typed."""

    text: str
    typed_s: array[float]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, when each of its characters was typed (negative: returned before), and the text before it."""

    text: str
    typed_s: tuple[float, ...]
    before: str

    def new(self, pauses: typed_text.Pauses) -> Iterator[tuple[str, str]]:
        """Yield its runs of newly typed words, each with the text before it."""
        for run in typed_text.runs(self.text, self.typed_s, pauses):
            yield run.text, (self.before + self.text[: run.start])[-typed_text.BEFORE_CHARS :]


def edits(old: str, new: str) -> Iterator[Edit]:
    """Yield the edits that turn one text into another: one edit, or one for each changed line."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    first, last = typed_text.kept_ends(before, after)
    gone, come = before[first : len(before) - last], after[first : len(after) - last]
    begin = sum(map(len, before[:first]))
    if max(len(gone), len(come)) > _MAX_LINES or min(len(gone), len(come)) <= 1:
        places = [(0, len(gone), 0, len(come))]
    else:
        matcher = SequenceMatcher(None, gone, come)
        places = [
            place
            for kind, *(i, j, k, m) in matcher.get_opcodes()
            if kind != "equal"
            for place in _pair_lines(i, j, k, m)
        ]
    starts = [0]
    for line in gone:
        starts.append(starts[-1] + len(line))
    for i, j, k, m in places:
        if gone[i:j] != come[k:m]:
            yield Edit(begin + starts[i], begin + starts[j], "".join(come[k:m]))


def _pair_lines(i: int, j: int, k: int, m: int) -> list[tuple[int, int, int, int]]:
    """Split a replacement of lines by equally many into one replacement for each line."""
    return [(i + n, i + n + 1, k + n, k + n + 1) for n in range(j - i)] if j - i == m - k else [(i, j, k, m)]


def _by_words(text: str, edit: Edit) -> Iterator[Edit]:
    """Split an edit into one for each place in which words change."""
    old, new = (_PART.findall(one) for one in (text[edit.start : edit.end], edit.text))
    if not old or max(len(old), len(new)) > _MAX_PARTS:
        yield edit
        return
    starts = [edit.start]
    for part in old:
        starts.append(starts[-1] + len(part))
    for kind, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            yield Edit(starts[i], starts[j], "".join(new[k:m]))


def _foreign(characters: int) -> array[float]:
    return array("d", bytes(8 * characters))


def _marks_of(paragraph: str, saved: Saved, place: int) -> tuple[list[float], int]:
    """Find a paragraph's words in the saved text from `place` on; return when each character was typed, and the end.

    A reader leaves markup out, and joins lines. A word that is not found near the word before it was not typed.
    """
    marks = [typed_text.FOREIGN] * len(paragraph)
    words = list(typed_text.WORD.finditer(paragraph))
    for word, following in zip(words, [*words[1:], None], strict=True):
        at = _find(saved.text, word[0], following and following[0], place)
        if at is not None:
            marks[word.start() : word.end()] = saved.typed_s[at : at + len(word[0])]
            place = at + len(word[0])
    return marks, place


def _find(text: str, word: str, following: str | None, place: int) -> int | None:
    """Return where a word stands with the `following` word shortly behind it, else where it stands first, or None."""
    found: list[int] = []
    at = text.find(word, place, place + _SEARCHED_CHARS)
    while at >= 0 and len(found) < _CANDIDATES:
        end = at + len(word)
        if following is None or text.find(following, end, end + _NEAR_CHARS + len(following)) >= 0:
            return at
        found.append(at)
        at = text.find(word, at + 1, place + _SEARCHED_CHARS)
    return found[0] if found else None
