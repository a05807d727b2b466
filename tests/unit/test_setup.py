"""Setting up places: what is written, that it is written once, and that taking it out leaves what was there."""

import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bus_server import BusServer
from typer.testing import CliRunner

from idiolect.daemon.clients.commandline import doctor_checks
from idiolect.daemon.clients.commandline.command_table import app
from idiolect.daemon.clients.keyboard import component, input_sources
from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.clients.setup import fcitx
from idiolect.daemon.clients.setup.browser_place import Browsers
from idiolect.daemon.clients.setup.keyboard_place import Keyboard
from idiolect.daemon.clients.setup.place import SetupRefusedError, Target
from idiolect.daemon.clients.setup.places import PLACES, Connections, survey
from idiolect.daemon.clients.setup.vscode_place import VSCode
from idiolect.daemon.runtime import package
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import marker

#: A program that answers as IBus's own does where it runs in no session.
IBUS = """#!/bin/sh
case "$1" in
  version) echo "IBus {version}" ;;
  write-cache) ;;
  *) exit 1 ;;
esac
"""
#: The same where it runs, and the keyboard is none of the lists' but known.
IBUS_RUNS = """#!/bin/sh
case "$1" in
  version) echo "IBus 1.5.32" ;;
  address) echo unix:path=/nowhere ;;
  list-engine) echo idiolect ;;
  engine) test -z "$2" || echo "$2" > "$0.engine"; cat "$0.engine" 2>/dev/null || echo xkb:us::eng ;;
esac
"""
#: A program that has the extensions that it was told to install.
VSCODE = """#!/bin/sh
case "$1" in
  --list-extensions) ! test -e "$0.has" || echo idiolect.idiolect ;;
  --install-extension) : > "$0.has" ;;
  *) ! test -e "$0.has" || exec /bin/rm "$0.has" ;;
esac
"""
#: A program that keeps lists in files, as GSettings keeps them.
GSETTINGS = """#!/bin/sh
case "$1" in
  get) cat "$HOME/$2" 2>/dev/null || echo "@as []" ;;
  set) echo "$4" > "$HOME/$2" ;;
esac
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A profile, and a home of its own, in which no program is found."""
    for name in ("bin", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "pro'file"))
    for name, folder in (("HOME", "home"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Target(Settings(home=tmp_path / "pro'file", keyring=False))


@pytest.fixture
def program(tmp_path):
    """`program(name, script)`: put a program on the path."""

    def put(name, script="#!/bin/sh\n"):
        path = tmp_path / "bin" / name
        path.write_text(script)
        path.chmod(0o700)
        return str(path)

    return put


def tree(target):
    root = target.settings.home.parent
    files = (path for path in root.rglob("*") if path.is_file() and path.parent.name != "bin")
    aside = target.settings.browser_extension_path
    return {str(path): path.read_text() for path in files if not path.is_relative_to(aside)}


@pytest.mark.parametrize(
    "place",
    [place for place in PLACES if place.name not in ("vscode", "service")],
    ids=lambda place: place.name,
)
def test_a_place_is_set_up_as_it_shows_and_taken_back(place, target, program):
    program("ibus", IBUS.format(version="1.5.32"))
    for name in ("chromium", "mozilla/firefox"):
        (Path(os.environ["XDG_CONFIG_HOME"]) / name).mkdir(parents=True)
    assert not place.installed(target)
    assert not place.remove(target)
    shown = {change.where: change.lines.strip() for change in place.changes(target)}
    place.install(target)
    assert place.installed(target)
    once = tree(target)
    extension = str(target.settings.browser_extension_path)
    assert once.keys() == {where for where in shown if where.startswith("/") and where != extension}
    assert all(lines in once.get(where, lines) for where, lines in shown.items())
    assert "file" in "".join(once.values()), "the profile"
    assert place.is_of_profile(target)
    assert not place.is_of_profile(replace(target, settings=Settings(home=target.settings.home / "other")))
    place.install(target)  # again, as after an update
    assert tree(target) == once
    assert place.remove(target)
    assert tree(target) == {}
    assert not place.installed(target)
    assert not target.settings.browser_extension_path.exists()


# --- the keyboard ---


@pytest.mark.parametrize(
    ("desktop", "lists"),
    [
        ("XFCE", ["IBus's input methods"]),
        ("KDE", ["IBus's input methods"]),
        ("ubuntu:GNOME", ["GNOME's input sources", "IBus's input methods"]),
        ("", ["GNOME's input sources", "IBus's input methods"]),
    ],
)
def test_it_is_added_to_the_lists_that_the_desktop_reads(target, program, monkeypatch, desktop, lists):
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{os.defpath}")
    program("gsettings", GSETTINGS)
    gnomes = Path(os.environ["HOME"]) / "org.gnome.desktop.input-sources"
    gnomes.write_text(before := "[('xkb', 'de+nodeadkeys'), ('ibus', 'anthy')]\n")
    assert input_sources.gnome_layout() == ("de", "nodeadkeys")
    assert not input_sources.listed()
    assert input_sources.change(add=True) == lists
    assert input_sources.listed()
    assert gnomes.read_text().startswith(before[:-2])
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "XFCE")  # it is taken out of all, whatever desktop it is now
    assert input_sources.change(add=False) == lists
    assert not input_sources.listed()
    assert gnomes.read_text() == before


def test_what_gsettings_keeps_nowhere_is_not_said_to_be_added(target, program):
    """As without a session: it ends with 0, and the list stays as it was."""
    program("gsettings", "#!/bin/sh\n[ $1 != get ] || echo '[]'\n")
    assert input_sources.change(add=True) == []


@pytest.mark.parametrize(
    ("version", "said"), [(None, "Install the package ibus"), ("1.5.20", r"1\.5\.20 is too old")]
)
def test_without_a_new_ibus_it_says_what_to_install(target, program, version, said):
    if version is not None:
        program("ibus", IBUS.format(version=version))
    with pytest.raises(SetupRefusedError, match=said):
        Keyboard().install(target)
    assert said.split()[0].replace("\\", "") in Keyboard().state(target).mend
    assert not component.path().exists()


def test_what_the_addon_of_fcitx_is_built_with_is_named_where_it_is_missing(target, program):
    def lacks():
        with pytest.raises(SetupRefusedError) as refused:
            fcitx.install(target.settings)
        return str(refused.value)

    program("fcitx5", "#!/bin/sh\necho 5.0.5\n")
    assert "install a C++ compiler (g++)" in lacks()
    compiler = Path(program("c++", "#!/bin/sh\nexit 1\n"))
    assert "install libfcitx5core-dev" in lacks()
    header = compiler.parent.parent / "include" / "Fcitx5" / "Core" / "fcitx" / "instance.h"
    header.parent.mkdir(parents=True)
    header.touch()
    assert "does not compile with Fcitx 5.0.5: update Fcitx" in lacks()
    assert not fcitx.path().exists()


class Fcitx(BusServer):
    """Fcitx with one group of input methods; the first call for it fails: of all, or once it starts `anew`."""

    names = ("org.fcitx.Fcitx5",)

    def __init__(self, address, anew):
        self.methods = [("keyboard-us", ""), ("mozc", "")]
        self._fails, self._anew = not anew, anew
        super().__init__(address)

    def answer(self, what, _path, body):
        if what in ("Restart", "Refresh"):
            self._fails = self._anew
        if what == "AvailableInputMethods":
            return "a(s)", ([(component.ENGINE,)],)
        if what == "CurrentInputMethodGroup":
            return "s", ("Default",)
        if what == "SetInputMethodGroupInfo":
            self.methods = body[2]
        elif what == "InputMethodGroupInfo":
            fails, self._fails = self._fails, False
            return None if fails else ("sa(ss)", ("us", self.methods))
        return "", ()


@pytest.mark.parametrize("anew", [False, True])
def test_a_call_of_fcitx_that_fails_costs_no_input_method(session_bus, target, program, anew):
    running = session_bus(Fcitx, anew)
    before = running.methods
    program("fcitx5", "#!/bin/sh\necho 5.1.0\n")
    compiler = Path(program("c++", '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n: > "$2"\n'))
    header = compiler.parent.parent / "include" / "Fcitx5" / "Core" / "fcitx" / "instance.h"
    header.parent.mkdir(parents=True)
    header.touch()
    if not anew:
        with pytest.raises(SetupRefusedError, match="stay as they are"):
            fcitx.install(target.settings)
        assert running.methods == before
    fcitx.install(target.settings)
    assert running.methods == [*before, (component.ENGINE, "")]
    fcitx.remove()
    assert running.methods == before


def test_the_keyboard_says_how_it_stands_at_each_step(target, program, tmp_path):
    settings = target.settings
    program("ibus", IBUS.format(version="1.5.32"))
    assert doctor_checks.check_keyboard(settings) == []
    assert "setup keyboard" in Keyboard().state(target).mend
    done = Keyboard().install(replace(target, learn=True))
    assert done[-1] == "It suggests and learns."
    described = ElementTree.fromstring(component.path().read_bytes())
    assert described.findtext("name") == component.BUS_NAME
    assert str(component.folder()) in component.environment_path().read_text()
    assert stat.S_IMODE(os.stat(settings.keyboard_path).st_mode) == 0o600
    state = Keyboard().state(target)
    assert (state.written, state.current, state.runs, state.learns) == (True, True, False, True)
    assert "does not run in this session" in state.mend
    [finding] = doctor_checks.check_keyboard(settings)
    assert (finding.level, finding.mend) == ("note", state.mend)
    other = Target(Settings(home=tmp_path / "other"))
    assert "another version, place or layout" in Keyboard().state(other).mend


def test_it_learns_nothing_until_its_user_says_so(target):
    settings = target.settings.prepare()
    assert not LearningChoice(settings).learn
    LearningChoice(settings).set(learn=True)
    assert LearningChoice(settings).learn
    settings.keyboard_path.write_text("[]")
    assert not LearningChoice(settings).learn


# --- how all of them stand ---


def states(target):
    return {state.place: state for state in survey(target)}


def test_each_place_that_is_not_set_up_says_what_to_do(target, program):
    found = states(target)
    assert list(found)[:2] == ["keyboard", "browser"]
    assert (found["keyboard"].found, found["keyboard"].connected) == (None, False)
    assert found["keyboard"].next_step.startswith("Install IBus")
    assert found["browser"].next_step.startswith("Start Chromium")
    assert (found["vscode"].found, found["vscode"].next_step) == (None, None)
    there = program("code")
    vscode = states(target)["vscode"]
    assert (vscode.found, vscode.connected, vscode.next_step) == (there, False, "`idiolect setup vscode`")
    program("code", "#!/bin/sh\necho idiolect.idiolect\n")
    vscode = states(target)["vscode"]
    assert (vscode.connected, vscode.next_step) == (True, None)


def test_a_keyboard_that_does_not_run_is_not_connected(target, program):
    program("ibus", IBUS.format(version="1.5.32"))
    Keyboard().install(target)
    keyboard = states(target)["keyboard"]
    assert not keyboard.connected
    assert "does not run in this session" in keyboard.next_step


def test_what_a_command_does_of_the_next_step_is_a_button(target, program, monkeypatch):
    program("ibus", IBUS_RUNS)
    program("cat", '#!/bin/sh\nexec /bin/cat "$@"\n')
    connections = Connections(target)

    def keyboard():
        [found] = [state for state in connections.survey() if state.place == "keyboard"]
        return found

    def connect(*, dry_run=False):
        return connections.connect("keyboard", learn=None, dry_run=dry_run)

    assert (keyboard().button, connect(dry_run=True)["learns"]) == ("Connect …", False)
    connect()
    assert (keyboard().connected, keyboard().button) == (False, "Use it now …")
    assert {"where": "the keyboard in use", "lines": "idiolect\n"} in connect(dry_run=True)["changes"]
    assert keyboard().button, "nothing was done"
    assert "It is in use." in connect()["done"]
    assert (keyboard().connected, keyboard().next_step, keyboard().button) == (True, None, None)

    monkeypatch.setenv("GTK_IM_MODULE", "xim")
    assert keyboard().button is None, "there is no im-config"
    assert "in the program Input Method" in keyboard().next_step
    program("im-config", '#!/bin/sh\necho "run_im $2" > "$HOME/.xinputrc"\n')
    assert keyboard().button == "Have them use it …"
    assert "logged out and in again" in connect()["done"][-1]
    assert (keyboard().connected, keyboard().button) == (False, None)
    assert keyboard().next_step.startswith("Log out and in again")

    (target.settings.home.parent / "home" / ".xinputrc").unlink()
    program("im-config", "#!/bin/sh\nexit 1\n")
    with pytest.raises(SetupRefusedError, match="`im-config -n ibus` says why"):
        connect()


def test_gnome_is_told_of_the_keyboard_before_its_user_is_to_choose_it(
    target, program, packaged, monkeypatch
):
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    for name, script in (
        ("ibus", IBUS_RUNS),
        ("gsettings", GSETTINGS),
        ("cat", '#!/bin/sh\nexec /bin/cat "$@"\n'),
    ):
        program(name, script)
    packaged()
    assert (states(target)["keyboard"].button, states(target)["keyboard"].connected) == ("Connect …", False)
    Keyboard().install(target)
    assert (states(target)["keyboard"].button, states(target)["keyboard"].next_step) == (
        None,
        "It is not in use. Choose idiolect: Super+Space.",
    )


def test_a_place_whose_files_are_closed_is_not_found(target, program, monkeypatch):
    def closed(_self, _target):
        raise PermissionError

    program("code")
    monkeypatch.setattr(VSCode, "works", closed)
    assert states(target)["vscode"].found is None


# --- the system's package ---


@pytest.fixture
def packaged(target, monkeypatch):
    """`packaged()`: from now on this is the program of a package that has set up the profile of `target`."""
    component_file = target.settings.home.parent / "bin" / "component.xml"
    monkeypatch.setattr(package, "COMPONENT", component_file)

    def start(*, whole=True):
        component_file.touch()
        if whole:
            monkeypatch.setattr(package, "HOME", Path(sys.prefix))
            monkeypatch.setattr(package, "default_home", lambda: target.settings.home)

    return start


@pytest.mark.parametrize("before", [False, True], ids=["alone", "after a clone"])
def test_what_a_package_has_set_up_is_seen_and_nothing_is_written(target, program, packaged, before):
    program("ibus", IBUS.format(version="1.5.32"))
    (Path(os.environ["XDG_CONFIG_HOME"]) / "chromium").mkdir(parents=True)
    places = [place for place in PLACES if place.name in ("keyboard", "browser")]
    if before:
        for place in places:
            place.install(target)
        assert len(tree(target)) == 4
    packaged()
    for place in places:
        assert place.installed(target)
        assert not any(change.where.startswith("/") for change in place.changes(target))
        assert before == ("another version" in (place.next_step(target) or ""))
        place.install(target)
        assert "another version" not in (place.next_step(target) or "")
    assert tree(target) == {}
    assert str(package.EXTENSION) in "".join(Browsers().install(target))
    assert f"{package.EXTENSION}" in Browsers().next_step(target)


def test_a_package_connects_no_browser_that_is_not_there(target, packaged):
    packaged()
    browser = states(target)["browser"]
    assert (browser.found, browser.connected, browser.next_step) == (None, False, Browsers.missing)


def test_beside_a_package_a_clone_gives_ibus_no_second_keyboard(target, program, packaged):
    program("ibus", IBUS.format(version="1.5.32"))
    packaged(whole=False)
    with pytest.raises(SetupRefusedError, match="the keyboard of the package idiolect"):
        Keyboard().install(target)
    assert tree(target) == {}


# --- the command ---


@pytest.fixture
def all_set_up(target, program):
    """Keyboard, browser and VS Code, each with what `setup` wrote for it."""
    program("ibus", IBUS.format(version="1.5.32"))
    program("code", VSCODE)
    (Path(os.environ["XDG_CONFIG_HOME"]) / "chromium").mkdir(parents=True)
    marker.claim(target.settings.prepare())
    for place in ("keyboard", "browser", "vscode"):
        assert command("setup", place, "--yes").exit_code == 0
    return target


def command(*words, **given):
    return CliRunner().invoke(app, list(words), **given)


def test_without_a_name_all_that_setup_wrote_is_taken_back(all_set_up):
    told = json.loads(command("setup", "--remove", "--json").output)["removed"]
    assert list(told) == ["keyboard", "browser", "vscode"]
    assert tree(all_set_up).keys() == {str(all_set_up.settings.marker_path)}
    assert "Nothing was set up." in command("setup", "--remove").output


@pytest.mark.parametrize("later", [(), ("BraveSoftware/Brave-Browser",)], ids=["all", "one connected"])
def test_purging_takes_back_what_was_set_up_for_the_profile(all_set_up, later):
    for folder in later:  # a browser that was started after the others were connected
        (Path(os.environ["XDG_CONFIG_HOME"]) / folder).mkdir(parents=True)
    done = command("purge", "--yes")
    assert done.exit_code == 0, done.output
    assert not component.path().exists()
    assert str(component.path()) in done.output.replace("\n", "")
    assert tree(all_set_up) == {}


def test_purging_another_profile_leaves_what_was_set_up(all_set_up, monkeypatch, tmp_path):
    before = tree(all_set_up)
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "other"))
    assert command("purge", "--yes").exit_code == 0
    assert tree(all_set_up) == before


@pytest.mark.parametrize(
    "words",
    [("keyboard", "--into", "x"), ("browser", "--learn"), ("vscode", "--writable", "/srv"), ("--learn",)],
)
def test_an_option_of_another_place_is_refused(target, words):
    assert command("setup", *words).exit_code == 2


@pytest.mark.parametrize(("answer", "learns"), [("y", True), ("n", False), ("", False)])
def test_setup_asks_whether_the_keyboard_learns(run, target, program, answer, learns):
    program("ibus", IBUS.format(version="1.5.32"))
    code, out, _ = run(target.settings, "setup", "keyboard", typed=f"y\n{answer}\n", terminal=True)
    assert code == 0
    assert "Learn what you write with it?" in out
    assert LearningChoice(target.settings).learn is learns
