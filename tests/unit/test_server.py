"""The HTTP layer over a real socket, around a service without a model."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import json
import logging
import queue
import re
import runpy
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.daemon.endpoint import connection_limits, listen_address, routing, server, shapes, tokens
from idiolect.daemon.endpoint.guard import Guard
from idiolect.daemon.endpoint.page_sessions import Sessions, cookie_name
from idiolect.daemon.endpoint.tokens import Scope, Tokens
from idiolect.daemon.endpoint.typing_routes import FeedbackBody
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.log import PlainFormatter
from idiolect.daemon.serving.model_queue import MAX_JOBS, Priority
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import EvalRequest, Feedback
from idiolect.daemon.storage.selectors import Selector

TOY = runpy.run_path(str(Path(__file__).parents[1] / "toy" / "sitecustomize.py"))
CANARY = TOY["CANARY"]
TOKEN = "t" * 43
DEADLINE_S = 20


@dataclasses.dataclass
class Site:
    """A running server, the service behind it, and a client with the token."""

    service: object
    settings: Settings
    running: object
    http: httpx.Client
    server: object
    thread: threading.Thread
    app: routing.Application

    def post(self, path, body=None, **more):
        return self.http.post(path, json=body, **more)

    def stop(self):
        self.server.should_exit = True


@contextlib.contextmanager
def serving(settings):
    service = TOY["ToyService"]()
    sock, running = listen_address.listen(settings)
    ready = threading.Event()
    settings.token_path.write_text(TOKEN)
    app = server.create_app(service, running=running, settings=settings)
    made = server.make_server(app, ready.set)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [sock]})
    thread.start()
    assert ready.wait(DEADLINE_S)
    transport = httpx.HTTPTransport(uds=running.socket) if running.socket else None
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(
        base_url=running.url, headers=headers, timeout=DEADLINE_S, transport=transport, trust_env=False
    ) as http:
        yield Site(service, settings, running, http, made, thread, app)
        service.gate.set()
        made.should_exit = True
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    service.queue.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with serving(Settings(home=tmp_path_factory.mktemp("home")).prepare()) as made:
        yield made


@pytest.fixture
def site(shared):
    """The module's one server; the service forgets what earlier tests asked it."""
    shared.service.calls.clear()
    shared.service.entries = 0
    return shared


@pytest.fixture
def fresh(tmp_path):
    """A server of the test's own, to be slowed down and stopped."""
    with serving(Settings(home=tmp_path / "home").prepare()) as made:
        yield made


def events(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def error_of(answer):
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "exit_code"}
    return body["error"]


# --- what §7 fixes ---


def test_suggest_has_the_documented_shape(site):
    answer = site.post("/v1/suggest", {"prefix": "Hi "})
    assert answer.status_code == 200
    assert answer.json() == {
        "words": [
            {"text": "one", "p": 0.5},
            {"text": "two\x1b[31m", "p": 0.5},
            {"text": "[bold]three", "p": 0.5},
        ],
        "ghost": {
            "text": "and so on",
            "p": 0.25,
            "show": True,
            "words": [{"text": "and", "p": 0.25}, {"text": " so on", "p": 0.125}],
        },
        "list": {"show": True},
        "adapter": None,
        "elapsed_ms": 1.5,
        "reason": None,
        "paused": False,
        "sees_context": True,
    }
    assert site.service.calls == [("suggest", "Hi ", "", 3, 8)]


def test_suggest_passes_everything_on(site):
    site.post("/v1/suggest", {"prefix": "a\u0000é😀", "suffix": "z", "candidates": 1, "ghost_words": 0})
    assert site.service.calls == [("suggest", "a\u0000é😀", "z", 1, 0)]


def test_what_is_answered_is_passed_on_only_where_it_is_seen(site):
    asked = {"prefix": "Hi ", "context": ["older", "newer"]}
    assert site.post("/v1/suggest", asked).json()["sees_context"] is True
    assert site.service.context == ("older", "newer")
    assert site.post("/v1/suggest", {**asked, "app": "blind"}).json()["sees_context"] is False
    assert site.service.context == ()
    assert site.post("/v1/suggest", {**asked, "input_purpose": "password"}).json()["sees_context"] is False


@pytest.mark.parametrize(
    "context",
    [
        ["CANARY"] * 9,
        ["CANARY", "x" * 100_001],
        ["CANARY", 7],
        ["CANARY", None],
        "CANARY",
        {"0": "CANARY"},
        None,
    ],
)
def test_what_is_answered_and_no_text_is_refused_in_a_sentence_without_it(site, context):
    answer = site.post("/v1/suggest", {"prefix": "Hi ", "context": context})
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (422, "invalid-request")
    assert error["message"].startswith("context")
    assert "CANARY" not in answer.text
    assert "xxx" not in answer.text
    assert site.service.calls == []


def test_history_has_the_documented_shape(site):
    body = {"text": "Hi", "source": "mail", "app": "mutt", "at": "2026-01-31T09:30:00+02:00"}
    answer = site.post("/v1/history", body)
    assert answer.json() == {
        "id": 1,
        "stored": True,
        "redactions": 0,
        "reason": None,
        "paused": False,
    }
    at = datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert site.service.calls == [("learn", "Hi", "mail", "mutt", at, "")]


def test_history_passes_on_what_stood_before_at_any_length(site):
    before = "x" * (shapes.MAX_TEXT_CHARS + 1) + "My PIN is "
    assert site.post("/v1/history", {"text": "Hi", "source": "mail", "before": before}).status_code == 200
    assert site.service.calls[0][5] == before


def test_a_time_without_a_zone_is_local(site):
    site.post("/v1/history", {"text": "Hi", "source": "mail", "at": "2026-01-31T09:30:00"})
    assert site.service.calls[0][4] == datetime(2026, 1, 31, 9, 30).astimezone()


def test_feedback_has_the_documented_shape(site):
    answer = site.post("/v1/feedback", {"kind": "ghost", "outcome": "dismissed", "p": 0})
    assert (answer.status_code, answer.json()) == (200, {"stored": True, "reason": None, "paused": False})
    assert site.service.calls == [("feedback", Feedback("ghost", "dismissed", 0.0, True, 0, 1, 1), None)]


def test_feedback_passes_everything_on(site):
    body = {"kind": "word", "outcome": "accepted", "p": 0.25, "show": False, "characters": 9}
    body |= {"keystrokes": 0, "words": 2, "app": "keepass"}
    answer = site.post("/v1/feedback", body)
    assert answer.json() == {"stored": False, "reason": "excluded app", "paused": False}
    assert site.service.calls == [("feedback", Feedback("word", "accepted", 0.25, False, 9, 0, 2), "keepass")]


def test_dismissed_suggestions_are_counted_together_and_no_others(site):
    dismissed = {"kind": "word", "outcome": "dismissed", "p": 0.25}
    assert site.post("/v1/feedback", {**dismissed, "count": 4}).status_code == 200
    assert site.service.calls == [("feedback", Feedback("word", "dismissed", 0.25, count=4), None)]
    accepted = {**dismissed, "outcome": "accepted", "characters": 3}
    for body in (
        {**accepted, "count": 2},
        {**dismissed, "kind": "correction", "word": "hte", "count": 2},
        {**dismissed, "count": 0},
    ):
        assert site.post("/v1/feedback", body).status_code == 422


def test_health_needs_no_token(site):
    answer = httpx.get(f"{site.running.url}/healthz", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_train_answers_at_once_with_the_verdict_or_with_events(fresh):
    begun = fresh.post("/v1/train")
    assert (begun.status_code, begun.json()) == (202, {"started": True})
    assert fresh.service.round_ended.wait(DEADLINE_S)
    verdict = fresh.post("/v1/train", {"wait": True, "budget_s": 30}).json()
    assert {"status", "reason", "metrics", "tokens_per_s", "seconds"} == set(verdict)
    answer = fresh.post("/v1/train", {"stream": True})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [event["event"] for event in events(answer)] == ["progress", "verdict"]
    assert [call[1] for call in fresh.service.calls] == [None, 30.0, None]


def test_an_evaluation_answers_with_events(site):
    answer = site.post("/v1/eval")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [event["event"] for event in events(answer)] == ["progress", "progress", "result"]
    body = {"path": "/notes", "chars": 900, "seed": 5, "budget_s": 60}
    assert events(site.post("/v1/eval", body))[-1]["source"] == "/notes"
    assert events(site.post("/v1/eval", {"path": "/notes", "train": False}))[-1]["adapter"] is None
    assert [call[1] for call in site.service.calls] == [
        EvalRequest(),
        EvalRequest(Path("/notes"), 900, 5, True, 60.0),
        EvalRequest(Path("/notes"), train=False),
    ]


def test_what_is_wrong_with_an_evaluation_is_its_status_or_comes_last(site):
    answer = site.post("/v1/eval", {"path": "/absent"})
    assert (answer.status_code, error_of(answer)["exit_code"]) == (404, 45)
    last = events(site.post("/v1/eval", {"seed": 3}))[-1]
    assert (last["event"], last["code"], last["exit_code"]) == ("error", "eval-failed", 23)
    last = events(site.post("/v1/eval", {"seed": 4}))[-1]
    assert last["code"] == "internal"
    assert CANARY not in json.dumps(last)


def test_an_evaluation_ends_when_its_client_goes_away(fresh):
    with fresh.http.stream("POST", "/v1/eval", json={"seed": 2}) as answer:
        lines = answer.iter_lines()  # held: what is not would end the answer
        next(lines)
        assert not fresh.service.eval_closed.is_set()
    assert fresh.service.eval_closed.wait(DEADLINE_S)


def test_forget_pause_resume_use_adapters_examples_export_watch(site, tmp_path):
    receipt = site.post(
        "/v1/forget", {"ids": [4, 5], "since": "2026-01-31T00:00:00Z", "dry_run": True}
    ).json()
    assert receipt == {
        "entries": 3,
        "tokens": 45,
        "adapters_dropped": [1, 2],
        "active": None,
        "dry_run": True,
        "receipt": None,
        "backups": [],
        "round_queued": False,
        "total": 1091,
        "words": 0,
        "large": False,
        "near": [],
        "near_complete": True,
        "still_suggested": None,
        "still_suggested_why": None,
        "still_suggested_complete": True,
    }
    told = site.post("/v1/forget", {"phrase": "kind regards", "expect": 3}).json()
    assert told["near"] == [
        {"text": "kind [red]regard", "entries": 2},
        {"text": "regards kind", "entries": 1},
    ]
    assert told["near_complete"] is False
    assert told["still_suggested"] == ["kind"]
    assert told["still_suggested_why"] == "General English has “kind”."
    assert told["still_suggested_complete"] is True
    assert site.post("/v1/forget", {"phrase": "kind regards", "expect": 4}).status_code == 409
    assert site.post("/v1/forget", {"phrases": ["one", "two"], "text": "x"}).status_code == 200
    assert site.service.calls.pop() == ("forget", Selector(text="x", phrases=("one", "two")), False, None)
    del site.service.calls[1:]
    assert site.http.get("/v1/receipts").json()["receipts"][0]["entries"] == 3
    assert site.post("/v1/pause", {"for_s": 60}).json() == {"paused": True, "for_s": 60}
    assert site.post("/v1/pause").json() == {"paused": True, "for_s": None}
    assert site.post("/v1/resume").json() == {"paused": False}
    assert site.post("/v1/use", {"adapter": None}).json() == {"adapter": None}
    assert site.http.get("/v1/adapters").json()["adapters"][0]["id"] == 1
    assert len(site.http.get("/v1/examples?count=2").json()["examples"]) == 2
    target = str(tmp_path / "out")
    assert site.post("/v1/export", {"kind": "peft", "path": target}).json() == {"path": target}
    assert site.post("/v1/watch", {"path": "/watched", "remove": True}).json() == {"removed": True}
    since = datetime(2026, 1, 31, tzinfo=UTC)
    assert site.service.calls == [
        ("forget", Selector(ids=(4, 5), since=since), True, None),
        ("pause", 60.0),
        ("pause", None),
        ("resume",),
        ("use", None),
        ("export", "peft", tmp_path / "out", None),
    ]


def test_nothing_is_suggested_or_looked_at_in_a_secret_field(site):
    answer = site.post("/v1/suggest", {"prefix": "hunter", "input_purpose": "password"})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "words": [],
            "ghost": {"text": "", "p": 0.0, "show": False, "words": []},
            "list": {"show": False},
            "adapter": None,
            "elapsed_ms": 0.0,
            "reason": "secret field",
            "paused": False,
            "sees_context": False,
        },
    )
    assert site.service.calls == []


def test_an_answer_without_suggestions_tells_of_a_trial_too(site):
    site.service.trial.start()
    try:
        answer = site.post("/v1/suggest", {"prefix": "hunter", "input_purpose": "password"})
    finally:
        site.service.trial.stop()
        site.service.trial.forget()
    assert answer.json()["trial"]


def test_each_answer_says_whether_learning_is_paused(site, tmp_path):
    feedback = {"kind": "ghost", "outcome": "dismissed", "p": 0}
    (tmp_path / "a.txt").write_text("One.")

    def told():
        said = [
            site.post("/v1/suggest", {"prefix": "Hi "}),
            site.post("/v1/history", {"text": "Hi", "source": "mail"}),
            site.post("/v1/feedback", feedback),
            site.http.get("/v1/status"),
        ]
        marked = [site.post("/v1/import", {"paths": [str(tmp_path)]}), site.http.get("/v1/nowhere")]
        assert {answer.json()["paused"] for answer in said} == {
            answer.headers["idiolect-paused"] == "true" for answer in [*said, *marked]
        }
        return said[0].json()["paused"]

    assert not told()
    site.post("/v1/pause")
    assert told()
    site.post("/v1/resume")
    assert not told()


def test_rules_for_applications_are_given_and_undone(site):
    terminal = {"app": "*terminal*", "rule": "quiet", "source": "built in", "context": None}
    assert site.http.get("/v1/apps").json() == {"rules": [terminal]}
    mine = {"app": "chat", "rule": "exclude", "source": "you", "context": None}
    assert site.post("/v1/apps", {"app": "chat", "rule": "exclude"}).json() == {"rules": [mine, terminal]}
    assert site.post("/v1/apps", {"undo": True}).json() == {"rules": [terminal]}
    blind = {"app": "chat", "rule": None, "source": "you", "context": "off"}
    assert site.post("/v1/apps", {"app": "chat", "context": "off"}).json() == {"rules": [blind, terminal]}
    assert site.post("/v1/apps", {"undo": True}).json() == {"rules": [terminal]}
    nothing = site.post("/v1/apps", {"undo": True})
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (409, "nothing-to-undo")
    for wrong in (
        *({}, {"app": "chat"}, {"rule": "allow"}, {"undo": True, "app": "chat", "rule": "allow"}),
        *({"context": "off"}, {"app": "chat", "rule": "allow", "context": "off"}),
        *({"app": "chat", "context": "maybe"}, {"undo": True, "context": "on"}),
    ):
        assert site.post("/v1/apps", wrong).status_code == 422
    assert site.service.calls == [
        ("give_app_rule", "chat", "exclude"),
        ("undo_app_rule",),
        ("give_app_rule", "chat", "off"),
        ("undo_app_rule",),
        ("undo_app_rule",),
    ]


def test_words_are_decided_about_and_that_is_undone(site):
    added = site.post("/v1/words/add", {"text": "fyi", "kind": "never"}).json()
    [rule] = added["added"]
    assert (rule["kind"], rule["text"], rule["replacement"], rule["source"]) == ("never", "fyi", None, "hand")
    assert added["removed"] == []
    assert site.http.get("/v1/words").json() == {"rules": [rule]}
    assert site.post("/v1/words/undo").json() == {"added": [], "removed": [rule]}
    site.post("/v1/words/add", {"text": "omw", "kind": "always_correct", "replacement": "on my way"})
    assert site.post("/v1/words/remove", {"text": "omw", "kind": "always_correct"}).json()["removed"]
    site.post("/v1/words/undo")
    site.post("/v1/words/undo")
    for path, body, code in (
        ("undo", {}, "nothing-to-undo"),
        ("remove", {"text": "omw"}, "unknown-word"),
        ("add", {"text": " ", "kind": "never"}, "word-refused"),
        ("add", {"text": "x", "kind": "sometimes"}, "invalid-request"),
        ("add", {"kind": "never"}, "invalid-request"),
    ):
        assert site.post(f"/v1/words/{path}", body).json()["error"]["code"] == code


def test_the_schema_says_what_each_address_answers_and_needs(site):
    document = site.http.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, what in methods.items():
            assert what["description"], f"{method} {path}"
            assert what["responses"]["200"]["content"], f"{method} {path}"
    suggest = document["paths"]["/v1/suggest"]["post"]
    assert suggest["security"] == [{"token": ["suggest"]}]
    assert suggest["requestBody"]["required"] is True
    assert {"200", "401", "403", "422", "429", "default"} <= set(suggest["responses"])
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert "202" in document["paths"]["/v1/train"]["post"]["responses"]
    refers = set(re.findall(r'"#/components/(\w+)/([\w-]+)"', json.dumps(document)))
    assert all(name in document["components"][kind] for kind, name in refers)


def test_no_page_loads_anything_from_elsewhere(site):
    assert [site.http.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]


# --- who may ask ---


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", TOKEN, "Bearer ü"]
)
def test_a_missing_or_wrong_token_is_refused(site, header):
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = httpx.get(f"{site.running.url}/v1/status", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "", "[::2]"),
        *(
            "[::1].evil.example",
            "[::1]evil",
            "[::1].evil.example:80",
            "[::1]:80.evil",
            "[::1",
            "::1",
            "[::1%25lo]",
        ),
        *(
            "127.0.0.1:80@evil.example",
            "localhost:@evil.example",
            "me@localhost",
            "localhost:80:80",
            "localhost:x",
        ),
        *(
            "localhost.",
            "127.0.0.1.",
            "127.1",
            "0.0.0.0",
            "localhost:",
            "localhost:123456",
            "localhost, evil.example",
        ),
        *("localhost/", "localhost\tx"),
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/v1/status"])
def test_another_host_name_is_refused(site, host, path):
    answer = site.http.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "forbidden-host"


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:1", "[::1]:99"])
def test_names_of_this_machine_are_fine(site, host):
    assert site.http.get("/v1/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://localhost:{port}.evil.example",
        "app://obsidian.md",
        "http://127.0.0.1:{port}/",
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/v1/status"])
def test_another_page_is_refused_even_with_the_token(site, origin, path):
    answer = site.http.get(path, headers={"Origin": origin.format(port=site.running.port)})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden-origin")


def test_one_origin_of_two_is_enough_to_be_refused(site):
    headers = [("Origin", "http://evil.example"), ("Origin", site.running.url)]
    assert site.http.get("/v1/status", headers=headers).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_services_own_page_is_fine(site, name):
    answer = site.http.get("/v1/status", headers={"Origin": f"http://{name}:{site.running.port}"})
    assert answer.status_code == 200


ENOUGH = [
    ("GET", "/openapi.json", Scope.SUGGEST),
    ("POST", "/v1/suggest", Scope.SUGGEST),
    ("POST", "/v1/feedback", Scope.SUGGEST),
    ("POST", "/v1/history", Scope.LEARN),
    ("GET", "/v1/status", Scope.LEARN),
    ("POST", "/v1/learned", Scope.ADMIN),
    ("POST", "/v1/forget", Scope.ADMIN),
    ("GET", "/v1/sources", Scope.ADMIN),
    ("POST", "/v1/sources/find", Scope.ADMIN),
    ("GET", "/v1/nowhere", Scope.SUGGEST),
    ("GET", "/v1/suggest/", Scope.SUGGEST),
]


@pytest.mark.parametrize(("method", "path", "wanted"), ENOUGH)
def test_a_token_is_good_for_its_scope_and_no_more(site, method, path, wanted):
    for scope in tokens.SCOPES:
        token = tokens.make(site.settings, scope)
        answer = site.http.request(method, path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code == 403) == (scope < wanted)
        if scope < wanted:
            error = error_of(answer)
            assert error["code"] == "scope-too-small"
            assert f"idiolect token --scope {wanted.name.lower()}" in error["message"]


def test_another_token_is_good_at_once_and_the_one_before_no_more(site):
    token = tokens.make(site.settings, Scope.SUGGEST)
    shown = {"Authorization": f"Bearer {token}"}
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 200
    other = tokens.make(site.settings, Scope.SUGGEST, anew=True)
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 401
    shown = {"Authorization": f"bearer {other}"}
    assert site.post("/v1/suggest", {"prefix": "Hi "}, headers=shown).status_code == 200


def test_a_session_is_good_for_the_page_that_has_it_and_ends_with_the_token(tmp_path):
    app_scope = {"type": "http", "path": "/v1/status"}
    settings = Settings(home=tmp_path / "home").prepare()
    tokens.make(settings, Scope.ADMIN)
    sessions = Sessions()
    guard = Guard(
        None,
        tokens=Tokens(settings, replaced=sessions.end),
        sessions=sessions,
        needed=lambda _path: Scope.ADMIN,
        port=8765,
        log_path=settings.log_path,
        paused=lambda: False,
    )

    def wrong(**headers):
        named = {"host": "127.0.0.1:8765", **headers}
        raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]
        return getattr(guard._judged({**app_scope, "headers": raw})[0], "code", None)

    for hosts in (
        (b"localhost", b"evil.example"),
        (b"evil.example", b"localhost"),
        (b"localhost", b"localhost"),
        (),
    ):
        raw = [(b"host", host) for host in hosts]
        assert guard._judged({**app_scope, "headers": raw})[0].code == "forbidden-host"
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
    tokens.make(settings, Scope.ADMIN, anew=True)
    assert wrong(cookie=cookie, sec_fetch_site="same-origin") == "unauthorized"


def test_without_a_token_there_are_the_page_and_whether_it_answers(site):
    open_to_all = {route.path for route in site.app.answered if route.scope is Scope.NONE}
    assert open_to_all == {"/", "/healthz", "/health", "/open", "/page/", "/page/{name}"}


# --- bad input ---

BAD = [
    ("/v1/suggest", {}, "prefix"),
    ("/v1/suggest", {"prefix": 5}, "prefix"),
    ("/v1/suggest", {"prefix": CANARY * 5000}, "prefix"),
    ("/v1/suggest", {"prefix": "x", "candidates": CANARY}, "candidates"),
    ("/v1/suggest", {"prefix": "x", "candidates": 10**30}, "candidates"),
    ("/v1/suggest", {"prefix": "x", CANARY: 1}, "prefix, suffix, candidates, ghost_words"),
    ("/v1/suggest", [CANARY], "The request"),
    ("/v1/history", {"text": CANARY}, "source"),
    ("/v1/history", {"text": CANARY, "source": "x", "at": CANARY}, "at"),
    ("/v1/history", {"text": CANARY, "source": "x", "before": [CANARY]}, "before"),
    ("/v1/history", {"text": CANARY, "source": "x", "at": "0001-01-01T00:00:00+14:00"}, "at"),
    ("/v1/feedback", {"kind": "word", "outcome": "accepted", "p": 0.5}, "characters: an accepted"),
    (
        "/v1/feedback",
        {"kind": "ghost", "outcome": "dismissed", "p": 0, "characters": 1},
        "characters: a dismissed",
    ),
    ("/v1/feedback", {"kind": CANARY, "outcome": "dismissed", "p": 0.5}, "kind"),
    ("/v1/feedback", {"kind": "word", "outcome": CANARY, "p": 0.5, "characters": 3}, "outcome"),
    ("/v1/feedback", {"kind": "word", "outcome": "dismissed", "p": 1.01}, "p: "),
    ("/v1/feedback", {"kind": "word", "outcome": "dismissed"}, "p: "),
    ("/v1/feedback", {"kind": "word", "outcome": "accepted", "p": 1, "characters": 10**4 + 1}, "characters"),
    ("/v1/feedback", {"kind": "word", "outcome": "accepted", "p": 1, "characters": 3, "words": -1}, "words"),
    ("/v1/feedback", {"kind": "word", "outcome": "dismissed", "p": 1, "text": CANARY}, "kind, outcome, p"),
    ("/v1/suggest", {"prefix": CANARY, "key_ms": 0}, "key_ms"),
    ("/v1/trial/stretch", {"suggestions": CANARY, "characters": 9, "seconds": 9, "keys": 9}, "suggestions"),
    ("/v1/trial/stretch", {"suggestions": True, "characters": -1, "seconds": 9, "keys": 9}, "characters"),
    ("/v1/trial/stretch", {"suggestions": True, "characters": 9, "seconds": 10**9, "keys": 9}, "seconds"),
    ("/v1/suggest", {"prefix": CANARY, "key_ms": -240}, "key_ms"),
    ("/v1/suggest", {"prefix": CANARY, "key_ms": 86_400_000}, "key_ms"),
    ("/v1/suggest", {"prefix": CANARY, "key_ms": "240"}, "key_ms"),
    ("/v1/train", {"budget_s": -1}, "budget_s"),
    ("/v1/eval", {"path": "notes.txt"}, "path: a path must be absolute"),
    ("/v1/eval", {"chars": 499}, "chars"),
    ("/v1/eval", {"chars": 10**9}, "chars"),
    ("/v1/eval", {"seed": -1}, "seed"),
    ("/v1/eval", {"train": False}, "train: without a path"),
    ("/v1/eval", {"budget_s": 30}, "budget_s: it is the time for training"),
    ("/v1/eval", {"path": "/x", "train": False, "budget_s": 30}, "budget_s"),
    ("/v1/eval", {"text": CANARY}, "path, chars, seed, train, budget_s"),
    ("/v1/forget", {}, "Nothing is selected"),
    ("/v1/forget", {"dry_run": True}, "Nothing is selected"),
    ("/v1/forget", {"txt": CANARY, "app": "x"}, "text"),
    ("/v1/forget", {"ids": [0]}, "ids.0"),
    ("/v1/import", {"paths": []}, "paths"),
    ("/v1/import", {"paths": [f"relative/{CANARY}"]}, "paths.0: a path must be absolute"),
    ("/v1/import", {"paths": [f"/nul/\0{CANARY}"]}, "paths.0"),
    ("/v1/export", {"kind": CANARY, "path": "/x"}, "kind"),
    ("/v1/use", {}, "adapter"),
]


@pytest.mark.parametrize(("path", "body", "names"), BAD)
def test_a_bad_field_is_named_in_one_sentence_and_its_value_is_not_repeated(site, path, body, names):
    answer = site.post(path, body)
    assert answer.status_code == 422
    message = error_of(answer)["message"]
    assert names in message
    assert CANARY not in answer.text
    assert message.endswith(".")
    assert "\n" not in message
    assert site.service.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"prefix": "\\ud800"}',
        b"\xff\xfe",
        b'{"prefix": "a"} x',
        b"nonsense",
    ],
)
def test_what_is_not_json_is_a_400(site, body):
    answer = site.http.post("/v1/suggest", content=body)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "malformed-json"


def test_a_time_that_is_no_number_is_a_422(site):
    answer = site.http.post("/v1/suggest", content=b'{"prefix": "a", "key_ms": NaN}')
    assert answer.status_code == 422
    assert "key_ms" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("path", "names"),
    [(f"examples?count={CANARY}", "count"), ("report?days=0", "days"), ("report?days=99999999", "days")],
)
def test_a_bad_query_is_a_422(site, path, names):
    answer = site.http.get(f"/v1/{path}")
    assert answer.status_code == 422
    assert names in error_of(answer)["message"]
    assert CANARY not in answer.text


def test_what_is_not_a_number_is_no_probability():
    with pytest.raises(shapes.InvalidRequestError, match=r"^p: "):
        shapes.parse(b'{"kind": "word", "outcome": "dismissed", "p": NaN}', FeedbackBody)


def test_an_unknown_address_or_method_has_the_same_shape(site):
    missing = site.http.get(f"/v1/{CANARY}")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "no-route")
    assert CANARY not in missing.text
    wrong = site.http.get("/v1/suggest")
    assert (wrong.status_code, error_of(wrong)["code"], wrong.headers["allow"]) == (405, "no-route", "POST")
    assert site.http.delete("/v1/apps").headers["allow"] == "GET, POST"


def test_an_oversized_body_is_refused_before_it_is_sent(site):
    with socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S) as raw:
        head = f"POST /v1/history HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
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
    assert (answer.status_code, error_of(answer)["exit_code"]) == (413, 63)
    assert site.http.get("/healthz").status_code == 200


def test_the_services_own_errors_keep_their_status_and_exit_code(site):
    answer = site.post("/v1/use", {"adapter": 99})
    assert answer.status_code == 404
    assert error_of(answer) == {
        "code": "unknown-adapter",
        "message": "There is no adapter 99.",
        "exit_code": 41,
    }


def test_a_mistake_in_the_program_tells_and_logs_nothing_of_the_user(site, caplog):
    with caplog.at_level(logging.INFO):
        plain = site.post("/v1/suggest", {"prefix": "fail"})
        streamed = site.post("/v1/import", {"paths": [str(_file("broken", site))]})
        detached = site.post("/v1/train", {"wait": True, "budget_s": 4})
    assert (plain.status_code, error_of(plain)["code"]) == (500, "internal")
    assert events(streamed)[-1]["code"] == "internal"
    assert error_of(detached)["exit_code"] == 70
    written = "\n".join(PlainFormatter().format(record) for record in caplog.records)
    assert written.count("builtins.RuntimeError") == 3
    assert "sitecustomize.py" in written
    for said in (plain.text, streamed.text, detached.text, written):
        assert CANARY not in said
        assert "Traceback" not in said


def _file(name, site):
    path = Path(site.http.get("/v1/status").json()["token_file"]).with_name(name)
    path.write_text("Hello.\n")
    return path


def bodies():
    """All bodies that a route takes."""
    made = TOY["ToyService"]()
    running = process.Running(1, "http://127.0.0.1:1", 1, None, "")
    app = server.create_app(made, running=running, settings=Settings(home=Path("/nowhere")))
    return [route.asked for route in app.answered if route.asked is not None and route.method == "POST"]


BODIES = bodies()


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["prefix", "at", "ids", "paths", "text", "source", "kind", "p", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_body_or_one_of_two_errors(raw):
    for kind in BODIES:
        with contextlib.suppress(shapes.MalformedError, shapes.InvalidRequestError):
            assert isinstance(shapes.parse(raw, kind), kind)


def test_numbers_that_json_lacks_become_null():
    assert shapes.encode({"perplexity": float("inf"), "p": float("nan")}) == b'{"perplexity":null,"p":null}'


# --- threads, streams and the end ---


def test_slow_inference_holds_up_nothing_else(fresh):
    answers = queue.SimpleQueue()
    slow = threading.Thread(target=lambda: answers.put(fresh.post("/v1/suggest", {"prefix": "wait"})))
    slow.start()
    assert fresh.service.entered.wait(DEADLINE_S)
    with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as other:
        assert other.get("/healthz").status_code == 200
        assert other.get("/v1/status").status_code == 200
        assert other.post("/v1/history", json={"text": "a", "source": "b"}).status_code == 200
    assert answers.empty()
    fresh.service.gate.set()
    slow.join(DEADLINE_S)
    assert answers.get().status_code == 200


def asked(site, count):
    """Wait until that many suggestions are asked for and not answered."""
    deadline = time.monotonic() + DEADLINE_S
    while len(site.service.queue) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_inference_is_one_at_a_time(fresh):
    def ask(prefix):
        with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as http:
            http.post("/v1/suggest", json={"prefix": prefix}, timeout=DEADLINE_S)

    first, second = (threading.Thread(target=ask, args=(prefix,)) for prefix in ("wait", "Hi "))
    first.start()
    assert fresh.service.entered.wait(DEADLINE_S)
    second.start()
    asked(fresh, 2)
    assert len(fresh.service.calls) == 1
    fresh.service.gate.set()
    second.join(DEADLINE_S)
    assert len(fresh.service.calls) == 2
    first.join(DEADLINE_S)


def test_others_come_between_the_pieces_of_a_long_text(fresh):
    def ask(prefix):
        with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as http:
            http.post("/v1/suggest", json={"prefix": prefix}, timeout=DEADLINE_S)

    with occupied(fresh):
        asking = [threading.Thread(target=ask, args=(prefix,)) for prefix in ("...long", "short")]
        for count, one in enumerate(asking):
            one.start()
            asked(fresh, count + 2)
    for one in asking:
        one.join(DEADLINE_S)
    done = [call[1] for call in fresh.service.calls]
    assert [one for one in done if one != "short"] == ["wait", 0, 1, 2, "...long"]
    assert done.index("short") < done.index("...long")


def test_where_many_programs_wait_a_ghost_is_left_out(fresh):
    def ask(program):
        headers = {**fresh.http.headers, "user-agent": program}
        with httpx.Client(base_url=fresh.running.url, headers=headers, trust_env=False) as http:
            http.post("/v1/suggest", json={"prefix": "Hi "}, timeout=DEADLINE_S)

    for programs, left_out in ((["one", "one", "one"], False), (["one", "two"], True)):
        asking = [threading.Thread(target=ask, args=(program,)) for program in programs]
        with occupied(fresh):
            for count, one in enumerate(asking):
                one.start()
                asked(fresh, count + 2)
        for one in asking:
            one.join(DEADLINE_S)
        assert fresh.service.given_up is left_out
        fresh.service.gate.clear()
        fresh.service.entered.clear()


@contextlib.contextmanager
def occupied(site):
    """The one thread works on something until the block ends."""
    with httpx.Client(base_url=site.running.url, headers=site.http.headers, trust_env=False) as http:
        slow = threading.Thread(target=http.post, args=("/v1/suggest",), kwargs={"json": {"prefix": "wait"}})
        slow.start()
        assert site.service.entered.wait(DEADLINE_S)
        yield
        site.service.gate.set()
        slow.join(DEADLINE_S)


def raw_request(site, path, body, *, length=None):
    """A request over a socket of its own, as its bytes say."""
    raw = socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    raw.sendall(f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body)
    return raw


def read_all(raw):
    """What the server sends until it closes the connection."""
    got = b""
    while piece := raw.recv(65536):
        got += piece
    return got


def test_what_nobody_waits_for_any_more_is_not_computed(fresh):
    with occupied(fresh):
        gone = raw_request(fresh, "/v1/suggest", b'{"prefix": "gone"}')
        assert fresh.http.get("/healthz").status_code == 200
        gone.close()
        for _ in range(2):  # what happens to a connection is noticed before what comes later over another
            assert fresh.http.get("/healthz").status_code == 200
    assert fresh.post("/v1/suggest", {"prefix": "here"}).status_code == 200
    assert [call[1] for call in fresh.service.calls] == ["wait", "here"]


def test_what_runs_hears_that_nobody_waits_for_it(fresh):
    gone = raw_request(fresh, "/v1/suggest", b'{"prefix": "wait"}')
    assert fresh.service.entered.wait(DEADLINE_S)
    gone.close()
    for _ in range(2):
        assert fresh.http.get("/healthz").status_code == 200
    fresh.service.gate.set()
    assert fresh.post("/v1/suggest", {"prefix": "here"}).status_code == 200
    assert fresh.service.given_up is True


def test_who_types_goes_before_the_question_what_is_still_suggested(fresh):
    def ask(path, body):
        with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as http:
            assert http.post(path, json=body, timeout=DEADLINE_S).status_code == 200

    forgetting = threading.Thread(target=ask, args=("/v1/forget", {"text": "wait"}))
    forgetting.start()
    assert fresh.service.entered.wait(DEADLINE_S)
    typing = threading.Thread(target=ask, args=("/v1/suggest", {"prefix": "typed"}))
    typing.start()
    asked(fresh, 2)
    fresh.service.gate.set()
    for thread in (forgetting, typing):
        thread.join(DEADLINE_S)
    assert [call[:2] for call in fresh.service.calls[1:]] == [("suggest", "typed"), ("asked", "wait")]


def test_who_waits_for_a_round_keeps_no_thread_from_others(fresh):
    """More than the forty threads in which other requests are worked on."""
    body = b'{"wait": true, "budget_s": 2}'
    with contextlib.ExitStack() as open_ones:
        waiting = [open_ones.enter_context(raw_request(fresh, "/v1/train", body)) for _ in range(44)]
        deadline = time.monotonic() + DEADLINE_S
        while len(fresh.service.calls) < len(waiting):
            assert time.monotonic() < deadline
            assert fresh.http.get("/healthz").status_code == 200
        assert fresh.http.get("/v1/adapters").status_code == 200
        fresh.service.gate.set()
        assert all(one.recv(65536).startswith(b"HTTP/1.1 200") for one in waiting)


def test_what_cannot_be_asked_after_forgetting_is_told(fresh, monkeypatch):
    monkeypatch.setitem(MAX_JOBS, Priority.REST, 0)
    told = fresh.post("/v1/forget", {"text": "project"}).json()
    assert (told["entries"], told["still_suggested"], told["still_suggested_complete"]) == (3, None, False)


def test_beyond_the_limit_clients_are_told_when_to_come_again(fresh, monkeypatch):
    monkeypatch.setitem(MAX_JOBS, Priority.TYPING, 1)
    with occupied(fresh):
        answer = fresh.post("/v1/suggest", {"prefix": "one too many"})
        assert (answer.status_code, error_of(answer)["code"]) == (429, "busy")
        assert int(answer.headers["retry-after"]) >= 1
    assert fresh.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200


@pytest.fixture
def room_for_one(monkeypatch):
    monkeypatch.setitem(MAX_JOBS, Priority.TYPING, 1)


def test_beyond_the_limit_texts_to_be_learned_are_to_come_again(room_for_one, fresh):
    def learn(text):
        with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as http:
            return http.post("/v1/history", json={"text": text, "source": "b"}, timeout=DEADLINE_S)

    slow = threading.Thread(target=learn, args=("wait",))
    slow.start()
    assert fresh.service.entered.wait(DEADLINE_S)
    told = {"kind": "ghost", "outcome": "dismissed", "p": 0.5}
    for answer in (learn("one too many"), fresh.post("/v1/feedback", told)):
        assert (answer.status_code, error_of(answer)["code"]) == (429, "busy")
        assert int(answer.headers["retry-after"]) >= 1
    assert fresh.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200, "that is another queue"
    fresh.service.gate.set()
    slow.join(DEADLINE_S)
    assert learn("a").status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(fresh, monkeypatch):
    monkeypatch.setattr(routing, "BODY_S", 0.2)
    with raw_request(fresh, "/v1/history", b'{"text": ', length=1000) as raw:
        head, _, body = read_all(raw).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["code"] == "slow-body"
    assert fresh.service.calls == []


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_come_is_not_waited_for(fresh, monkeypatch, sent):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    with socket.create_connection(("127.0.0.1", fresh.running.port), DEADLINE_S) as raw:
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
def test_nobody_stays_who_showed_no_token(fresh, monkeypatch, sent):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.3)
    with socket.create_connection(("127.0.0.1", fresh.running.port), DEADLINE_S) as raw:
        raw.sendall(sent)
        assert read_all(raw).startswith(b"HTTP/1.1 ")
    assert not fresh.server.server_state.connections


def test_who_does_not_read_the_answers_does_not_stay_either(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.5)
    with socket.create_connection(("127.0.0.1", fresh.running.port), DEADLINE_S) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        many = memoryview(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200_000
        )  # more than fits on the way
        seen, deadline = False, time.monotonic() + DEADLINE_S
        # Whether the client is told depends on what is on the way: the system's part goes on without the service.
        while not seen or fresh.server.server_state.connections:
            assert time.monotonic() < deadline
            seen = seen or bool(fresh.server.server_state.connections)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                many = many[raw.send(many) :]
            time.sleep(0.001)
        assert many


def test_who_showed_a_token_stays(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    assert fresh.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200
    [kept] = fresh.server.server_state.connections
    with socket.create_connection(("127.0.0.1", fresh.running.port), DEADLINE_S) as later:
        assert later.recv(1) == b"", "one without a token that came later is gone"
    assert fresh.http.get("/healthz").status_code == 200
    assert kept in fresh.server.server_state.connections


def test_a_body_that_nobody_reads_is_not_waited_for_with_a_token_either(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "BODY_S", 0.2)
    with raw_request(fresh, "/v1/history", b"{", length=shapes.MAX_BODY_BYTES + 1) as raw:
        assert read_all(raw).startswith(b"HTTP/1.1 413")


def test_half_a_head_is_not_waited_for_with_a_token_either(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    with raw_request(fresh, "/v1/suggest", b'{"prefix": "Hi "}') as raw:
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        assert read_all(raw) == b""


def test_a_token_that_is_worth_nothing_any_more_keeps_no_connection(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    token = tokens.make(fresh.settings, Scope.SUGGEST)
    ask = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", fresh.running.port), DEADLINE_S) as raw:
        raw.sendall(ask)
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        tokens.make(fresh.settings, Scope.SUGGEST, anew=True)
        raw.sendall(ask)
        assert read_all(raw).startswith(b"HTTP/1.1 401")


def test_of_too_many_without_a_token_the_oldest_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(connection_limits, "MAX_WITHOUT_TOKEN", 3)
    with serving(Settings(home=tmp_path / "home").prepare()) as site, contextlib.ExitStack() as held:
        assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200
        [kept] = site.server.server_state.connections
        others = [
            held.enter_context(socket.create_connection(("127.0.0.1", site.running.port), DEADLINE_S))
            for _ in range(5)
        ]
        assert [other.recv(1) for other in others[:2]] == [b"", b""]
        for other in others[2:]:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.recv(65536).startswith(b"HTTP/1.1 200")
        assert kept in site.server.server_state.connections
        assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200


def test_over_a_unix_socket_nobody_stays_without_a_token_either(tmp_path, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.2)
    with (
        serving(Settings(home=tmp_path / "home", unix_socket=True).prepare()) as site,
        socket.socket(socket.AF_UNIX) as raw,
    ):
        raw.settimeout(DEADLINE_S)
        raw.connect(site.running.socket)
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_all(raw).startswith(b"HTTP/1.1 200")
        assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200


OPEN_TO_ALL = [
    *(("GET", path) for path in ("/healthz", "/health", "/open", "/open?code=x", "/page/", "/page/no")),
    *(("POST", path) for path in ("/healthz", "/health", "/open", "/page/")),
    *(("PUT", "/healthz"), ("HEAD", "/healthz"), ("GET", "/healthz/"), ("GET", "/v1/status")),
]


def test_without_a_token_nothing_is_told_but_that_it_answers(fresh, tmp_path):
    settings = Settings(home=tmp_path / "locked").prepare()
    sock, running = listen_address.listen(settings)
    settings.token_path.write_text(TOKEN)
    made = server.make_server(server.create_locked_app(running=running, settings=settings), lambda: None)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [sock]})
    thread.start()

    def said(url, method, path, **headers):
        answer = httpx.request(method, f"{url}{path}", headers=headers, trust_env=False, timeout=DEADLINE_S)
        told = {name: value for name, value in answer.headers.items() if name != "date"}
        return answer.status_code, told, answer.content

    try:
        for method, path in OPEN_TO_ALL:
            fresh.service.paused = False
            now = said(fresh.running.url, method, path)
            fresh.service.paused = True
            assert said(fresh.running.url, method, path) == now, "paused"
            assert "idiolect-paused" not in now[1]
            assert said(running.url, method, path) == now, "locked"
        assert said(fresh.running.url, "GET", "/healthz")[2] == b'{"status":"ok"}'
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert said(fresh.running.url, "GET", "/healthz", **shown)[1]["idiolect-paused"] == "true"
        for method, path in [("GET", "/v1/status"), ("POST", "/v1/open"), ("POST", "/v1/suggest")]:
            assert said(running.url, method, path, **shown)[0] == 423
    finally:
        made.should_exit = True
        thread.join(DEADLINE_S)


def test_a_connection_stays_between_requests_whatever_heads_may_take(fresh, monkeypatch):
    monkeypatch.setattr(connection_limits, "HEAD_S", 0.1)
    with raw_request(fresh, "/v1/suggest", b'{"prefix": "wait"}') as raw:
        assert fresh.service.entered.wait(DEADLINE_S)
        assert not fresh.service.gate.wait(0.3)  # so long that a timer that was not stopped would have struck
        fresh.service.gate.set()
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("newer", "given_up"), [("wait for", True), ("wai", True), ("wait", False), ("Hi ", False)]
)
def test_typing_on_gives_up_the_ghost_of_what_was_typed_before(fresh, newer, given_up):
    def ask(prefix):
        with httpx.Client(base_url=fresh.running.url, headers=fresh.http.headers, trust_env=False) as http:
            http.post("/v1/suggest", json={"prefix": prefix}, timeout=DEADLINE_S)

    older = threading.Thread(target=ask, args=("wait",))
    older.start()
    assert fresh.service.entered.wait(DEADLINE_S)
    other = threading.Thread(target=ask, args=(newer,))
    other.start()
    asked(fresh, 2)
    fresh.service.gate.set()
    older.join(DEADLINE_S)
    assert fresh.service.given_up is given_up
    other.join(DEADLINE_S)


def test_answers_do_not_wait_for_acknowledgements(fresh):
    # With Nagle's algorithm on, a kept connection answers in steps of 40 ms.
    fresh.post("/v1/suggest", {"prefix": "warm"})
    [connection_limits] = fresh.server.server_state.connections
    kept = connection_limits.transport.get_extra_info("socket")
    assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_import_reports_as_it_goes(site):
    answer = site.post("/v1/import", {"paths": [str(_file("notes.txt", site))]})
    assert [event["event"] for event in events(answer)] == ["progress", "done"]


def test_what_is_wrong_with_an_import_is_its_status(site):
    answer = site.post("/v1/import", {"paths": ["/no/such/path"]})
    assert (answer.status_code, error_of(answer)["exit_code"]) == (404, 45)


def test_an_import_stops_when_its_client_goes_away(fresh):
    with fresh.http.stream("POST", "/v1/import", json={"paths": [str(_file("wait", fresh))]}) as answer:
        lines = answer.iter_lines()  # held: what is not would end the answer
        next(lines)
        assert not fresh.service.import_closed.is_set()
    assert fresh.service.import_closed.wait(DEADLINE_S)


def test_a_training_round_goes_on_when_its_client_goes_away(fresh):
    with fresh.http.stream("POST", "/v1/train", json={"stream": True, "budget_s": 2}) as answer:
        next(answer.iter_lines())
        assert fresh.service.entered.wait(DEADLINE_S)
    assert not fresh.service.round_ended.is_set()
    fresh.service.gate.set()
    assert fresh.service.round_ended.wait(DEADLINE_S)


def test_a_round_that_cannot_begin_says_so_at_once(site):
    for body in ({"budget_s": 1}, {"budget_s": 1, "wait": True}, {"budget_s": 1, "stream": True}):
        answer = site.post("/v1/train", body)
        assert (answer.status_code, error_of(answer)["code"]) == (409, "too-little-text")


def test_a_round_that_fails_on_the_way_says_so_last(site):
    last = events(site.post("/v1/train", {"budget_s": 3, "stream": True}))[-1]
    assert last == {
        "event": "error",
        "code": "training-failed",
        "message": "The round failed. Try again.",
        "exit_code": 22,
    }


def test_the_end_of_the_service_ends_its_streams(fresh):
    with fresh.http.stream("POST", "/v1/train", json={"stream": True, "budget_s": 2}) as answer:
        lines = answer.iter_lines()
        next(lines)
        fresh.stop()
        assert json.loads(next(lines))["code"] == "service-stopping"
    fresh.thread.join(DEADLINE_S)
    assert not fresh.thread.is_alive()
    assert not fresh.service.round_ended.is_set()


def test_a_unix_socket_serves_the_same(tmp_path):
    with serving(Settings(home=tmp_path / "home", unix_socket=True).prepare()) as site:
        assert Path(site.running.socket).stat().st_mode & 0o777 == 0o600
        assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200
        stranger = site.http.get("/v1/status", headers={"Authorization": "Bearer nobody"})
        assert stranger.status_code == 401


# --- mistyped words ---


def test_corrections_are_asked_for_and_what_became_of_them_is_told(site):
    assert site.post("/v1/suggest", {"prefix": "teh", "corrections": True}).status_code == 200
    body = {"kind": "correction", "outcome": "dismissed", "p": 0.5, "word": "teh", "app": "mutt"}
    assert site.post("/v1/feedback", body).json()["stored"]
    assert site.service.calls[-1] == ("verdict", "teh", True, "mutt")
    assert site.post("/v1/learned", {}).json()["mistakes"] == [
        {"typed": "teh", "meant": "the", "times": 3, "meant_times": 900}
    ]


@pytest.mark.parametrize(
    "body", [{"kind": "correction"}, {"kind": "word", "word": "teh"}, {"kind": "correction", "word": ""}]
)
def test_feedback_on_corrections_names_the_word_and_no_other_does(site, body):
    answer = site.post("/v1/feedback", {"outcome": "dismissed", "p": 0.5} | body)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid-request")
    assert "teh" not in answer.text


def test_whoever_waits_when_the_service_is_ended_is_told_so(tmp_path):
    """As `idiolect add` while the profile is purged: the server cancels what still runs."""
    settings = Settings(home=tmp_path / "home").prepare()
    token = tokens.make(settings, Scope.ADMIN)

    async def cancelled(_scope, _receive, _send):
        raise asyncio.CancelledError

    sessions = Sessions()
    guard = Guard(
        cancelled,
        tokens=Tokens(settings, replaced=sessions.end),
        sessions=sessions,
        needed=lambda _path: Scope.ADMIN,
        port=8765,
        log_path=settings.log_path,
        paused=lambda: False,
    )
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    headers = [(b"host", b"localhost:8765"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/import", "headers": headers, "query_string": b""}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["error"]["code"] == "service-stopping"
