"""Setting up places: what is written, that it is written once, and that taking it out leaves what was there."""

import json
import tomllib

import pytest

from idiolect.daemon.settings import Settings
from idiolect.daemon.setup import own_files
from idiolect.daemon.setup.browser_place import Browsers, NoBrowserError
from idiolect.daemon.setup.editor_places import Emacs, Helix, Kate, Neovim
from idiolect.daemon.setup.keyboard_place import Keyboard, KeyboardInstallError
from idiolect.daemon.setup.place import SetupRefusedError, Target
from idiolect.daemon.setup.places import PLACES
from idiolect.daemon.setup.shell_place import LoginShell

#: A program that answers as IBus's own does where it runs in no session.
IBUS = """#!/bin/sh
case "$1" in
  version) echo "IBus 1.5.32" ;;
  write-cache) ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def target(tmp_path):
    return Target(Settings(home=tmp_path / "pro'file"), tmp_path / "home", tmp_path / "config")


@pytest.fixture
def own_home(target, tmp_path, monkeypatch):
    """The target, whose folders are the user's own, and in which no program is found."""
    monkeypatch.setenv("HOME", str(target.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(target.config))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return target


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("place", [Neovim(), Helix(), Emacs(), Kate()], ids=lambda place: place.name)
def test_a_place_is_set_up_with_whole_paths_and_the_profile_and_taken_back(place, target, tmp_path):
    assert not place.installed(target)
    assert not place.remove(target)
    [step] = place.changes(target)
    place.install(target)
    assert place.installed(target)
    once = tree(tmp_path)
    [(path, text)] = once.items()
    assert str(tmp_path / path) == step.where
    assert target.command[0].startswith("/")
    assert target.command[0].encode() in text
    assert b"pro" in text
    assert b"file" in text
    place.install(target)  # again, as after an update
    assert tree(tmp_path) == once
    assert place.remove(target)
    assert tree(tmp_path) == {}
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


@pytest.mark.parametrize(
    ("shell", "file"), [("zsh", "home/.zshrc"), ("bash", "home/.bashrc"), ("fish", "config/fish/config.fish")]
)
def test_the_login_shell_gets_its_lines(target, tmp_path, monkeypatch, shell, file):
    monkeypatch.setattr(LoginShell, "_shell", lambda _self: shell)
    LoginShell().install(target)
    assert "idiolect.daemon.editors.shell_helper" in (tmp_path / file).read_text()
    assert LoginShell().remove(target)
    assert tree(tmp_path) == {}


def test_the_keyboard_is_set_up_and_taken_back(own_home, tmp_path):
    place, ibus = Keyboard(), tmp_path / "bin" / "ibus"
    assert place.found(own_home) is None
    with pytest.raises(KeyboardInstallError):
        place.changes(own_home)
    ibus.write_text(IBUS)
    ibus.chmod(0o700)
    assert place.found(own_home) == "IBus 1.5.32"
    assert not place.installed(own_home)
    steps = {step.where: step.lines for step in place.changes(own_home)}
    place.install(own_home)
    assert place.installed(own_home)
    written = {str(tmp_path / path): text.decode() for path, text in tree(tmp_path).items()}
    assert steps.pop("your input sources")
    assert steps.items() <= written.items()
    assert place.remove(own_home)
    assert not steps.keys() & {str(tmp_path / path) for path in tree(tmp_path)}
    assert not place.installed(own_home)
    assert not place.remove(own_home)


def test_browsers_are_set_up_and_taken_back(own_home, tmp_path):
    place = Browsers()
    assert place.found(own_home) is None
    assert not place.installed(own_home)
    with pytest.raises(NoBrowserError):
        place.changes(own_home)
    for name in ("chromium", "mozilla/firefox"):
        (own_home.config / name).mkdir(parents=True)
    assert place.found(own_home) == "Chromium, Firefox"
    steps = {step.where: step.lines for step in place.changes(own_home)}
    place.install(own_home)
    assert place.installed(own_home)
    written = {str(tmp_path / path): text.decode() for path, text in tree(tmp_path).items()}
    assert steps.items() <= written.items()
    assert len(steps) == 3
    (own_home.config / "google-chrome").mkdir()  # started for the first time
    assert not place.installed(own_home)
    assert place.remove(own_home)
    assert tree(tmp_path) == {}
    assert not place.remove(own_home)


def test_every_place_has_a_name_and_says_what_to_type_first():
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert all(place.first.endswith(".") for place in PLACES)
