"""The table of scenarios through the doors of IBus and Fcitx: what they are told and say, as it goes over the wire."""

import asyncio
import itertools
import socket
import struct

import pytest
from jeepney import DBusAddress, HeaderFields, Parser, new_method_call
from typing_scenarios import Row, scenarios

from idiolect.daemon.clients.keyboard import component, ibus_objects
from idiolect.daemon.clients.keyboard.bus import Bus
from idiolect.daemon.clients.keyboard.fcitx_door import FcitxDoor
from idiolect.daemon.clients.keyboard.ibus_door import INTERFACE, IbusDoor
from idiolect.daemon.session import effects, events

PREEDIT, SURROUNDING = 1 << 0, 1 << 5  # as IBus names what a program can
FCITX_SURROUNDING = 1 << 6
FROM_ELSEWHERE = (events.Answered, events.Replied, events.Ticked)  # than the door


class DoorRow(Row):
    """Runs one scenario through a door, and is its runner: the service is the scenario's."""

    def run(self):
        """Run it in an event loop, which windows need to draw."""

        async def run():
            super(DoorRow, self).run()

        try:
            asyncio.run(run())
        finally:
            self.close()

    def close(self):
        """Nothing is open."""

    def happen(self, event, engine=None):
        if isinstance(event, FROM_ELSEWHERE):
            super().happen(event, engine)
        else:
            self.tell(event)
        self.hear()

    def handle(self, event, door):
        """Take what the door says."""
        super().happen(event, door.engine)

    def carry_out(self, due):
        for door, effect in due:
            match effect:
                case effects.AnswerKey(number, used):
                    door.answer_key(number, used=used)
                    continue
                case effects.InsertText(text, replaced, removed):
                    door.insert(text, replaced, removed)
                    continue
                case effects.ShowSuggestions():
                    door.show(effect)
                case effects.ShowMenu():
                    door.show_menu(effect)
                case effects.PlaceWindow(y):
                    door.place_window(y)
            super().carry_out([(door, effect)])

    def insert(self, text, replaced):
        kept = len(self.text) - (replaced if self.deletes else 0)
        self.text = self.text[:kept] + text


class IbusRow(DoorRow):
    """Through IBus: each event is a call on D-Bus."""

    def __init__(self, scenario):
        super().__init__(scenario)
        self.outgoing_serial, self.writer, self._calls = itertools.count(1), self, itertools.count(1)
        self._parser = Parser()
        self.door = IbusDoor(Bus(self), "/engine", self)
        self.engine = self.door.engine

    def write(self, data):
        """Take what goes to IBus."""
        self._parser.add_data(data)

    def tell(self, event):
        match event:
            case events.KeyPressed(value, code, state):
                self._call("ProcessKeyEvent", "uuu", value, code, state)
            case events.TextReported(text, cursor, anchor):
                self._call("SetSurroundingText", "vuu", ibus_objects.text(text), cursor, anchor)
            case events.CursorMoved(x, y, height):
                self._call("SetCursorLocation", "iiii", x, y, 0, height)
            case events.CapabilitiesTold(reports, preedit):
                self._call("SetCapabilities", "u", SURROUNDING * reports + PREEDIT * preedit)
            case events.FocusCame(context, client):
                self._call("FocusInId", "ss", context, client)
            case events.FocusGone():
                self._call("FocusOut", "")
            case events.WordClicked(index):
                self._call("CandidateClicked", "uuu", index, 1, 0)
            case events.LineChosen(line, checked):
                self._call("PropertyActivate", "su", line, int(checked))

    def _call(self, name, signature, *body):
        call = new_method_call(DBusAddress("/engine", "org.idiolect", INTERFACE), name, signature, body)
        call.header.serial = next(self._calls)
        call.header.fields[HeaderFields.sender] = "org.ibus"
        self.door.handle(call)

    def hear(self):
        replaced = 0
        while (message := self._parser.get_next_message()) is not None:
            match message.header.fields.get(HeaderFields.member):
                case None if message.body:
                    (self.used,) = message.body
                case "DeleteSurroundingText":
                    _, replaced = message.body
                case "CommitText":
                    self.insert(ibus_objects.content(message.body[0]), replaced)
                    replaced = 0


class FcitxRow(DoorRow):
    """Through Fcitx: each event is a packet of its addon's."""

    def __init__(self, scenario):
        super().__init__(scenario)
        self._ends = self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in self._ends:
            end.setblocking(False)
        self.door, self._flags = FcitxDoor(theirs, self, component.addon_version()), 0
        self.engine = self.door.engine

    def tell(self, event):
        match event:
            case events.KeyPressed(value, code, state):
                self._say(b"K", "IIII", 1, value, code, state)
            case events.TextReported(text, cursor, anchor):
                self._say(b"R", "II", cursor, anchor, text=text)
            case events.CursorMoved(x, y, height):
                self._say(b"M", "iiii", x, y, 0, height)
            case events.CapabilitiesTold(reports):
                self._flags = FCITX_SURROUNDING * reports
            case events.FocusCame(_, client):
                self._say(b"F", "QI16s", self._flags, 1, bytes(16), text=client.rpartition(":")[2])
            case events.FocusGone():
                self._say(b"U", "")
            case events.WordClicked(index):
                self._say(b"L", "I", index)
            case events.LineChosen(line):
                self._say(b"P", "", text=line)

    def close(self):
        for end in self._ends:
            end.close()

    def _say(self, kind, layout, *numbers, text=""):
        self._end.send(kind + struct.pack(f"={layout}", *numbers) + text.encode())
        self.door._receive()

    def hear(self):
        while True:
            try:
                packet = self._end.recv(1 << 17)
            except BlockingIOError:
                return
            if packet[:1] == b"A":
                self.used = packet[5] == 1
            elif packet[:1] == b"I":
                _, replaced = struct.unpack_from("=II", packet, 1)
                self.insert(packet[9:].decode(), replaced)


@pytest.mark.parametrize("scenario", scenarios(door="ibus"), ids=str)
def test_what_follows_from_what_is_typed_with_ibus(scenario):
    IbusRow(scenario).run()


@pytest.mark.parametrize("scenario", scenarios(door="fcitx"), ids=str)
def test_what_follows_from_what_is_typed_with_fcitx(scenario):
    FcitxRow(scenario).run()
