"""The door of web pages: what a frame tells of its keys and fields are events of the session, whose effects go back.

In a page JavaScript draws, and takes at once what is shown; the rest is the session's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.clients.session_runner import SessionRunner
from idiolect.daemon.session import effects, events, keys, keysyms
from idiolect.daemon.session.field import PAGE_APP, PageField
from idiolect.daemon.session.page_engine import PageEngine
from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost, OfferedWord
from idiolect.daemon.settings import Settings

_NOTHING: Final = Offer("", (), None)
_DEAD: Final = 0xFE51  # a key that only begins a character
_HOME: Final = 0xFF50  # stands for any key that may have moved the cursor
_KEYS: Final = {
    "Backspace": keys.BACKSPACE,
    "Tab": keys.TAB,
    "Enter": keys.RETURN,
    "Escape": keys.ESCAPE,
    "ArrowRight": keys.RIGHT,
    "Delete": keys.DELETE,
    "Dead": _DEAD,
    "Process": _DEAD,
}
_AT_CHARS: Final = 200  # before the cursor, by which a frame knows the place of an effect


class PageDoor:
    """The door of one frame, which the extension gives a number."""

    def __init__(self, session: BrowserSession, frame: int) -> None:
        """Begin without a field."""
        self._session, self._frame = session, frame
        self._drawn, self._note, self._sees = _NOTHING, "", False
        self._is_told = False  # the frame tells of something, and hides by itself what no longer fits
        self._due: dict[str, Any] = {}
        self.engine = PageEngine(session.session, self)
        session.handle(events.CapabilitiesTold(reports=True, handles_keys_at_once=True), self)

    def tell(self, told: list[events.Event]) -> None:
        """Take what the frame tells, in its order."""
        self._is_told = True
        try:
            for event in told:
                self._session.handle(event, self)
        finally:
            self._is_told = False

    def leave(self) -> None:
        """Leave the field: the frame has gone."""
        self._session.handle(events.FocusGone(), self)

    def take_due(self) -> dict[str, Any]:
        """Return what the frame is to do, once."""
        due, self._due = self._due, {}
        return due and {"frame": self._frame, **due}

    # What the session wants

    def answer_key(self, number: Any, *, used: bool) -> None:
        """Do nothing: a page has dealt with its keys already."""

    def insert(self, text: str, _replaced: int, removed: str) -> None:
        """Have `removed`, the characters before the cursor, replaced by a text."""
        before = self.engine.text_before.removesuffix(text) + removed
        self._due["insert"] = {"at": before[-_AT_CHARS:], "text": text, "removed": removed}

    def show(self, show: effects.ShowSuggestions) -> None:
        """Show suggestions, and say a new note."""
        if not self._note.startswith(show.note):
            self._due["note"] = show.note
        self._note, before, self._drawn = show.note, self._drawn, show.offer
        waits = self._due.pop("show", None) is not None
        if self._is_told and not waits and (not show.offer or _goes_on(before, show.offer)):
            return
        if show.offer or before:
            self._due["show"] = {
                "at": show.offer.prefix[-_AT_CHARS:],
                "words": [
                    {"label": label, **_told_word(word)}
                    for label, word in zip(show.words, show.offer.words, strict=True)
                ],
                "ghost": None if (ghost := show.offer.ghost) is None else _told_ghost(ghost),
            }

    def place_window(self, y: int) -> None:
        """Do nothing: the frame knows its cursor's place."""

    def show_menu(self, _menu: effects.ShowMenu) -> None:
        """Tell whether the text that is answered here is used; the menu is asked for."""
        if (sees := self.engine.answering.sees is True) != self._sees:
            self._sees = self._due["sees"] = sees


class BrowserSession(SessionRunner):
    """Shared by the doors of one browser's frames."""

    def __init__(self, settings: Settings, push: Callable[[dict[str, Any]], None]) -> None:
        """Begin without a frame; `push` sends a frame what it is to do."""
        super().__init__(settings, PAGE_APP, learn=True)
        self._push = push
        self._doors: dict[int, PageDoor] = {}
        self._is_told = False  # a frame tells of several events, of which what follows goes out together
        self._focused: PageDoor | None = None

    def tell(self, frame: int, told: list[events.Event]) -> None:
        """Take what a frame tells."""
        if frame not in self._doors:
            self._doors[frame] = PageDoor(self, frame)
        self._focused = self._doors[frame]
        self._is_told = True
        try:
            self._focused.tell(told)
        finally:
            self._is_told = False
            self._push_due()

    def forget(self, frame: int) -> None:
        """Forget a frame that has gone."""
        if (door := self._doors.pop(frame, None)) is not None:
            door.leave()
            self._focused = None if door is self._focused else self._focused

    def menu(self, frames: Collection[int]) -> list[effects.MenuLine]:
        """Return the menu's lines to press, where the last field typed into is of one of these frames."""
        here = any(self._doors.get(frame) is self._focused for frame in frames) and self._focused is not None
        return [line for line in self.session.menu().lines if here and line.checked is None]

    def choose(self, line: str) -> None:
        """Choose a line of the menu."""
        if self._focused is not None:
            self.handle(events.LineChosen(line), self._focused)

    @override
    def handle(self, event: events.Event, door: Any = None) -> None:
        super().handle(event, door)
        if not self._is_told:
            self._push_due()

    def _push_due(self) -> None:
        for door in self._doors.values():
            if due := door.take_due():
                self._push(due)


def read_event(told: Any, frame: int, *, learned: bool) -> events.Event:
    """Return what a frame tells as an event. Raises ValueError for what no frame tells."""
    match told:
        case ["key", str(name), int(held), float() | int() as at_s]:
            value = keysyms.of_character(name) if len(name) == 1 else _KEYS.get(name, _HOME)
            return events.KeyPressed(value, state=held, at_s=at_s)
        case ["text", str(before), str(behind)]:
            return events.TextReported(before + behind, len(before), len(before))
        case ["selected"]:
            return events.TextReported("", 0, 1)
        case ["field", int(number), str(purpose), bool(many_lines), bool(mended)]:
            field = PageField(
                f"{PAGE_APP}:{frame}",
                many_lines=many_lines,
                purpose_named=purpose,
                is_learned=learned,
                is_mended=mended,
            )
            return events.FieldCame(f"{number}", field)
        case ["away"]:
            return events.FocusGone()
        case ["answered", [*texts]] if all(isinstance(text, str) for text in texts):
            return events.AnsweredTextRead(tuple(texts))
        case ["word", str(before), str(text), float() | int() as p, int(replaced)]:
            return events.OfferTaken(Offer(before, (OfferedWord(text, p, replaced),), None))
        case ["ghost", str(before), [str(), *_] as pieces, float() | int() as p]:
            return events.OfferTaken(Offer(before, (), OfferedGhost("".join(pieces), p, tuple(pieces))))
        case ["undone", str(removed), str(put)]:
            return events.CorrectionUndone(effects.Made(removed, put, ""))
        case ["hidden"]:
            return events.OfferHidden()
        case ["pointer"]:
            return events.KeysUnseen()
    raise ValueError


def _told_word(word: OfferedWord) -> dict[str, Any]:
    return {"text": word.text, "p": word.p, "replace": word.replace}


def _told_ghost(ghost: OfferedGhost) -> dict[str, Any]:
    word = None if ghost.word is None else _told_word(ghost.word)
    return {"text": ghost.text, "p": ghost.p, "pieces": ghost.words, "word": word}


def _goes_on(before: Offer, offer: Offer) -> bool:
    """Return whether an offer is the rest of the ghost text that was drawn before, which its frame has drawn itself."""
    if offer.words or offer.ghost is None or before.ghost is None or offer.ghost.word is not None:
        return False
    return before.prefix + before.ghost.text == offer.prefix + offer.ghost.text
