"""The door of Fcitx: its addon hands on keys, text and focus in packets, and inserts and shows what the session wants.

`fcitx/idiolect.cpp` has the other end. A packet is a letter, numbers in the machine's own order, and a text.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Final

from typing_extensions import override

from idiolect.daemon.clients.keyboard.component import addon_version
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.suggestion_window import Entry, SuggestionWindow
from idiolect.daemon.session import events
from idiolect.daemon.session.effects import MenuLine, ShowMenu
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.field import FCITX, HINT_PRIVATE, PURPOSES

_OTHER_ADDON: Final = "idiolect was updated: run `idiolect setup keyboard`."
_MAX_BYTES: Final = 64 * 1024
#: Fcitx's capabilities of a field, by bit.
_SURROUNDING, _SENSITIVE = 1 << 6, 1 << 36
#: The program speaks Fcitx's own protocol. It asks about a key before it has done with the last, and takes forwarded
#: keys in their order (`_ORDERED`), or handles each key at once.
_DIRECT, _ORDERED = 1 << 63, 1 << 37
_PURPOSES: Final = {
    1 << 3: "password",
    1 << 8: "digits",
    1 << 14: "number",
    1 << 13: "phone",
    1 << 12: "url",
    1 << 7: "email",
    1 << 22: "name",
    1 << 21: "alpha",
    1 << 32: "terminal",
}
_NUMBER: Final = struct.Struct("=I")
_LINES: Final = struct.Struct("=cI")
_INSERT: Final = struct.Struct("=cII")
_ANSWER: Final = struct.Struct("=cIB")
_NOT_YET_KNOWN: Final = 2  # the answer to a key behind a word that waits; another follows

log = logging.getLogger("idiolect.keyboard")


class FcitxDoor(SuggestionWindow):
    """The door of one engine for all fields of Fcitx, at a socket that keeps packets apart."""

    def __init__(self, end: socket.socket, session: DesktopSession, version: str) -> None:
        """Serve an engine, once :meth:`serve` runs; an addon of another version is told so, and nothing else."""
        super().__init__()
        self._end, self._session = end, session
        self._closed = asyncio.Event()
        self._is_current = version == addon_version()
        self._focus = 0  # Fcitx's number of the focus that the engine knows
        self._switched: dict[str, bool] = {}  # by line of the menu: what it is switched to where it is chosen
        self._keeps_keys = False  # Fcitx keeps keys behind a word that waits
        self._undecided: int | None = None  # the key that is not answered yet
        self.engine = Engine(session.session, self)
        #: By kind of a packet: the numbers that it begins with, and what takes them, with the text behind them.
        self._kinds: dict[bytes, tuple[struct.Struct, Callable[..., None]]] = {
            b"F": (struct.Struct("=QI16s"), self._focus_in),
            b"U": (struct.Struct("="), lambda _: self._tell(events.FocusGone())),
            b"C": (struct.Struct("=Q"), lambda flags, _: self._set_capabilities(flags)),
            b"R": (struct.Struct("=II"), lambda *ends: self._tell(events.TextReported(ends[2], *ends[:2]))),
            b"M": (
                struct.Struct("=iiii"),
                lambda x, y, _, height, __: self._tell(events.CursorMoved(x, y, height)),
            ),
            b"L": (struct.Struct("=I"), lambda index, _: self._tell(events.WordClicked(index))),
            b"X": (struct.Struct("="), lambda _: self._tell(events.InputReset())),
            b"P": (struct.Struct("="), self._choose),
            b"K": (struct.Struct("=IIII"), self._press),
            b"S": (struct.Struct("=I"), self._come_into_step),
        }

    async def serve(self) -> None:
        """Take packets until Fcitx ends the connection, or sends what is no packet."""
        loop = asyncio.get_running_loop()
        self._end.setblocking(False)
        loop.add_reader(self._end, self._receive)
        try:
            await self._closed.wait()
        finally:
            loop.remove_reader(self._end)
            self._end.close()

    def _receive(self) -> None:
        try:
            packet = self._end.recv(_MAX_BYTES + 1)
        except BlockingIOError:
            return None
        except OSError:
            packet = b""
        if packet and not self._is_current:
            return self._ask_for_setup(packet)
        layout, take = self._kinds.get(packet[:1], (None, None))
        if layout is None or take is None or not layout.size + 1 <= len(packet) <= _MAX_BYTES:
            return self._closed.set()
        numbers, text = layout.unpack_from(packet, 1), packet[1 + layout.size :].decode(errors="replace")
        try:
            take(*numbers, text)
        except Exception as error:
            log.error("an event of Fcitx failed", exc_info=error)
        return None

    def _ask_for_setup(self, packet: bytes) -> None:
        """Tell the user, in each field until a key, what an addon of another version needs; pass all keys on."""
        kind, numbers = packet[:1], packet[1:]
        if kind == b"F":
            self._focus = self._kinds[kind][0].unpack_from(numbers)[1]
            self.draw([[(_OTHER_ADDON, True)]], first=True)
        elif kind in b"KS":
            self._send(_ANSWER.pack(b"A", *_NUMBER.unpack_from(numbers), 0))
            self.draw([], first=False)

    def _send(self, packet: bytes) -> None:
        try:
            self._end.send(packet)
        except OSError:  # Fcitx has ended, or takes nothing
            self._closed.set()

    # Events

    def _tell(self, event: events.Event) -> None:
        self._session.handle(event, self)

    def _press(self, number: int, symbol: int, code: int, state: int, _text: str) -> None:
        self._undecided, answer = number, 0
        try:
            self._tell(events.KeyPressed(symbol, code, state, number, at_once=not self._keeps_keys))
            answer = _NOT_YET_KNOWN
        finally:
            if self._undecided is not None:
                self._send(_ANSWER.pack(b"A", number, answer))

    def _come_into_step(self, number: int, _text: str) -> None:
        try:
            self._tell(events.KeysUnseen())
        finally:
            self._send(_ANSWER.pack(b"A", number, False))

    def _focus_in(self, flags: int, focus: int, context: bytes, program: str) -> None:
        self._tell(events.FocusGone())
        self._focus = focus
        self._set_capabilities(flags)
        self._tell(events.FocusCame(context.hex(), f"{FCITX}{program}"))

    def _set_capabilities(self, flags: int) -> None:
        purpose = next((name for bit, name in _PURPOSES.items() if flags & bit), "free-form")
        self._keeps_keys = bool(flags & _ORDERED)
        handles_keys_at_once = flags & (_DIRECT | _ORDERED) == _DIRECT
        self._tell(events.CapabilitiesTold(bool(flags & _SURROUNDING), False, handles_keys_at_once))
        self._tell(events.PurposeTold(PURPOSES.index(purpose), HINT_PRIVATE if flags & _SENSITIVE else 0))

    def _choose(self, line: str) -> None:
        if line in self._switched:
            self._tell(events.LineChosen(line, self._switched[line]))

    # What the session wants

    def answer_key(self, number: int, *, used: bool) -> None:
        """Answer a key."""
        self._undecided = None if number == self._undecided else self._undecided
        self._send(_ANSWER.pack(b"A", number, used))

    def insert(self, text: str, replaced: int, _removed: str) -> None:
        """Delete `replaced` characters before the cursor, and insert a text there."""
        self._send(_INSERT.pack(b"I", self._focus, replaced) + text.encode())

    @override
    def show_ghost(self, text: str) -> None:
        """Show none: Fcitx has no grey, nor tells programs of GTK from those that insert a ghost text at a click."""

    @override
    def draw(self, entries: list[Entry], *, first: bool) -> None:
        shown = bytearray()
        for (key, _), *rest in entries:
            word = rest[0][0] if rest and rest[0][0].strip() else ""
            label, text = (key, word) if word else ("", key)
            shown += f"{label}\0{text}\0".encode()
        self._send(_LINES.pack(b"W", self._focus) + shown)

    def show_menu(self, menu: ShowMenu) -> None:
        """Show the menu below Fcitx's icon, and in its panel."""
        self._switched = {line.key: not line.checked for line in menu.lines}
        lines = bytearray()
        for line in (MenuLine("idiolect", menu.title), *menu.lines):
            checked = "" if line.checked is None else int(line.checked)
            lines += f"{line.key}\0{line.label}\0{checked}\0".encode()
        self._send(_LINES.pack(b"N", self._focus) + lines)
