"""What a user runs first, and how commands that take long are broken off."""

import contextlib
import functools
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from serving import serving
from waiting import DEADLINE_S, until

from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime import process

SOME = [
    "boat",
    "harbour",
    "noon",
    "please",
    "send",
    "figures",
    "again",
    "call",
    "me",
    "after",
    "thanks",
    "soon",
]
LEARNS_SOON = RoundTuning(min_tokens=200, rank=4)


def tried(out):
    """What the command prints that a first start says to try."""
    line = next(line for line in out.splitlines() if line.startswith("try"))
    done = subprocess.run(["bash", "-c", line[9:]], capture_output=True, text=True, check=True)
    return json.loads(done.stdout), line


def test_a_first_start_does_it_all_in_order_and_once(run, tiny_profile, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("\n\n".join(f"{' '.join(SOME[at % 9 :][:4])} {at}" for at in range(110)))
    with serving(tiny_profile(tmp_path / "home", threads=1), LEARNS_SOON) as site:
        code, first, err = run(site.settings, "start", notes, "--budget", "60")
        assert code == 0, err
        parts = (
            "Read 1 file",
            "It saves you about",
            "Promoted",
            "\npage ",
            "\nconnect ",
            "\nstop ",
            "\nURL ",
        )
        parts += ("\ntoken ", "\ntry ", "\nkept in ")
        if "Promoted" not in first:
            parts = tuple("Refused" if part == "Promoted" else part for part in parts)
        places = [first.index(part) for part in parts]
        assert places == sorted(places)
        assert "perplexity" not in first.lower()
        assert "Learning how you write …" in err
        assert process.read_token(site.settings) not in first
        assert tried(first)[0]["words"]
        [row] = json.loads(run(site.settings, "adapters", "--json")[1])
        assert row["reason"] in first

        code, again, err = run(site.settings, "start", notes)
        assert (code, "Learning" in err) == (0, False), "nothing was read, so the last verdict is shown"
        verdict = re.search(r"^(Promoted|Refused) .*$", first, re.MULTILINE)[0]
        assert verdict in again.splitlines()


@pytest.mark.parametrize("unix_socket", [False, True])
def test_with_too_little_text_a_start_goes_on_and_what_it_says_to_try_works(
    run, tiny_profile, tmp_path, unix_socket
):
    home = tmp_path / 'i\'s "m" $HOME'  # short: a socket's path may have 107 bytes
    (tmp_path / "notes.txt").write_text("Hello.\n")
    with serving(tiny_profile(home, unix_socket=unix_socket, threads=1)) as site:
        code, out, err = run(site.settings, "start", tmp_path / "notes.txt")
        assert code == 0, err
        assert "No training round: " in out
        answer, line = tried(out)
        assert "words" in answer
        assert ("--unix-socket" in line) == unix_socket


@pytest.mark.parametrize(("needed", "status"), [("big", 0), ("absent", 2)])
def test_make_says_what_is_fetched_and_how_far_it_is_and_not_where_from(tmp_path, needed, status):
    shelf, home = tmp_path / "shelf", tmp_path / "home"
    python = home / ".venv" / "bin" / "python"
    shelf.mkdir()
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\necho "  Installing build dependencies: started"\nexec {sys.executable} "$@"\n'
    )  # its pip, which only looks what it would do, and says first what it says where it fetches setuptools
    python.chmod(0o755)
    shutil.copy(Path(__file__).parents[3] / "Makefile", home)
    (home / "pyproject.toml").write_text(
        f'[project]\nname = "some"\nversion = "1"\ndependencies = ["{needed}"]\n[tool.setuptools]\npackages = []\n'
    )
    with zipfile.ZipFile(shelf / "big-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("big/data", bytes(12 << 20))
        wheel.writestr("big-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: big\nVersion: 1.0\n")
        wheel.writestr("big-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("big-1.0.dist-info/RECORD", "")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(shelf))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.upper().startswith("PIP_")},
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"http://127.0.0.1:{server.server_port}/",
            "PIP_DRY_RUN": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip takes it for the value of what it negates
        }
        command = ["make", "-C", str(home), ".venv/.start"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == status, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert said == (["  big (12.6 MB; 12 MB so far)"] if needed == "big" else [])
    assert "http" not in done.stdout
    assert (home / ".venv" / ".start").exists() == (needed == "big")


def test_make_stop_says_one_sensible_sentence(tiny_profile, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(Path(__file__).parents[3] / "Makefile", tmp_path)
    idiolect = tmp_path / ".venv" / "bin" / "idiolect"
    idiolect.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name("idiolect")} "$@"\n')
    idiolect.chmod(0o700)

    def stop():
        command = ["make", "--no-print-directory", "stop"]
        environment = {**os.environ, "IDIOLECT_HOME": str(tmp_path / "own")}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    process.start(tiny_profile(tmp_path / ".demo"))
    assert stop() == f"Stopped the service for the profile {tmp_path / '.demo'}.\n"
    assert stop() == "No service runs.\n"


def test_an_error_is_broken_at_the_width_of_the_terminal(tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {"IDIOLECT_HOME": str(tmp_path), "IDIOLECT_QUIET_APP": "chat"}
    command = [str(Path(sys.executable).with_name("idiolect")), "start"]
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as asked:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is closed once its last program has ended
            while part := os.read(ours, 4096):
                shown += part
        assert asked.wait(DEADLINE_S) == 3
    os.close(ours)
    lines = shown.decode().split("\r\n")
    assert max(map(len, lines)) <= 60
    assert len(lines) > 2
    assert "Did you mean 'quiet_apps'" in " ".join(lines)


# --- what is broken off ---


class Waiting:
    """A service with much to read, and a command that waits for it."""

    def __init__(self, settings, folder, client):
        self.settings, self._folder, self._client = settings, folder, client

    def notes(self, about):
        """A folder with much text, other text for each thing that it is `about`."""
        notes = self._folder / about
        notes.mkdir()
        lines = (f"{' '.join(SOME[at % 9 : 9 + at % 9])} {about} {at}\n\n" for at in range(20_000))
        (notes / "much.txt").write_text("".join(lines))
        return notes

    @contextlib.contextmanager
    def command(self, *arguments):
        environment = {**os.environ, "IDIOLECT_HOME": str(self.settings.home), "COLUMNS": "250"}
        command = [str(Path(sys.executable).with_name("idiolect")), *map(str, arguments)]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as waiting:
            yield waiting

    def read_of(self, about):
        """How many entries were read of what is about this: the end of an import before may still come."""
        return self._client.post("/v1/forget", {"text": about, "dry_run": True})["entries"]

    def evaluates(self):
        return "evaluation is running" in self._client.get("/v1/status")["next_round"]

    def interrupted(self, *arguments, once):
        """What a command says on stderr that is interrupted as soon as `once` is true of it."""
        with self.command(*arguments) as waiting:
            until(lambda: once(waiting) or waiting.poll() is not None)
            assert waiting.poll() is None, waiting.communicate()
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate()
        assert (waiting.returncode, out) == (130, "")
        assert "Traceback" not in err
        return err


@pytest.fixture(scope="module")
def much(tiny_profile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("much")
    settings = tiny_profile(folder / "home", threads=1)
    process.start(settings)
    with ServiceClient(settings) as client:
        yield Waiting(settings, folder, client)
    process.stop(settings)


def test_one_who_stops_waiting_is_told_what_became_of_it(much):
    def line(said):
        return lambda waiting: waiting.stderr.readline() == f"{said} …\n"

    notes = much.notes("followed")
    # So much that an evaluation of it does not end at once.
    err = much.interrupted("watch", "--yes", notes, once=lambda _: much.read_of("followed") > 500)
    assert f"{notes} is not followed. What was read of it until now is kept" in err
    err = much.interrupted("eval", "--chars", "20000", once=line("Typing your text again"))
    assert err.endswith("The evaluation is ended; nothing of it is kept.\n")
    err = much.interrupted("add", much.notes("added"), once=lambda _: much.read_of("added"))
    assert "What was read until then is kept: the same command again reads the rest" in err
    until(lambda: not much.evaluates())  # what is ended takes a moment to end
    err = much.interrupted("train", "--wait", "--budget", "300", once=line("Learning how you write"))
    assert "goes on in the background" in err
    with ServiceClient(much.settings) as client:
        assert client.get("/v1/status")["training"]


def test_an_import_whose_service_dies_says_what_became_of_it(much):
    with much.command("add", much.notes("lost")) as waiting:
        until(lambda: much.read_of("lost"))
        os.kill(process.holder(much.settings), signal.SIGKILL)
        out, err = waiting.communicate()
    assert (waiting.returncode, out) == (8, "")
    assert "What was read until then is kept: the same command again reads the rest" in err
    assert "what it has stored is kept" in err.lower()
