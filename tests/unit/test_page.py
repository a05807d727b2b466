"""The page's addresses: its files, and the link that begins a session."""

import re
from http.cookies import SimpleCookie
from importlib import resources

import pytest
from starlette.testclient import TestClient

from idiolect.daemon.endpoint import server
from idiolect.daemon.profile.pause import ResumeLearning
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.settings import Settings

URL = "http://127.0.0.1:8765"
TOKEN = {"Authorization": f"Bearer {'t' * 43}"}
FROM_THE_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": URL}
FOLDER = resources.files("idiolect.daemon.endpoint") / "page"
FILES = {file.name: file for file in FOLDER.iterdir()}


def client(service, folder, socket=None):
    settings = Settings(home=folder).prepare()
    settings.token_path.write_text("t" * 43)
    running = Running(1, URL, None if socket else 8765, socket, "2026-01-31T09:30:00+00:00")
    app = server.create_app(service, running=running, settings=settings)
    return TestClient(app, base_url=URL, follow_redirects=False)


@pytest.fixture
def http(tiny_service, tmp_path):
    yield client(tiny_service, tmp_path)
    tiny_service.profile.decide(ResumeLearning())


def test_a_link_begins_one_session_once(http):
    link = http.post("/v1/open", headers=TOKEN).json()
    assert re.fullmatch(rf"{URL}/open\?code=[\w-]{{43}}", link["url"])
    assert "t" * 43 not in link["url"]
    entered = http.get(link["url"])
    assert (entered.status_code, entered.headers["location"]) == (303, "/page/")
    [cookie] = SimpleCookie(entered.headers["set-cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
    assert (cookie["domain"], cookie["max-age"], cookie["expires"]) == ("", "", "")
    assert http.get("/v1/status", headers=FROM_THE_PAGE).json()["running"]
    assert http.post("/v1/pause", json={}, headers=FROM_THE_PAGE).json()["paused"]

    again = http.get(link["url"])
    assert (again.status_code, again.headers["location"]) == (303, "/page/")
    assert "set-cookie" not in again.headers
    assert http.get("/").headers["location"] == "/page/"


def test_without_a_token_there_is_no_link(http):
    assert http.post("/v1/open").status_code == 401
    assert http.get("/open?code=guessed").headers["location"] == "/page/"
    assert not http.cookies


def test_a_browser_does_not_reach_a_unix_socket(tiny_service, tmp_path):
    refused = client(tiny_service, tmp_path, socket="/run/idiolect.sock").post("/v1/open", headers=TOKEN)
    assert refused.status_code == 409
    assert refused.json()["error"]["exit_code"] == 4
    assert "unix_socket" in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", ["", *sorted(FILES)])
def test_each_file_is_served_under_a_strict_policy(http, name):
    got = http.get(f"/page/{name}")
    assert got.status_code == 200
    assert got.content == FILES[name or "index.html"].read_bytes()
    policy = dict(part.split(maxsplit=1) for part in got.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("form-action") == policy.pop("base-uri") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert set(policy) == {"script-src", "style-src", "connect-src", "img-src"}
    assert set(policy.values()) == {"'self'"}
    for header, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }.items():
        assert got.headers[header] == value
    assert http.get(f"/page/{name}/../page.py").status_code == 404


def test_no_file_holds_what_the_policy_forbids_or_writes_html():
    for name, file in FILES.items():
        text = file.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), name
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text), name


def test_no_switch_is_said_to_stand_somewhere_before_that_is_known():
    html = FILES["index.html"].read_text("utf-8")
    for name in ("corrections", "show"):
        assert f'<select id="switch-{name}">\n<option hidden selected></option>\n' in html
