"""The extension in a real Chromium, over the real host and the real service with the tiny model."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

MAIN = "from idiolect.daemon.commandline.cli import main; main()"
DEADLINE_S = 30
START = "the teal lighthouse keeper Zorv"
WHOLE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
#: Stands between a browser and the host: notes what is asked, not its text.
COUNTING = """#!{python}
import json, os, struct, subprocess, sys, threading
host = subprocess.Popen([{program!r}, *sys.argv[1:]], stdin=subprocess.PIPE)
length = struct.Struct("=I")
while head := sys.stdin.buffer.read(4):
    body = sys.stdin.buffer.read(*length.unpack(head))
    with open({log!r}, "a") as log:
        log.write(json.loads(body)["do"] + "\\n")
    host.stdin.write(head + body)
    host.stdin.flush()
host.stdin.close()
host.wait()
"""
PLAIN = """<!doctype html><meta charset="utf-8"><title>Fields</title>
<style>body {{ font: 16px/1.5 sans-serif }} textarea, [contenteditable] {{ width: 500px; min-height: 120px }}
input {{ width: 500px }} [contenteditable] {{ border: 1px solid }}</style>
{body}
<script>
var told = [];
for (const name of ["keydown", "beforeinput", "input", "change"])
  document.addEventListener(name, (e) => told.push([name, e.inputType ?? e.key, e.data ?? "", e.isTrusted]), true);
</script>"""
FIELDS = {
    "textarea": '<textarea id="field"></textarea>',
    "input": '<input id="field">',
    "editable": '<div id="field" contenteditable></div>',
}


class Site(http.server.BaseHTTPRequestHandler):
    pages: ClassVar = {}

    def do_GET(self):
        body = self.pages.get(self.path.partition("?")[0])
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """`site(path, html)`: the address of a page, of any host whose name ends in .test."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def page(path, html, host="notes.test"):
        Site.pages[path] = html
        return f"http://{host}:{server.server_port}{path}"

    page.pages = Site.pages
    yield page
    server.shutdown()
    server.server_close()
    thread.join()


class Room:
    """A home of its own, with the browsers' folders, in which the host is installed."""

    def __init__(self, folder, service):
        self.folder = folder
        self.log = folder / "asked"
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "IDIOLECT_HOME": str(service.settings.home),
        }
        for name in ("chromium", "mozilla"):
            (folder / "config" / name).mkdir(parents=True)
        states = json.loads(self.run("browser", "install", "--json"))["browsers"]
        assert {state["browser"] for state in states} == {"Chromium", "Firefox"}
        counting = folder / "counting"
        for state in states:
            told = json.loads(Path(state["path"]).read_text())
            counting.write_text(
                COUNTING.format(python=sys.executable, program=told["path"], log=str(self.log))
            )
            Path(state["path"]).write_text(json.dumps({**told, "path": str(counting)}))
        counting.chmod(0o700)
        self.run("browser", "build", "--into", str(folder / "built"))

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def asked(self, what=None):
        """What the browser has asked the host for so far."""
        lines = self.log.read_text().split() if self.log.exists() else []
        return [line for line in lines if what in (None, line)]


@pytest.fixture(scope="module")
def room(tmp_path_factory, service):
    return Room(tmp_path_factory.mktemp("room"), service)


class Chromium:
    """A tab of Chromium with the extension."""

    def __init__(self, tab, room):
        self.tab, self.room = tab, room
        folder = room.folder / "built" / "chromium"
        # As if its user had said yes to each of them before: the browser's question cannot be answered from here.
        about = json.loads((folder / "manifest.json").read_text())
        about["host_permissions"] = ["*://*.test/*"]
        (folder / "manifest.json").write_text(json.dumps(about))
        session, tab._session = tab._session, {}
        self.id = tab.send("Extensions.loadUnpacked", path=str(folder))["id"]
        tab._session = session

    def switch(self, url, mode):
        """Choose in the popup."""
        self.tab.go(f"chrome-extension://{self.id}/popup.html?url={url}")
        self.tab.until("document.body?.dataset.ready === ''")
        self.tab.js(f"document.querySelector('[value={mode}]').click()")
        self.tab.until("chrome.scripting.getRegisteredContentScripts().then((found) => found.length > 0)")

    def open(self, url):
        self.tab.go(url)
        self.tab.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def shown(self):
        """The ghost and the words that are drawn."""

        def walk(node):
            yield node
            for child in (*node.get("children", ()), *node.get("shadowRoots", ())):
                yield from walk(child)

        document = self.tab.send("DOM.getDocument", depth=-1, pierce=True)["root"]
        for node in walk(document):
            if node["nodeName"] == "IDIOLECT-OVERLAY":
                labels = []
                for one in walk(node["shadowRoots"][0]):
                    if one["nodeName"] == "CANVAS":
                        told = dict(zip(one["attributes"][::2], one["attributes"][1::2], strict=True))
                        labels.append("" if "hidden" in told else told.get("aria-label", ""))
                return labels[0], labels[1].split(", ") if labels[1] else []
        return "", []

    def until_shown(self, wanted):
        deadline = time.monotonic() + DEADLINE_S
        while not wanted(*(shown := self.shown())):
            assert time.monotonic() < deadline, (
                shown,
                self.room.asked(),
                self.tab.js("document.body.outerHTML"),
            )
            time.sleep(0.05)
        return shown


@pytest.fixture(scope="module")
def chromium(new_tab, room):
    tab = new_tab(
        room.folder / "config" / "chromium",
        ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1"),
        room.environment,
    )
    return Chromium(tab, room)


def value(tab):
    return tab.js("(field.value ?? field.innerText).replaceAll('\\u00a0', ' ').trimEnd()")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_ghost_is_shown_and_taken(chromium, site, kind):
    url = site(f"/{kind}", PLAIN.format(body=FIELDS[kind]))
    chromium.switch(url, "suggest")
    chromium.open(url)
    tab = chromium.tab
    tab.js("field.focus()")
    tab.type(START)
    ghost, words = chromium.until_shown(lambda ghost, words: ghost.startswith("elin hums") and words)
    assert words[0] == "elin"
    before = value(tab)
    assert before == START
    tab.press("Tab")
    tab.until(f"(field.value ?? field.innerText).includes({json.dumps(ghost)})")
    assert value(tab) == START + ghost
