"""The door, as others of the machine may lean on it: many connections without a token, and a taken port."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading

import httpx
import psutil
import pytest
from typer.testing import CliRunner
from waiting import DEADLINE_S

from idiolect.daemon.clients.commandline.command_table import app
from idiolect.daemon.clients.link import NotAnsweringError, ServiceClient
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.endpoint import connection_limits
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.tokens import Scope

WORDS = "the purple canary sings at midnight"
HALF_A_HEAD = b"GET /v1/status HTTP/1.1\r\nHost: loc"
UNREAD = b"POST /v1/history HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n{"

#: Opens connections as fast as it can, and says so when it has opened more than are kept.
FLOOD = """
import collections, socket, sys
held = collections.deque(maxlen=900)
for count in range(10**9):
    try:
        held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5))
    except OSError:
        pass
    if count == 2000:
        print("more than there is room for", flush=True)
"""


@pytest.fixture
def profile(tiny_profile, tmp_path, monkeypatch):
    """A profile for which a service can be started, which is ended after the test."""
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "home"))
    settings = tiny_profile(tmp_path / "home")
    yield settings
    process.stop(settings)


@contextlib.contextmanager
def limited(settings, files):
    """The profile's service, which may have so many files and connections open."""
    command = [sys.executable, "-P", "-m", "idiolect.daemon", "--home", str(settings.home)]

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    with subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=limit) as service:
        try:
            yield process.Running.of(json.loads(service.stdout.readline())["running"])
        finally:
            service.terminate()


def client(settings, running):
    token = process.read_token(settings)
    return httpx.Client(
        base_url=running.url,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=DEADLINE_S,
    )


def connection_of(http):
    """The client's end of the connection over which a request goes."""
    return http.get("/healthz").extensions["network_stream"].get_extra_info("client_addr")


def type_keys(http):
    """Ask for suggestions as somebody does who types."""
    for key in range(40):
        assert http.post("/v1/suggest", json={"prefix": "x" * (key % 9)}).status_code == 200


@pytest.mark.parametrize("sent", [HALF_A_HEAD, UNREAD], ids=["half", "unread"])
def test_thousands_of_connections_without_a_token_keep_nobody_out(profile, sent):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    many = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 300)
    files = 256
    with limited(profile, files) as running, client(profile, running) as http, contextlib.ExitStack() as held:
        type_keys(http)
        kept = connection_of(http)
        for _ in range(many):
            other = held.enter_context(socket.create_connection(("127.0.0.1", running.port), DEADLINE_S))
            with contextlib.suppress(ConnectionError):
                other.sendall(sent)
        type_keys(http)
        assert connection_of(http) == kept, "a client with a token is never closed"
        with client(profile, running) as another:
            assert another.post("/v1/suggest", json={"prefix": "Hi "}).status_code == 200
        assert psutil.Process(running.pid).num_fds() < files - 32
    assert "out of system resource" not in profile.log_path.read_text()


def test_a_client_with_a_token_gets_in_while_others_open_connections_without_end(profile):
    running, _ = process.start(profile)
    flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(running.port)], stdout=subprocess.PIPE)
    try:
        assert flood.stdout.readline() == b"more than there is room for\n"
        for _ in range(15):
            with client(profile, running) as http:
                assert http.post("/v1/suggest", json={"prefix": "Hi "}).status_code == 200
        assert flood.poll() is None
    finally:
        flood.kill()
        flood.communicate()


def test_connections_without_a_token_leave_most_descriptors_to_others():
    most = connection_limits.Connections().most
    assert 0 < most <= connection_limits.MAX_WITHOUT_TOKEN
    assert most <= resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4


# --- a port that another program has ---


@contextlib.contextmanager
def squatter(port):
    """A program that listens at a port, answers everything with "200 OK", and keeps what it is sent."""
    heard = []

    def serve(listener):
        while True:
            try:
                other, _ = listener.accept()
            except OSError:
                return
            with other, contextlib.suppress(OSError):
                other.settimeout(0.5)
                heard.append(b"")
                while piece := other.recv(65536):
                    heard[-1] += piece
                    other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)


def kill(running):
    """As the system does when memory runs out, and wait until the service is gone."""
    service = psutil.Process(running.pid)
    os.kill(running.pid, signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        service.wait(DEADLINE_S)


def test_the_command_line_tells_a_program_in_the_services_place_nothing(profile):
    running, _ = process.start(profile)
    with ServiceClient(profile) as asking:
        assert "words" in asking.post("/v1/suggest", {"prefix": "Hi "})
        kill(running)
        with squatter(running.port) as heard:
            for ask in (
                lambda: asking.post("/v1/suggest", {"prefix": WORDS}),
                lambda: asking.get("/v1/status"),
                lambda: list(asking.stream("/v1/import", {"paths": [WORDS]})),
            ):
                with pytest.raises(NotAnsweringError):
                    ask()
            for command in (["suggest", WORDS], ["status"], ["forget", "--text", WORDS, "--yes"], ["apps"]):
                assert CliRunner().invoke(app, command).exit_code in (0, 1)  # status says that none runs
    assert b"".join(heard) == b""


def test_an_editor_tells_a_program_in_the_services_place_nothing(profile):
    running, _ = process.start(profile)

    async def edit():
        link = ServiceLink(profile, Scope.LEARN)
        assert await link.ask("POST", "/v1/suggest", {"prefix": "Hi "})
        kill(running)
        with squatter(running.port) as heard:
            assert await link.ask("POST", "/v1/suggest", {"prefix": WORDS}) is None
            assert not await link.send("/v1/history", {"text": WORDS, "source": "test"})
        await link.close()
        return heard

    assert b"".join(asyncio.run(edit())) == b""


def test_clients_find_the_service_that_was_started_anew_elsewhere(profile):
    running, _ = process.start(profile)
    link, asked = ServiceLink(profile, Scope.SUGGEST), ("POST", "/v1/suggest", {"prefix": "Hi "})
    with asyncio.Runner() as loop:
        assert loop.run(link.ask(*asked))
        kill(running)
        with squatter(running.port) as heard:
            moved, _ = process.start(profile)
            assert (moved.moved_from, moved.port != running.port) == (running.port, True)
            assert loop.run(link.ask(*asked))
            loop.run(link.close())
            told_of_the_move(profile, running, moved)
    assert b"".join(heard) == b""
    back, _ = process.start(profile)
    assert (back.port, back.moved_from) == (running.port, None)


def told_of_the_move(profile, running, moved):
    with ServiceClient(profile) as asking:
        assert asking.get("/v1/status")["moved_from"] == running.port
    said = CliRunner().invoke(app, ["status", "--json"]).stdout
    assert json.loads(said)["moved_from"] == running.port
    assert f"port {running.port}" in " ".join(CliRunner().invoke(app, ["status"]).stdout.split())
    findings = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    [found] = [finding for finding in findings if finding["check"] == "port"]
    assert found["level"] == "wrong"
    assert str(running.port) in found["mend"]
    assert f"another program uses port {running.port}" in profile.log_path.read_text()
    process.stop(profile)
    again, _ = process.start(profile)
    assert (again.port, again.moved_from) == (moved.port, running.port), "it stays there meanwhile"
    process.stop(profile)


def test_a_run_file_of_another_user_is_not_believed(profile, monkeypatch):
    running, _ = process.start(profile)
    assert process.find(profile) == running
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(process.run_file(profile)).st_uid + 1)
    assert process.find(profile) is None
    monkeypatch.undo()
