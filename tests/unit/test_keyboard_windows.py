"""Which program has the focus, as the bus for screen readers tells it."""

import asyncio
import contextlib
import os
import subprocess
import threading

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import new_method_return

from idiolect.daemon.keyboard.focused_window import focused_program

ACTIVE = 1 << 1


class Programs:
    """A bus, and on it what programs say of themselves: names, and the states of their windows."""

    def __init__(self, address, states):
        self._states = states
        self._address = address
        self._bus = open_dbus_connection(address)
        self._name = self._bus.unique_name
        for name in ("org.a11y.Bus", "org.a11y.atspi.Registry"):
            bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
            self._bus.send_and_get_reply(new_method_call(bus, "RequestName", "su", (name, 0)))
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def close(self):
        """The bus has ended."""
        self._serving.join()
        self._bus.close()

    def _serve(self):
        while (call := self._received()) is not None:
            if call.header.message_type is MessageType.method_call:
                fields = call.header.fields
                answer = self._answer(fields[HeaderFields.member], fields[HeaderFields.path])
                self._bus.send(new_method_return(call, *answer))

    def _received(self):
        with contextlib.suppress(OSError, EOFError):
            return self._bus.receive()
        return None

    def _answer(self, what, path):
        if what == "GetAddress":
            return "s", (self._address,)
        if what == "GetState":
            return "au", ([self._states[path.split("/")[1]], 0],)
        if what == "Get":
            return "v", (("s", path.removeprefix("/")),)
        below = [f"{path}/window"] if path.count("/") == 1 else [f"/{name}" for name in self._states]
        return "a(so)", ([(self._name, one) for one in below],)


@pytest.fixture
def session_bus(needs_program, monkeypatch):
    ours, theirs = os.pipe()
    command = [needs_program("dbus-daemon", "dbus"), "--session", "--nofork", f"--print-address={theirs}"]
    running = subprocess.Popen(command, pass_fds=(theirs,))
    os.close(theirs)
    with os.fdopen(ours) as told:
        address = told.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.delenv("DISPLAY", raising=False)
    opened = []
    yield lambda states: opened.append(Programs(address, states))
    running.kill()
    running.wait()
    for one in opened:
        one.close()


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
    assert asyncio.run(focused_program()) == name


def test_without_such_a_bus_nothing_is_known(session_bus):
    assert asyncio.run(focused_program()) == ""


def test_without_a_session_bus_nothing_is_known(monkeypatch):
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert asyncio.run(focused_program()) == ""
