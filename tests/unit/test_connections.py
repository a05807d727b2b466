"""How long connections may take: heads, bodies, answers that nobody reads, and strangers that stay."""

import contextlib
import http.client
import json
import socket
from pathlib import Path

import pytest
from serving import DEADLINE_S, answering, error_of
from waiting import until

from idiolect.daemon.endpoint import connection_limits, routing, shapes
from idiolect.daemon.runtime import tokens
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings


@pytest.fixture
def site(tiny_service, tmp_path):
    """A server of the test's own, whose time limits it may change."""
    with answering(tiny_service, Settings(home=tmp_path / "home").prepare()) as made:
        yield made


def raw_request(site, path, body, *, length=None):
    """A request over a socket of its own, as its bytes say."""
    raw = socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {site.token}\r\n"
    raw.sendall(f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body)
    return raw


def read_all(raw):
    """What the server sends until it closes the connection."""
    got = b""
    while piece := raw.recv(65536):
        got += piece
    return got


def test_a_body_that_does_not_come_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(routing, "BODY_S", 0.2)
    with raw_request(site, "/v1/history", b'{"text": ', length=1000) as raw:
        head, _, body = read_all(raw).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["code"] == "slow-body"


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_come_is_not_waited_for(site, monkeypatch, sent):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        raw.sendall(sent)
        assert read_all(raw) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /v1/history HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n{",
        b"POST /healthz HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2 + b"GET /he",
    ],
    ids=["answered", "refused", "unread body", "unread chunks", "half another"],
)
def test_nobody_stays_who_showed_no_token(site, monkeypatch, sent):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.3)
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        raw.sendall(sent)
        assert read_all(raw).startswith(b"HTTP/1.1 ")
    assert not site.server.server_state.connections


def test_who_had_connected_when_the_service_ends_is_answered(site, monkeypatch):
    """What is sent while the server decides to end is read by nobody before it ends."""
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        until(lambda: site.server.server_state.connections)

        def ends():
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return True

        monkeypatch.setattr(site.server, "_idle", ends)
        assert read_all(raw).startswith(b"HTTP/1.1 200 ")


def test_who_does_not_read_the_answers_does_not_stay_either(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.5)
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        many = memoryview(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200_000
        )  # more than fits on the way
        seen = False

        def came_and_went():
            # Whether the client is told depends on what is on the way: the system's part goes on without the service.
            nonlocal many, seen
            seen = seen or bool(site.server.server_state.connections)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                many = many[raw.send(many) :]
            return seen and not site.server.server_state.connections

        until(came_and_went)
        assert many


def test_who_showed_a_token_stays(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200
    [kept] = site.server.server_state.connections
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as later:
        assert later.recv(1) == b"", "one without a token that came later is gone"
    assert site.http.get("/healthz").status_code == 200
    assert kept in site.server.server_state.connections


def test_a_body_that_nobody_reads_is_not_waited_for_with_a_token_either(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "BODY_S", 0.2)
    with raw_request(site, "/v1/history", b"{", length=shapes.MAX_BODY_BYTES + 1) as raw:
        assert read_all(raw).startswith(b"HTTP/1.1 413")


def test_half_a_head_is_not_waited_for_with_a_token_either(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    with raw_request(site, "/v1/suggest", b'{"prefix": "Hi "}') as raw:
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        assert read_all(raw) == b""


def test_a_token_that_is_worth_nothing_any_more_keeps_no_connection(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    token = tokens.make(site.settings, Scope.SUGGEST)
    ask = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        raw.sendall(ask)
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        tokens.make(site.settings, Scope.SUGGEST, anew=True)
        raw.sendall(ask)
        assert read_all(raw).startswith(b"HTTP/1.1 401")


def test_a_unix_socket_serves_the_same_and_nobody_stays_without_a_token_either(
    tiny_service, tmp_path, monkeypatch
):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    settings = Settings(home=tmp_path / "home", unix_socket=True).prepare()
    with answering(tiny_service, settings) as site, socket.socket(socket.AF_UNIX) as raw:
        assert Path(site.running.socket).stat().st_mode & 0o777 == 0o600
        stranger = site.http.get("/v1/status", headers={"Authorization": "Bearer nobody"})
        assert stranger.status_code == 401
        raw.settimeout(DEADLINE_S)
        raw.connect(site.running.socket)
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_all(raw).startswith(b"HTTP/1.1 200")
        assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200


def test_a_connection_stays_between_requests_whatever_heads_may_take(site, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.1)
    with site.occupied():
        raw = raw_request(site, "/v1/suggest", b'{"prefix": "Hi "}')
        site.until_asked(2)
        with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as stranger:
            assert read_all(stranger) == b"", "so long that a timer that was not stopped would have struck"
    with raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")


def test_answers_do_not_wait_for_acknowledgements(site):
    # With Nagle's algorithm on, a kept connection answers in steps of 40 ms.
    site.post("/v1/suggest", {"prefix": "warm"})
    [connection] = site.server.server_state.connections
    kept = connection.transport.get_extra_info("socket")
    assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_oversized_body_is_refused_before_it_is_sent(site):
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        head = f"POST /v1/history HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {site.token}\r\n"
        raw.sendall(f"{head}Content-Length: {10**12}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"}}"):
            answer += raw.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "too-large"


def test_an_oversized_body_without_a_length_is_refused_and_its_connection_stays(site):
    def chunks():
        yield from (b"x" * 65536 for _ in range(2 * shapes.MAX_BODY_BYTES // 65536))

    answer = site.http.post("/v1/history", content=chunks())
    assert (answer.status_code, error_of(answer)["exit_code"]) == (413, 3)
    assert site.http.get("/healthz").status_code == 200
