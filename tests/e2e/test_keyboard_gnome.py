"""The keyboard in GNOME under Wayland: the real shell, and programs of GTK 3, GTK 4 and Qt 6."""

import contextlib
import json
import os
import shutil
import subprocess

import desktop as session
import gnome
import pytest

#: Each with a mistyped word of its own, as in test_keyboard.py.
PROGRAMS = {
    "mousepad": (["--disable-server"], "lgihthouse"),
    "gnome-text-editor": (["--standalone"], "lighthuose"),
    "featherpad": (["--standalone"], "ligthhouse"),
}
SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
#: An entry of GTK 4 that says what it is for; GNOME Shell's packages bring what it is made of.
ENTRY = """
import gi, sys
gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk
purpose, shown = sys.argv[1:]
entry = Gtk.Entry(visibility=bool(shown), input_purpose=int(purpose))
loop = GLib.MainLoop()
entry.connect("activate", lambda _: (print(entry.get_text()), loop.quit()))
window = Gtk.Window(child=entry, title="entry")
window.present()
loop.run()"""
#: Purposes of GTK's entries, and whether one sees what is typed.
QUIET = {
    "password": (8, ""),
    "PIN": (9, ""),
    "e-mail address": (6, "shown"),
    "terminal": (10, "shown"),
}


@pytest.fixture(scope="module")
def desktop(service, needs_program, tmp_path_factory):
    if not os.environ.get("TEST_GNOME") or shutil.which("gnome-shell") is None:
        pytest.skip("drives GNOME Shell where TEST_GNOME=1 asks for it: some five minutes, and 162 packages")
    for program, package in (("ibus-daemon", "ibus"), ("dbus-daemon", "dbus")):
        needs_program(program, package)
    service.ask("/v1/switches", corrections="apply")
    for typed in ("lihgthouse", *(mistyped for _, mistyped in PROGRAMS.values())):
        service.ask("/v1/words/add", kind="always_correct", text=typed, replacement="lighthouse")
    for _ in range(50):  # ghost texts are shown to who takes them
        service.ask("/v1/feedback", kind="ghost", outcome="accepted", p=0.9, characters=10)
    for day in range(8):  # what was written once is not recited
        service.ask("/v1/history", text=f"{SENTENCE} on day {day}", source="test")
        service.ask("/v1/history", text=f"the Café Lindwurm opens at nine on day {day}", source="test")
    with contextlib.ExitStack() as held:
        made = gnome.Gnome(tmp_path_factory.mktemp("gnome"), service.settings.home)
        held.callback(made.close)
        yield made


@pytest.fixture
def editor(desktop, needs_program, tmp_path, request):
    name = getattr(request, "param", "gnome-text-editor")
    text = tmp_path / "text.txt"
    text.write_text("")
    command = [needs_program(name, name), *PROGRAMS[name][0], str(text)]
    opened = session.Editor(desktop, name, command, session.saved(text), {"GSK_RENDERER": "cairo"})
    yield opened
    opened.close()


def test_it_is_among_the_input_sources_and_chosen_with_super_and_space(desktop):
    sources = desktop.output("gsettings", "get", "org.gnome.desktop.input-sources", "sources")
    assert "('ibus', 'idiolect')" in sources
    [keyboard, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert keyboard["connected"]


@pytest.mark.parametrize(
    ("editor", "mistyped"), [(name, word) for name, (_, word) in PROGRAMS.items()], indirect=["editor"]
)
def test_words_ghost_texts_and_corrections_are_taken(desktop, editor, mistyped):
    taken = rf"q+\s+{desktop.take('the teal lighthouse keeper Zor', 'velin')}"
    desktop.type(" The lihgthouse ")
    desktop.rest()
    desktop.type(f"{mistyped} ")
    desktop.rest()
    desktop.press("BackSpace")
    desktop.rest()
    desktop.type("is.")
    editor.shows(rf"{taken} The lighthouse {mistyped} is\.")


@pytest.mark.parametrize("editor", PROGRAMS, indirect=True)
def test_every_key_that_comes_10_ms_after_another_is_in_its_place(desktop, editor):
    line = "Every key of this line stands in its place, at 12 or b4 noon; nothing is lost, nothing doubled.\n"
    desktop.type(f"\n{line * 4}", delay_ms=10)

    # FeatherPad begins each line with as many spaces as the one before.
    def lines():
        return [one.strip() for one in editor.text.splitlines() if one.strip()][-4:]

    session.wait_for(lambda: lines() == [line.strip()] * 4, lambda: editor.text)


@pytest.mark.parametrize("field", QUIET)
def test_nothing_is_offered_in_fields_for_passwords_and_the_like(desktop, field):
    command = ["/usr/bin/python3", "-c", ENTRY, *map(str, QUIET[field])]
    asking = subprocess.Popen(
        command,
        env={**desktop.environment, "GSK_RENDERER": "cairo"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with asking, contextlib.ExitStack() as ended:
        ended.callback(asking.kill)
        session.wait_for(lambda: desktop.title() == "entry", "the entry")
        desktop.rest(asking.pid)  # its window is there before its entry listens
        desktop.type("the teal lighthouse keeper Zor")
        desktop.rest()
        assert not desktop.offering()
        desktop.press("alt+1")
        session.wait_for(lambda: desktop.press("Return") or asking.poll() is not None, "the answer")
        assert asking.stdout.read() == "the teal lighthouse keeper Zor1\n"


def test_letters_of_several_bytes_are_counted_as_one(desktop, editor):
    desktop.type("zz")
    desktop.press("Left", "Left")
    desktop.type("the Caf")
    desktop.offers()
    desktop.press("alt+1")
    desktop.type("Lin")
    desktop.offers()
    desktop.press("Tab")
    editor.shows(r"q+ the Café Lin\w+.*zz")


def test_what_is_written_in_a_program_of_gtk_is_learned_with_its_name(service, desktop, editor):
    desktop.type("the vermilion harbour mastr")
    desktop.press("Escape", "BackSpace")
    desktop.type("er waves.")
    editor.shows(r"q+ the vermilion harbour master waves\.")
    editor.close()
    desktop.until_learned("the vermilion harbour master waves.", app="gnome-text-editor")
    assert desktop.learned("vermilion") == 1
    assert desktop.learned("mastr") == desktop.learned("Zor1") == 0


def test_what_is_typed_into_the_shell_itself_is_not_learned(desktop, editor):
    desktop.type("a crimson kite rises.")
    desktop.rest()
    desktop.js("Main.openRunDialog()")
    desktop.rest()
    desktop.type("the crimson bicycle stays")
    desktop.rest()
    desktop.press("Escape")
    desktop.rest()
    editor.close()
    desktop.until_learned("crimson kite")
    assert desktop.learned("bicycle") == 0
