"""The keyboard's engine at IBus's bus: what goes out, and when, as a program tells of its keys or does not."""

import asyncio
import itertools

from jeepney import DBusAddress, HeaderFields, Parser, new_method_call

from idiolect.daemon.keyboard import engine, wire
from idiolect.daemon.keyboard.bus import Bus
from idiolect.daemon.keyboard.choice import Choice
from idiolect.daemon.keyboard.engine import INTERFACE, Engine
from idiolect.daemon.keyboard.offers import Offer, Word
from idiolect.daemon.keyboard.session import Session
from idiolect.daemon.settings import Settings

SURROUNDING = 1 << 5


class Wire:
    """The end of a connection to IBus that takes what is sent."""

    def __init__(self):
        self.outgoing_serial = itertools.count(1)
        self.writer = self
        self._parser = Parser()

    def write(self, data):
        self._parser.add_data(data)

    def sent(self, *names):
        """The signals of these names that were sent since, in their order, with what they hold."""
        found = []
        while (message := self._parser.get_next_message()) is not None:
            name = message.header.fields.get(HeaderFields.member, "answer")
            if name in names:
                held = (wire.content(message.body[0]),) if name == "CommitText" else message.body
                found.append((name, *held))
        return found


class Program:
    """A program whose field has the focus."""

    def __init__(self, folder, client="gtk3-im:editor", capabilities=SURROUNDING, **settings):
        self.wire = Wire()
        self.engine = Engine(Bus(self.wire), "/engine", Session(Settings(home=folder, **settings).prepare()))
        self._serials = itertools.count(1)
        self.call("SetCapabilities", "u", capabilities)
        self.call("FocusInId", "ss", "/context", client)
        if capabilities:
            self.tell("")

    def call(self, name, signature, *body):
        call = new_method_call(DBusAddress("/engine", "org.idiolect", INTERFACE), name, signature, body)
        call.header.serial = next(self._serials)
        call.header.fields[HeaderFields.sender] = "org.ibus"
        self.engine.handle(call)

    def tell(self, text):
        self.call("SetSurroundingText", "vuu", wire.text(text), len(text), len(text))

    def press(self, char):
        self.call("ProcessKeyEvent", "uuu", ord(char), 0, 0)

    def type(self, text):
        for end, char in enumerate(text, 1):
            self.press(char)
            self.tell(text[:end])

    def answer(self, prefix, *words):
        typing = self.engine._typing
        self.engine._do(typing.answered(Offer(prefix, words, None)))

    def changes(self):
        return self.wire.sent("DeleteSurroundingText", "CommitText")


def test_a_word_that_replaces_waits_for_the_program_to_tell_of_the_last_key(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", Word("the", 0.9, 4))
        program.press("1")
        assert program.changes() == []
        program.tell("I tehh")
        return program.changes()

    assert asyncio.run(typed()) == [("DeleteSurroundingText", -4, 4), ("CommitText", "the")]


def test_nothing_is_deleted_where_the_program_does_not_tell_or_tells_something_else(tmp_path):
    async def typed(told):
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", Word("the", 0.9, 4))
        program.press("1")
        if told is not None:
            program.tell(told)
        while program.engine._held is not None:
            await asyncio.sleep(0.01)
        return program.changes()

    for told in (None, "I teh", "elsewhere"):
        assert asyncio.run(typed(told)) == []


def test_nothing_is_deleted_where_the_field_is_left_meanwhile(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", Word("the", 0.9, 4))
        program.press("1")
        program.call("FocusOut", "")
        return program.changes()

    assert asyncio.run(typed()) == []


def test_a_sure_correction_is_made_once_the_program_has_told_of_the_space(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("thier")
        program.press(" ")
        program.answer("thier ", Word("their ", 1.0, 6, ended=True, apply=True))
        assert program.changes() == []
        program.tell("thier ")
        return program.changes()

    assert asyncio.run(typed()) == [("DeleteSurroundingText", -6, 6), ("CommitText", "their ")]


def test_a_program_that_deletes_no_more_gets_no_correction(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("thier")
        program.press(" ")
        program.answer("thier ", Word("their ", 1.0, 6, ended=True, apply=True))
        program.call("SetCapabilities", "u", 0)
        program.tell("thier ")
        return program.changes()

    assert asyncio.run(typed()) == []


def test_no_key_overtakes_a_word_in_a_program_of_the_old_protocol(tmp_path):
    async def typed():
        program = Program(tmp_path, "xim", 0, keyboard_terminals=True, keyboard_unknown="allow")
        while program.engine._field.window is None:  # which program it is has to be found out
            await asyncio.sleep(0.001)
        for char in "tom":
            program.press(char)
        program.answer("tom", Word("orrow", 0.9))
        program.wire.sent()
        for char in "1.ab":
            program.press(char)
        releases = []
        while sum(map(len, releases)) < 5:
            await asyncio.sleep(0.001)
            if sent := [name for name, *_ in program.wire.sent("CommitText", "answer")]:
                releases.append(sent)
        return releases

    first, second, *_ = asyncio.run(asyncio.wait_for(typed(), 30))
    assert first == ["answer", "CommitText"] or (first, second) == (["answer"], ["CommitText"])


def test_what_is_typed_while_the_name_of_the_program_is_looked_for_counts(tmp_path, monkeypatch):
    async def typed(*, learns):
        named, asked = asyncio.Event(), []

        async def focused_program():
            await named.wait()
            return "editor"

        monkeypatch.setattr(engine, "focused_program", focused_program)
        Choice(Settings(home=tmp_path).prepare()).set(learn=learns)
        program = Program(tmp_path, "gnome-shell")
        program.engine._session.suggest = lambda prefix, *_, **__: asked.append(prefix)
        program.type("I go to the")
        assert asked == []
        await asyncio.sleep(0)
        named.set()
        while program.engine._field.window is None:
            await asyncio.sleep(0)
        program.press(" ")
        program.tell("I go to the ")
        written = program.engine._typing.written
        assert asked == ["I go to the", "I go to the "]
        return written.entries()[0].text if written is not None else None

    assert asyncio.run(typed(learns=True)) == "I go to the"
    assert asyncio.run(typed(learns=False)) is None


def test_a_name_that_comes_when_another_program_has_the_focus_is_not_its_name(tmp_path, monkeypatch):
    async def typed():
        names = [asyncio.get_running_loop().create_future() for _ in range(2)]
        asked = iter(names)

        async def focused_program():
            return await next(asked)

        monkeypatch.setattr(engine, "focused_program", focused_program)
        program = Program(tmp_path, "gnome-shell")
        await asyncio.sleep(0)
        program.call("FocusOutId", "s", "/context")
        program.call("FocusInId", "ss", "/context", "gnome-shell")
        await asyncio.sleep(0)
        names[0].set_result("first")
        for _ in range(10):  # rounds of the loop, of which it needs two
            await asyncio.sleep(0)
        assert program.engine._field.window is None
        names[1].set_result("second")
        while program.engine._field.window is None:
            await asyncio.sleep(0)
        return program.engine._field.app

    assert asyncio.run(typed()) == "second"
