"""The door of web pages: what a frame tells of its keys and fields are events of the session, whose effects go back.

In a page JavaScript draws, and takes at once what is shown; the rest is the session's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.clients.outbox import Outbox
from idiolect.daemon.clients.session_runner import SessionRunner
from idiolect.daemon.session import effects, events, keysyms
from idiolect.daemon.session.field import PAGE_APP, PageField
from idiolect.daemon.session.field_authorship import Line, texts_of
from idiolect.daemon.session.key_table import USUAL, read_key
from idiolect.daemon.session.page_engine import PageEngine
from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost, OfferedWord
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses

_NOTHING: Final = Offer("", (), None)
_DEAD: Final = 0xFE51  # a key that only begins a character
_HOME: Final = 0xFF50  # stands for any key that may have moved the cursor
_AT_CHARS: Final = 200  # before the cursor, by which a frame knows the place of an effect


class PageDoor:
    """The door of one frame, which the extension gives a number."""

    def __init__(self, session: BrowserSession, frame: int) -> None:
        """Begin without a field."""
        self._session, self._frame = session, frame
        self._drawn, self._note, self._sees = _NOTHING, "", False
        self._is_told = False  # the frame tells of something, and hides by itself what no longer fits
        self._keys = USUAL
        self._around = "", ""  # the text before the cursor, and behind it, as it was last told
        self._due: dict[str, Any] = {}
        self.site: str | None = None  # under which texts are learned now; None: nothing is
        self.engine = PageEngine(session.session, self)
        session.handle(events.CapabilitiesTold(reports=True, handles_keys_at_once=True), self)

    def read(self, told: Sequence[Any], site: str | None) -> list[events.Event]:
        """Return what the frame tells as events. Raises ValueError for what no frame tells."""
        self.site = site
        return [*([events.FieldForbidden()] if site is None else []), *map(self._read, told)]

    def tell(self, told: list[events.Event]) -> None:
        """Take what the frame tells, in its order."""
        self._is_told = True
        try:
            for event in told:
                self._session.handle(event, self)
        finally:
            self._is_told = False

    def _read(self, told: Any) -> events.Event:
        match told:
            case ["text", int(dropped), str(more), *behind] if all(isinstance(one, str) for one in behind):
                before, after = self._around
                self._around = before[: len(before) - dropped] + more, behind[0] if behind else after
                return events.TextReported("".join(self._around), *[len(self._around[0])] * 2)
            case ["field", int(number), str(purpose), bool(many_lines), bool(mended), str() | None as text]:
                app = f"{PAGE_APP}:{self._frame}"
                learned = self.site is not None and text is not None
                field = PageField(
                    app, many_lines=many_lines, purpose_named=purpose, is_learned=learned, is_mended=mended
                )
                self._around = "", ""
                return events.FieldCame(f"{number}", field, _units(text) if text and learned else text)
        return read_event(told)

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

    def show_menu(self, menu: effects.ShowMenu) -> None:
        """Tell its user's keys, whether learning is paused, and what is answered used; the menu itself is asked for."""
        self._session.note_pause(paused=any(line.key == "pause" and line.checked for line in menu.lines))
        if (keys := self._session.session.choices.keys) != self._keys:
            self._keys, self._due["keys"] = keys, keys.names()
        if (sees := self.engine.answering.sees is True) != self._sees:
            self._sees = self._due["sees"] = sees


class BrowserSession(SessionRunner):
    """Shared by the doors of one browser's frames."""

    def __init__(self, settings: Settings, push: Callable[[dict[str, Any]], None]) -> None:
        """Begin without a frame; `push` sends a frame what it is to do."""
        super().__init__(settings, PAGE_APP, learn=True)
        self._push = push
        self._is_paused = False
        self._doors: dict[int, PageDoor] = {}
        self._is_told = False  # a frame tells of several events, of which what follows goes out together
        self._focused: PageDoor | None = None
        self._lines = Outbox(self._send_lines)

    def read(self, frame: int, told: Sequence[Any], site: str | None) -> list[events.Event]:
        """Return what a frame tells, and the site under which it may be learned; ValueError for what no frame tells."""
        if frame not in self._doors:
            self._doors[frame] = PageDoor(self, frame)
        return self._doors[frame].read(told, site)

    def tell(self, frame: int, told: list[events.Event]) -> None:
        """Take what a frame tells."""
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
        """Return the menu's line for quiet, and those to press if one of these frames was typed into last."""
        here = any(self._doors.get(frame) is self._focused for frame in frames)
        lines = self.session.menu().lines if self._focused is not None else ()
        return [line for line in lines if line.key == "quiet" or (here and line.checked is None)]

    def choose(self, line: str) -> None:
        """Choose a line of the menu; that for quiet becomes the other way round."""
        if self._focused is not None:
            self.handle(events.LineChosen(line, not self.session.choices.quiet), self._focused)

    def note_pause(self, *, paused: bool) -> None:
        """Tell the browser once learning is paused, or goes on."""
        if paused != self._is_paused:
            self._is_paused = paused
            self._push({"problem": "paused" if paused else "ready"})

    # What is learned

    @override
    def _do(self, door: Any, effect: effects.Effect) -> None:
        if not isinstance(effect, effects.LearnLines):
            super()._do(door, effect)
        elif door.site is not None:
            self._lines.put((effect.lines, door.site))
            self._lines.start()

    async def _send_lines(self, typed: tuple[Sequence[Line], str]) -> bool:
        """Send the texts that were typed, but in pauses. Return whether the service took or refused all of them."""
        lines, site = typed
        if (status := await self.requests.link.ask("GET", "/v1/status")) is None:
            return False
        for text in texts_of(lines, Pauses.of(status)):
            body = {"text": _characters(text.text), "at": text.at, "before": _characters(text.before)}
            if not await self.requests.link.send(
                "/v1/history", {**body, "source": source_of(site), "app": PAGE_APP}
            ):
                return False
        return True

    @property
    def waits(self) -> bool:
        """Whether texts or counts wait for the service."""
        return bool(self._lines) or self.requests.waits

    @override
    async def finish(self) -> None:
        self._carry_out(self.session.finish())
        await self._lines.finish()
        await super().finish()

    @override
    def handle(self, event: events.Event, door: Any = None) -> None:
        super().handle(event, door)
        if not self._is_told:
            self._push_due()

    def _push_due(self) -> None:
        for door in self._doors.values():
            if due := door.take_due():
                self._push(due)


def read_event(told: Any) -> events.Event:
    """Return what a frame tells as an event. Raises ValueError for what no frame tells."""
    match told:
        case ["key", str(name), int(held), float() | int() as at_s]:
            return events.KeyPressed(_value_of(name), state=held, at_s=at_s)
        case ["selected"]:
            return events.TextReported("", 0, 1)
        case ["input", str(kind), str(text)]:
            return events.InputCame(kind, _units(text))
        case ["put", str(text), bool(replaces)]:
            return events.TextPut(_units(text), replaces)
        case ["holds", int(start), int(end), str(text)]:
            return events.DocumentEdited((events.DocumentEdit(start, end, _units(text)),))
        case ["forbidden"]:
            return events.FieldForbidden()
        case ["away"]:
            return events.FocusGone()
        case ["answered", [*texts]] if all(isinstance(text, str) for text in texts):
            return events.AnsweredTextRead(tuple(texts))
        case ["word", str(before), str(text), float() | int() as p, int(replaced)]:
            return events.OfferTaken(Offer(before, (OfferedWord(text, p, replaced),), None))
        case ["ghost", str(before), [str(), *_] as pieces, float() | int() as p]:
            return events.OfferTaken(Offer(before, (), OfferedGhost("".join(pieces), p, tuple(pieces))))
        case ["undone", str(removed), str(put)]:
            return events.CorrectionUndone(effects.MadeCorrection(removed, put, ""))
        case ["hidden"]:
            return events.OfferHidden()
        case ["pointer"]:
            return events.KeysUnseen()
    raise ValueError


def _value_of(name: str) -> int:
    if len(name) == 1:
        return keysyms.of_character(name)
    try:
        return _DEAD if name in ("Dead", "Process") else read_key(name.removeprefix("Arrow")).value
    except ValueError:
        return _HOME


def source_of(site: str) -> str:
    """Return the source of a site's texts: its name, with a dot at the end if it has none.

    So a host named like one of the program's own sources, such as `mail`, is another source.
    """
    return site if "." in site else f"{site}."


def _units(text: str) -> str:
    """Return a text in JavaScript's units, of which some characters have two."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data))) if not text.isascii() else text


def _characters(units: str) -> str:
    """Return JavaScript's units as characters, without halves."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


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
