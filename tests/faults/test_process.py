"""What is left of a service that was killed, or whose files were damaged, must not keep its user out."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idiolect.daemon.commandline.client import ServiceClient
from idiolect.daemon.endpoint import listen_address, tokens
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.models import durable

TOY = str(Path(__file__).parents[1] / "toy")
DEADLINE_S = 30


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A profile whose service has no model; ended after the test."""
    monkeypatch.setenv("PYTHONPATH", TOY, prepend=os.pathsep)
    settings = Settings(home=tmp_path / "home").prepare()
    yield settings
    process.stop(settings)


def until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.01)


def test_a_killed_service_locks_nobody_out_and_the_port_stays(toy):
    first, _ = process.start(toy)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: process.holder(toy) is None)
    assert (toy.run_dir / "service.json").exists()  # it had no chance to clear up
    assert process.find(toy) is None
    assert process.stop(toy) is None
    token = process.read_token(toy)
    second, fresh = process.start(toy)
    assert fresh
    assert second.pid != first.pid
    assert second.port == first.port
    assert process.read_token(toy) == token
    assert process.find(toy) == second


def directly(home):
    """The command that `idiolect start` runs, without its looking first whether a service runs."""
    return [sys.executable, "-P", "-m", "idiolect.daemon", "--home", str(home)]


def test_a_second_service_says_so_and_leaves_the_first_alone(toy):
    first, _ = process.start(toy)
    second = subprocess.run(
        directly(toy.home), capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    error = json.loads(second.stdout)["error"]
    assert (second.returncode, error["code"]) == (55, "already-running")
    assert f"(pid {first.pid})" in error["message"]
    assert "idiolect stop" in error["message"]
    assert process.find(toy) == first
    with ServiceClient(toy) as client:
        assert client.get("/v1/status")["pid"] == first.pid


def test_a_service_killed_while_it_loads_locks_nobody_out(toy, monkeypatch):
    monkeypatch.setenv("IDIOLECT_CONTEXT_TOKENS", "19")  # the toy then takes a minute to load
    command = [sys.executable, "-P", "-m", "idiolect.daemon", "--home", str(toy.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as loading:
        until((toy.home / "loading").exists)
        assert process.holder(toy) == loading.pid
        assert process.find(toy) is None  # it runs, but is not ready
        loading.kill()
    monkeypatch.delenv("IDIOLECT_CONTEXT_TOKENS")
    assert process.start(toy)[1]


def test_a_service_that_loads_can_be_stopped(toy, monkeypatch):
    monkeypatch.setenv("IDIOLECT_CONTEXT_TOKENS", "19")
    command = [sys.executable, "-P", "-m", "idiolect.daemon", "--home", str(toy.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as loading:
        until((toy.home / "loading").exists)
        assert process.stop(toy) == loading.pid
        assert loading.wait(DEADLINE_S) == 0
    assert process.holder(toy) is None


def test_a_stuck_service_is_told_of_with_the_way_out(toy):
    running, _ = process.start(toy)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        with pytest.raises(process.StopError, match=rf"kill -9 {running.pid}"):
            process.stop(toy, deadline_s=0.3)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    until(lambda: process.holder(toy) is None)  # the SIGTERM it was sent counts once it goes on


def test_a_second_sigterm_does_not_cut_the_orderly_end_short(toy, monkeypatch):
    monkeypatch.setenv("IDIOLECT_CONTEXT_TOKENS", "20")  # the toy then takes half a second to close
    running, _ = process.start(toy)
    os.kill(running.pid, signal.SIGTERM)
    until((toy.home / "closing").exists)
    os.kill(running.pid, signal.SIGTERM)
    until(lambda: process.holder(toy) is None)
    assert (toy.home / "closed").exists()


def test_a_starter_that_goes_away_leaves_a_running_service(toy):
    code = (
        "import os, threading\n"
        "from idiolect.daemon.runtime import process\n"
        "from idiolect.daemon.settings import Settings\n"
        f"settings = Settings(home={str(toy.home)!r})\n"
        "process._spawn(settings, ())\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE_S)
    until(lambda: process.find(toy) is not None)
    os.kill(process.find(toy).pid, 0)


def test_a_full_disk_while_the_token_is_written_leaves_none(toy, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, process.locked(toy):
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            tokens.make(toy, Scope.ADMIN)
        assert not toy.token_path.exists()
        assert sorted(path.name for path in toy.run_dir.iterdir()) == ["lock"]
    assert process.start(toy)[1]


def test_a_folder_that_became_read_only_is_one_clear_error(toy, needs_program):
    code = (
        "import sys; from idiolect.daemon.runtime import process; from idiolect.daemon.settings import Settings\n"
        "try: process.start(Settings(home=sys.argv[1]))\n"
        "except process.RelayedError as error: print(error)"
    )
    command = [sys.executable, "-c", code, toy.home]
    if os.geteuid() == 0:  # root may write everywhere, unless that right is given up
        command = [needs_program("setpriv", "util-linux"), "--bounding-set=-dac_override", *command]
    toy.run_dir.chmod(0o500)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    finally:
        toy.run_dir.chmod(0o700)
    assert re.search(r"cannot be used \(lock\): permission denied\. Make it readable", done.stdout)


def test_the_run_file_of_a_service_that_dies_while_it_writes_is_whole_or_absent(toy, monkeypatch):
    sock, running = listen_address.listen(toy)
    sock.close()

    def torn(made, final):
        made.write_bytes(made.read_bytes()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(durable, "publish", torn)
    with process.locked(toy):
        with pytest.raises(KeyboardInterrupt), process.announced(toy, running):
            pytest.fail("the run file was not written")
        assert process.find(toy) is None
        assert not (toy.run_dir / "service.json").exists()
