"""The keyboard with a real service (of the tiny model), a real IBus, and real programs that are typed into."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("desktop", Path(__file__).with_name("desktop.py"))
session = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(session)

PROGRAMS = ("mousepad", "featherpad", "gnome-text-editor", "chromium", "firefox-esr", "xterm")
SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
PAGE = """<!doctype html><title>|</title><textarea id=a rows=4 cols=60 autofocus></textarea>
<p id=b contenteditable></p><input id=c type=password>
<script>for (const e of [a, b, c]) e.addEventListener("input", () => {
  document.title = [a.value, b.innerText.trim(), c.value].join("|") });</script>"""


@pytest.fixture(scope="module")
def desktop(service, needs_program, tmp_path_factory):
    for program, package in (
        ("Xvfb", "xvfb"),
        ("xdotool", "xdotool"),
        ("openbox", "openbox"),
        ("ibus-daemon", "ibus"),
        ("dbus-daemon", "dbus"),
    ):
        needs_program(program, package)
    if sys.platform != "linux":
        pytest.skip("IBus is for Linux")
    config = service.settings.config_path
    config.write_text(config.read_text() + "keyboard_terminals = true\n")
    made = session.Desktop(tmp_path_factory.mktemp("desktop"), service.settings.home)
    yield made
    made.close()


class Editor:
    """A program that is typed into, and how its text is read."""

    def __init__(self, desktop, name, command, read, environment=None):
        self.desktop = desktop
        self.process = desktop.start(*command, environment={**desktop.environment, **(environment or {})})
        self.window = desktop.window(name)
        self._read = read

    def shows(self, text):
        session.wait_for(
            lambda: self._read(self).rstrip("\n") == text, lambda: f"{text!r}, not {self._read(self)!r}"
        )

    def close(self):
        self.process.kill()
        self.process.wait()


def saved(path):
    def read(editor):
        editor.desktop.press("ctrl+s")
        return path.read_text()

    return read


def title(editor):
    return editor.desktop.output("xdotool", "getwindowname", editor.window).partition("|")[0].strip()


def commands(folder):
    """By name: the system package, the window's class, the command, how the text is read, and the environment."""
    text, page = folder / "text.txt", folder / "page.html"
    text.write_text("")
    page.write_text(PAGE)
    chromium = ["--no-sandbox", "--no-first-run", "--password-store=basic", "--disable-gpu", "--lang=en"]
    (folder / "firefox").mkdir()
    return {
        "mousepad": ("mousepad", "mousepad", ["--disable-server", str(text)], saved(text), {}),
        "featherpad": ("featherpad", "featherpad", ["--standalone", str(text)], saved(text), {}),
        "gnome-text-editor": (
            "gnome-text-editor",
            "gnome-text-editor",
            ["--standalone", str(text)],
            saved(text),
            {"GSK_RENDERER": "cairo"},
        ),
        "chromium": (
            "chromium",
            "chromium",
            [*chromium, f"--user-data-dir={folder / 'chromium'}", page.as_uri()],
            title,
            {},
        ),
        "firefox-esr": (
            "firefox-esr",
            "firefox",
            ["--no-remote", "--profile", str(folder / "firefox"), page.as_uri()],
            title,
            {},
        ),
        "xterm": ("xterm", "xterm", ["-e", f"stty -icanon; cat > {text}"], lambda _: text.read_text(), {}),
    }


@pytest.fixture
def editor(desktop, needs_program, tmp_path, request):
    name = getattr(request, "param", "mousepad")
    package, window, arguments, read, environment = commands(tmp_path)[name]
    opened = Editor(desktop, window, [needs_program(name, package), *arguments], read, environment)
    yield opened
    opened.close()


@pytest.mark.parametrize("editor", PROGRAMS, indirect=True)
def test_words_and_ghost_texts_are_taken(desktop, editor):
    begin = "the teal lighthouse keeper Zor"
    desktop.type(begin)
    desktop.offers()
    desktop.press("1")
    desktop.type(begin)  # the space before it comes by itself
    desktop.offers()
    desktop.press("Tab")
    desktop.type(f" {begin}")
    desktop.offers()
    desktop.press("ctrl+Right", "ctrl+Right", "Escape", "exclam")
    editor.shows(f"{begin}velin {begin}velin hums quietly at {begin}velin hums!")
