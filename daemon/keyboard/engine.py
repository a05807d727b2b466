"""One IBus engine: what IBus calls of it, and the signals by which it types and shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jeepney import HeaderFields

from idiolect.daemon.keyboard import wire
from idiolect.daemon.keyboard.field import Field
from idiolect.daemon.keyboard.offers import read
from idiolect.daemon.keyboard.typing import Ask, Commit, Fate, Show, Typing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jeepney import Message

    from idiolect.daemon.keyboard.bus import Bus
    from idiolect.daemon.keyboard.session import Session
    from idiolect.daemon.keyboard.typing import Action

INTERFACE: Final = "org.freedesktop.IBus.Engine"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
#: IBus then says which program has the focus, and what stands around the cursor.
_OFFERED: Final = {"FocusId": ("b", True), "ActiveSurroundingText": ("b", True)}
_CLEAR: Final = 0  # what becomes of a ghost text where the field loses the focus: it goes
_PREEDIT, _SURROUNDING = 1 << 0, 1 << 5


class Engine:
    """An engine that IBus has made; it has one focused field at a time."""

    def __init__(self, bus: Bus, path: str, session: Session) -> None:
        """Under this path of the bus."""
        self._bus = bus
        self._path = path
        self._session = session
        self._field = Field()
        self._context = ""  # IBus's name of the field's input context
        self._capabilities = 0
        self._typing = Typing(session.bindings)
        self._inline = False  # a ghost text is shown there
        self._calls: dict[str, Callable[..., Any]] = {
            "ProcessKeyEvent": self._key,
            "SetSurroundingText": self._surrounding,
            "SetCapabilities": self._capable,
            "FocusInId": self._focus,
            "FocusIn": lambda: self._focus("", ""),
            "FocusOut": self._blur,
            "FocusOutId": lambda _path: self._blur(),
            "Enable": self._enable,
            "Disable": self._blur,
            "Reset": lambda: self._do(self._typing.reset()),
            "CandidateClicked": lambda index, _button, _state: self._do(self._typing.clicked(index)),
            "PropertyActivate": lambda name, state: self._session.pressed(name, bool(state)),
        }

    def handle(self, call: Message) -> None:
        """Answer a call."""
        fields = call.header.fields
        name, interface = fields.get(HeaderFields.member), fields.get(HeaderFields.interface)
        if interface == _PROPERTIES:
            return self._property(call, name or "")
        if name == "Destroy":
            self._blur()
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
                self._content(*call.body[2][1])
            return self._bus.reply(call)
        return self._bus.refuse(call)

    # What IBus tells

    def _key(self, value: int, _code: int, state: int) -> bool:
        if self._session.pause_key.fits(value, state):
            self._session.toggle_pause()
            return True
        if not self._session.suggests(self._field):
            return False
        used, actions = self._typing.key(value, state)
        self._do(actions)
        return used

    def _surrounding(self, text: wire.Variant, cursor: int, anchor: int) -> None:
        if self._capabilities & _SURROUNDING and self._session.suggests(self._field):
            self._do(self._typing.told(wire.content(text), cursor, anchor))

    def _capable(self, capabilities: int) -> None:
        self._capabilities = capabilities

    def _focus(self, context: str, client: str) -> None:
        # IBus says again what a field is for only where that differs from the field before.
        self._begin(replace(self._field, client=client, window=None))
        self._context = context
        self._session.focused(self)

    def _enable(self) -> None:
        self._bus.emit(self._path, INTERFACE, "RequireSurroundingText")
        self.show_menu()

    def _blur(self) -> None:
        self._begin(replace(self._field, client="", window=None))

    def _content(self, purpose: int, hints: int) -> None:
        if (purpose, hints) != (self._field.purpose, self._field.hints):
            self._begin(replace(self._field, purpose=purpose, hints=hints))

    def _begin(self, field: Field) -> None:
        """Another field, or none; or it turns out what it is for."""
        self._do(self._typing.interrupted())
        self._session.asking.forget()
        self._field = field
        self._typing = Typing(self._session.bindings)

    # What is done

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Commit(text, replaced):
                    if replaced:
                        self._emit("DeleteSurroundingText", "iu", (-replaced, replaced))
                    self._emit("CommitText", "v", (wire.text(text),))
                case Show():
                    self._show(action)
                case Ask(prefix):
                    self._ask(prefix)
                case Fate():
                    self._session.count(action, self._field)

    def _ask(self, prefix: str) -> None:
        typing = self._typing

        def then(answer: dict[str, Any]) -> None:
            if typing is self._typing:
                self._do(typing.answered(read(answer, prefix)))

        self._session.suggest(prefix, self._field, then)

    def _show(self, show: Show) -> None:
        self._emit(
            "UpdateLookupTable", "vb", (wire.lookup_table(show.words, show.selected), bool(show.words))
        )
        inline = (
            bool(show.ghost) and bool(self._capabilities & _PREEDIT) and self._session.inline(self._field)
        )
        if inline or self._inline:
            ghost = wire.text(show.ghost if inline else "", grey=True)
            self._emit("UpdatePreeditText", "vubu", (ghost, 0, inline, _CLEAR))
            self._inline = inline
        line = "" if inline or not self._session.has_line else show.ghost
        self._emit("UpdateAuxiliaryText", "vb", (wire.text(line, grey=True), bool(line)))

    def show_menu(self) -> None:
        """Show how things stand in the indicator's menu."""
        self._emit("RegisterProperties", "v", (wire.properties(self._session.menu()),))

    def _emit(self, name: str, signature: str, body: tuple[Any, ...]) -> None:
        self._bus.emit(self._path, INTERFACE, name, signature, body)
