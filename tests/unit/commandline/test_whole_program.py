"""The program as its user runs it, with the toys in place of the service and the base model."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from idiolect.daemon.commandline import client, service_process
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

TOY = Path(__file__).parents[2] / "toy"


def test_start_waits_no_longer_for_a_service_that_hangs(run, tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    running, _ = process.start(settings)
    monkeypatch.setattr(client, "PROMPT_S", 0.3)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        code, _, err = run(settings, "start")
    finally:
        os.kill(running.pid, signal.SIGKILL)
    assert code == 67
    assert f"pid {running.pid}" in err


def test_welcome_does_it_all_in_order_and_once(program, tmp_path, text):
    home = tmp_path / "home"
    try:
        first = program(home, "welcome", text)
        assert first.returncode == 0, first.stderr
        places = [
            first.stdout.index(part)
            for part in (
                "Read 1 file",
                "Skipped",
                "It saves you about 40 of the next 100 keys",
                "Where it is at least half sure",
                "you went on",
                "Promoted",
                "\npage ",
                "\nconnect ",
                "\nstop ",
                "\nURL ",
                "\ntoken ",
                "\ntry ",
                "\nkept in ",
            )
        ]
        assert places == sorted(places)
        assert first.stdout.count("Thanks [red]for") == 6
        assert "perplexity" not in first.stdout.lower()
        assert "training …" in first.stderr
        assert process.read_token(Settings(home=home)) not in first.stdout

        again = program(home, "welcome", text)
        assert again.returncode == 0
        assert "training" not in again.stderr  # nothing was read, so the last verdict is shown
        assert (
            first.stdout.partition("Where it is at least half sure")[2]
            == again.stdout.partition("Where it is at least half sure")[2]
        )

        text.write_text("Hello.\nHow are you?\n")
        more = program(home, "welcome", text)
        assert "training …" in more.stderr  # something was

        lines = {line[:9].strip(): line[9:] for line in first.stdout.splitlines()}
        pasted = subprocess.run(["bash", "-c", lines["try"]], capture_output=True, text=True, check=True)
        assert json.loads(pasted.stdout)["ghost"]["text"] == "and so on"
        subprocess.run(["bash", "-c", lines["stop"]], check=True, capture_output=True)
        assert process.holder(Settings(home=home)) is None
    finally:
        program(home, "stop")


def test_make_stop_says_one_sensible_sentence(program, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".demo").mkdir()
    shutil.copy(Path(__file__).parents[3] / "Makefile", tmp_path)
    idiolect = tmp_path / ".venv" / "bin" / "idiolect"
    idiolect.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name("idiolect")} "$@"\n')
    idiolect.chmod(0o700)
    environment = {**os.environ, "PYTHONPATH": str(TOY), "IDIOLECT_HOME": str(tmp_path / "own")}

    def stop():
        done = subprocess.run(
            ["make", "--no-print-directory", "stop"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert program(tmp_path / ".demo", "start").returncode == 0
    assert stop() == f"Stopped the service for the profile {tmp_path / '.demo'}.\n"
    assert stop() == "No service runs.\n"


def test_welcome_with_too_little_text_goes_on(program, tmp_path, text):
    home = tmp_path / "home"
    try:
        done = program(home, "welcome", text, "--budget", "1")
        assert done.returncode == 0
        assert "No training round: There are 12 tokens" in done.stdout
        assert "URL" in done.stdout
        failed = program(home, "welcome", text, "--budget", "3")
        assert (failed.returncode, failed.stderr.splitlines()[-1]) == (
            22,
            "idiolect: The round failed. Try again.",
        )
    finally:
        program(home, "stop")


def test_welcome_shows_all_but_a_verdict_where_text_is_forgotten_meanwhile(program, tmp_path, text):
    home = tmp_path / "home"
    try:
        done = program(home, "welcome", text, "--budget", "5")
    finally:
        program(home, "stop")
    assert done.returncode == 0, done.stderr
    said = (
        "It saves you about 40 of the next 100 keys",
        "No verdict: The round was ended.",
        "\npage ",
        "\nkept in ",
    )
    places = [done.stdout.index(part) for part in said]
    assert places == sorted(places)
    assert "Promoted" not in done.stdout


def test_an_error_is_broken_at_the_width_of_the_terminal(tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {"IDIOLECT_HOME": str(tmp_path), "IDIOLECT_QUITE_S": "30"}
    command = [str(Path(sys.executable).with_name("idiolect")), "start"]
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as asked:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is closed once its last program has ended
            while part := os.read(ours, 4096):
                shown += part
        assert asked.wait(60) == 30
    os.close(ours)
    lines = shown.decode().split("\r\n")
    assert max(map(len, lines)) <= 60
    assert len(lines) > 2
    assert "Did you mean 'quiet_s'" in " ".join(lines)


@pytest.mark.parametrize("settings", ["", "unix_socket = true\n"], ids=["port", "unix socket"])
def test_what_welcome_says_to_try_works_whatever_the_profile_is_called(program, tmp_path, text, settings):
    home = tmp_path / 'i\'s "m" $HOME'  # short: a socket's path may have 107 bytes
    home.mkdir()
    (home / "config.toml").write_text(settings)
    try:
        done = program(home, "welcome", text)
        assert done.returncode == 0, done.stderr
        line = next(line for line in done.stdout.splitlines() if line.startswith("try"))
        assert ("--unix-socket" in line) == bool(settings)
        assert subprocess.run(["bash", "-c", line[9:]], capture_output=True, check=True).stdout[:1] == b"{"
    finally:
        program(home, "stop")


@pytest.mark.parametrize("whole", [True, False])
def test_a_base_model_that_is_not_whole_is_made_anew_and_served(run, tmp_path, monkeypatch, whole):
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    settings = Settings(home=tmp_path / "home").prepare()
    (settings.base_dir / "model").mkdir()
    (settings.base_dir / "model" / "manifest.json").touch()
    made = []
    monkeypatch.setattr(service_process, "whole_base", lambda _folder: whole)
    monkeypatch.setattr(service_process, "make", lambda *_: made.append(process.holder(settings)))
    try:
        code, out, _ = run(settings, "start", "--json")
        assert code == 0
        assert made == ([] if whole else [None])  # while no service runs
        assert json.loads(out)["pid"] == process.holder(settings)
    finally:
        process.stop(settings)
