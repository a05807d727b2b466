"""Setting up places: what is written, that it is written once, and that taking it out leaves what was there."""

import json
import os
import stat
import tomllib
from xml.etree import ElementTree

import pytest

from idiolect.daemon.commandline import doctor_checks
from idiolect.daemon.keyboard import component, input_sources
from idiolect.daemon.keyboard.learning_choice import LearningChoice
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup import own_files
from idiolect.daemon.setup.editor_places import Helix, Kate, Neovim
from idiolect.daemon.setup.keyboard_place import Keyboard
from idiolect.daemon.setup.place import SetupRefusedError, Target
from idiolect.daemon.setup.places import PLACES, survey

#: A program that answers as IBus's own does where it runs in no session.
IBUS = """#!/bin/sh
case "$1" in
  version) echo "IBus {version}" ;;
  write-cache) ;;
  *) exit 1 ;;
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
    for name, folder in (("HOME", "home"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Target.of(Settings(home=tmp_path / "pro'file"))


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
    root = target.home.parent
    files = (path for path in root.rglob("*") if path.is_file() and path.parent.name != "bin")
    return {str(path): path.read_text() for path in files}


@pytest.mark.parametrize(
    "place",
    [place for place in PLACES if place.name not in ("vscode", "service")],
    ids=lambda place: place.name,
)
def test_a_place_is_set_up_as_it_shows_and_taken_back(place, target, program):
    program("ibus", IBUS.format(version="1.5.32"))
    for name in ("chromium", "mozilla/firefox"):
        (target.config / name).mkdir(parents=True)
    assert not place.installed(target)
    assert not place.remove(target)
    shown = {change.where: change.lines.strip() for change in place.changes(target)}
    place.install(target)
    assert place.installed(target)
    once = tree(target)
    assert once.keys() == {where for where in shown if where.startswith("/")}
    assert all(lines in once.get(where, lines) for where, lines in shown.items())
    assert "file" in "".join(once.values()), "the profile"
    if place.asks_by == "lsp":
        assert target.command[0].startswith("/")
        assert target.command[0] in "".join(once.values())
    place.install(target)  # again, as after an update
    assert tree(target) == once
    assert place.remove(target)
    assert tree(target) == {}
    assert not place.installed(target)


@pytest.mark.parametrize("before", ["", "one", "one\n", "one\n\n", "\u00e9\ntwo\n"])
def test_what_stood_in_a_file_stands_there_afterwards(tmp_path, before):
    path = tmp_path / "init"
    path.write_text(before)
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    own_files.put_lines(link, "ours\n", "#")
    own_files.put_lines(link, "ours\nand more\n", "#")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text().count("ours") == 1
    assert path.read_text().startswith(before)
    assert own_files.take_out_lines(link)
    if before.strip():
        assert path.read_text().rstrip("\n") == before.rstrip("\n")
    assert not own_files.take_out_lines(link)


def test_helix_reads_the_lines_and_keeps_its_own(target):
    path = target.config / "helix" / "languages.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[[language]]\nname = "python"\n')
    Helix().install(target)
    read = tomllib.loads(path.read_text())
    assert read["language-server"]["idiolect"]["command"] == target.command[0]
    assert read["language-server"]["idiolect"]["environment"] == {"IDIOLECT_HOME": str(target.settings.home)}
    assert [one["name"] for one in read["language"]] == ["python", "markdown", "git-commit", "text", "mail"]
    Helix().remove(target)
    assert path.read_text() == '[[language]]\nname = "python"\n'
    path.write_text('[[language]]\nname = "markdown"\n')
    with pytest.raises(SetupRefusedError, match="by hand"):
        Helix().install(target)
    assert path.read_text() == '[[language]]\nname = "markdown"\n'


def test_kate_keeps_its_other_servers(target):
    path = target.config / "kate" / "lspclient" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"servers": {"rust": {"command": ["ra"]}}, "x": 1}')
    Kate().install(target)
    assert set(json.loads(path.read_text())["servers"]) == {"rust", "markdown", "plaintext"}
    Kate().remove(target)
    assert json.loads(path.read_text()) == {"servers": {"rust": {"command": ["ra"]}}, "x": 1}
    for text in ("{", '{"servers": {"markdown": {"command": ["marksman"]}}}'):
        path.write_text(text)
        with pytest.raises(SetupRefusedError):
            Kate().install(target)
        assert path.read_text() == text


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
    gnomes = target.home / "org.gnome.desktop.input-sources"
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


def test_the_keyboard_says_how_it_stands_at_each_step(target, program, tmp_path):
    settings = target.settings
    program("ibus", IBUS.format(version="1.5.32"))
    assert doctor_checks._check_keyboard(settings) == []
    assert "keyboard install" in Keyboard().state(target).mend
    Keyboard().install_and_say(target, learn=True)
    described = ElementTree.fromstring(component.path().read_bytes())
    assert described.findtext("name") == component.BUS_NAME
    assert str(component.folder()) in component.environment_path().read_text()
    assert stat.S_IMODE(os.stat(settings.keyboard_path).st_mode) == 0o600
    state = Keyboard().state(target)
    assert (state.written, state.current, state.runs, state.learns) == (True, True, False, True)
    assert "does not run in this session" in state.mend
    [finding] = doctor_checks._check_keyboard(settings)
    assert (finding.level, finding.mend) == ("note", state.mend)
    other = Target.of(Settings(home=tmp_path / "other"))
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
    return {state.place: state for state in survey(target.settings)}


def test_each_place_that_is_not_set_up_says_what_to_do(target, program):
    found = states(target)
    assert list(found)[:2] == ["keyboard", "browser"]
    assert (found["keyboard"].found, found["keyboard"].connected) == (None, False)
    assert found["keyboard"].next_step.startswith("Install IBus")
    assert found["browser"].next_step.endswith("`idiolect setup browser`")
    assert (found["neovim"].found, found["neovim"].next_step) == (None, None)
    there = program("nvim")
    neovim = states(target)["neovim"]
    assert (neovim.found, neovim.connected, neovim.next_step) == (there, False, "`idiolect setup neovim`")
    Neovim().install(target)
    neovim = states(target)["neovim"]
    assert (neovim.connected, neovim.next_step) == (True, None)


def test_a_place_whose_files_are_closed_is_not_found(target, program, monkeypatch):
    def closed(_self, _target):
        raise PermissionError

    program("nvim")
    monkeypatch.setattr(Neovim, "installed", closed)
    assert states(target)["neovim"].found is None
