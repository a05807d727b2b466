"""Installing the keyboard without root, and what is said where IBus is missing, old or silent."""

import os
import stat
from xml.etree import ElementTree

import pytest

from idiolect.daemon.commandline import doctor_checks
from idiolect.daemon.keyboard import component, input_sources
from idiolect.daemon.keyboard.learning_choice import LearningChoice
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.keyboard_place import Keyboard, KeyboardInstallError
from idiolect.daemon.setup.place import Target

#: A program that answers as IBus's own does where it runs in no session.
IBUS = """#!/bin/sh
case "$1" in
  version) echo "IBus {version}" ;;
  write-cache) echo "$IBUS_COMPONENT_PATH" > "$HOME/cache" ;;
  address) echo "(null)" ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A profile, and a home of its own, in which no program is found."""
    (tmp_path / "bin").mkdir()
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Settings(home=tmp_path / "profile")


@pytest.fixture
def ibus(tmp_path):
    def put(version="1.5.32"):
        path = tmp_path / "bin" / "ibus"
        path.write_text(IBUS.format(version=version))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return put


#: A program that keeps the two lists of input methods in files, as GSettings keeps them.
GSETTINGS = """#!/bin/sh
case "$1" in
  get) cat "$HOME/$2" 2>/dev/null || echo "[]" ;;
  set) echo "$4" > "$HOME/$2" ;;
esac
"""


@pytest.mark.parametrize(
    ("desktop", "lists"),
    [
        ("XFCE", ["IBus's input methods"]),
        ("KDE", ["IBus's input methods"]),
        ("ubuntu:GNOME", ["GNOME's input sources", "IBus's input methods"]),
        ("", ["GNOME's input sources", "IBus's input methods"]),
    ],
)
def test_it_is_added_to_the_lists_that_the_desktop_reads(settings, tmp_path, monkeypatch, desktop, lists):
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.defpath}")
    (tmp_path / "bin" / "gsettings").write_text(GSETTINGS)
    (tmp_path / "bin" / "gsettings").chmod(0o700)
    assert input_sources.add() == lists
    assert input_sources.listed()
    monkeypatch.setenv(
        "XDG_CURRENT_DESKTOP", "XFCE"
    )  # it is taken out of all of them, whatever desktop it is now
    assert input_sources.remove() == lists
    assert not input_sources.listed()


def test_what_gsettings_keeps_nowhere_is_not_said_to_be_added(settings, tmp_path, monkeypatch):
    """As without a session: it ends with 0, and the list stays as it was."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.defpath}")
    (tmp_path / "bin" / "gsettings").write_text("#!/bin/sh\n[ $1 != get ] || echo '[]'\n")
    (tmp_path / "bin" / "gsettings").chmod(0o700)
    assert input_sources.add() == []


def test_without_ibus_it_says_what_to_install(settings):
    with pytest.raises(KeyboardInstallError, match="Install the package ibus"):
        Keyboard().install(Target.of(settings))
    assert "Install IBus" in Keyboard().state(Target.of(settings)).mend
    assert not component.path().exists()


def test_an_ibus_that_is_too_old_is_named(settings, ibus):
    ibus("1.5.20")
    with pytest.raises(KeyboardInstallError, match=r"1\.5\.20 is too old"):
        Keyboard().install(Target.of(settings))
    assert "too old" in Keyboard().state(Target.of(settings)).mend


def test_it_is_installed_and_removed_without_root(settings, ibus, tmp_path):
    ibus()
    assert "keyboard install" in Keyboard().state(Target.of(settings)).mend
    Keyboard().install_and_say(Target.of(settings), learn=True)
    described = ElementTree.fromstring(component.path().read_bytes())
    assert described.findtext("name") == component.BUS_NAME
    assert str(settings.home) in described.findtext("exec")
    assert str(component.folder()) in component.environment_path().read_text()
    assert (tmp_path / "cache").read_text().strip().endswith(f":{component.folder()}")
    assert stat.S_IMODE(os.stat(settings.keyboard_path).st_mode) == 0o600
    state = Keyboard().state(Target.of(settings))
    assert (state.written, state.current, state.runs, state.learns) == (True, True, False, True)
    assert "does not run in this session" in state.mend
    [finding] = doctor_checks._check_keyboard(settings)
    assert (finding.level, finding.mend) == ("note", state.mend)
    Keyboard().remove(Target.of(settings))
    assert not component.path().exists()
    assert not component.environment_path().exists()
    assert doctor_checks._check_keyboard(settings) == []
    assert Keyboard().remove(Target.of(settings)) == []


def test_a_component_of_another_place_is_seen(settings, ibus, tmp_path):
    ibus()
    Keyboard().install(Target.of(settings))
    other = Settings(home=tmp_path / "other")
    assert "another version, place or layout" in Keyboard().state(Target.of(other)).mend


def test_it_learns_nothing_until_its_user_says_so(settings):
    settings.prepare()
    assert not LearningChoice(settings).learn
    LearningChoice(settings).set(learn=True)
    assert LearningChoice(settings).learn
    settings.keyboard_path.write_text("[]")
    assert not LearningChoice(settings).learn
