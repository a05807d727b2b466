"""How the programs that one types in stand: found, connected, and the one line to type for the others."""

import pytest

from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.place import Target
from idiolect.daemon.setup.places import PLACES, survey


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A profile, and a home of its own, in which no program is found."""
    (tmp_path / "bin").mkdir()
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Settings(home=tmp_path / "profile").prepare()


def states(settings):
    return {state.place: state for state in survey(settings)}


def test_what_is_not_here_says_what_to_install_where_most_people_will_want_it(settings):
    found = states(settings)
    assert list(found)[:2] == ["keyboard", "browser"]
    assert (found["keyboard"].found, found["keyboard"].connected) == (None, False)
    assert found["keyboard"].next_step.startswith("Install IBus")
    assert found["browser"].next_step.endswith("`idiolect setup browser`")
    assert found["neovim"] == type(found["neovim"])("neovim", "Neovim", None, connected=False, next_step=None)


def test_an_editor_that_is_here_has_one_line_to_type_and_then_is_connected(settings, tmp_path):
    program = tmp_path / "bin" / "nvim"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    state = states(settings)["neovim"]
    assert (state.found, state.connected, state.next_step) == (
        str(program),
        False,
        "`idiolect setup neovim`",
    )
    [neovim] = [place for place in PLACES if place.name == "neovim"]
    neovim.install(Target.of(settings))
    state = states(settings)["neovim"]
    assert (state.connected, state.next_step) == (True, None)


def test_a_place_whose_files_are_closed_is_not_found(settings, monkeypatch):
    [neovim] = [place for place in PLACES if place.name == "neovim"]

    def closed(_self, _target):
        raise PermissionError

    monkeypatch.setattr(type(neovim), "installed", closed)
    assert states(settings)["neovim"].found is None
