"""Writes a line with the keyboard, as a program of the desktop does, begins another, and prints what is offered there.

Its arguments are the lines, and how the word ends that it waits for. It runs where a session bus is.
"""

import subprocess
import sys
import time
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, new_method_call
from jeepney.io.blocking import open_dbus_connection

from idiolect.daemon.clients.keyboard import ibus_objects

IBUS = DBusAddress("/org/freedesktop/IBus", "org.freedesktop.IBus", "org.freedesktop.IBus")
CAN_DO = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5  # show grey text and words, have the focus, report its text
RETURN = 0xFF0D
WAIT_S = 120

subprocess.run(["ibus-daemon", "--daemonize", "--panel=disable"], check=True)
until_s = time.monotonic() + WAIT_S
while not (address := subprocess.run(["ibus", "address"], stdout=-1, text=True).stdout).startswith("unix:"):
    assert time.monotonic() < until_s, "IBus does not run"
    time.sleep(0.1)
bus = open_dbus_connection(address.strip())


def _ask(where: DBusAddress, name: str, signature: str | None = None, *body: object) -> Any:
    return bus.send_and_get_reply(new_method_call(where, name, signature, body), timeout=WAIT_S).body


[path] = _ask(IBUS, "CreateInputContext", "s", "gtk3-im:letter")
field = DBusAddress(path, IBUS.bus_name, "org.freedesktop.IBus.InputContext")
_ask(field, "SetCapabilities", "u", CAN_DO)
_ask(field, "FocusIn")
while "idiolect" not in subprocess.run(["ibus", "engine"], stdout=-1, text=True).stdout:
    assert time.monotonic() < until_s, "IBus does not choose the keyboard"
    subprocess.run(["ibus", "engine", "idiolect"], check=False)
*lines, awaited = sys.argv[1:]
with bus.filter(MatchRule(type="signal", interface=field.interface), bufsize=1000) as signals:
    for line in lines:
        for end in range(len(line) + 1):  # a key that the keyboard leaves alone is the program's to insert
            if end:
                assert _ask(field, "ProcessKeyEvent", "uuu", ord(line[end - 1]), 0, 0) == (False,)
            _ask(field, "SetSurroundingText", "vuu", ibus_objects.text(line[:end]), end, end)
        if line != lines[-1]:
            signals.clear()
            _ask(field, "ProcessKeyEvent", "uuu", RETURN, 0, 0)
    offered = ""
    while awaited not in offered:  # in grey text, or in the window of words
        signal = bus.recv_until_filtered(signals, timeout=WAIT_S)
        name = signal.header.fields[HeaderFields.member]
        if name.startswith(("UpdatePreeditText", "UpdateLookupTable")):
            shown = signal.body[0]
            words = shown[1][7] if name == "UpdateLookupTable" else [shown]
            offered = ", ".join(filter(None, map(ibus_objects.content, words)))
print("on offer:", offered)
