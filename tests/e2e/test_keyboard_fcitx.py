"""The keyboard through Fcitx: the tests of IBus in a program of each toolkit, and what may happen to its process."""

import contextlib
import json
import sys

import desktop as session
import psutil
import pytest
import test_keyboard
from bus_server import BusServer
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
from test_keyboard import ASKING, PROGRAMS, TELLING, editor  # noqa: F401 (a fixture)

#: Stands for the keyboard's process. A `w` is used up: the keys behind it wait, and once there is an `e`, a word goes
#: out, and then they. Some other letters have it do what the keyboard never does; all else is passed on.
PEER = """
import socket, struct
end, kept, focus = socket.socket(fileno=0), None, 0

def answer(number, what):
    end.send(struct.pack("=cIB", b"A", number, what))

while packet := end.recv(1 << 17):
    if packet[:1] == b"F":
        focus = struct.unpack_from("=I", packet, 9)[0]
    if packet[:1] not in b"KS":
        continue
    number, *symbol = struct.unpack_from("=II" if packet[:1] == b"K" else "=I", packet, 1)
    match chr(symbol[0]) if symbol else "":
        case "u":
            end.send(b"?")
        case "t":
            end.send(b"A" + bytes(3))
        case "o":
            end.send(b"W" + bytes(1 << 16))
        case "f":
            while True:
                end.send(struct.pack("=cI", b"W", focus) + b"1" + bytes(1) + b"flood" + bytes(1))
        case "s":
            answer(number, 2)
            while end.recv(1 << 17):
                pass
    if symbol == [ord("w")]:
        kept = []
    elif kept is not None and symbol:
        kept.append(number)
    answer(number, 1 if kept == [] else 2 if kept else 0)
    if kept and symbol == [ord("e")]:
        end.send(struct.pack("=cII", b"I", focus, 0) + b"word")
        for number in kept:
            answer(number, 0)
        kept = None
"""


@pytest.fixture(scope="module")
def desktop(service, needs_program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desktop")
    needs = (("fcitx5", "fcitx5"), ("c++", "g++"))
    made = test_keyboard.open_desktop(service, needs_program, folder, "fcitx", *needs)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("editor", "mistyped"), [(name, PROGRAMS[name]) for name in TELLING], indirect=["editor"]
)
def test_words_ghost_texts_and_corrections_are_taken(service, desktop, editor, mistyped):  # noqa: F811
    test_keyboard.test_words_ghost_texts_and_corrections_are_taken(service, desktop, editor, mistyped)


@pytest.mark.parametrize("toolkit", ASKING)
def test_a_password_of_a_program_is_not_offered_for(desktop, needs_program, toolkit):
    test_keyboard.test_a_password_of_a_program_is_not_offered_for(desktop, needs_program, toolkit)


@pytest.fixture
def peer(desktop, tmp_path):
    """The process that Fcitx starts instead of the keyboard's; None where none runs."""
    command, script = desktop.home / "data" / "fcitx5" / "idiolect" / "command", tmp_path / "peer.py"
    script.write_text(PEER)
    before = command.read_text()

    def running(path):
        found = psutil.process_iter(["cmdline", "status"])
        return [
            one
            for one in found
            if str(path) in (one.info["cmdline"] or ()) and one.info["status"] != "zombie"
        ]

    command.write_text(f"{sys.executable}\n{script}")
    desktop.engine().kill()
    yield lambda: next(iter(running(script)), None)
    command.write_text(before)
    for one in running(script):
        one.kill()


@pytest.mark.parametrize("editor", ["mousepad", "featherpad"], indirect=True)
def test_no_key_is_lost_doubled_or_misplaced_whatever_the_keyboards_process_says(desktop, editor, peer):  # noqa: F811
    typed = ""
    desktop.press("ctrl+a", "BackSpace")

    def has_all():
        return "".join(editor.text.split()) == typed

    for letter in "wutofs":
        session.wait_for(lambda: desktop.press("Control_L") or peer(), "the peer")
        word = f"{letter}ab12exyz."
        desktop.type(word, delay_ms=5)
        typed += word.replace("w", "word")
        session.wait_for(has_all, lambda: editor.text)


def test_no_key_is_lost_or_doubled_whatever_happens_to_the_keyboards_process(desktop, editor):  # noqa: F811
    """It is stopped, goes on, and is killed, while keys come 100 a second; then Fcitx starts it anew."""
    line = "Every key of these lines stands in its place, at 12 or b4 noon; nothing is lost or doubled.\n"
    running = desktop.engine()
    try:
        for event in (running.suspend, running.resume, running.kill, lambda: None):
            desktop.type(line, delay_ms=10)
            event()
    finally:
        with contextlib.suppress(psutil.Error):
            running.kill()
    typed = (line * 4).rstrip("\n")
    session.wait_for(lambda: editor.text.rstrip("\n").endswith(f" {typed}"), lambda: editor.text)

    def offers():
        desktop.type(" the teal lighthouse keeper Zor")
        desktop.rest()
        return desktop.offering()

    session.wait_for(offers, "words on offer")
    assert desktop.engine() != running
    assert editor.text


class Panel(BusServer):
    """A panel with the icons of programs; `menu` has the address of Fcitx's menu."""

    names = ("org.kde.StatusNotifierWatcher",)
    menu = None

    def answer(self, member, _path, body):
        if member == "RegisterStatusNotifierItem":
            self.menu = DBusAddress("/MenuBar", body[0], "com.canonical.dbusmenu")
        return "", ()


def test_the_menu_is_that_of_ibus(desktop, editor):  # noqa: F811
    address = desktop.environment["DBUS_SESSION_BUS_ADDRESS"]
    with (
        contextlib.closing(Panel(address)) as panel,
        contextlib.closing(open_dbus_connection(address)) as bus,
    ):

        def call(member, signature, *body):
            return bus.send_and_get_reply(new_method_call(panel.menu, member, signature, body)).body

        def lines():
            """By label: the number of each line, and whether it is checked."""
            told, found = [call("GetLayout", "iias", 0, -1, [])[1]], {}
            while told:
                number, properties, below = told.pop()
                found[properties.get("label", ("s", ""))[1]] = (
                    number,
                    properties.get("toggle-state", ("", None))[1],
                )
                told += [variant for _, variant in below]
            return found

        def choose(label):
            call("Event", "isvu", lines()[label][0], "clicked", ("i", 0), 0)

        session.wait_for(lambda: panel.menu, "Fcitx's icon")
        session.wait_for(lambda: "idiolect: suggests and learns" in lines(), lines)
        for state in (0, 1):
            choose("Learn what I write")
            session.wait_for(lambda: lines()["Learn what I write"][1] == state, lines)  # noqa: B023 (called here)
        desktop.press("ctrl+a", "BackSpace")
        for words in ("we saw lihgthouse ", "and thier ", "twice."):
            desktop.type(words)
            desktop.rest()
        put_back, newest = (
            f"Put “{word}” back in place of “{meant}”"
            for word, meant in (("lihgthouse", "lighthouse"), ("thier", "their"))
        )
        session.wait_for(lambda: {put_back, newest} <= lines().keys(), lines)
        choose(put_back)
        session.wait_for(lambda: put_back not in lines(), lines)
        assert newest in lines()
        desktop.type(" lihgthouse ")
        desktop.rest()
        editor.shows("we saw lihgthouse and their twice. lihgthouse ")


def test_status_says_how_it_stands_and_remove_takes_it_out(desktop):
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["place"], found["connected"], found["next_step"]) == ("keyboard", True, None)
    desktop.idiolect("setup", "keyboard", "--remove")
    assert not [*desktop.home.glob("data/fcitx5/**/*idiolect*")]
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["connected"], found["next_step"]) == (False, "`idiolect setup keyboard`")
