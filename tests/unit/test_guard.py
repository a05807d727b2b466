"""Who may ask the endpoint: hosts, origins, tokens and the page's sessions, over a real socket."""

import asyncio
import json
from functools import partial

import httpx
import pytest
from serving import DEADLINE_S, answering, error_of

from idiolect.daemon.endpoint import server
from idiolect.daemon.endpoint.guard import Guard
from idiolect.daemon.endpoint.page_sessions import Sessions, cookie_name
from idiolect.daemon.runtime import tokens
from idiolect.daemon.runtime.tokens import Scope, Tokens
from idiolect.daemon.settings import Settings


@pytest.fixture(scope="module")
def site(tiny_service, tmp_path_factory):
    with answering(tiny_service, Settings(home=tmp_path_factory.mktemp("home")).prepare()) as made:
        yield made


def test_a_missing_or_wrong_token_is_refused(site):
    good = site.token
    for shown in (None, "", "Bearer", f"Bearer {good[:-1]}", f"Bearer {good}x", good, "Bearer ü"):
        headers = {} if shown is None else {"Authorization": shown.encode()}
        answer = httpx.get(f"{site.running.url}/v1/status", headers=headers, trust_env=False)
        assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthorized"), shown
        assert answer.headers["www-authenticate"] == "Bearer"


STRANGE_HOSTS = [
    *("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "", "[::2]"),
    *("[::1].evil.example", "[::1]evil", "[::1]:80.evil", "[::1", "::1", "[::1%25lo]"),
    *("127.0.0.1:80@evil.example", "localhost:@evil.example", "me@localhost", "localhost:80:80"),
    *("localhost:x", "localhost.", "127.1", "0.0.0.0", "localhost:", "localhost:123456"),
    *("localhost, evil.example", "localhost/", "localhost\tx"),
]


def test_another_host_name_is_refused(site):
    for host in STRANGE_HOSTS:
        for path in ("/healthz", "/v1/status"):
            answer = site.http.get(path, headers={"Host": host})
            assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden-host"), (host, path)


STRANGE_ORIGINS = [
    *(
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
    ),
    *("http://localhost:{port}.evil.example", "app://obsidian.md", "http://127.0.0.1:{port}/"),
]


def test_another_page_is_refused_even_with_the_token(site):
    for origin in STRANGE_ORIGINS:
        for path in ("/healthz", "/v1/status"):
            answer = site.http.get(path, headers={"Origin": origin.format(port=site.running.port)})
            assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden-origin"), origin


def test_one_origin_of_two_is_enough_to_be_refused(site):
    headers = [("Origin", "http://evil.example"), ("Origin", site.running.url)]
    assert site.http.get("/v1/status", headers=headers).status_code == 403


def test_names_of_this_machine_and_the_services_own_page_are_fine(site):
    for host in ("127.0.0.1", "LOCALHOST:1", "[::1]:99"):
        assert site.http.get("/v1/status", headers={"Host": host}).status_code == 200
    for name in ("127.0.0.1", "localhost", "[::1]"):
        origin = f"http://{name}:{site.running.port}"
        assert site.http.get("/v1/status", headers={"Origin": origin}).status_code == 200


ENOUGH = [
    ("GET", "/v1/models", Scope.SUGGEST),
    ("POST", "/v1/suggest", Scope.SUGGEST),
    ("POST", "/v1/feedback", Scope.SUGGEST),
    ("POST", "/v1/history", Scope.LEARN),
    ("GET", "/v1/status", Scope.LEARN),
    ("POST", "/v1/learned", Scope.ADMIN),
    ("POST", "/v1/audit/texts", Scope.ADMIN),
    ("POST", "/v1/forget", Scope.ADMIN),
    ("GET", "/v1/sources", Scope.ADMIN),
    ("POST", "/v1/sources/find", Scope.ADMIN),
    ("GET", "/v1/nowhere", Scope.SUGGEST),
    ("GET", "/v1/suggest/", Scope.SUGGEST),
]


def test_a_token_is_good_for_its_scope_and_no_more(site):
    for scope in tokens.SCOPES:
        shown = {"Authorization": f"Bearer {tokens.make(site.settings, scope)}"}
        for method, path, wanted in ENOUGH:
            answer = site.http.request(method, path, headers=shown)
            assert (answer.status_code == 403) == (scope < wanted), (scope, path)
            if scope < wanted:
                error = error_of(answer)
                assert error["code"] == "scope-too-small"
                assert f"idiolect status --token {wanted.name.lower()}" in error["message"]


def test_another_token_is_good_at_once_and_the_one_before_no_more(site):
    token = tokens.make(site.settings, Scope.SUGGEST)
    shown = {"Authorization": f"Bearer {token}"}
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 200
    other = tokens.make(site.settings, Scope.SUGGEST, anew=True)
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 401
    shown = {"Authorization": f"bearer {other}"}
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 200


async def let_in(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def send_request(guard, headers):
    """Send a GET request through a guard: the messages of the answer, and what it raised."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/v1/status", "headers": headers, "query_string": b""}
    try:
        asyncio.run(guard(scope, receive, send))
    except asyncio.CancelledError as cancelled:
        return sent, cancelled
    return sent, None


def error_code(sent):
    """The code of the error that these messages hold, or None."""
    return json.loads(sent[1]["body"])["error"]["code"] if sent[0]["status"] != 204 else None


def guard_of(settings, sessions, app=let_in):
    """A guard that asks for the admin token everywhere."""
    return Guard(
        app,
        tokens=Tokens(settings, replaced=sessions.end),
        sessions=sessions,
        needed=lambda _path: Scope.ADMIN,
        port=8765,
        log_path=settings.log_path,
        paused=lambda: False,
        locked=False,
    )


def test_a_session_is_good_for_the_page_that_has_it_and_ends_with_the_token(tmp_path):
    settings = Settings(home=tmp_path / "home").prepare()
    tokens.make(settings, Scope.ADMIN)
    sessions = Sessions()
    guard = guard_of(settings, sessions)

    def wrong(**headers):
        named = {"host": "127.0.0.1:8765", **headers}
        raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]
        return error_code(send_request(guard, raw)[0])

    for hosts in (
        (b"localhost", b"evil.example"),
        (b"evil.example", b"localhost"),
        (b"localhost", b"localhost"),
        (),
    ):
        assert error_code(send_request(guard, [(b"host", host) for host in hosts])[0]) == "forbidden-host"
    name = cookie_name(8765)
    cookie = f"a=b; {name}={sessions.redeem(sessions.begin())}"
    assert wrong(cookie=cookie, sec_fetch_site="same-origin") is None
    for site in ("same-site", "cross-site", "none", ""):
        assert wrong(cookie=cookie, sec_fetch_site=site) == "unauthorized"
    assert wrong(cookie=cookie) == "unauthorized"
    assert (
        wrong(cookie=cookie, sec_fetch_site="same-origin", origin="http://127.0.0.1:1") == "forbidden-origin"
    )
    assert wrong(cookie=cookie, sec_fetch_site="same-origin", authorization="Bearer no") == "unauthorized"
    other = cookie.replace(name, cookie_name(8766))
    for bad in ("", f"{name}=", f"{name}=\xe9", '"', ";;=", name, other):
        assert wrong(cookie=bad, sec_fetch_site="same-origin") == "unauthorized"
    tokens.make(settings, Scope.LEARN, anew=True)
    assert wrong(cookie=cookie, sec_fetch_site="same-origin") is None
    tokens.make(settings, Scope.ADMIN, anew=True)
    assert wrong(cookie=cookie, sec_fetch_site="same-origin") == "unauthorized"


def test_without_a_token_there_are_the_page_and_whether_it_answers(site):
    open_to_all = {route.path for route in site.app.answered if route.scope is Scope.NONE}
    assert open_to_all == {"/", "/healthz", "/health", "/open", "/page/", "/page/{name}"}


OPEN_TO_ALL = [
    *(("GET", path) for path in ("/healthz", "/health", "/open", "/open?code=x", "/page/", "/page/no")),
    *(("POST", path) for path in ("/healthz", "/health", "/open", "/page/")),
    *(("PUT", "/healthz"), ("HEAD", "/healthz"), ("GET", "/healthz/"), ("GET", "/v1/status")),
]


def test_without_a_token_nothing_is_told_but_that_it_answers(site, tmp_path):
    settings = Settings(home=tmp_path / "locked").prepare()
    locked = partial(server.create_locked_app, settings=settings)

    def said(url, method, path, **headers):
        answer = httpx.request(method, f"{url}{path}", headers=headers, trust_env=False, timeout=DEADLINE_S)
        told = {name: value for name, value in answer.headers.items() if name != "date"}
        return answer.status_code, told, answer.content

    with answering(site.service, settings, lambda _service, running: locked(running=running)) as other:
        url, closed = site.running.url, other.running.url
        now = {ask: said(url, *ask) for ask in OPEN_TO_ALL}
        site.post("/v1/pause")
        try:
            for ask, answer in now.items():
                assert said(url, *ask) == answer, "paused"
                assert said(closed, *ask) == answer, "locked"
                assert "idiolect-paused" not in answer[1]
            shown = {"Authorization": f"Bearer {site.token}"}
            assert said(url, "GET", "/healthz", **shown)[1]["idiolect-paused"] == "true"
        finally:
            site.post("/v1/resume")
        assert now["GET", "/healthz"][2] == b'{"status":"ok"}'
        shown = {"Authorization": f"Bearer {other.token}"}
        for method, path in [("GET", "/v1/status"), ("POST", "/v1/open"), ("POST", "/v1/suggest")]:
            assert said(closed, method, path, **shown)[0] == 423


def test_whoever_waits_when_the_service_is_ended_is_told_so(tmp_path):
    """As `idiolect add` while the profile is purged: the server cancels what still runs."""
    settings = Settings(home=tmp_path / "home").prepare()
    token = tokens.make(settings, Scope.ADMIN)

    async def cancelled(_scope, _receive, _send):
        raise asyncio.CancelledError

    headers = [(b"host", b"localhost:8765"), (b"authorization", f"Bearer {token}".encode())]
    sent, raised = send_request(guard_of(settings, Sessions(), cancelled), headers)
    assert isinstance(raised, asyncio.CancelledError)
    assert (sent[0]["status"], error_code(sent)) == (503, "service-stopping")
