"""What is left of a service that was killed, or whose files were damaged, must not keep its user out."""

import errno
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from waiting import DEADLINE_S, until

from idiolect.daemon.clients import link
from idiolect.daemon.clients.commandline import service_process
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import listen_address, process, tokens
from idiolect.daemon.runtime.tokens import Scope
from idiolect.models import durable

#: What a process runs first that does not come to an end of opening its service.
LOADS = """
import os, signal
from idiolect.daemon import service
def load(self, settings, *_, **__):
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)  # a signal right before the read is heard, too
    (settings.home / "loading").touch()
    os.read(woken, 1)
    signal.pause()
service.Service.__init__ = load
"""
#: One that does not end before somebody writes to the pipe `go on`.
CLOSES_LATE = """
from idiolect.daemon import service
init, close = service.Service.__init__, service.Service.close
def opened(self, settings, *given, **named):
    init(self, settings, *given, **named)
    self.home = settings.home
def closed(self):
    (self.home / "closing").touch()
    (self.home / "go on").read_bytes()
    close(self)
    (self.home / "closed").touch()
service.Service.__init__, service.Service.close = opened, closed
"""


@pytest.fixture
def profile(tiny_profile, tmp_path):
    """A profile for which a service can be started, which is ended after the test."""
    settings = tiny_profile(tmp_path / "home")
    yield settings
    process.stop(settings)


def test_a_killed_service_locks_nobody_out_and_the_port_stays(profile):
    first, _ = process.start(profile)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: process.holder(profile) is None)
    assert (profile.run_dir / "service.json").exists()  # it had no chance to clear up
    assert process.find(profile) is None
    assert process.stop(profile) is None
    token = process.read_token(profile)
    second, fresh = process.start(profile)
    assert fresh
    assert second.pid != first.pid
    assert second.port == first.port
    assert process.read_token(profile) == token
    assert process.find(profile) == second


def directly(home):
    """The command that `idiolect start` runs, without its looking first whether a service runs."""
    return [sys.executable, "-P", "-m", "idiolect.daemon", "--home", str(home)]


def test_a_second_service_says_so_and_leaves_the_first_alone(profile):
    first, _ = process.start(profile)
    second = subprocess.run(
        directly(profile.home), capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    error = json.loads(second.stdout)["error"]
    assert (second.returncode, error["code"]) == (4, "already-running")
    assert f"(pid {first.pid})" in error["message"]
    assert "idiolect stop" in error["message"]
    assert process.find(profile) == first
    with ServiceClient(profile) as client:
        assert client.get("/v1/status")["pid"] == first.pid


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_service_that_is_ended_while_it_loads_locks_nobody_out(profile, at_start, end):
    at_start(LOADS)
    with subprocess.Popen(
        directly(profile.home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as loading:
        until((profile.home / "loading").exists)
        assert process.holder(profile) == loading.pid
        assert process.find(profile) is None  # it runs, but is not ready
        if end == "killed":
            loading.kill()
        else:
            assert process.stop(profile) == loading.pid
            assert loading.wait(DEADLINE_S) == 0
    assert process.holder(profile) is None


def test_a_stuck_service_is_told_of_with_the_way_out(profile, monkeypatch):
    monkeypatch.setattr(link, "PROMPT_S", 0.3)
    running, _ = process.start(profile)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        with pytest.raises(link.NotAnsweringError, match=f"pid {running.pid}"):
            service_process.start_service(profile, Terminal())
        with pytest.raises(process.StopError, match=rf"kill -9 {running.pid}"):
            process.stop(profile, deadline_s=0.3)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    until(lambda: process.holder(profile) is None)  # the SIGTERM it was sent counts once it goes on


def test_a_second_sigterm_does_not_cut_the_orderly_end_short(profile, at_start):
    at_start(CLOSES_LATE)
    os.mkfifo(profile.home / "go on")
    running, _ = process.start(profile)
    os.kill(running.pid, signal.SIGTERM)
    until((profile.home / "closing").exists)
    os.kill(running.pid, signal.SIGTERM)
    (profile.home / "go on").write_bytes(b"")
    until(lambda: process.holder(profile) is None)
    assert (profile.home / "closed").exists()


def test_a_starter_that_goes_away_leaves_a_running_service(profile):
    code = (
        "import os, threading\n"
        "from idiolect.daemon.runtime import process\n"
        "from idiolect.daemon.settings import Settings\n"
        f"settings = Settings(home={str(profile.home)!r})\n"
        "process._spawn(settings, ())\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE_S)
    until(lambda: process.find(profile) is not None)
    os.kill(process.find(profile).pid, 0)


def test_a_full_disk_while_the_token_is_written_leaves_none(profile, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, process.locked(profile):
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            tokens.make(profile, Scope.ADMIN)
        assert not profile.token_path.exists()
        assert sorted(path.name for path in profile.run_dir.iterdir()) == ["lock"]
    assert process.start(profile)[1]


def test_a_folder_that_became_read_only_is_one_clear_error(profile, needs_program):
    code = (
        "import sys; from idiolect.daemon.runtime import process; from idiolect.daemon.settings import Settings\n"
        "try: process.start(Settings(home=sys.argv[1]))\n"
        "except process.RelayedError as error: print(error)"
    )
    command = [sys.executable, "-c", code, profile.home]
    if os.geteuid() == 0:  # root may write everywhere, unless that right is given up
        command = [needs_program("setpriv", "util-linux"), "--bounding-set=-dac_override", *command]
    profile.run_dir.chmod(0o500)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    finally:
        profile.run_dir.chmod(0o700)
    assert re.search(r"cannot be used \(lock\): permission denied\. Make it readable", done.stdout)


def test_the_run_file_of_a_service_that_dies_while_it_writes_is_whole_or_absent(profile, monkeypatch):
    sock, running = listen_address.listen(profile)
    sock.close()

    def torn(made, final):
        made.write_bytes(made.read_bytes()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(durable, "publish", torn)
    with process.locked(profile):
        with pytest.raises(KeyboardInterrupt), process.announced(profile, running):
            pytest.fail("the run file was not written")
        assert process.find(profile) is None
        assert not (profile.run_dir / "service.json").exists()
