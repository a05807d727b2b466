"""Which program has the focus, and what stands in its field, as the bus for screen readers tells it."""

import asyncio
from pathlib import Path

import pytest
from bus_server import BusServer
from jeepney import DBusAddress, new_signal

from idiolect.daemon.clients.keyboard.focused_text import FocusedText
from idiolect.daemon.clients.keyboard.focused_window import find_focused_program
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.replied_text import FieldAnswering
from idiolect.daemon.text.replies import Reply

ACTIVE = 1 << 1
LINE, PASSWORD = 79, 40  # roles
FIELD = "On Monday, Anna wrote:\n> Can you come?\n\nYes, we do|\n> And you?"
SHORT = "Can you come?\nYes|\nThanks"


class Programs(BusServer):
    """A bus, and on it what programs say of themselves: names, and the states of their windows."""

    names = ("org.a11y.Bus", "org.a11y.atspi.Registry")

    def __init__(self, address, states):
        self._states = states
        self._address = address
        self.role, self.text, self.app = LINE, FIELD, "Text Editor"
        super().__init__(address)

    def focus(self, *, has):
        """The field of the editor has the focus now, or has it no more."""
        where = DBusAddress("/field", interface="org.a11y.atspi.Event.Object")
        self.bus.send(new_signal(where, "StateChanged", "s", ("focused",)))  # that says nothing
        told = ("focused", int(has), 0, ("i", 0), {})
        self.bus.send(new_signal(where, "StateChanged", "siiva{sv}", told))

    def _of_text(self, what, body):
        before, _, behind = self.text.partition("|")
        if what == "GetText":
            return "s", ((before + behind)[body[0] : body[1]],)
        return "v", (("i", len(before) if body[1] == "CaretOffset" else len(before + behind)),)

    def answer(self, what, path, body=()):
        if what == "GetRole":
            return "u", (self.role,)
        if what == "RegisterEvent":
            return "", ()
        if path == "/field":
            return self._of_text(what, body)
        if path == "/org/a11y/atspi/accessible/root" and what == "Get":
            return "v", (("s", self.app),)
        if what == "GetAddress":
            return "s", (self._address,)
        if what == "GetState":
            return "au", ([self._states[path.split("/")[1]], 0],)
        if what == "Get":
            return "v", (("s", path.removeprefix("/")),)
        below = [f"{path}/window"] if path.count("/") == 1 else [f"/{name}" for name in self._states]
        return "a(so)", ([(self.bus.unique_name, one) for one in below],)


@pytest.fixture
def session_bus(session_bus, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    return lambda states: session_bus(Programs, states)


@pytest.mark.parametrize(
    ("states", "name"),
    [
        ({"editor": ACTIVE, "mail": 0}, "editor"),
        ({"editor": 0, "mail": 0}, ""),
        ({"editor": ACTIVE, "mail": ACTIVE}, ""),  # one of them is wrong, and nobody knows which
    ],
)
def test_the_program_with_the_one_active_window_has_the_focus(session_bus, states, name):
    session_bus(states)
    assert asyncio.run(find_focused_program()) == name


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def around(programs, line, *, app=None, has=True):
    """What is known of the text around the cursor once the field has the focus, or has had it."""

    async def asked():
        focused = FocusedText()
        focused.listen()
        await until(lambda: programs.focus(has=True) or focused.focused is not None)
        if not has:
            await until(lambda: programs.focus(has=False) or focused.focused is None)
        return await focused.read_around(line, app)

    return asyncio.run(asyncio.wait_for(asked(), 30))


@pytest.mark.parametrize(
    ("line", "text", "known"),
    [
        ("Yes, we do", FIELD, True),
        ("s, we do", FIELD, True),  # a window that begins in the line
        ("Yes, we ", FIELD, True),  # a key that IBus was not told of yet
        ("Yes, we do no", FIELD, True),  # keys that the program has not put there yet
        ("No, we do", FIELD, False),
        ("o", FIELD, False),  # so little ends many lines
        ("we do", FIELD, False),
        ("we do no", FIELD, False),
        ("", FIELD, False),
        ("Yes", SHORT, True),  # a whole line
        ("Ye", SHORT, False),
        ("Yes,", SHORT, False),
        ("s", SHORT, False),
    ],
)
def test_the_text_of_the_field_is_known_if_its_line_is_the_one_that_is_typed(session_bus, line, text, known):
    programs = session_bus({"editor": ACTIVE})
    programs.text = text
    before, _, behind = text.partition("|")
    assert around(programs, line) == ((before, behind) if known else None)


@pytest.mark.parametrize(
    ("told", "app", "known"),
    [
        ("Text Editor", "gnome-text-editor", True),
        ("Firefox", "firefox-esr", True),
        ("", Path("/proc/self/comm").read_text("utf-8").strip(), True),  # as its process is called
        ("Text Editor", "keepassxc", False),
        ("", "keepassxc", False),
    ],
)
def test_nothing_is_known_of_another_program_than_is_typed_into(session_bus, told, app, known):
    programs = session_bus({"editor": ACTIVE})
    programs.app = told
    assert (around(programs, "Yes, we do", app=app) is not None) == known


def test_nothing_is_known_of_a_password_or_a_field_that_was_left(session_bus):
    programs = session_bus({"editor": ACTIVE})
    assert around(programs, "Yes, we do", has=False) is None
    programs.role = PASSWORD
    assert around(programs, "Yes, we do") is None


def test_of_a_long_text_what_is_near_the_cursor_is_read(session_bus):
    programs = session_bus({"editor": ACTIVE})
    programs.text = "a" * 9_000 + "\nYes|" + "b" * 9_000
    before, behind = around(programs, "Yes")
    assert (len(before), len(behind)) == (4_000, 4_000)


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ("you come?\n\nYes, we do", "Yes, we do"),
        ("Yes, we do", "Yes, we do"),
        ("Hello.\nYes, we do", "Hello.\nYes, we do"),
    ],
)
def test_the_end_of_a_quotation_that_a_program_tells_is_not_what_its_user_writes(session_bus, told, prefix):
    programs = session_bus({"editor": ACTIVE})

    async def asked():
        answering, focused = FieldAnswering(Clock(), True), FocusedText()
        focused.listen()
        await until(lambda: programs.focus(has=True) or focused.focused is not None)
        answering.around = await focused.read_around("Yes, we do", None)
        return answering.complete(Reply(told, lambda: ["what IBus was told"]))

    reply = asyncio.run(asyncio.wait_for(asked(), 30))
    assert reply.prefix == prefix
    assert reply.context() == ["And you?", "On Monday, Anna wrote:\nCan you come?"]


def test_where_no_such_bus_runs_what_the_program_tells_is_all_that_is_known(session_bus):
    async def asked():
        answering, focused = FieldAnswering(Clock(), True), FocusedText()
        focused.listen()
        answering.around = await focused.read_around("Yes", None)
        await until(lambda: focused.listening is None)
        return answering.complete(Reply("Yes", lambda: ["Can you come?"])).context()

    assert asyncio.run(asyncio.wait_for(asked(), 30)) == ["Can you come?"]
