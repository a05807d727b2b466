"""The extension in a real Chromium and a real Firefox, over the real host and the real service with the tiny model."""

import contextlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import psutil
import pytest
from PIL import Image

from idiolect.daemon.profile import locking
from idiolect.daemon.runtime import process

MAIN = "from idiolect.daemon.commandline.cli import main; main()"
DEADLINE_S = 20
AGAIN_S = 4
START = "the keeper Zorv"
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
#: A host that speaks an older protocol.
OLD = """#!{python}
import json, struct, sys
length = struct.Struct("=I")
while head := sys.stdin.buffer.read(4):
    asked = json.loads(sys.stdin.buffer.read(*length.unpack(head)))
    told = json.dumps({{"id": asked["id"], "answer": {{"protocol": 0}}}}).encode()
    sys.stdout.buffer.write(length.pack(len(told)) + told)
    sys.stdout.buffer.flush()
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


@pytest.fixture(scope="module")
def site():
    """`site(path, html)`: the address of a page, of any host whose name ends in .test."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def page(path, html, host="notes.test"):
        """The page's address."""
        Site.pages[path] = html
        return f"http://{host}:{server.server_port}{path}"

    page.asked = Site.asked
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
        for name in ("chromium", "mozilla/firefox"):
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

    def end_hosts(self):
        """End what browsers have started here."""
        for one in psutil.process_iter(["cmdline"]):
            if str(self.folder / "counting") in (one.info["cmdline"] or ()):
                one.terminate()
                psutil.wait_procs([one], DEADLINE_S)

    def asked(self, what=None):
        """What the browser has asked the host for so far."""
        lines = self.log.read_text().split() if self.log.exists() else []
        return [line for line in lines if what in (None, line)]


@pytest.fixture(scope="module")
def corrected():
    """Corrections are made by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDIOLECT_AUTOCORRECT", "apply")
        yield


@pytest.fixture(scope="module")
def service(corrected, service):
    service.ask("/v1/words/add", kind="always_correct", text="hte", replacement="the")
    return service


@pytest.fixture(scope="module")
def room(tmp_path_factory, service):
    return Room(tmp_path_factory.mktemp("room"), service)


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
        deadline = time.monotonic() + DEADLINE_S
        while len(self.room.asked("state")) == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)

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
        deadline = time.monotonic() + DEADLINE_S
        while len(self.room.asked("suggest")) == before:
            assert time.monotonic() < deadline
            time.sleep(0.03)

    def write_noticed(self, text):
        """Put a text in as its user, and wait until the extension has seen it."""
        with self.noticed():
            self.write(text)

    def until_shown(self, wanted, again=None):
        """What is shown, once it is `wanted`; in seconds without, `again` is called."""
        began = asked = time.monotonic()
        while not wanted(*(shown := self.shown())):
            now = time.monotonic()
            assert now < began + DEADLINE_S, (
                shown,
                self.room.asked(),
                self.tab.js("document.body.innerHTML"),
            )
            if again is not None and now > asked + AGAIN_S:
                again()
                asked = now
            time.sleep(0.03)
        return shown

    def until_ghost(self):
        """The ghost and the words, once the known sentence is offered."""

        def again():
            """Type the last character anew: a service that is too busy passes a ghost over."""
            self.tab.press("Backspace")
            self.tab.type(START[-1])

        return self.until_shown(
            lambda ghost, words: ghost.startswith("elin") and words[:1] == ["elin"], again
        )

    def until_nothing(self):
        self.until_shown(lambda ghost, words: not ghost and not words)

    def until_value(self, text):
        self.tab.until(f"({VALUE}) === {json.dumps(text)}")


class Chromium(Browser):
    """A tab of Chromium."""

    name = "Chromium"

    def __init__(self, tab, room, url):
        super().__init__(tab, room, url)
        folder = room.folder / "built" / "chromium"
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
        """What Control and "c" or "v" do; this browser has to be told it beside the key."""
        about = {"key": key, "code": f"Key{key.upper()}", "windowsVirtualKeyCode": ord(key.upper())}
        command = {"c": "copy", "v": "paste"}[key]
        self.tab.send("Input.dispatchKeyEvent", type="keyDown", modifiers=2, commands=[command], **about)
        self.tab.send("Input.dispatchKeyEvent", type="keyUp", **about)

    @contextlib.contextmanager
    def private_window(self, body):
        """A page in a private window."""
        tab, session = self.tab, self.tab._session
        url = self.url("/private", PLAIN.format(body=body))
        with tab.whole():
            context = tab.send("Target.createBrowserContext")["browserContextId"]
            target = tab.send("Target.createTarget", url=url, browserContextId=context)["targetId"]
            found = tab.send("Target.attachToTarget", targetId=target, flatten=True)
        tab._session = {"sessionId": found["sessionId"]}
        try:
            tab.send("Runtime.enable")
            tab.until("location.pathname === '/private' && document.readyState === 'complete'")
            yield tab
        finally:
            tab._session = session
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
        tab.send("Addon:Install", path=str(room.folder / "built" / "firefox"), temporary=True)
        host = tab.in_browser("WebExtensionPolicy.getByID('browser@idiolect').mozExtensionHostname")
        self.origin = f"moz-extension://{host}"

    def command(self, key):
        """What Control and "c" or "v" do."""
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
            yield tab
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


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request, room, site):
    folder = room.folder / "config" / request.param
    if request.param == "chromium":
        more = ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1")
        tab = request.getfixturevalue("new_tab")(folder, more, room.environment)
        made = Chromium(tab, room, site)
    else:
        tab = request.getfixturevalue("new_firefox")(folder, room.environment)
        made = Firefox(tab, room, site)
    made.switch(site("/", ""), "suggest")
    return made


#: For what the two browsers do alike.
in_chromium = pytest.mark.parametrize("browser", ["chromium"], indirect=True)
in_firefox = pytest.mark.parametrize("browser", ["firefox"], indirect=True)


@in_chromium
def test_what_became_of_suggestions_is_told_when_its_user_rests_or_leaves(browser, service):
    def accepted(kind):
        """How many suggestions were taken, and their characters."""
        rows = [row for row in service.ask("/v1/report")["by_day"] if row["kind"] == kind]
        return sum(row["accepted"] for row in rows), sum(row["characters"] for row in rows)

    def until_told(kind, count, characters):
        deadline = time.monotonic() + DEADLINE_S
        while accepted(kind) != (count, characters):
            assert time.monotonic() < deadline, (accepted(kind), count, characters)
            time.sleep(0.05)

    browser.open(FIELDS["textarea"])  # the first page of all, so that nothing else is counted
    browser.begin()
    browser.until_ghost()
    browser.tab.press("1", "Alt")
    browser.until_value(f"{START}elin")
    until_told("word", 1, len("elin "))
    browser.begin()
    ghost, _ = browser.until_ghost()
    browser.tab.press("Tab")
    browser.until_value(START + ghost)
    browser.popup(browser.url("/", ""))
    until_told("ghost", 1, len(ghost))


def test_what_is_shown_is_taken_as_if_it_were_typed_and_undone(browser):
    fields = [text.replace('id="field"', 'class="field"') for text in FIELDS.values()]
    browser.open(SEVERAL.format(fields="<br>".join(fields)))
    tab = browser.tab
    for place in range(len(fields)):
        tab.js(f"turn({place})")
        browser.begin()
        ghost, _ = browser.until_ghost()
        assert tab.js(VALUE) == START
        tab.press("ArrowRight", "Control")
        browser.until_value(START + "elin")
        rest, _ = browser.until_shown(lambda ghost, _: ghost.startswith(" hums"))
        tab.js("void (told.length = 0)")
        tab.press("Tab")
        browser.until_value(START + "elin" + rest)
        assert ghost.startswith("elin hums")
        told = [event[:3] for event in tab.js("told")]
        assert ["beforeinput", "insertText", rest] in told
        assert ["input", "insertText"] in [event[:2] for event in told]
        assert tab.js("document.activeElement === field")
        tab.press("z", "Control")
        browser.until_value(START + "elin")  # no more than that


def test_what_is_shown_is_dismissed_and_words_are_taken(browser):
    fields = [text.replace('id="field"', 'class="field"') for text in FIELDS.values()]
    browser.open(SEVERAL.format(fields="<br>".join(fields)))
    tab = browser.tab
    for place in range(len(fields)):
        tab.js(f"turn({place})")
        browser.begin()
        browser.until_ghost()
        tab.press("1", "Alt")
        browser.until_value(f"{START}elin")
        tab.type(".")
        browser.until_value(f"{START}elin.")
        browser.begin()
        browser.until_ghost()
        tab.press("Escape")
        browser.until_nothing()
        tab.press("Tab")
        tab.until("document.activeElement !== field")
        assert tab.js(VALUE) == START


@in_chromium
def test_a_click_on_a_word_takes_it_and_the_page_gets_no_click(browser):
    browser.open(FIELDS["textarea"] + "<script>var clicks = 0; onclick = () => clicks++;</script>")
    browser.begin()
    browser.until_ghost()
    _, (left, top, _, height) = browser.boxes()
    deadline = time.monotonic() + DEADLINE_S
    while browser.tab.js("field.value") == START:  # the first clicks come before it may have been seen
        browser.tab.click_at(left + 10, top + height / 2)
        assert time.monotonic() < deadline
    browser.until_value(f"{START}elin")
    assert browser.tab.js("[clicks, document.activeElement === field]") == [0, True]


def test_a_sure_correction_is_made_and_taken_back(browser):
    fields = [FIELDS[kind].replace('id="field"', 'class="field"') for kind in ("textarea", "editable")]
    tab = browser.tab
    for place in range(len(fields)):
        browser.open(SEVERAL.format(fields="<br>".join(fields)), path=f"/corrected{place}")
        tab.js(f"turn({place})")
        tab.js("void (told.length = 0)")
        tab.type("hte ")
        browser.until_value("the")
        assert ["input", "insertText"] in [event[:2] for event in tab.js("told.slice(-1)")]
        tab.press("Enter")
        tab.js("void ('value' in field ? (field.value = '') : field.replaceChildren())")  # it was sent
        tab.type("hte ")
        browser.until_value("the")
        tab.press("z", "Control")
        browser.until_value("hte")
        tab.type("x hte ")
        browser.until_shown(lambda _, words: words)
        assert tab.js(VALUE) == "hte x hte"  # taken back once, it is not made again
        browser.open(SEVERAL.format(fields="<br>".join(fields)), path=f"/again{place}")
        tab.js(f"turn({place})")
        tab.type("hte ")
        browser.until_value("the")
        tab.press("Backspace")
        browser.until_value("hte")
        tab.press("Backspace")
        tab.type(" ")
        tab.type("x")
        browser.until_value("hte x")


@in_chromium
def test_a_page_has_nothing_corrected_that_its_user_did_not_type(browser):
    browser.open(FIELDS["textarea"])
    browser.begin("ok hte ")
    browser.until_shown(lambda _, words: words[:1] == ["the "])
    assert browser.tab.js("field.value") == "ok hte "
    browser.tab.press("1", "Alt")
    browser.until_value("ok the")


@in_chromium
def test_what_a_correction_takes_away_is_what_it_is_for(browser):
    """A character that is not seen stands in the word."""
    browser.open(FIELDS["editable"])
    browser.begin("ok h\u200bte ")
    browser.until_shown(lambda _, words: words[:1] == ["the "])
    browser.tab.press("1", "Alt")
    browser.until_value("ok the")


@in_chromium
def test_a_full_stop_takes_only_a_space_of_ours_back(browser):
    browser.open(FIELDS["textarea"])
    browser.begin()
    browser.until_ghost()
    browser.tab.press("1", "Alt")
    browser.until_value(f"{START}elin")
    left, top = browser.tab.js("[field.getBoundingClientRect().x, field.getBoundingClientRect().y]")
    browser.tab.click_at(left + 2, top + 8)
    browser.tab.press("ArrowRight")
    browser.tab.type(".")
    browser.until_value(f"t.{START[1:]}elin")


PLACES = """
<div id="outer1"></div><div id="outer2"></div>
<iframe id="frame" srcdoc="<textarea id='inner' rows='3' cols='60'></textarea>" width="600" height="100"></iframe>
<textarea class="field" dir="rtl" style="width: 500px"></textarea>
<textarea class="field" id="long" rows="20" cols="60"></textarea>
<div style="zoom: 1.5; padding-top: 3000px"><textarea class="field" rows="4" cols="60"></textarea></div>
<dialog id="box"><textarea class="field" rows="4" cols="60"></textarea></dialog>
<script>
const inside = (mode, root = document.querySelector(`#outer${mode === "open" ? 1 : 2}`).attachShadow({ mode })) => {
  root.innerHTML = '<textarea style="width: 500px; height: 100px"></textarea>';
  return root.firstChild;
};
const lines = "A line of words that goes on and on and on, further than the field is wide.\\n";
var places = {
  "an open shadow": inside("open"),
  "a closed shadow": inside("closed"),
  "a frame": frame.contentDocument?.querySelector("#inner"),
  "right to left": document.querySelectorAll(".field")[0],
  "a long one": document.querySelectorAll(".field")[1],
  "zoomed, scrolled": document.querySelectorAll(".field")[2],
  "a dialog": document.querySelectorAll(".field")[3],
};
var turn = (place) => {
  places["a frame"] = frame.contentDocument.querySelector("#inner");
  globalThis.field = places[place];
  if (place === "a dialog") box.showModal();
  field.scrollIntoView();
  field.focus();
  return place === "a long one" ? lines.repeat(650) : "";
};
</script>"""


def test_a_field_is_one_wherever_it_is(browser):
    browser.open(PLACES)
    tab = browser.tab
    for place in tab.js("Object.keys(places)"):
        before = tab.js(f"turn({json.dumps(place)})")
        browser.begin(before + START)
        ghost, _ = browser.until_ghost()
        tab.press("Tab")
        tab.until(f"field.value.endsWith({json.dumps(START + ghost)})")


#: Where a cursor is: an element with the same text in the same type tells it.
TWIN = """<style>body {{ margin: 0; {style} }} .field {{ all: unset; display: block; width: 420px;
font: 18px/30px serif; margin: 40px; white-space: pre-wrap }}</style>
<textarea class="field" rows="3">{before}</textarea>
<div class="field" contenteditable>{before}</div><div style="height: 3000px"></div>
<script>
var turn = (place) => {{
  globalThis.field = document.querySelectorAll(".field")[place];
  field.focus();
  const length = {before!r}.length;
  if (place) getSelection().collapse(field.firstChild, length);
  else field.setSelectionRange(length, length);
}};
var cursor = (place) => {{
  const twin = document.querySelectorAll(".field")[1], range = document.createRange();
  range.setStart(twin.firstChild, {before!r}.length - 1);
  range.setEnd(twin.firstChild, {before!r}.length);
  const at = range.getBoundingClientRect();
  const [from, to] = [twin, document.querySelectorAll(".field")[place]].map((one) => one.getBoundingClientRect());
  return [at.left + to.left - from.left, at.right + to.left - from.left, at.top + to.top - from.top,
          at.bottom + to.top - from.top];
}};
</script>"""
HEBREW = "תודה רבה לכולם על העזרה היום"


@in_chromium
@pytest.mark.parametrize(
    "style", ["", "zoom: 1.4", "transform: scale(0.8); transform-origin: 0 0", "direction: rtl"]
)
def test_what_is_shown_stands_at_the_cursor(browser, service, style):
    rtl = "rtl" in style
    before = HEBREW[:10] if rtl else START
    if rtl:
        for _ in range(5):
            service.ask("/v1/history", text=HEBREW, source="test")
    browser.open(TWIN.format(style=style, before=before))
    tab = browser.tab
    for place in (0, 1):
        tab.js(f"(scrollTo(0, 10), turn({place}))")
        tab.press("Backspace")
        tab.type(before[-1])
        browser.until_shown(lambda ghost, _: ghost != "")
        left, right, top, bottom = tab.js(f"cursor({place})")
        ghost, row = browser.boxes()
        assert abs(row[0] - (left if rtl else right)) <= 2
        assert 0 <= row[1] - bottom <= 12
        assert abs(ghost[1] + ghost[3] / 2 - (top + bottom) / 2) <= 2


def contrast(picture):
    """How far the darkest and the lightest colour of a picture are apart, as WCAG 2 reckons it."""

    def luminance(colour):
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    found = sorted(luminance(colour) for _, colour in picture.getcolors(1 << 20))
    return (found[-1] + 0.05) / (found[0] + 0.05)


@in_chromium
def test_it_can_be_read_in_every_theme_and_is_announced_when_asked_for(browser):
    browser.open("<style>:root { color-scheme: light dark }</style>" + FIELDS["textarea"])
    browser.begin()
    ghost, _ = browser.until_ghost()
    looks = {
        "light": {},
        "dark": {"prefers_color_scheme": "dark"},
        "more contrast": {"prefers_contrast": "more"},
        "forced colours": {"forced_colors": "active"},
        "dark forced colours": {"forced_colors": "active", "prefers_color_scheme": "dark"},
    }
    papers = {}
    for name, features in looks.items():
        with browser.like(**features):
            (left, top, _, height), row = browser.boxes()
            words = browser.picture(*row)
            grey = browser.picture(left + 200, top, 40, height)  # of the ghost, behind what is typed
        papers[name] = words.getpixel((3, round(row[3] / 2)))
        assert contrast(words.crop((2, 2, round(row[2]) - 6, round(row[3]) - 2))) >= 7, name
        assert contrast(grey) >= (3 if name in ("light", "dark") else 4.5), name
    assert papers["light"] != papers["dark"]

    nodes = browser.tab.send("Accessibility.getFullAXTree")["nodes"]
    assert not [one for one in nodes if ghost in str(one.get("name", {}).get("value", ""))]
    browser.tab.press("F9", "Alt")
    said = announced(browser, ghost)
    assert "1 elin" in said[0]
    assert browser.tab.js("field.value") == START


def announced(browser, text):
    """What a screen reader is to say that holds a text: nothing of what is inert, as all is beside a modal dialog."""
    nodes = {
        one["nodeId"]: one
        for one in browser.tab.send("Accessibility.getFullAXTree")["nodes"]
        if not one["ignored"]
    }

    def is_said(node):
        above = nodes.get(node.get("parentId"))
        return node["role"]["value"] == "status" or (above is not None and is_said(above))

    named = [(str(one.get("name", {}).get("value", "")), one) for one in nodes.values()]
    return [name for name, one in named if text in name and is_said(one)]


@in_chromium
def test_it_is_announced_in_a_modal_dialog(browser):
    browser.open(f"<dialog id=box>{FIELDS['textarea']}</dialog><script>box.showModal()</script>")
    browser.begin()
    ghost, _ = browser.until_ghost()
    browser.tab.press("F9", "Alt")
    deadline = time.monotonic() + DEADLINE_S
    while not (said := announced(browser, ghost)):
        assert time.monotonic() < deadline
        time.sleep(0.03)
    assert "1 elin" in said[0]
    browser.tab.until("box.querySelector('idiolect-said') === null")  # no longer than it is needed
    assert browser.tab.js("[box.children.length, field.value]") == [1, START]


@in_chromium
def test_an_input_method_composes_undisturbed(browser):
    browser.open(FIELDS["textarea"])
    tab = browser.tab
    browser.begin()
    browser.until_ghost()
    asked = len(browser.room.asked("suggest"))
    for composed in ("に", "にほ", "にほん"):
        tab.send(
            "Input.imeSetComposition", text=composed, selectionStart=len(composed), selectionEnd=len(composed)
        )
    browser.until_nothing()
    assert tab.js("field.value") == START + "にほん"
    assert len(browser.room.asked("suggest")) == asked
    tab.send("Input.insertText", text="日本")
    browser.until_value(START + "日本")
    browser.begin()
    browser.until_ghost()


@in_chromium
def test_a_fast_and_careless_hand_does_no_harm(browser):
    browser.open(FIELDS["textarea"] + "<button id=send onclick='globalThis.sent = true'>send</button>")
    tab = browser.tab
    tab.type(START)
    ghost, _ = browser.until_ghost()
    tab.press("Tab")
    tab.press("Tab")  # once too often
    tab.press("Enter")
    browser.until_value(START + ghost)
    assert tab.js("[document.activeElement === field, globalThis.sent ?? false]") == [True, False]
    browser.room.end_hosts()  # in mid-word
    browser.begin()
    browser.until_ghost()
    with tab.whole():
        other = tab.send("Target.createTarget", url="about:blank")["targetId"]
        tab.send("Target.activateTarget", targetId=other)
        tab.send("Target.closeTarget", targetId=other)
    tab.send("Page.bringToFront")
    tab.js("field.focus()")
    tab.press("Backspace")
    tab.type("v")
    browser.until_ghost()
    tab.press("Tab")
    browser.until_value(START + ghost)


@pytest.fixture
def other(browser):
    """Another site, where nothing is switched on afterwards."""
    url = browser.url("/", "", "other.test")
    yield url
    browser.popup(url)
    if browser.tab.js("document.body.dataset.ready") != "off":
        browser.tab.click("#all")
        browser.tab.until("document.body.dataset.ready === 'off'")


@in_firefox
def test_all_sites_are_switched_on_and_off_at_once(browser, other):
    tab = browser.tab
    browser.popup(other)
    tab.click("#all")
    tab.until("document.body.dataset.ready === 'suggest'")
    browser.open(FIELDS["textarea"], host="other.test")
    browser.begin()
    browser.until_ghost()
    browser.popup(other)
    tab.click("#all")
    tab.until("document.body.dataset.ready === 'off'")
    before = browser.room.asked("suggest")
    browser.open(FIELDS["textarea"], host="other.test")
    browser.begin()
    browser.popup(browser.url("/", ""))
    assert browser.room.asked("suggest") == before


# --- the editors that sites are made of ---

EDITORS = ("prosemirror", "codemirror", "lexical", "quill", "draft", "tiptap")
EDITOR = """<style>.ProseMirror, .cm-content, .ql-editor {{ white-space: pre-wrap }}
#place {{ width: 500px; border: 1px solid }}</style><div id="place"></div><script src="{src}"></script>"""


@pytest.fixture(scope="module")
def editor(browser, needs_program):
    """`editor(name)`: have the page be that editor, with the cursor in it."""
    cache = Path(__file__).parents[2] / ".cache" / "editors"
    if not all((cache / "bundled" / f"{name}.js").exists() for name in EDITORS):
        npm = needs_program("npm", "npm")
        reach = [npm, "view", "--fetch-retries=0", "esbuild@^0.25", "version"]
        if subprocess.run(reach, capture_output=True, timeout=120, check=False).returncode:
            pytest.skip("needs the editors, which come from the npm registry, and that cannot be reached")
        done = subprocess.run(
            [Path(__file__).parent / "editors" / "bundle", cache], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def open_editor(name):
        src = browser.url(f"/{name}.js", (cache / "bundled" / f"{name}.js").read_text())
        browser.open(EDITOR.format(src=src), path=f"/{name}")
        browser.tab.until("!!globalThis.field")
        browser.tab.js("globalThis.field.focus()")

    return open_editor


@pytest.mark.parametrize("name", EDITORS)
def test_an_editor_takes_it_as_if_it_had_been_typed(browser, editor, name):
    editor(name)
    tab = browser.tab
    tab.type("Dear all,")
    tab.press("Enter")
    tab.type("hte ")
    tab.until("model().endsWith('the') || model().endsWith('the ')")  # corrected
    tab.type(START.removeprefix("the ")[:-1])
    browser.until_shown(lambda ghost, _: ghost.startswith("velin"))
    tab.press("Escape")
    browser.until_nothing()
    tab.type(START[-1])
    browser.until_ghost()
    lines = tab.js("model()").split("\n")
    assert (lines[0], lines[-1]) == ("Dear all,", START)
    if name == "quill":  # it indents by Tab
        tab.press("Tab")
        tab.until(f"model().endsWith({json.dumps(START + chr(9))})")
        browser.until_nothing()
        tab.press("Backspace")
        browser.until_ghost()
    tab.press("ArrowRight", "Control")
    tab.until(f"model().endsWith({json.dumps(START + 'elin')})")
    rest, _ = browser.until_shown(lambda ghost, _: ghost.startswith(" hums"))
    ghost = f"elin{rest}"
    tab.press(*(("0", "Alt") if name == "quill" else ("Tab",)))
    tab.until(f"model().endsWith({json.dumps(START + ghost)})")
    assert tab.js("field.innerText").replace("\xa0", " ").rstrip().endswith(START + ghost)
    tab.type("!")
    tab.until(f"model().endsWith({json.dumps(START + ghost + '!')})")
    for _ in range(8):
        tab.press("z", "Control")
    tab.until(f"!model().includes({json.dumps(ghost[4:])})")


# --- where nothing is asked ---


def suggests(browser):
    """On the site of the tests' pages suggestions come: what does not come elsewhere could."""
    browser.open(FIELDS["textarea"])
    browser.begin()
    browser.until_ghost()


NEVER = """
<input type="password" class="never"> <input type="email" class="never"> <input type="number" class="never">
<input type="search" class="never"> <input type="tel" class="never"> <input type="url" class="never">
<input autocomplete="one-time-code" class="never"> <input autocomplete="billing cc-number" class="never">
<input autocomplete="new-password" class="never"> <input name="cardNumber" class="never">
<input name="otp" class="never"> <input id="user_password2" class="never"> <input name="q" class="never">
<label>PIN <input class="never"></label> <input aria-label="IBAN" class="never">
<input placeholder="E-mail" class="never">
<input style="-webkit-text-security: disc" class="never"> <input inputmode="numeric" class="never">
<input role="combobox" class="never"> <input maxlength="8" class="never"> <input readonly class="never">
<form role="search"><input class="never"></form>
<textarea spellcheck="false" autocomplete="off" class="never"></textarea>
<div data-idiolect="off"><textarea class="never"></textarea></div>
<div contenteditable data-idiolect="off" class="never"></div>
<textarea name="secret" class="never"></textarea>
<p><textarea id="field"></textarea></p>
"""


@in_chromium
def test_nothing_is_asked_in_fields_that_are_for_no_prose(browser):
    tab = browser.tab

    def type_in_each():
        for place in range(tab.js("document.querySelectorAll('.never').length")):
            tab.js(f"document.querySelectorAll('.never')[{place}].focus()")
            tab.type("e 1")

    suggests(browser)
    browser.popup(browser.url("/", ""))  # the page before is gone, and asks no more
    browser.open(NEVER)
    before = browser.room.asked("suggest")
    type_in_each()
    browser.after_all()
    assert browser.room.asked("suggest") == before
    browser.open(NEVER)  # now with the extension wholly there
    browser.begin()
    browser.until_ghost()
    before = browser.room.asked("suggest")
    type_in_each()
    browser.after_all()
    assert browser.room.asked("suggest") == before


def test_nothing_is_asked_on_a_site_that_is_off_or_a_banks_or_frames_another(browser):
    tab = browser.tab
    suggests(browser)
    browser.popup(browser.url("/", "", "other.test"))  # the page before is gone, and asks no more
    before = browser.room.asked("suggest")
    for host in ("other.test", "bank.test"):
        browser.popup(browser.url("/", "", host))
        assert tab.js("document.querySelector('#here').hidden") is (host == "bank.test")
        browser.open(FIELDS["textarea"], host=host)
        browser.begin()
        browser.until_value(START)
    inner = browser.url("/inner", PLAIN.format(body='<textarea id="field" autofocus></textarea>'))
    browser.open(f'<iframe src="{inner}" width="600" height="300"></iframe><p id="field">', host="other.test")
    tab.click("iframe")
    tab.type(START)
    browser.after_all()
    assert browser.room.asked("suggest") == before


def test_nothing_is_asked_in_a_private_window(browser):
    suggests(browser)
    browser.popup(browser.url("/", ""))  # the page before is gone, and asks no more
    before = browser.room.asked("suggest")
    with browser.private_window(FIELDS["textarea"]):
        browser.begin()
        browser.until_value(START)
    browser.after_all()
    assert browser.room.asked("suggest") == before


# --- learning ---


def learned(service, text):
    """How many entries of this site's hold a text."""
    return service.ask("/v1/forget", text=text, source="notes.test", app="browser", dry_run=True)["entries"]


def until_learned(service, text):
    deadline = time.monotonic() + DEADLINE_S
    while not (count := learned(service, text)):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return count


@pytest.fixture
def here(browser):
    """The site of the tests' pages, where nothing is learned afterwards."""
    yield browser.url("/", "")
    browser.switch(browser.url("/", ""), "suggest")


@in_chromium
def test_what_is_written_is_learned_once_and_only_where_that_is_allowed(browser, service, here):
    tab = browser.tab
    name = "Plimbora"
    browser.open(FIELDS["textarea"])
    browser.write_noticed(f"Nobody hears of the wobbly {name} here.")
    tab.js("field.blur()")
    browser.switch(here, "learn")
    browser.open('<textarea id="field">Theirs was here before</textarea>')
    tab.js("field.setSelectionRange(field.value.length, field.value.length)")
    with browser.noticed():  # what stands there then is nothing that was written while it looked
        tab.press("Enter")
    browser.write_noticed(f"We met the merry {name} at the harbour.")
    tab.press("Enter")
    browser.write_noticed(f"> the quoted {name} said this")
    tab.js("field.blur()")
    assert until_learned(service, f"We met the merry {name} at the harbour") == 1
    # In a chat, what Enter sends is learned, though the field is empty afterwards.
    browser.open("""<div id="field" contenteditable></div><script>
    field.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); field.textContent = ""; } })
    </script>""")
    with browser.noticed():
        tab.type("T")
    browser.write_noticed(f"omorrow the {name} sails to Vellabry")
    tab.press("Enter")
    tab.until("field.textContent === ''")
    assert until_learned(service, f"Tomorrow the {name} sails to Vellabry") == 1
    browser.switch(here, "suggest")
    for text in (f"wobbly {name}", f"quoted {name}", "Theirs was here"):
        assert learned(service, text) == 0


def test_what_is_written_is_learned_where_its_page_is_left(browser, service, here):
    browser.switch(here, "learn")
    browser.open(FIELDS["textarea"])
    with browser.noticed():
        browser.tab.type(f"We left {browser.name} by the back door")
    browser.popup(here)
    until_learned(service, f"We left {browser.name} by the back door")


#: Two fields in which something stands, one of it quoted.
FULL = """<textarea class="field">Theirs stood in this area.</textarea>
<div class="field" contenteditable>Theirs stood in <b>this</b> element.<blockquote>a quoted line</blockquote></div>
<button>next</button><script>
var turn = (place) => {
  globalThis.field = document.querySelectorAll(".field")[place];
  field.focus();
  if (place === 0) field.setSelectionRange(field.value.length, field.value.length);
  else getSelection().collapse(field, 3);
};
</script>"""


@in_chromium
def test_what_is_typed_while_the_extension_loads_is_learned_and_what_stood_there_is_not(
    browser, service, here
):
    tab = browser.tab
    browser.switch(here, "learn")
    for place, name in enumerate(("Quilvane", "Brestolka")):
        browser.open(FULL, path=f"/full{place}")
        tab.js(f"turn({place})")
        browser.write_noticed(f" So {name} came late to the pier")
        tab.js("field.blur()")
        assert until_learned(service, f"So {name} came late to the pier") == 1
    assert learned(service, "Theirs stood") == learned(service, "quoted line") == 0


def test_what_is_typed_in_an_editor_is_learned_and_what_is_pasted_is_not(browser, editor, service, here):
    tab = browser.tab
    browser.switch(here, "learn")
    browser.open('<p id="field">Words that somebody else wrote</p>', path="/theirs")
    tab.js("getSelection().selectAllChildren(field)")
    browser.command("c")
    for name in EDITORS:
        editor(name)
        own = f"My own {name} words go to {browser.name}"
        with browser.noticed():
            tab.type("x")
        tab.press("Enter")
        browser.command("v")
        tab.until("model().includes('somebody else')")
        tab.press("Enter")
        tab.type(own)
        tab.until(f"model().endsWith({json.dumps(own)})")
        tab.js("field.blur()")
        assert until_learned(service, own) == 1
    assert learned(service, "somebody else") == 0


# --- a hostile page ---

#: What a page can try to learn what is shown; each must come back without the ghost's own letters.
SPYING = """<style>
@font-face { font-family: leaky; src: url("/leak-m"); unicode-range: U+6D }
@font-face { font-family: leaky; src: url("/leak-q"); unicode-range: U+71 }
</style>
<textarea id="field" style="font: 16px leaky, sans-serif"></textarea><p id="other">hold</p>
<script>
const seen = [];
for (const type of ["layout-shift", "largest-contentful-paint", "element", "event", "resource"])
  try {
    new PerformanceObserver((list) => seen.push(...list.getEntries().map((one) => JSON.stringify(one))))
      .observe({ type, buffered: true });
  } catch {}
new MutationObserver((records) => {
  for (const { target, addedNodes } of records)
    seen.push(target.outerHTML ?? "", ...[...addedNodes].map((node) => node.outerHTML));
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
addEventListener("message", (e) => seen.push(JSON.stringify(e.data)));
function spy() {
  const overlay = document.querySelector("idiolect-overlay");
  const points = [];
  for (let x = 0; x < innerWidth; x += 10)
    for (let y = 0; y < 300; y += 6) points.push(...document.elementsFromPoint(x, y).map((one) => one.localName));
  const words = ["hu" + "ms", "elin hu" + "ms", "quie" + "tly"];
  const found = words.filter((word) => window.find?.(word, false, false, true));
  getSelection().selectAllChildren(document.documentElement);
  const selected = getSelection().toString();
  getSelection().removeAllRanges();
  field.focus();
  const copied = new XMLSerializer().serializeToString(document) + document.documentElement.innerText;
  return {
    found, root: overlay?.shadowRoot ?? null, box: [overlay?.offsetWidth, overlay?.scrollWidth, overlay?.scrollHeight],
    points: points.includes("idiolect-overlay"), text: [selected, copied, ...seen].join("\\n"),
    open: overlay && !!(overlay.getHTML?.({ serializableShadowRoots: true, shadowRoots: [] }) ?? ""),
  };
}
function fake() {
  for (const target of [field, document, window, document.querySelector("idiolect-overlay")])
    for (const type of ["keydown", "keypress", "keyup"])
      for (const init of [{ key: "Tab", code: "Tab", keyCode: 9 }, { key: "1", code: "Digit1", altKey: true },
                          { key: "ArrowRight", ctrlKey: true }])
        target.dispatchEvent(new KeyboardEvent(type, { ...init, bubbles: true, cancelable: true, composed: true }));
  const { left, bottom } = field.getBoundingClientRect();
  for (let x = left; x < left + 400; x += 8)
    for (let y = 0; y < bottom + 60; y += 8)
      for (const type of ["pointerdown", "mousedown", "mouseup", "click"])
        window.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true }));
  window.postMessage({ do: "suggest", prefix: "the teal lighthouse keeper ", name: "field" }, "*");
  document.querySelector("idiolect-overlay").click();
}
</script>"""


def test_a_hostile_page_neither_reads_what_is_shown_nor_takes_it(browser):
    browser.open(SPYING)
    tab = browser.tab
    browser.begin()
    browser.until_ghost()
    found = tab.js("(fake(), spy())")
    assert found["found"] == []
    assert found["root"] is None
    assert found["box"] == [0, 0, 0]
    assert not found["points"]
    assert "hums" not in found["text"]
    assert "quietly" not in found["text"]
    assert tab.js("field.value") == START
    assert not [path for path in browser.url.asked if path.startswith("/leak")]
    resource = f"fetch('{browser.origin}/content/main.js').then(() => true, () => false)"
    assert tab.js(resource) is False
    assert (
        tab.js("typeof (globalThis.chrome?.runtime?.connect ?? globalThis.browser?.runtime)") == "undefined"
    )


@in_chromium
@pytest.mark.parametrize(
    "touch", ["overlay.style.opacity = '0'", "overlay.remove()", "document.body.append(overlay)",
              "document.documentElement.style.display = 'none'", "field.style.opacity = '0'"]
)  # fmt: skip
def test_what_its_user_cannot_see_is_not_taken(browser, touch):
    browser.open('<textarea id="field"></textarea><button>next</button>')
    browser.begin()
    browser.until_ghost()
    browser.tab.js(f"((overlay) => {{ {touch}; }})(document.querySelector('idiolect-overlay'))")
    browser.tab.press("Tab")
    browser.tab.js("document.documentElement.style.display = ''")
    assert browser.tab.js("field.value") == START


@in_chromium
def test_a_field_that_is_filled_or_taken_away_in_mid_answer_does_no_harm(browser):
    browser.open('<textarea id="field" wrap="off"></textarea>')  # wrapping 2 MB takes a browser seconds
    tab = browser.tab
    browser.begin()
    tab.js("void (field.value = `${'x'.repeat(1023)}\\n`.repeat(2 * 2 ** 10) + field.value)")
    tab.js("field.setSelectionRange(field.value.length, field.value.length)")
    tab.type("e")
    tab.until("field.value.endsWith('Zorve')")
    tab.js("void (field.value = '')")
    tab.type("the teal")
    tab.js("field.remove()")
    tab.type("k")
    browser.until_nothing()
    browser.open(FIELDS["textarea"])
    browser.begin()
    browser.until_ghost()
    assert [one for one in tab.problems if "idiolect" in one] == []


# --- when something is missing ---


@contextlib.contextmanager
def without_host(room):
    """What a browser would start is not there, and nothing that it has started runs."""
    counting = room.folder / "counting"
    counting.rename(room.folder / "away")
    room.end_hosts()
    try:
        yield
    finally:
        (room.folder / "away").rename(counting)


@contextlib.contextmanager
def with_old_host(room):
    """What a browser starts is of a time before this extension."""
    counting = room.folder / "counting"
    text = counting.read_text()
    counting.write_text(OLD.format(python=sys.executable))
    room.end_hosts()
    try:
        yield
    finally:
        counting.write_text(text)
        room.end_hosts()


def until_told(browser, advice):
    """Wait until the popup says what to do; "": that nothing is amiss."""
    told = "(trouble.hidden ? '' : trouble.innerText)"
    deadline = time.monotonic() + DEADLINE_S
    while True:
        browser.popup(browser.url("/", ""))
        said = browser.tab.js(told)
        if (advice in said) if advice else not said:
            return
        assert time.monotonic() < deadline, (advice, said)
        time.sleep(0.3)  # a host looks for a service every two seconds


def nothing_is_shown(browser, advice):
    """The field stays as it was, and the button says what to do."""
    browser.open(FIELDS["textarea"])
    browser.begin()
    browser.tab.press("Tab")
    browser.tab.until("document.activeElement !== field")
    assert browser.tab.js(VALUE) == START
    assert browser.shown() == ("", [])
    until_told(browser, advice)


def all_is_well(browser):
    """It suggests again by itself."""
    until_told(browser, "")
    suggests(browser)


def close_target(tab, target):
    """What closes another page of the same browser."""

    def close():
        with tab.whole():
            tab.send("Target.closeTarget", targetId=target)

    return close


@in_chromium
def test_the_button_shows_what_is_done_on_the_site_of_a_tab(browser, here, request):
    tab = browser.tab
    browser.open(FIELDS["textarea"])
    with tab.whole():
        request.addfinalizer(close_target(tab, tab.send("Target.createTarget", url=here)["targetId"]))
    found = "(await chrome.tabs.query({ url: '*://notes.test/*' }))[0]?.id"
    asked = (
        f"(async () => {{ const tabId = {found}; return tabId && await chrome.action.%s({{ tabId }}); }})()"
    )
    for mode, shown, title in (
        ("learn", "l", "learns"),
        ("off", "", "off the record"),
        ("suggest", "s", "suggests"),
    ):
        browser.switch(here, mode)
        tab.until(f"{asked % 'getBadgeText'}.then((text) => text === {shown!r})")
        assert title in tab.js(asked % "getTitle")
    with without_host(browser.room):
        browser.popup(here)
        tab.until(f"{asked % 'getBadgeText'}.then((text) => text === '!')")
        assert "idiolect browser install" in tab.js(asked % "getTitle")
    all_is_well(browser)


def test_without_a_host_the_button_says_what_to_do(browser):
    all_is_well(browser)
    with without_host(browser.room):
        nothing_is_shown(browser, "idiolect browser install")
    all_is_well(browser)


@in_chromium
def test_with_an_older_host_the_button_says_what_to_do(browser):
    all_is_well(browser)
    with with_old_host(browser.room):
        nothing_is_shown(browser, "update it")
    all_is_well(browser)


@pytest.fixture
def upset(service):
    """The service, which a test may stop, lock and pause: afterwards it runs, unlocked, and learns."""
    yield service
    if service.settings.locked_path.exists():
        process.stop(service.settings)
        locking.unlock(service.settings, None)
    process.start(service.settings)
    service.ask("/v1/resume", for_s=None)


@in_chromium
def test_where_the_service_is_stopped_locked_or_paused_the_button_says_what_to_do(browser, upset):
    settings = upset.settings
    all_is_well(browser)
    process.stop(settings)
    nothing_is_shown(browser, "idiolect start")
    locking.lock(settings, None)
    process.start(settings)
    nothing_is_shown(browser, "idiolect unlock")
    process.stop(settings)
    locking.unlock(settings, None)
    process.start(settings)
    all_is_well(browser)
    upset.ask("/v1/pause", for_s=600)
    until_told(browser, "idiolect resume")
    suggests(browser)
    upset.ask("/v1/resume", for_s=None)
    all_is_well(browser)
