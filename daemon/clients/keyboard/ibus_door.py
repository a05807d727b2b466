"""The door of IBus: its calls are events of the session, whose effects go out as signals to IBus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jeepney import HeaderFields, Message
from typing_extensions import override

from idiolect.daemon.clients.keyboard import ibus_objects
from idiolect.daemon.clients.keyboard.bus import Bus
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.suggestion_window import Entry, SuggestionWindow
from idiolect.daemon.session import events
from idiolect.daemon.session.effects import ShowMenu
from idiolect.daemon.session.engine import Engine

INTERFACE: Final = "org.freedesktop.IBus.Engine"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
#: For these IBus names the program with the focus, and reports the text around the cursor.
_OFFERED: Final = {"FocusId": ("b", True), "ActiveSurroundingText": ("b", True)}
_PREEDIT, _SURROUNDING = 1 << 0, 1 << 5
_CLEAR: Final = 0  # a ghost text goes where the field loses the focus


#: IBus's calls, as events.
_EVENTS: Final[dict[str, Callable[..., events.Event]]] = {
    "SetSurroundingText": lambda text, *ends: events.TextReported(ibus_objects.content(text), *ends),
    "SetCapabilities": lambda flags: events.CapabilitiesTold(
        bool(flags & _SURROUNDING), bool(flags & _PREEDIT)
    ),
    "FocusInId": events.FocusCame,
    "FocusIn": lambda: events.FocusCame("", ""),
    "FocusOut": events.FocusGone,
    "FocusOutId": lambda _path: events.FocusGone(),
    "Disable": events.FocusGone,
    "Destroy": events.FocusGone,
    "SetCursorLocation": lambda x, y, _width, height: events.CursorMoved(x, y, height),
    "CandidateClicked": lambda index, _button, _state: events.WordClicked(index),
    "Reset": events.InputReset,
    "PropertyActivate": lambda name, state: events.LineChosen(name, bool(state)),
}


class IbusDoor(SuggestionWindow):
    """The door of an engine that IBus has made, under a path of its bus."""

    def __init__(self, bus: Bus, path: str, session: DesktopSession) -> None:
        """Serve an engine of its own."""
        super().__init__()
        self._bus, self._path, self._session = bus, path, session
        self.engine = Engine(session.session, self)

    def handle(self, call: Message) -> None:
        """Hand a call to the session, and answer it; a key is answered once the session has decided."""
        fields = call.header.fields
        name, interface = fields.get(HeaderFields.member) or "", fields.get(HeaderFields.interface)
        if interface == _PROPERTIES:
            return self._property(call, name)
        if name == "ProcessKeyEvent":
            value, code, state = call.body
            return self._session.handle(events.KeyPressed(value, code, state, call), self)
        if name == "Enable":
            self._enable()
        elif name in _EVENTS:
            self._session.handle(_EVENTS[name](*call.body), self)
        return self._bus.reply(call)

    def answer_key(self, number: Message, *, used: bool) -> None:
        """Answer the call with a key."""
        self._bus.reply(number, "b", (used,))

    def _property(self, call: Message, name: str) -> None:
        if name == "Get" and call.body[1] in _OFFERED:
            return self._bus.reply(call, "v", (_OFFERED[call.body[1]],))
        if name == "GetAll":
            return self._bus.reply(call, "a{sv}", (_OFFERED,))
        if name == "Set":
            if call.body[1] == "ContentType":
                self._session.handle(events.PurposeTold(*call.body[2][1]), self)
            return self._bus.reply(call)
        return self._bus.refuse(call)

    def _enable(self) -> None:
        self._emit("RequireSurroundingText", "", ())
        self.show_menu(self._session.session.menu())

    def insert(self, text: str, replaced: int, _removed: str) -> None:
        """Delete `replaced` characters before the cursor, and insert a text there."""
        if replaced:
            self._emit("DeleteSurroundingText", "iu", (-replaced, replaced))
        self._emit("CommitText", "v", (ibus_objects.text(text),))

    @override
    def show_ghost(self, text: str) -> None:
        ghost = ibus_objects.text(text, grey=True)
        self._emit("UpdatePreeditText", "vubu", (ghost, 0, bool(text), _CLEAR))

    @override
    def draw(self, entries: list[Entry], *, first: bool) -> None:
        table = ibus_objects.lookup_table(entries)
        # The first list after none is too high, may have numbers, and may stand in a corner: IBus puts that right with
        # the next list.
        for _ in range(2 if first else 1):
            self._emit("UpdateLookupTable", "vb", (table, bool(entries)))

    def show_menu(self, menu: ShowMenu) -> None:
        """Show the indicator's menu."""
        self._emit("RegisterProperties", "v", (ibus_objects.menu(menu),))

    def _emit(self, name: str, signature: str, body: tuple[Any, ...]) -> None:
        self._bus.emit(self._path, INTERFACE, name, signature, body)
