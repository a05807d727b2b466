"""One service a profile: lock, run file, token, address, start and stop."""

import dataclasses
import errno
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from waiting import DEADLINE_S

from idiolect.daemon.runtime import listen_address, process, start_progress
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.runtime.start_progress import Patience, StartReport
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.marker import StoreLostError


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home").prepare()


@pytest.fixture
def profile(tiny_profile, tmp_path):
    """A profile for which a service can be started, which is ended after the test."""
    settings = tiny_profile(tmp_path / "profile")
    yield settings
    process.stop(settings)


#: What a process runs first whose service cannot be opened, for a reason that nobody has thought of.
FAILS = """
from idiolect.daemon import service
def fail(*_, **__):
    raise RuntimeError("the purple canary")
service.Service.__init__ = fail
"""
#: What opens its service without an end.
LOADS = """
import os
from idiolect.daemon import service
service.Service.__init__ = lambda *_, **__: os.read(os.pipe()[0], 1)
"""
#: What reports how far its start has come, and goes on once somebody writes to the pipe `heard`.
LEARNS_MUCH = """
from idiolect.daemon import service
from idiolect.daemon.runtime import start_progress
from idiolect.models.errors import IdiolectError
start_progress.TOLD_EVERY_S = 0.0
def learn(_service, settings, _key, _loading, report):
    report("encode", 0.5)
    (settings.home / "heard").read_bytes()
    raise IdiolectError("All is learned.")
service.Service.__init__ = learn
"""


RUNNING = Running(os.getpid(), "http://127.0.0.1:1", 1, None, "2026-01-31T00:00:00+00:00")


# --- lock and run file ---


def test_a_profile_is_held_by_one_process_at_a_time(settings):
    assert process.holder(settings) is None
    with process.locked(settings):
        assert process.holder(settings) == os.getpid()
        with pytest.raises(process.AlreadyRunningError), process.locked(settings, patience_s=0.05):
            pytest.fail("two services hold one profile")
        assert process.holder(settings) == os.getpid()
    assert process.holder(settings) is None


def test_looking_does_not_keep_a_service_from_starting(settings):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            process.holder(settings)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    try:
        for looker in lookers:
            looker.start()
        for _ in range(20):
            with process.locked(settings, patience_s=20):
                assert process.holder(settings) == os.getpid()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_the_lock_is_not_inherited_by_child_processes(settings):
    with process.locked(settings):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert process.holder(settings) is None
    finally:
        child.communicate(b"\n")


def test_the_run_file_counts_only_while_its_writer_holds_the_lock(settings):
    with process.locked(settings), process.announced(settings, RUNNING):
        assert process.find(settings) == RUNNING
        path = settings.run_dir / "service.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        left_behind = path.read_text()
    assert not path.exists()
    path.write_text(left_behind)
    assert process.find(settings) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', json.dumps({**dataclasses.asdict(RUNNING), "pid": 1})]
)
def test_a_damaged_or_foreign_run_file_counts_for_nothing(settings, content):
    with process.locked(settings):
        (settings.run_dir / "service.json").write_text(content)
        assert process.find(settings) is None


def test_stop_without_a_service_touches_no_process(settings):
    # The run file of a killed service names a pid that somebody else may have by now: here, this test.
    (settings.run_dir / "service.json").write_text(json.dumps(dataclasses.asdict(RUNNING)))
    settings.lock_path.write_text(str(os.getpid()))
    assert process.stop(settings) is None


def test_a_new_profile_has_no_service(tmp_path):
    settings = Settings(home=tmp_path / "never")
    assert process.holder(settings) is None
    assert process.find(settings) is None
    assert not settings.home.exists()


# --- the address ---


def test_the_port_stays_the_same_while_it_is_free(settings):
    sock, first = listen_address.listen(settings)
    sock.close()
    sock, second = listen_address.listen(settings)
    sock.close()
    assert first.port == second.port
    assert first.url == f"http://127.0.0.1:{first.port}"


def test_a_remembered_port_that_somebody_took_is_given_up(settings):
    sock, first = listen_address.listen(settings)
    with sock:
        other, second = listen_address.listen(settings)
        other.close()
        again, third = listen_address.listen(settings)
        again.close()
    assert second.port != first.port
    assert (second.moved_from, third.port, third.moved_from) == (first.port, second.port, first.port)
    sock, back = listen_address.listen(settings)
    sock.close()
    assert (back.port, back.moved_from) == (first.port, None)


@pytest.mark.parametrize("refusal", [errno.EACCES, errno.EADDRNOTAVAIL])
def test_a_remembered_port_that_the_system_refuses_is_not_said_to_be_another_programs(
    settings, monkeypatch, refusal
):
    """Root may have any port: so the system's answer is given here."""
    sock, first = listen_address.listen(settings)
    sock.close()

    class Refusing(socket.socket):
        def bind(self, place):
            if place[1] == first.port:
                raise OSError(refusal, os.strerror(refusal))
            super().bind(place)

    monkeypatch.setattr(listen_address.socket, "socket", Refusing)
    sock, second = listen_address.listen(settings)
    sock.close()
    assert (second.port != first.port, second.moved_from) == (True, None)
    sock, third = listen_address.listen(settings)
    sock.close()
    assert (third.port, third.moved_from) == (second.port, None)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(settings):
    sock, first = listen_address.listen(settings)
    with (
        sock,
        pytest.raises(
            listen_address.ListenError,
            match=rf"^Port {first.port} on 127.0.0.1 .*another program.*`(ss|lsof|netstat) .*{first.port}.*--port N",
        ),
    ):
        listen_address.listen(Settings(home=settings.home, port=first.port))
    assert str(first.port) in listen_address.who_has(first.port)


@pytest.mark.parametrize("content", ["", "x", "99999999", "-1"])
def test_a_damaged_port_file_is_replaced(settings, content):
    (settings.run_dir / "port").write_text(content)
    sock, running = listen_address.listen(settings)
    sock.close()
    assert (settings.run_dir / "port").read_text() == str(running.port)


def test_a_stale_unix_socket_is_replaced_and_a_long_path_is_one_clear_error(settings, tmp_path):
    unix = Settings(home=settings.home, unix_socket=True)
    for _ in range(2):
        sock, running = listen_address.listen(unix)
        sock.close()
    assert running.socket == str(settings.socket_path)
    deep = Settings(home=tmp_path / ("x" * 120), unix_socket=True).prepare()
    with pytest.raises(listen_address.ListenError, match="shorter path"):
        listen_address.listen(deep)


# --- start and stop ---


def test_start_returns_once_the_service_answers_and_stop_once_it_has_ended(profile):
    running, fresh = process.start(profile)
    assert fresh
    assert process.find(profile) == running
    with socket.create_connection(("127.0.0.1", running.port), 5) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 200")
    assert process.start(profile) == (running, False)
    assert process.stop(profile) == running.pid
    assert process.find(profile) is None
    assert not profile.store_path.with_name(f"{profile.store_path.name}-wal").exists()  # it closed its store
    assert not (profile.run_dir / "service.json").exists()
    assert process.stop(profile) is None


def test_two_starts_at_once_make_one_service(profile):
    found = []
    starts = [threading.Thread(target=lambda: found.append(process.start(profile))) for _ in range(3)]
    for one in starts:
        one.start()
    for one in starts:
        one.join(DEADLINE_S)
    assert len({running.pid for running, _ in found}) == 1
    assert sorted(fresh for _, fresh in found) == [False, False, True]


def test_what_keeps_the_service_from_opening_is_told(profile):
    profile.key_path.write_text("no key")
    with pytest.raises(process.RelayedError, match="is lost") as caught:
        process.start(profile)
    assert caught.value.relayed_exit_code == StoreLostError.exit_code


def test_an_unexpected_failure_at_the_start_names_the_log_and_quotes_nobody(profile, at_start):
    at_start(FAILS)
    with pytest.raises(process.StartError, match=r"idiolect\.log"):
        process.start(profile)
    log = profile.log_path.read_text()
    assert "builtins.RuntimeError" in log
    assert "canary" not in log


def test_a_start_that_takes_too_long_is_given_up(profile, at_start):
    at_start(LOADS)
    with pytest.raises(process.StartError, match="in time"):
        process.start(profile, deadline_s=1.5)


def test_a_service_that_starts_tells_how_far_it_has_come(profile, at_start):
    at_start(LEARNS_MUCH)
    os.mkfifo(profile.home / "heard")
    told = []

    def tell(progress):
        told.append(progress)
        (profile.home / "heard").write_bytes(b"")

    with pytest.raises(process.RelayedError, match="All is learned"):
        process.start(profile, show=tell)
    assert told == [("encode", 0.5)]
    assert not (profile.run_dir / "starting").exists()


def test_a_start_is_waited_for_from_the_last_that_it_told(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(start_progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    notified = []
    report = StartReport(tmp_path, lambda: notified.append(clock.now))
    left = []
    for clock.now in (0.0, 100.0, 150.0):
        if clock.now == 0.0:
            patience = Patience(tmp_path, 120.0)
        elif clock.now == 100.0:
            report("learn")
            report("learn")  # within the second, which is not told
        left.append(patience.left_s())
    clock.now = 221.0
    assert (left, patience.left_s(), notified) == ([120.0, 120.0, 70.0], 0.0, [100.0])
    assert Patience(tmp_path, 120.0).left_s() == 120.0, (
        "what a start of before has told is nothing to this one"
    )


def test_the_service_does_not_import_what_the_current_folder_or_its_own_holds(profile, tmp_path, monkeypatch):
    for folder in (tmp_path, profile.home):
        (folder / "argparse.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert process.start(profile)[1]
