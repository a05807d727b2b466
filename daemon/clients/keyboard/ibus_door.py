"""The door of IBus: calls of IBus reach the engine, and the engine types and shows by signals to IBus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jeepney import HeaderFields, Message
from typing_extensions import override

from idiolect.daemon.clients.keyboard import ibus_objects
from idiolect.daemon.clients.keyboard.bus import Bus
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.engine import Engine
from idiolect.daemon.clients.keyboard.suggestion_window import Entry, SuggestionWindow

INTERFACE: Final = "org.freedesktop.IBus.Engine"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
#: For these IBus names the program with the focus, and reports the text around the cursor.
_OFFERED: Final = {"FocusId": ("b", True), "ActiveSurroundingText": ("b", True)}
_PREEDIT, _SURROUNDING = 1 << 0, 1 << 5
_CLEAR: Final = 0  # a ghost text goes where the field loses the focus


class IbusDoor(SuggestionWindow):
    """The door of an engine that IBus has made, under a path of its bus."""

    def __init__(self, bus: Bus, path: str, session: DesktopSession) -> None:
        """Serve an engine of its own."""
        super().__init__()
        self._bus = bus
        self._path = path
        self.engine = engine = Engine(self, session)
        self._calls: dict[str, Callable[..., Any]] = {
            "ProcessKeyEvent": engine.press,
            "SetSurroundingText": lambda text, *ends: engine.report(ibus_objects.content(text), *ends),
            "SetCapabilities": lambda flags: engine.set_capabilities(
                reports=bool(flags & _SURROUNDING), preedit=bool(flags & _PREEDIT)
            ),
            "FocusInId": engine.focus_in,
            "FocusIn": lambda: engine.focus_in("", ""),
            "FocusOut": engine.focus_out,
            "FocusOutId": lambda _path: engine.focus_out(),
            "Enable": self._enable,
            "Disable": engine.focus_out,
            "Destroy": engine.focus_out,
            "SetCursorLocation": engine.move_cursor,
            "CandidateClicked": lambda index, _button, _state: engine.click(index),
            "Reset": engine.reset,
            "PropertyActivate": lambda name, state: session.choose(name, checked=bool(state)),
        }

    def handle(self, call: Message) -> None:
        """Hand a call to the engine, and answer it."""
        is_report = call.header.fields.get(HeaderFields.member) == "SetSurroundingText"
        self.engine.handle(lambda: self._answer(call), is_report=is_report)

    def _answer(self, call: Message) -> None:
        fields = call.header.fields
        name, interface = fields.get(HeaderFields.member), fields.get(HeaderFields.interface)
        if interface == _PROPERTIES:
            return self._property(call, name or "")
        found = self._calls.get(name or "")
        used = found(*call.body) if found is not None else None
        if name == "ProcessKeyEvent":
            return self._bus.reply(call, "b", (bool(used),))
        return self._bus.reply(call)

    def _property(self, call: Message, name: str) -> None:
        if name == "Get" and call.body[1] in _OFFERED:
            return self._bus.reply(call, "v", (_OFFERED[call.body[1]],))
        if name == "GetAll":
            return self._bus.reply(call, "a{sv}", (_OFFERED,))
        if name == "Set":
            if call.body[1] == "ContentType":
                self.engine.set_purpose(*call.body[2][1])
            return self._bus.reply(call)
        return self._bus.refuse(call)

    def _enable(self) -> None:
        self._emit("RequireSurroundingText", "", ())
        self.engine.show_menu()

    def insert(self, text: str, replaced: int) -> None:
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

    def show_menu(self, menu: tuple[ibus_objects.Property, ...]) -> None:
        """Show the indicator's menu."""
        self._emit("RegisterProperties", "v", (ibus_objects.properties(menu),))

    def _emit(self, name: str, signature: str, body: tuple[Any, ...]) -> None:
        self._bus.emit(self._path, INTERFACE, name, signature, body)
