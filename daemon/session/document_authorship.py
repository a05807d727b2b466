"""The user's own text in a document, whose whole text and edits an editor reports: what is new since the last save."""

from __future__ import annotations

from copy import copy

from typing_extensions import override

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.field_authorship import FieldAuthorship, Line, WrittenText, texts_of
from idiolect.daemon.text.typed_text import BEFORE_CHARS, FOREIGN, kept_ends


class DocumentAuthorship(FieldAuthorship):
    """A document by the rule of a field: new in it and its user's is what keys have typed, or what was taken."""

    def __init__(self, clock: Clock, text: str) -> None:
        """Begin with the text of a document that was opened: none of it counts as typed."""
        super().__init__(clock)
        self._whole = Line(text, [FOREIGN] * len(text))
        self._edits = FOREIGN  # their number, by which typed characters are marked
        self._told = FOREIGN  # text of the edits until this one was learned
        self._live = self  # the document whose text this is, or was when it was saved

    @property
    def text(self) -> str:
        """The text that stands there."""
        return self._whole.text

    @override
    def report(self, text: str, cursor: int) -> bool:
        """Take no report: edits say all."""
        return False

    def edit(self, start: int, end: int, text: str) -> None:
        """Put a text in the place of another; it is its user's if it was typed or taken just now."""
        first, last = kept_ends(self._whole.text[start:end], text)
        new = text[first : len(text) - last]
        typed = bool(new) and self.is_typed(new)
        self._budget = max(self._budget - len(new), 0)
        self._edits += 1
        self._whole.replace(start + first, end - last, new, self._edits if typed else FOREIGN)

    def saved(self) -> DocumentAuthorship:
        """Return the text as it is saved now; once its texts are asked for, they count as learned."""
        saved = copy(self)
        saved._whole = Line(self._whole.text, self._whole.typed_s[:])
        return saved

    @override
    def entries(self) -> list[WrittenText]:
        """Return the texts that were typed since the last save that was learned."""
        lines, begin = list[Line](), 0
        for text in self._whole.text.split("\n"):
            marks = self._whole.typed_s[begin : begin + len(text)]
            if max(marks, default=FOREIGN) > self._told:
                told = [-mark if mark <= self._told else mark for mark in marks]
                above = self._whole.text[max(begin - BEFORE_CHARS, 0) : begin]
                lines.append(Line(text, told, above))
            begin += len(text) + 1
        self._live._told = self._edits
        return [text._replace(at=self._at) for text in texts_of(lines)]
