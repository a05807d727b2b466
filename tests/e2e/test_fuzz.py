"""Requests that nobody thought of: schemathesis makes them up from the OpenAPI document, for a real service.

`FUZZ_EXAMPLES=500 pytest -s tests/e2e/test_fuzz.py` tries more of them, and shows the counts.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from waiting import DEADLINE_S

from idiolect.daemon.endpoint import listen_address, server, tokens
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.runtime import process
from idiolect.daemon.service import Service

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))

CONFIG = f"""\
headers = {{ Authorization = "Bearer ${{FUZZ_TOKEN}}" }}
continue-on-failure = true
[checks]
# A schema cannot say all that makes a request valid, such as that one of two fields must be given.
positive_data_acceptance.enabled = false
# Besides what schemathesis takes for a refusal: a body that is too large is refused before it is read.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
[phases.coverage]
unexpected-methods = ["PUT"]  # what each path answers to one that it does not take; all others take the same way
[generation]
max-examples = {EXAMPLES}
deterministic = true
"""


@pytest.fixture
def running(tiny_profile, tmp_path, monkeypatch):
    """A service over the tiny model that answers, with its settings; texts that it writes are short."""
    monkeypatch.setattr("idiolect.adapters.generation.generator.WINDOW", 64)
    settings = tiny_profile(tmp_path / "home")
    tokens.make(settings, Scope.ADMIN)
    service = Service(settings)
    sock, where = listen_address.listen(settings)
    ready = threading.Event()
    app = server.create_app(service, running=where, settings=settings)
    made = server.make_server(app, ready.set)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [sock]})
    thread.start()
    assert ready.wait(DEADLINE_S)
    yield settings, where
    made.should_exit = True
    thread.join(DEADLINE_S)
    service.close()
    assert not thread.is_alive()


def test_no_request_makes_the_service_fail_and_all_answers_are_as_documented(running, tmp_path):
    settings, where = running
    folder = tmp_path / "text"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes.txt").write_text("The committee meets on Thursday, and the minutes go round.\n")
    (folder / "notes" / "more.md").write_text("# More\n\nNothing else was said about it.\n")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    environment = {
        **os.environ,
        "FUZZ_FOLDER": str(folder),
        "FUZZ_TOKEN": process.read_token(settings),
        "SCHEMATHESIS_HOOKS": "fuzzing",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml")]
    command += ["run", f"{where.url}/openapi.json", "--phases", "examples,coverage,fuzzing", "--no-color"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def bodies(fields: list[str]) -> list[bytes]:
    """Bodies with one kind of part far too often: items of each field, unknown fields, objects, brackets, strings."""
    long = [
        b"[" + b"0," * 300_000 + b"0]",
        b"[" + b'"",' * 300_000 + b'""]',
        b"[" + b"{}," * 300_000 + b"{}]",
    ]
    many = [b'{"%s":%s}' % (name.encode(), long[at % 3]) for at, name in enumerate(fields)]
    unknown = b"{" + b",".join(b'"x%d":0' % number for number in range(300_000)) + b"}"
    return [*many, *long, unknown, b"[" * 10**6, b'{"a":' * 10**6, b'"' * 10**6, b'[""' * 10**6]


def test_a_body_of_too_many_parts_is_refused_by_every_route_before_it_is_read(running):
    settings, where = running
    token = {"authorization": f"Bearer {process.read_token(settings)}"}
    with httpx.Client(base_url=where.url, headers=token, timeout=DEADLINE_S) as http:
        paths = http.get("/openapi.json").json()["paths"]
        for path, methods in paths.items():
            if "requestBody" not in methods.get("post", {}):
                continue
            [content] = methods["post"]["requestBody"]["content"].values()
            for body in bodies(sorted(content["schema"]["properties"])):
                assert http.post(path, content=body).status_code == 413, (path, body[:40])
