"""A service that nobody asks for anything rests in little memory, and is there again when it is needed."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import asdict

import httpx
import psutil
import pytest
from waiting import DEADLINE_S, until

from idiolect.daemon.clients.commandline import doctor_checks
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime import process, tokens
from idiolect.daemon.runtime.resting import IdleState, _watch, concerns
from idiolect.daemon.runtime.tokens import Scope

MAX_BYTES = 60 * 2**20


def rests(settings):
    return lambda: "idiolect.daemon.runtime.resting" in psutil.Process(process.holder(settings)).cmdline()


@pytest.fixture
def hasty(tiny_profile, tmp_path):
    """A profile whose service rests as soon as it may; ended after the test."""
    settings = tiny_profile(tmp_path / "home", rest_after_s=0.1)
    yield settings
    process.stop(settings)


@pytest.fixture(scope="module")
def one_at_rest(tiny_profile, tmp_path_factory):
    """A profile whose service is at rest, for tests that only look at it."""
    settings = tiny_profile(tmp_path_factory.mktemp("resting") / "home", rest_after_s=0.1)
    process.start(settings)
    until(rests(settings))
    yield settings
    process.stop(settings)


def test_it_takes_little_and_answers_the_next_request_as_the_same_process(hasty):
    first, _ = process.start(hasty)
    token = process.read_token(hasty)
    for _ in range(2):
        until(rests(hasty))
        at_rest = psutil.Process(first.pid)
        assert at_rest.memory_info().rss < MAX_BYTES
        assert process.find(hasty) == first
        with ServiceClient(hasty) as client:
            assert client.get("/v1/status")["pid"] == first.pid
        assert process.read_token(hasty) == token


def test_a_service_whose_program_was_replaced_begins_anew_and_answers_every_request(tiny_profile, tmp_path):
    settings = tiny_profile(tmp_path / "home")
    running, _ = process.start(settings)
    link = ServiceLink(settings, Scope.SUGGEST)

    async def type_on():
        os.kill(running.pid, signal.SIGHUP)
        answers = []
        while not any("--handed" in word for word in psutil.Process(running.pid).cmdline()):
            answers.append(await link.ask("POST", "/v1/suggest", {"prefix": "Hi "}))
        answers.append(await link.ask("POST", "/v1/suggest", {"prefix": "Hi "}))
        await link.close()
        return answers

    try:
        assert all(asyncio.run(type_on()))
        assert process.find(settings) == running
    finally:
        process.stop(settings)


def test_the_page_stays_open_unless_the_token_is_changed_meanwhile(hasty):
    process.start(hasty)
    with ServiceClient(hasty) as client:
        link = client.post("/v1/open")["url"]
    with httpx.Client(
        timeout=DEADLINE_S, trust_env=False, headers={"Sec-Fetch-Site": "same-origin"}
    ) as browser:
        browser.get(link)
        status = f"{process.find(hasty).url}/v1/status"
        until(rests(hasty))
        assert browser.get(status).status_code == 200
        until(rests(hasty))
        tokens.make(hasty, Scope.ADMIN, anew=True)
        assert browser.get(status).status_code == 401


def test_what_another_version_left_is_taken_up_as_far_as_it_is_known(hasty):
    hasty.locked_path.unlink(missing_ok=True)
    tokens.make(hasty, Scope.ADMIN)
    with process.locked(hasty) as lock, socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running = {"url": url, "port": None, "socket": None, "started_at": "2026-01-31T09:30:00+00:00"}
        out, into = os.pipe()
        with os.fdopen(into, "w") as pipe:
            left = {
                "lock": lock,
                "listener": listener.fileno(),
                "another": 1,
                "sessions": ["of another form"],
            }
            json.dump({**left, "running": {**running, "pid": 1, "another": 1}}, pipe)
        command = [sys.executable, "-P", "-m", "idiolect.daemon", f"--home={hasty.home}", f"--handed={out}"]
        with subprocess.Popen(command, pass_fds=(lock, listener.fileno(), out)) as service:
            try:
                head = {"Authorization": f"Bearer {process.read_token(hasty)}"}
                with httpx.Client(timeout=DEADLINE_S, trust_env=False, headers=head) as client:
                    assert client.get(f"{url}/v1/status").json()["running"]
            finally:
                service.terminate()
        assert service.returncode == 0
        os.close(out)


def test_the_doctor_tells_that_another_version_runs(hasty, monkeypatch):
    monkeypatch.setenv("IDIOLECT_HOME", str(hasty.home))
    monkeypatch.setenv("IDIOLECT_REST_AFTER_S", "0")

    def found():
        return [finding.found for finding in doctor_checks.examine() if finding.check == "version"]

    running, _ = process.start(hasty)
    assert found() == []
    process.run_file(hasty).write_text(json.dumps({**asdict(running), "version": "0.0.9"}))
    [only] = found()
    assert only.startswith("version 0.0.9 runs, ")


def test_it_uses_no_processor_time(one_at_rest):
    at_rest = psutil.Process(process.holder(one_at_rest))

    def is_still(for_s):
        before = at_rest.cpu_times()[:2], at_rest.num_ctx_switches()
        with pytest.raises(psutil.TimeoutExpired):
            at_rest.wait(for_s)
        return (at_rest.cpu_times()[:2], at_rest.num_ctx_switches()) == before

    until(lambda: is_still(0.2))  # Python has begun
    assert is_still(1.5)


def test_it_holds_the_profile_and_a_start_finds_it(one_at_rest):
    pid = process.holder(one_at_rest)
    with pytest.raises(process.AlreadyRunningError), process.locked(one_at_rest, patience_s=0.05):
        pytest.fail("two services hold one profile")
    running, fresh = process.start(one_at_rest)
    assert (running.pid, fresh) == (pid, False)


def test_killed_at_rest_it_locks_nobody_out_and_it_can_be_stopped(hasty):
    before, _ = process.start(hasty)
    until(rests(hasty))
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: process.holder(hasty) is None)
    after, fresh = process.start(hasty)
    assert fresh
    assert after.port == before.port
    until(rests(hasty))
    assert process.stop(hasty) == after.pid
    assert process.find(hasty) is None
    assert not process.run_file(hasty).exists()


def test_it_holds_nothing_open_but_the_lock_its_socket_and_what_it_waits_for(one_at_rest):
    at_rest = psutil.Process(process.holder(one_at_rest))
    own = {str(one_at_rest.lock_path), str(one_at_rest.log_path)}
    until(lambda: {file.path for file in at_rest.open_files()} <= own)  # Python has begun
    assert [found.status for found in at_rest.net_connections()] == [psutil.CONN_LISTEN]


#: What asks a service, before it serves, whether it would rest after ten days without a request.
ASKS_AT_ONCE = """
from pathlib import Path
from idiolect.daemon.endpoint import server
make_server = server.make_server
def make(app, ready, idle):
    Path("answer").write_text("rests" if idle(864_000.0) else "stays")
    return make_server(app, ready, idle)
server.make_server = make
"""


def test_zero_is_never(hasty, at_start, tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_REST_AFTER_S", "0")
    at_start(ASKS_AT_ONCE.replace('"answer"', repr(str(tmp_path / "answer"))))
    process.start(hasty)
    assert (tmp_path / "answer").read_text() == "stays"


@pytest.mark.parametrize(
    ("path", "folder", "wakes"),
    [
        ("/notes/a.md", False, True),
        ("/notes/deep/A.MD", False, True),
        ("/notes/deep", True, True),
        ("/notes/.git/index.md", False, False),
        ("/notes/.git", True, False),
        ("/notes/a.png", False, False),
        ("/notes2/a.md", False, False),
        ("/diary", False, True),
    ],
)
def test_what_wakes_it_is_what_the_service_would_look_at(path, folder, wakes):
    assert concerns(IdleState(("/notes", "/diary"), (".md",)), path, folder=folder) is wakes


def test_more_than_can_be_handed_over_keeps_it_awake():
    assert IdleState(("/notes",), (".md",)).possible
    assert not IdleState(tuple(f"/notes/{number}" for number in range(5000))).possible


def test_what_is_written_while_it_rests_wakes_it_and_is_learned_with_the_key_that_was_left(hasty, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    process.start(hasty)
    with ServiceClient(hasty) as client:
        assert [*client.stream("/v1/watch", {"path": str(notes)})][-1]["event"] == "done"
    until(rests(hasty))
    moved = hasty.key_path.rename(tmp_path / "key")  # as a keyring that is locked by now
    (notes / ".hidden.txt").write_text("not looked at")
    (notes / "picture.png").write_text("not looked at")
    assert rests(hasty)()
    (notes / "letter.txt").write_text(
        "The harbour office opens at eight.\n\nKind regards from the harbour.\n"
    )

    def learned():
        with ServiceClient(hasty) as client:
            return client.get("/v1/status")["entries"]

    until(lambda: not rests(hasty)())
    until(lambda: learned() == 2)
    moved.rename(hasty.key_path)


def test_what_is_missing_now_keeps_nothing_from_resting(tmp_path):
    there = tmp_path / "notes"
    there.mkdir()
    bell, rope = os.pipe()
    _watch(IdleState((str(tmp_path / "drive" / "notes"), str(there)), (".md",)), rope)
    (there / "new.md").write_text("The boat is back.")
    assert select.select([bell], [], [], DEADLINE_S)[0]
