"""The service among those of the desktop: what is written for systemd, and what is asked of them."""

import asyncio
import json
import os
import re
import socket
import subprocess

import pytest
from typer.testing import CliRunner
from waiting import DEADLINE_S

from idiolect.daemon.clients.commandline.command_table import app
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime import process, service_unit
from idiolect.daemon.runtime.service_unit import Desktop, ServiceManagerError
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings

MAX_EXPOSED = (
    1.6  # of 10, as `systemd-analyze security` counts: what is left is loopback and reading the home
)
ODD = 'with space, 100%, "quotes" and $HOME'


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "home"))
    return Settings().prepare()


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """`systemctl()`: what it was asked for; `systemctl(word)`: from now on it refuses requests with this word."""
    log, refused = tmp_path / "asked", tmp_path / "refused"
    tool = tmp_path / "bin" / "systemctl"
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n'
        f'if [ -f {refused} ] && echo "$@" | grep -q "$(cat {refused})"; then echo "it says no." >&2; exit 1; fi\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)

    def asked(refuse=None):
        if refuse:
            refused.write_text(refuse)
        return log.read_text().splitlines() if log.exists() else []

    return asked


@pytest.fixture
def analyze(tmp_path, monkeypatch, needs_program):
    """`analyze(desktop, *arguments)`: what systemd-analyze says of its unit."""
    program = needs_program("systemd-analyze", "systemd")
    runtime = tmp_path / "runtime"
    (runtime / "systemd").mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    def run(made, *arguments):
        unit = tmp_path / made.path.name
        unit.write_bytes(made.text())
        command = [program, *arguments, str(unit)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("name", ["home", ODD])
def test_systemd_understands_every_line_of_the_unit(analyze, tmp_path, name):
    made = Desktop(Settings(home=tmp_path / name), [tmp_path / "exports"])
    done = analyze(made, "verify", "--user", "--man=no")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_exposes_little(analyze, settings):
    done = analyze(Desktop(settings), "security", "--offline=true", "--no-pager")
    found = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= MAX_EXPOSED, done.stdout


def test_the_unit_may_write_its_own_folder_only_and_what_was_given(settings, tmp_path):
    folders = re.search(r"^ReadWritePaths=(.*)$", Desktop(settings).text().decode(), re.MULTILINE)[1]
    assert folders == f'"{settings.home}"'
    more = Desktop(settings, [tmp_path / ODD])
    more.path.parent.mkdir(parents=True)
    more.path.write_bytes(more.text())
    assert Desktop(settings).text() == more.text()  # it stays so when it is written anew
    assert "100%%" in more.text().decode()


def test_each_profile_has_a_unit_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(service_unit, "default_home", lambda: tmp_path / "a")
    names = [Desktop(Settings(home=tmp_path / name)).name for name in ("a", "b", "c")]
    assert names[0] == "idiolect"
    assert len(set(names)) == 3


def test_installing_writes_the_unit_then_starts_it(settings, systemctl):
    made = Desktop(settings)
    assert not made.state().installed
    assert not made.start()
    made.install()
    name = made.path.name
    expected = ["show-environment", "daemon-reload", f"enable {name}", f"restart {name}"]
    assert systemctl() == [f"--user {words}" for words in expected]
    assert made.path.read_bytes() == made.text()
    state = made.state()
    assert (state.installed, state.current, state.active, state.enabled) == (True, True, True, True)
    made.path.write_text("of an older version")
    assert not made.state().current


def test_uninstalling_ends_it_and_leaves_the_profile(settings, systemctl):
    made = Desktop(settings)
    assert not made.uninstall()
    made.install()
    assert made.uninstall()
    assert not made.path.exists()
    assert systemctl()[-2:] == [f"--user disable --now {made.path.name}", "--user daemon-reload"]
    assert settings.home.exists()


def test_without_a_manager_nothing_is_written(settings, systemctl):
    systemctl(refuse="show-environment")
    with pytest.raises(ServiceManagerError, match="idiolect start"):
        Desktop(settings).install()
    assert not Desktop(settings).path.exists()
    assert not Desktop(settings).start()


def test_what_the_manager_refuses_is_said_in_its_words(settings, systemctl):
    systemctl(refuse="enable")
    with pytest.raises(ServiceManagerError, match=r"enable .* failed: it says no\."):
        Desktop(settings).install()


def test_whatever_starts_the_service_asks_the_manager_first(tiny_profile, settings, systemctl):
    tiny_profile(settings.home)
    Desktop(settings).install()
    asked = len(systemctl())
    link = ServiceLink(settings, Scope.SUGGEST)
    try:
        assert asyncio.run(link.start()) is None
        assert systemctl()[asked:][-1] == f"--user start {Desktop(settings).path.name}"
    finally:
        process.stop(settings)


def test_whoever_waits_for_the_start_is_told(tiny_profile, settings, monkeypatch):
    tiny_profile(settings.home)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0idiolect test" + str(os.getpid()))
        manager.settimeout(DEADLINE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", "@idiolect test" + str(os.getpid()))
        process.start(settings)
        try:
            while (said := manager.recv(100)) != b"READY=1":
                assert said == b"EXTEND_TIMEOUT_USEC=120000000", "a start that takes long"
        finally:
            process.stop(settings)


def test_the_command(settings, systemctl):
    runner = CliRunner()
    shown = runner.invoke(app, ["setup", "service", "--show", "--writable", "/srv/exports"]).output
    assert '"-/srv/exports"' in shown
    Desktop(settings).install()
    [state] = [
        one for one in json.loads(runner.invoke(app, ["setup", "--json"]).output) if one["place"] == "service"
    ]
    assert (state["connected"], state["next_step"]) == (True, None)
    done = runner.invoke(app, ["setup", "service", "--remove"]).output.replace("\n", "")
    assert str(Desktop(settings).path) in done
    assert not Desktop(settings).path.exists()
