"""Requests that nobody thought of: each field of each route gets values that it does not expect.

`FUZZ_EXAMPLES=5000 pytest tests/e2e/test_fuzz.py` tries more of them.
"""

import json
import os
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import serving

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
PAGE = Path(__file__).parents[2] / "docs" / "endpoint.md"
#: Names of files that are there, that are not, that no file system takes, or takes with a frown.
NAMES = (
    "notes.txt",
    "notes",
    "absent",
    "notes/absent",
    "a" * 300,
    "b/" * 1000,
    "\x01\x1b[31m\n",
    "notes.txt/below",
)
HOSTILE = (
    *("null", "true", "0", "-1", "1e308", "1e999", "-0.0", "NaN", str(2**63), "9" * 400, "[]", "{}", '[""]'),
    *("[null]", "[[]]", '{"a":{}}', '""', '" "', r'"\u0000"', r'"\ud800"', r'"\u001b[31m"', '"2026-13-45"'),
    *('"' + "a" * 1001 + '"', "[" + ",".join(['"x"'] * 200) + "]", '"\xff'),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=10,
)


@pytest.fixture
def site(tiny_profile, tmp_path, monkeypatch):
    """A service over the tiny model whose user has two files at home; texts that it writes are short."""
    monkeypatch.setattr("idiolect.adapters.generation.generator.WINDOW", 64)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "notes").mkdir(parents=True)
    (tmp_path / "home" / "notes.txt").write_text(
        "The committee meets on Thursday, and the minutes go round.\n"
    )
    (tmp_path / "home" / "notes" / "more.md").write_text("# More\n\nNothing else was said about it.\n")
    with serving(tiny_profile(tmp_path / "profile")) as site:
        yield site


def bodies_of(site, home: Path) -> dict[str, dict[str, object]]:
    """A good body for each route that takes one: its first example in the documents."""
    found: dict[str, dict[str, object]] = {}
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.replace("$HOME", str(home)))
            if "ask" in words and "-d" in words:
                found.setdefault(words[words.index("ask") + 1], json.loads(words[words.index("-d") + 1]))
    found["/v1/eval"] = {
        "path": str(home / "absent")
    }  # of text that is there it would take seconds each time
    routes = {route.path for route in site.app.answered if route.method == "POST" and route.asked is not None}
    for path in routes - found.keys():
        found[path] = {}
    return {path: found[path] for path in sorted(routes)}


def fields_of(site, path: str) -> list[str]:
    [route] = [one for one in site.app.answered if one.path == path and one.method == "POST"]
    return [*route.asked.model_fields]


def check(answer, about):
    """An answer is no failure: JSON, or lines of it, and none of them tells of a mistake in the program."""
    assert answer.status_code < 500, about
    if not answer.headers["content-type"].startswith("text/event-stream"):
        for line in answer.text.splitlines():
            assert json.loads(line).get("code") != "internal", about


def test_no_value_of_a_field_makes_the_service_fail(site, tmp_path):
    home = tmp_path / "home"
    places = [json.dumps(str(home / name)) for name in NAMES]
    for path, good in bodies_of(site, home).items():
        for field in fields_of(site, path):
            held = "".join(
                f",{json.dumps(name)}:{json.dumps(value)}" for name, value in good.items() if name != field
            )
            absent = path == "/v1/eval" and field in ("path", "context")
            for value in (*HOSTILE, *(places[2:] if absent else places), f"[{','.join(places)}]"):
                body = f'{{"{field}":{value}{held}}}'.encode("latin-1")
                check(site.http.post(path, content=body), body[:200])
    for route in site.app.answered:
        if route.method == "GET" and route.asked is not None:
            for field in route.asked.model_fields:
                for value in HOSTILE:
                    check(site.http.get(route.path, params={field: value.strip('"')}), value)
    assert site.post("/v1/suggest", {"prefix": "Hi "}).status_code == 200


def test_no_body_makes_the_service_fail(site, tmp_path):
    bodies = bodies_of(site, tmp_path / "home")

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.data())
    def attack(data):
        path = data.draw(st.sampled_from([*bodies]))
        some = st.dictionaries(st.sampled_from(fields_of(site, path)), ANYTHING, max_size=4)
        body = data.draw(st.one_of(ANYTHING, some.map(lambda more: bodies[path] | more)))
        check(site.http.post(path, content=json.dumps(body).encode()), (path, body))

    attack()


def test_a_body_of_too_many_parts_is_refused_by_every_route_before_it_is_read(site):
    long = [
        b"[" + b"0," * 300_000 + b"0]",
        b"[" + b'"",' * 300_000 + b'""]',
        b"[" + b"{}," * 300_000 + b"{}]",
    ]
    unknown = b"{" + b",".join(b'"x%d":0' % number for number in range(300_000)) + b"}"
    routes = [route for route in site.app.answered if route.method == "POST" and route.asked is not None]
    assert "/v1/suggest" in {route.path for route in routes}
    for route in routes:
        names = sorted(route.asked.model_fields)
        many = [b'{"%s":%s}' % (name.encode(), long[at % 3]) for at, name in enumerate(names)]
        deep = [b"[" * 10**6, b'{"a":' * 10**6, b'"' * 10**6, b'[""' * 10**6]
        for body in (*many, *long, unknown, *deep):
            assert site.http.post(route.path, content=body).status_code == 413, (route.path, body[:40])
