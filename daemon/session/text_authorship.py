"""The user's own text in a text that is known as a whole: a field of a web page, or an editor's document.

A page or a program may do to it what it likes. A character is its user's only where the text shows exactly what a
trusted key, input method or suggestion has just brought: nothing else gets a word into its user's mouth.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final, NamedTuple

from typing_extensions import override

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.field_authorship import FieldAuthorship, Line, WrittenText, texts_of
from idiolect.daemon.session.text_changes import Change, find_changes
from idiolect.daemon.text.typed_text import BEFORE_CHARS, FOREIGN

_SEEN_S: Final = 5.0  # the page may take so long to show what was typed
_MAX_TYPED: Final = 20_000  # characters at once, which an input method may bring
#: Pieces that its user has removed, and may bring back by undoing or pasting; and their characters together.
_MAX_REMOVED: Final = 50
_MAX_REMOVED_CHARS: Final = 100_000
#: Keys and inputs that only put text in.
_ADDS: Final = frozenset(("insertText", "insertLineBreak", "insertParagraph"))


@dataclass
class _Piece:
    """A piece of text that was removed at a place, and its marks."""

    text: str
    typed_s: list[float]
    at: int


class _Place(NamedTuple):
    """Where a typed text stands, the change that brought it, and what of it does not stand there yet."""

    start: int
    end: int
    change: Change
    left: str


@dataclass
class _Hand:
    """What its user has put in and the field has not shown yet; whether they may have removed or brought back text."""

    typed: str = ""
    key: str = ""  # what the last key types, until the browser tells of the input itself
    typed_s: float = float("-inf")
    may_remove: bool = False

    def add(self, text: str, now_s: float) -> None:
        self.expire(now_s)
        self.typed, self.key, self.typed_s = (self.typed + text)[-_MAX_TYPED:], "", now_s

    def expire(self, now_s: float) -> None:
        if now_s - self.typed_s > _SEEN_S:
            self.typed = self.key = ""


class TextAuthorship(FieldAuthorship):
    """A field of a page for as long as its page knows it, since its user may come back; a document while it is open.

    Its marks are when a character was typed, in seconds since 1970: negative for what was learned before.
    """

    def __init__(self, clock: Clock, text: str) -> None:
        """Begin with a text of which nothing is its user's."""
        super().__init__(clock)
        self._whole = Line(text, [FOREIGN] * len(text))
        self._live = self  # whose text this is, or was when it was saved
        self._hand = _Hand()
        self._parted = -1  # where the page has put spaces behind a word, which its user may go on with there
        self._removed: list[_Piece] = []  # what its user has removed, the newest last
        self._vanished: list[Line] = []  # lines that the page took away, as it does with what was sent

    @property
    def text(self) -> str:
        """The text that stands there."""
        return self._whole.text

    # What its user does

    def press(self, typed: str, *, removes: bool) -> None:
        """Take a key before the page deals with it: what it types, and whether it may remove text or bring it back."""
        hand, now_s = self._hand, self._clock.now_s
        hand.expire(now_s)
        hand.typed, hand.key, hand.may_remove = hand.typed + hand.key, typed, removes
        hand.typed_s = now_s if typed else hand.typed_s

    def enter(self, kind: str, text: str) -> None:
        """Take what the browser says of an input, by its kind, before it changes the field."""
        if kind == "insertText":
            self._hand.add(text, self._clock.now_s)
        elif kind not in _ADDS:
            self._hand.may_remove = True

    def put(self, text: str, *, replaces: bool) -> None:
        """Take a text that comes in for its user at once; where it `replaces` another, that is theirs to remove.

        The text is empty for a change that its user did not make.
        """
        self._hand = _Hand(text, "", self._clock.now_s, replaces)

    def point(self) -> None:
        """Note a pointer: what a key has begun is over."""
        self._hand.may_remove = False

    # What it shows

    @override
    def report(self, text: str, cursor: int) -> bool:
        """Take no report: `become` says all."""
        return False

    def come_back(self, text: str) -> None:
        """Take the whole text of a field to which its user comes: what is new is the page's."""
        self._hand = _Hand()
        if text != self.text:
            self.become(0, len(self.text), text)

    def become(self, start: int, end: int, new: str) -> None:
        """Put a text in the place of another, as the field shows it now."""
        hand, old, marks = self._hand, self.text, self._whole.typed_s
        hand.expire(self._clock.now_s)
        found = old[:start] + new + old[end:]
        changes = find_changes(old, found, Change(start, end, start, start + len(new)))
        pieces = [
            _Piece(old[one.old_start : one.old_end], marks[one.old_start : one.old_end], one.old_start)
            for one in changes
        ]
        for change in reversed(changes):
            marks[change.old_start : change.old_end] = [FOREIGN] * (change.end - change.start)
        self._whole.text = found
        typed, hand.key = hand.typed + hand.key, ""
        place = _find_typed(typed, found, changes)
        if place is not None:
            marks[place.start : place.end] = [self._clock.unix_s] * (place.end - place.start)
            if place.start == self._parted and _is_in_word(found[place.start : place.start + 1]):
                marks[len(found[: place.start].rstrip()) - 1] = marks[place.start] = FOREIGN
        hand.typed, self._parted = typed if place is None else place.left, -1
        may_remove = hand.may_remove
        for change, gone in zip(changes, pieces, strict=True):
            come = found[change.start : change.end]
            is_typed = place is not None and change is place.change
            back = self._find_removed(come) if hand.may_remove and come and not is_typed else None
            if back is not None:
                marks[change.start : change.end] = back
            if is_typed or back is not None or (may_remove and not come.strip()):
                if gone.text:
                    self._remember(gone)
                may_remove = may_remove and not gone.text
            else:
                if may_remove and gone.text:  # pasted over, which undoing brings back
                    self._remember(gone)
                    may_remove = False
                self._tear(change, old, gone)
        hand.may_remove = False

    def _remember(self, gone: _Piece) -> None:
        last = self._removed[-1] if self._removed else None
        if last is not None and gone.at + len(gone.text) == last.at:
            last.text, last.typed_s, last.at = gone.text + last.text, gone.typed_s + last.typed_s, gone.at
        elif last is not None and gone.at == last.at:
            last.text, last.typed_s = last.text + gone.text, last.typed_s + gone.typed_s
        else:
            self._removed = [*self._removed, gone][-_MAX_REMOVED:]
        while sum(len(one.text) for one in self._removed) > _MAX_REMOVED_CHARS:
            del self._removed[0]

    def _find_removed(self, come: str) -> list[float] | None:
        """Return the marks that a text had when its user removed it; None if they did not."""
        core = come.strip()
        piece = next((one for one in reversed(self._removed) if core and core in one.text), None)
        if piece is None:
            return None
        at, before = piece.text.index(core), come.index(core)
        behind = len(come) - before - len(core)
        return [FOREIGN] * before + piece.typed_s[at : at + len(core)] + [FOREIGN] * behind

    def _tear(self, change: Change, old: str, gone: _Piece) -> None:
        """Take a change of the page's own: words that it has cut, or joined with others, are nobody's any more."""
        found, marks = self._whole.text, self._whole.typed_s
        come = found[change.start : change.end]
        before = found[change.start - 1 : change.start] if change.start else ""
        behind = found[change.end : change.end + 1]
        is_whole = before in ("", "\n") and (behind in ("", "\n") or gone.text.endswith("\n"))
        # Where it has put other lines in their place, an editor draws only those in sight.
        is_away = not come.strip() or "\n" in gone.text.rstrip()
        if is_whole and is_away and gone.text.strip():
            above = old[max(gone.at - BEFORE_CHARS, 0) : gone.at]
            if max(gone.typed_s) > FOREIGN:
                self._vanished.append(Line(gone.text, gone.typed_s, above))
            return
        if not gone.text and come.isspace() and "\n" not in come and before.isalnum():
            self._parted = change.end
        joins = change.start == change.end and _is_in_word(behind) and before not in ("", "\n")
        if _is_in_word(before) and _is_in_word(old[gone.at : gone.at + 1]):
            marks[change.start - 1] = FOREIGN
        if _is_in_word(behind) and (joins or _is_in_word(old[: change.old_end][-1:])):
            marks[change.end] = FOREIGN

    # What is learned

    def take_vanished(self) -> list[Line]:
        """Return the lines that the page has taken away, and in which its user has typed; once."""
        vanished, self._vanished = self._vanished, []
        return [line for part in vanished for line in _split(part.text, part.typed_s, part.above)]

    def take_all(self) -> list[Line]:
        """Return all lines in which its user has typed since they were last taken."""
        found = [*self.take_vanished(), *_split(self.text, self._whole.typed_s, "")]
        self._live._note_taken({*self._whole.typed_s})
        return found

    def _note_taken(self, taken: set[float]) -> None:
        """Count as learned what was typed at one of these times; no order, since a clock may be put back."""
        marks = self._whole.typed_s
        self._whole.typed_s = [-mark if mark > FOREIGN and mark in taken else mark for mark in marks]

    def saved(self) -> TextAuthorship:
        """Return the text as it is saved now; once its texts are asked for, they count as learned."""
        saved = copy(self)
        saved._whole = Line(self.text, self._whole.typed_s[:])
        self._vanished = []
        return saved

    @override
    def entries(self) -> list[WrittenText]:
        """Return the texts that stand there and were typed since texts were last asked for."""
        self._vanished = []
        return texts_of(self.take_all())


def _split(text: str, typed_s: Sequence[float], above: str) -> list[Line]:
    """Return those of the lines of a text that hold newly typed characters, each with the text above it."""
    found, begin = list[Line](), 0
    for line in text.split("\n"):
        marks = list(typed_s[begin : begin + len(line)])
        if max(marks, default=FOREIGN) > FOREIGN:
            found.append(
                Line(line, marks, (above + text[max(begin - BEFORE_CHARS, 0) : begin])[-BEFORE_CHARS:])
            )
        begin += len(line) + 1
    return found


def _is_in_word(char: str) -> bool:
    return bool(char) and not char.isspace()


def _find_typed(typed: str, found: str, changes: Sequence[Change]) -> _Place | None:
    """Return where in a field stands what was typed, if one of the changes brought it."""
    if not typed:
        return None
    for change in changes:
        start, end = change.start, change.end
        first = found.find(typed, max(0, end - len(typed)), start + len(typed))
        if end > start and first >= 0:
            return _Place(first, first + len(typed), change, "")
        if end > start and found[start:end].replace("\n", "") == typed:
            return _Place(start, end, change, "")
    for change in changes:
        start, end = change.start, change.end
        come = found[start:end]
        if not come:
            continue
        if typed.startswith(come):
            return _Place(start, end, change, typed[len(come) :])
        if come.startswith(typed):
            return _Place(start, start + len(typed), change, "")
        if come.endswith(typed):
            return _Place(end - len(typed), end, change, "")
        if typed.endswith(come):
            return _Place(start, end, change, "")
    return None
