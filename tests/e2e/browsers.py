"""Chromium and Firefox with the extension, over the real host and the real service with the tiny model.

What the tests of it share: pages on hosts whose names end in .test, a home in which the host is installed and what it
is asked is counted, and the two browsers, driven alike.
"""

import contextlib
import fcntl
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import psutil
import pytest
from PIL import Image
from program import run_idiolect
from waiting import DEADLINE_S, until

READ_S = 0.2  # before that Tab belongs to the page
START = "the keeper Zorv"
#: Stands between a browser and the host: notes what is asked, how long it is, and its context; no other text. Where a
#: test runs the host, its socket takes the host's place.
COUNTING = """#!{python}
import json, os, socket, struct, subprocess, sys, threading
if os.path.exists({relay!r}):
    relay = socket.socket(socket.AF_UNIX)
    relay.connect({relay!r})
    def read():
        while data := relay.recv(65536):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        os._exit(0)
    threading.Thread(target=read, daemon=True).start()
    while data := os.read(0, 65536):
        relay.sendall(data)
    sys.exit()
host = subprocess.Popen([{program!r}, *sys.argv[1:]], stdin=subprocess.PIPE)
length, context = struct.Struct("=I"), []
while head := sys.stdin.buffer.read(4):
    body = sys.stdin.buffer.read(*length.unpack(head))
    with open({log!r}, "a") as log:
        asked = json.loads(body)
        told = asked.get("events", [])
        for one in told:
            context = one[1] if one[0] == "answered" else [] if one[0] == "field" else context
        name = "suggest" if any(one[0] == "text" for one in told) else asked["do"]
        log.write(f"{{name}} {{len(body)}} {{json.dumps(context)}}\\n")
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
#: Several fields in one page: `turn(n)` makes the n-th the one that is tested.
SEVERAL = """{fields}<p>end</p><button>next</button><script>
var turn = (place) => {{ globalThis.field = document.querySelectorAll(".field")[place]; field.focus(); }};
</script>"""


def several(*kinds):
    """A page with these fields."""
    fields = [FIELDS[kind].replace('id="field"', 'class="field"') for kind in kinds]
    return SEVERAL.format(fields="<br>".join(fields))


VALUE = "(field.value ?? field.innerText).replaceAll('\\u00a0', ' ').trimEnd()"


class Site(http.server.BaseHTTPRequestHandler):
    pages: ClassVar = {}
    asked: ClassVar = []

    def do_GET(self):
        self.asked.append(self.path)
        body = self.pages.get(self.path.partition("?")[0])
        self.send_response(200 if body is not None else 404)
        kind = "javascript" if self.path.endswith(".js") else "html"
        self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_):
        pass


class Room:
    """A home of its own, with the browsers' folders, in which the host is installed."""

    def __init__(self, folder, service):
        self.folder = folder
        self.log = folder / "asked"
        self.log.touch()
        self.relay = folder / "relay"
        self._read, self._messages = 0, []  # up to this byte of it, and what that held
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "IDIOLECT_HOME": str(service.settings.home),
        }
        for name in ("chromium", "mozilla/firefox"):
            (folder / "config" / name).mkdir(parents=True)
        wrote = json.loads(self.run("setup", "browser", "--into", str(folder / "built"), "--json"))["wrote"]
        hosts = [Path(path) for path in wrote if path.endswith(".json")]
        assert len(hosts) == 2
        counting = folder / "counting"
        for path in hosts:
            told = json.loads(path.read_text())
            counting.write_text(
                COUNTING.format(
                    python=sys.executable, program=told["path"], log=str(self.log), relay=str(self.relay)
                )
            )
            path.write_text(json.dumps({**told, "path": str(counting)}))
        counting.chmod(0o700)

    def run(self, *arguments):
        return run_idiolect(self.environment, *arguments)[0]

    def hosts(self):
        """What browsers have started here."""
        program = str(self.folder / "counting")
        return [one for one in psutil.process_iter(["cmdline"]) if program in (one.info["cmdline"] or ())]

    def end_hosts(self):
        """End what browsers have started here."""
        for one in self.hosts():
            one.terminate()
            psutil.wait_procs([one], DEADLINE_S)

    @contextlib.contextmanager
    def mute(self):
        """Within this no answer comes; what was asked is answered afterwards."""
        hosts = self.hosts()
        for one in hosts:
            one.suspend()
        yield
        for one in hosts:
            with contextlib.suppress(psutil.NoSuchProcess):  # it was killed
                one.resume()

    def asked(self, what=None):
        """What the browser has told the host so far; `suggest`: a text that suggestions may be asked for."""
        return [name for name, *_ in self.messages() if what in (None, name)]

    def contexts(self):
        """The context of each suggestion that was asked for."""
        return [context for name, _, context in self.messages() if name == "suggest"]

    def messages(self):
        """The same, each with the size of its message in bytes, and its context."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            lines = log.read().rpartition(b"\n")[0]
        for line in lines.split(b"\n") if lines else ():
            name, size, context = line.decode().split(" ", 2)
            self._messages.append((name, int(size), json.loads(context)))
            self._read += len(line) + 1
        return self._messages


class Browser:
    """A tab of a browser that has the extension."""

    name = ""
    origin = ""

    def __init__(self, tab, room, url):
        self.tab, self.room, self.url = tab, room, url

    def switch(self, url, mode):
        """Choose in the popup, as its user does."""
        self.popup(url)
        self.tab.click(f"[value={mode}]")
        self.tab.until(f"document.body.dataset.ready === {json.dumps(mode)}")

    def popup(self, url):
        self.tab.go(f"{self.origin}/popup.html?url={url}")
        self.tab.until("document.body?.dataset.ready !== undefined")

    def after_all(self):
        """Until the host has been asked by the popup, which is after all that the page before it had asked."""
        before = len(self.room.asked("state"))
        self.popup(self.url("/", "", "other.test"))
        until(lambda: len(self.room.asked("state")) > before)

    def after_answers(self):
        """Until the host has answered the popup, which is after all that the page has asked before."""
        before = len(self.room.asked("state"))
        url = f"{self.origin}/popup.html?url={self.url('/', '')}"
        with self.tab.another(url, background=True) as page, self.tab.within(page):
            self.tab.until("document.body?.dataset.ready !== undefined")
        until(lambda: len(self.room.asked("state")) > before)

    @contextlib.contextmanager
    def menu(self):
        """Within this the button's menu of the tests' site is open, in a tab beside the page's."""
        popup = f"{self.origin}/popup.html?url={self.url('/', '')}"
        with self.tab.another(popup, background=True) as menu, self.tab.within(menu):
            yield

    def open(self, body, path="/page", host="notes.test"):
        """Have the tab show a page with this body, and the cursor in its element `field`."""
        self.tab.go(self.url(path, PLAIN.format(body=body), host))
        self.tab.until(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")
        self.tab.js("globalThis.field?.focus()")

    def begin(self, text=START):
        """Have a text stand in the field, of which its user types the last two characters."""
        kept = json.dumps(text[:-2])
        self.tab.js(f"""void ((kept) => {{
            field.focus();
            if ("value" in field) {{
              field.value = kept;
              field.setSelectionRange(kept.length, kept.length);
            }} else {{
              field.textContent = kept;
              getSelection().collapse(field.firstChild, kept.length);
            }}
          }})({kept})""")
        self.tab.type(text[-2:])

    @contextlib.contextmanager
    def noticed(self):
        """Until the extension has asked for what may follow: what comes first to a page is loaded then."""
        before = len(self.room.asked("suggest"))
        yield
        until(lambda: len(self.room.asked("suggest")) > before)

    def write_noticed(self, text):
        """Put a text in as its user, and wait until the extension has seen it."""
        with self.noticed():
            self.write(text)

    def until_shown(self, wanted, again=str):
        """What is shown, once it is `wanted` and has been there to be read; in seconds without, `again` is called."""

        def read():
            if not wanted(*self.shown()):
                return None
            time.sleep(max(0.0, self.tab.pressed_s + READ_S - time.monotonic()))
            shown = self.shown()
            return wanted(*shown) and shown

        def seen():
            return self.shown(), self.room.asked(), self.tab.js("document.body.innerHTML")

        return until(read, seen, again=again)

    def until_ghost(self):
        """The ghost and the words, once the known sentence is offered."""
        return self.until_shown(
            lambda ghost, words: ghost.startswith("elin") and words[:1] == ["Zorvelin"], self.type_anew
        )

    def offer(self, body=FIELDS["textarea"], **more):
        """The ghost and the words in a page, as `open` takes it, in whose field the known sentence is begun."""
        self.open(body, **more)
        self.begin()
        return self.until_ghost()

    def type_anew(self):
        """Type the last character anew: a service that is too busy passes a ghost over."""
        last = self.tab.js(VALUE)[-1]
        self.tab.press("Backspace")
        self.tab.type(last)

    def until_nothing(self):
        self.until_shown(lambda ghost, words: not ghost and not words)

    def until_value(self, text, again=str):
        self.tab.until(f"({VALUE}) === {json.dumps(text)}", again)


class Chromium(Browser):
    """A tab of Chromium."""

    name = "Chromium"

    def __init__(self, tab, room, url):
        super().__init__(tab, room, url)
        folder = shutil.copytree(room.folder / "built" / "extension", room.folder / "allowed")
        # As if its user had said yes to each of them before: the browser's question cannot be answered from here.
        about = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**about, "host_permissions": ["*://*.test/*"]}))
        with tab.whole():
            found = tab.send("Extensions.loadUnpacked", path=str(folder))
        self.origin = f"chrome-extension://{found['id']}"

    def write(self, text):
        """Put a text in as its user, the last character by its key."""
        self.tab.send("Input.insertText", text=text[:-1])
        self.tab.type(text[-1])

    def command(self, key):
        """What Control and "a", "c", "v" or "x" do; this browser has to be told it beside the key."""
        about = {"key": key, "code": f"Key{key.upper()}", "windowsVirtualKeyCode": ord(key.upper())}
        command = {"a": "selectAll", "c": "copy", "v": "paste", "x": "cut"}[key]
        self.tab.send("Input.dispatchKeyEvent", type="keyDown", modifiers=2, commands=[command], **about)
        self.tab.send("Input.dispatchKeyEvent", type="keyUp", **about)

    @contextlib.contextmanager
    def private_window(self, body):
        """A page in a private window."""
        tab, url = self.tab, self.url("/private", PLAIN.format(body=body))
        with tab.whole():
            context = tab.send("Target.createBrowserContext")["browserContextId"]
        with tab.another(url, browserContextId=context) as page, tab.within(page):
            tab.send("Runtime.enable")
            tab.until("location.pathname === '/private' && document.readyState === 'complete'")
            yield
        with tab.whole():
            tab.send("Target.disposeBrowserContext", browserContextId=context)

    def shown(self):
        """The ghost and the words that are drawn."""
        document = self.tab.send("DOM.getDocument", depth=-1, pierce=True)["root"]
        overlays = [node for node in nodes(document) if node["nodeName"] == "IDIOLECT-OVERLAY"]
        canvases = [node for one in overlays for node in nodes(one) if node["nodeName"] == "CANVAS"]
        told = [dict(zip(one["attributes"][::2], one["attributes"][1::2], strict=True)) for one in canvases]
        self.styles = [one.get("style", "") for one in told]
        return drawn(None if "hidden" in one else one.get("aria-label") for one in told)

    def boxes(self):
        """Where the ghost and the row of words are drawn: left, top, width, height, in pixels of the window."""
        self.shown()
        pattern = r"width: ([\d.]+)px; height: ([\d.]+)px; transform: translate\(([\d.-]+)px, ([\d.-]+)px\)"
        found = [map(float, re.search(pattern, style).groups()) for style in self.styles]
        return [(left, top, width, height) for width, height, left, top in found]

    def picture(self, left, top, width, height):
        """That part of the window."""
        whole = Image.open(io.BytesIO(self.tab.picture())).convert("RGB")
        return whole.crop((round(left), round(top), round(left + width), round(top + height)))

    @contextlib.contextmanager
    def like(self, **features):
        """Within this the page is looked at with these media features; what is shown is drawn anew."""
        self._like(features)
        try:
            yield
        finally:
            self._like({})

    def _like(self, features):
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.tab.send("Emulation.setEmulatedMedia", features=told)
        self.tab.js("new Promise((then) => (dispatchEvent(new Event('resize')), setTimeout(then, 50)))")


class Firefox(Browser):
    """A tab of Firefox."""

    name = "Firefox"

    def __init__(self, tab, room, url):
        super().__init__(tab, room, url)
        tab.send("Addon:Install", path=str(room.folder / "built" / "extension"), temporary=True)
        host = tab.in_browser("WebExtensionPolicy.getByID('browser@idiolect').mozExtensionHostname")
        self.origin = f"moz-extension://{host}"

    def asks(self, does):
        """Whether the browser asks its user before the extension may work on a site."""
        name = "extensions.webextOptionalPermissionPrompts"
        self.tab.in_browser(f"Services.prefs.setBoolPref('{name}', {json.dumps(does)})")

    def may(self, site, does):
        """What the button in the browser's own question does, or the switch in its settings."""
        module = "resource://gre/modules/ExtensionPermissions.sys.mjs"
        about = json.dumps({"permissions": [], "origins": [f"*://{site}/*"]})
        change = "add" if does else "remove"
        extension = "WebExtensionPolicy.getByID('browser@idiolect').extension"
        self.tab.in_browser(
            f"ChromeUtils.importESModule('{module}').ExtensionPermissions"
            f".{change}('browser@idiolect', {about}, {extension})"
        )

    def command(self, key):
        """What Control and "a", "c", "v" or "x" do."""
        self.tab.press(key, "Control")

    @contextlib.contextmanager
    def private_window(self, body):
        """A page in a private window."""
        tab = self.tab
        [window] = tab.send("WebDriver:GetWindowHandles")
        found = tab.send("WebDriver:NewWindow", type="window", private=True)
        tab.send("WebDriver:SwitchToWindow", handle=found["handle"])
        try:
            tab.go(self.url("/private", PLAIN.format(body=body)))
            yield
        finally:
            tab.send("WebDriver:CloseWindow")
            tab.send("WebDriver:SwitchToWindow", handle=window)

    def shown(self):
        """The ghost and the words that are drawn."""
        documents = (
            "[document, ...[...document.querySelectorAll('iframe')].map((one) => one.contentDocument)]"
        )
        roots = "(one) => [...(one?.querySelectorAll('idiolect-overlay') ?? [])]"
        canvases = "(one) => [...one.openOrClosedShadowRoot.querySelectorAll('canvas')]"
        labels = "(one) => (one.hidden ? null : one.getAttribute('aria-label'))"
        return drawn(self.tab.privileged(f"{documents}.flatMap({roots}).flatMap({canvases}).map({labels})"))


def nodes(node):
    yield node
    inner = [node["contentDocument"]] if "contentDocument" in node else []
    for child in (*node.get("children", ()), *node.get("shadowRoots", ()), *inner):
        yield from nodes(child)


def drawn(labels):
    told = [label or "" for label in labels]
    ghost, words = max(zip(told[::2], told[1::2], strict=True), default=("", ""))
    return ghost, words.split(", ") if words else []


def learned(service, text):
    """How many entries of the tests' site hold a text."""
    return service.ask("/v1/forget", text=text, source="notes.test", app="browser", dry_run=True)["entries"]


def until_learned(service, text):
    return until(lambda: learned(service, text), lambda: text)


#: For what the two browsers do alike.
in_chromium = pytest.mark.parametrize("browser", ["chromium"], indirect=True)
in_firefox = pytest.mark.parametrize("browser", ["firefox"], indirect=True)


# --- the editors that sites are made of ---


#: Of those who list extensions for Firefox; `web-ext lint` runs it.
LINTER = "node_modules/.bin/addons-linter"
EDITORS = ("prosemirror", "codemirror", "lexical", "quill", "draft", "tiptap")
EDITOR = """<style>.ProseMirror, .cm-content, .ql-editor {{ white-space: pre-wrap }}
#place {{ width: 500px; border: 1px solid }}</style><div id="place"></div><script src="{src}"></script>"""


def fetched(needs_program):
    """The folder with the editors and the extension's linter, from npm; without npm's registry the test is skipped."""
    cache = Path(__file__).parents[2] / ".cache" / "editors"
    cache.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).parent / "editors"
    with (cache / "lock").open("w") as lock:  # another process may fetch them
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = [cache / LINTER, *(cache / "bundled" / f"{name}.js" for name in EDITORS)]
        own = [source / "package.json", *(source / f"{name}.js" for name in EDITORS)]
        if all(path.exists() for path in wanted) and all(is_copied(path, cache) for path in own):
            return cache
        npm = needs_program("npm", "npm")
        reach = [npm, "view", "--fetch-retries=0", "esbuild@^0.25", "version"]
        if subprocess.run(reach, capture_output=True, check=False).returncode:
            pytest.skip("needs what comes from the npm registry, and that cannot be reached")
        done = subprocess.run([source / "bundle", cache], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return cache


def is_copied(path, folder):
    """Whether a folder holds a copy of a file as it is now."""
    copy = folder / path.name
    return copy.exists() and copy.read_bytes() == path.read_bytes()
