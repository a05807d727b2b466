"""The extension in a real Chromium and a real Firefox, over the real host and the real service with the tiny model."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

MAIN = "from idiolect.daemon.commandline.cli import main; main()"
DEADLINE_S = 20
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
def room(tmp_path_factory, service):
    return Room(tmp_path_factory.mktemp("room"), service)


class Browser:
    """A tab of a browser that has the extension."""

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

    def open(self, body, path="/page", host="notes.test"):
        """Have the tab show a page with this body, and the cursor in its element `field`."""
        self.tab.go(self.url(path, PLAIN.format(body=body), host))
        self.tab.until(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")
        self.tab.js("globalThis.field?.focus()")

    def until_shown(self, wanted):
        deadline = time.monotonic() + DEADLINE_S
        while not wanted(*(shown := self.shown())):
            assert time.monotonic() < deadline, (
                shown,
                self.room.asked(),
                self.tab.js("document.body.innerHTML"),
            )
            time.sleep(0.03)
        return shown

    def until_ghost(self):
        """The ghost and the words, once the known sentence is offered."""
        return self.until_shown(lambda ghost, words: ghost.startswith("elin") and words[:1] == ["elin"])

    def until_value(self, text):
        self.tab.until(f"({VALUE}) === {json.dumps(text)}")


class Chromium(Browser):
    """A tab of Chromium."""

    def __init__(self, tab, room, url):
        super().__init__(tab, room, url)
        folder = room.folder / "built" / "chromium"
        # As if its user had said yes to each of them before: the browser's question cannot be answered from here.
        about = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**about, "host_permissions": ["*://*.test/*"]}))
        with tab.whole():
            found = tab.send("Extensions.loadUnpacked", path=str(folder))
        self.origin = f"chrome-extension://{found['id']}"

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
        tab.send("Runtime.enable")
        tab.until("location.pathname === '/private' && document.readyState === 'complete'")
        yield tab
        tab._session = session
        with tab.whole():
            tab.send("Target.disposeBrowserContext", browserContextId=context)

    def shown(self):
        """The ghost and the words that are drawn."""
        document = self.tab.send("DOM.getDocument", depth=-1, pierce=True)["root"]
        overlays = [node for node in nodes(document) if node["nodeName"] == "IDIOLECT-OVERLAY"]
        canvases = [node for one in overlays for node in nodes(one) if node["nodeName"] == "CANVAS"]
        told = [dict(zip(one["attributes"][::2], one["attributes"][1::2], strict=True)) for one in canvases]
        return drawn(None if "hidden" in one else one.get("aria-label") for one in told)


class Firefox(Browser):
    """A tab of Firefox."""

    def __init__(self, tab, room, url):
        super().__init__(tab, room, url)
        tab.send("Addon:Install", path=str(room.folder / "built" / "firefox"), temporary=True)
        host = tab.in_browser("WebExtensionPolicy.getByID('browser@idiolect').mozExtensionHostname")
        self.origin = f"moz-extension://{host}"

    @contextlib.contextmanager
    def private_window(self, body):
        """A page in a private window."""
        tab = self.tab
        [window] = tab.send("WebDriver:GetWindowHandles")
        found = tab.send("WebDriver:NewWindow", type="window", private=True)
        tab.send("WebDriver:SwitchToWindow", handle=found["handle"])
        tab.go(self.url("/private", PLAIN.format(body=body)))
        yield tab
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


@pytest.mark.parametrize("kind", FIELDS)
def test_a_ghost_is_shown_taken_and_undone(browser, kind):
    browser.open(FIELDS[kind])
    tab = browser.tab
    tab.type(START)
    ghost, _ = browser.until_ghost()
    assert tab.js(VALUE) == START
    tab.js("void (told.length = 0)")
    tab.press("Tab")
    browser.until_value(START + ghost)
    told = tab.js("told")
    assert ["beforeinput", "insertText", ghost] in [event[:3] for event in told]
    assert ["input", "insertText"] in [event[:2] for event in told]
    assert tab.js("document.activeElement === field")
    tab.press("z", "Control")
    tab.until(f"!({VALUE}).includes({json.dumps(ghost)})")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_ghost_is_taken_word_by_word_and_dismissed(browser, kind):
    browser.open(FIELDS[kind])
    tab = browser.tab
    tab.type(START)
    browser.until_ghost()
    tab.press("ArrowRight", "Control")
    browser.until_value(START + "elin")
    browser.until_shown(lambda ghost, _: ghost.startswith(" hums"))
    tab.press("ArrowRight", "Control")
    browser.until_value(START + "elin hums")
    browser.until_shown(lambda ghost, _: ghost.startswith(" quietly"))
    tab.press("Escape")
    browser.until_shown(lambda ghost, words: not ghost and not words)
    tab.press("Tab")
    tab.until("document.activeElement !== field")
    assert tab.js(VALUE) == START + "elin hums"


@pytest.mark.parametrize("kind", FIELDS)
def test_a_word_is_taken_by_its_key_and_by_a_click(browser, kind):
    browser.open(FIELDS[kind])
    tab = browser.tab
    tab.type(START)
    browser.until_ghost()
    tab.press("1", "Alt")
    browser.until_value(f"{START}elin")
    tab.type(".")
    browser.until_value(f"{START}elin.")


PLACES = {
    "shadow": """<div id="outer"></div><script>var shadow = outer.attachShadow({{ mode: "{mode}" }});
        shadow.innerHTML = '<textarea style="width: 500px; height: 100px"></textarea>';
        var field = shadow.firstChild;</script>""",
    "frame": """<iframe id="outer" srcdoc="<textarea id='inner' rows='5' cols='60'></textarea>" width="600"
        height="200"></iframe><script>var inner = () => outer.contentDocument.querySelector("#inner");
        var field = {{ focus: () => inner().focus(), get value() {{ return inner().value; }} }};</script>""",
    "right to left": """<textarea id="field" dir="rtl" style="width: 500px"></textarea>""",
    "zoomed, scrolled": """<body style="zoom: 1.5; height: 5000px"><div style="height: 3000px"></div>
        <textarea id="field" rows="4" cols="60"></textarea>""",
    "long": """<textarea id="field" rows="20" cols="60"></textarea><script>
        field.value = "A line of words that goes on and on and on, further than the field is wide.\\n".repeat(650);
        field.setSelectionRange(50050, 50050);</script>""",
    "in a dialog": """<dialog id="box"><textarea id="field" rows="4" cols="60"></textarea></dialog>
        <script>box.showModal()</script>""",
}


@pytest.mark.parametrize("place", ["open shadow", "closed shadow", *list(PLACES)[1:]])
def test_a_field_is_one_wherever_it_is(browser, place):
    mode, _, kind = place.partition(" ") if place.endswith(" shadow") else ("", "", place)
    browser.open(PLACES[kind].format(mode=mode))
    tab = browser.tab
    tab.js("field.focus()")
    tab.type(START)
    ghost, _ = browser.until_ghost()
    tab.press("Tab")
    tab.until(f"field.value.endsWith({json.dumps(START + ghost)})")


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
    tab.type(START)
    browser.until_ghost()
    lines = tab.js("model()").split("\n")
    assert (lines[0], lines[-1]) == ("Dear all,", START)
    tab.press("ArrowRight", "Control")
    tab.until(f"model().endsWith({json.dumps(START + 'elin')})")
    rest, _ = browser.until_shown(lambda ghost, _: ghost.startswith(" hums"))
    ghost = f"elin{rest}"
    tab.press(*(("0", "Alt") if name == "quill" else ("Tab",)))  # Quill indents by Tab
    tab.until(f"model().endsWith({json.dumps(START + ghost)})")
    assert tab.js("field.innerText").replace("\xa0", " ").rstrip().endswith(START + ghost)
    tab.type("!")
    tab.until(f"model().endsWith({json.dumps(START + ghost + '!')})")
    for _ in range(8):
        tab.press("z", "Control")
    tab.until(f"!model().includes({json.dumps(ghost[4:])})")


def test_tab_stays_the_pages_own_where_it_uses_the_key(browser, editor):
    editor("quill")
    browser.tab.type(START)
    browser.until_ghost()
    browser.tab.press("Tab")
    browser.tab.until(f"model() === {json.dumps(START + chr(9))}")
    browser.until_shown(lambda ghost, words: not ghost and not words)


# --- where nothing is asked ---

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


def test_nothing_is_asked_in_fields_that_are_for_no_prose(browser):
    browser.open(NEVER)
    tab = browser.tab
    before = len(browser.room.asked("suggest"))
    for place in range(tab.js("document.querySelectorAll('.never').length")):
        tab.js(f"document.querySelectorAll('.never')[{place}].focus()")
        tab.type("the teal 1")
    tab.js("field.focus()")
    tab.type(START)
    browser.until_ghost()
    assert len(browser.room.asked("suggest")) - before <= len(START)


@pytest.mark.parametrize("host", ["other.test", "bank.test"])
def test_nothing_is_asked_on_a_site_that_is_off_or_a_banks(browser, host):
    tab, before = browser.tab, browser.room.asked("suggest")
    browser.popup(browser.url("/", "", host))
    assert tab.js("document.querySelector('#here').hidden") is (host == "bank.test")
    state = len(browser.room.asked("state"))
    browser.open(FIELDS["textarea"], host=host)
    tab.type(START)
    browser.until_value(START)
    browser.popup(browser.url("/", "", host))  # it asks the host, after all that came before
    deadline = time.monotonic() + DEADLINE_S
    while len(browser.room.asked("state")) == state:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert browser.room.asked("suggest") == before


def test_nothing_is_asked_in_a_private_window(browser):
    before = browser.room.asked("suggest")
    with browser.private_window(FIELDS["textarea"]) as tab:
        tab.js("field.focus()")
        tab.type(START)
        tab.until(f"field.value === {json.dumps(START)}")
    browser.popup(browser.url("/", ""))
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


def test_what_is_written_is_learned_once_and_only_where_that_is_allowed(browser, service):
    tab, here = browser.tab, browser.url("/", "")
    name = "Plimbora" if isinstance(browser, Chromium) else "Quandrel"
    browser.open(FIELDS["textarea"])
    tab.type(f"Nobody hears of the wobbly {name} here.")
    tab.js("field.blur()")
    browser.switch(here, "learn")
    browser.open('<textarea id="field">Theirs was here before</textarea>')
    tab.js("field.setSelectionRange(field.value.length, field.value.length)")
    tab.press("Enter")
    tab.type(f"We met the merry {name} at the harbour.")
    tab.press("Enter")
    tab.type(f"> the quoted {name} said this")
    tab.js("field.blur()")
    assert until_learned(service, f"We met the merry {name} at the harbour") == 1
    # In a chat, what Enter sends is learned, though the field is empty afterwards.
    browser.open("""<div id="field" contenteditable></div><script>
    field.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); field.textContent = ""; } })
    </script>""")
    tab.type(f"Tomorrow the {name} sails to Vellabry")
    tab.press("Enter")
    tab.until("field.textContent === ''")
    assert until_learned(service, f"Tomorrow the {name} sails to Vellabry") == 1
    browser.switch(here, "suggest")
    for text in (f"wobbly {name}", f"quoted {name}", "Theirs was here"):
        assert learned(service, text) == 0


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
    tab.type(START)
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


@pytest.mark.parametrize(
    "touch", ["overlay.style.opacity = '0'", "overlay.remove()", "document.body.append(overlay)",
              "document.documentElement.style.display = 'none'", "field.style.opacity = '0'"]
)  # fmt: skip
def test_what_its_user_cannot_see_is_not_taken(browser, touch):
    browser.open('<textarea id="field"></textarea><button>next</button>')
    tab = browser.tab
    tab.type(START)
    browser.until_ghost()
    tab.js(f"((overlay) => {{ {touch}; }})(document.querySelector('idiolect-overlay'))")
    tab.press("Tab")
    tab.js("document.documentElement.style.display = ''")
    assert tab.js("field.value") == START


def test_a_page_that_frames_a_field_of_another_site_gets_nothing(browser):
    tab = browser.tab
    inner = browser.url("/inner", PLAIN.format(body='<textarea id="field" autofocus></textarea>'))
    before = browser.room.asked("suggest")
    browser.open(f'<iframe src="{inner}" width="600" height="300"></iframe><p id="field">', host="other.test")
    tab.click("iframe")
    tab.type(START)
    browser.popup(browser.url("/", ""))
    assert browser.room.asked("suggest") == before


def test_a_field_that_is_filled_or_taken_away_in_mid_answer_does_no_harm(browser):
    browser.open('<textarea id="field" wrap="off"></textarea>')  # wrapping 2 MB takes a browser seconds
    tab = browser.tab
    tab.type(START)
    tab.js("void (field.value = `${'x'.repeat(1023)}\\n`.repeat(2 * 2 ** 10) + field.value)")
    tab.js("field.setSelectionRange(field.value.length, field.value.length)")
    tab.type("e")
    tab.until("field.value.endsWith('Zorve')")
    tab.js("void (field.value = '')")
    tab.type("the teal")
    tab.js("field.remove()")
    tab.type("k")
    browser.until_shown(lambda ghost, words: not ghost and not words)
    browser.open(FIELDS["textarea"])
    tab.type(START)
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


@contextlib.contextmanager
def stopped(room):
    room.run("stop")
    try:
        yield
    finally:
        room.run("start")


@contextlib.contextmanager
def locked(room):
    room.run("lock")
    try:
        yield
    finally:
        room.run("unlock")


@contextlib.contextmanager
def paused(room):
    room.run("pause")
    try:
        yield
    finally:
        room.run("resume")


@pytest.mark.parametrize(
    ("state", "advice"),
    [(without_host, "idiolect browser install"), (with_old_host, "update it"), (stopped, "idiolect start"),
     (locked, "idiolect unlock"), (paused, "idiolect resume")],
)  # fmt: skip
def test_where_something_is_missing_a_field_is_as_it_was_and_the_button_says_what_to_do(
    browser, state, advice
):
    tab, room = browser.tab, browser.room
    if isinstance(browser, Firefox) and state in (with_old_host, locked, paused):
        pytest.skip("what the host says of it is the same in both browsers")
    with state(room):
        browser.open(FIELDS["textarea"])
        tab.type(START)
        if state is paused:
            browser.until_ghost()
        else:
            tab.press("Tab")
            tab.until("document.activeElement !== field")
            assert tab.js(VALUE) == START
            assert browser.shown() == ("", [])
        browser.popup(browser.url("/", ""))
        tab.until(f"document.querySelector('#trouble').innerText.includes({json.dumps(advice)})")
    deadline = time.monotonic() + DEADLINE_S
    while browser.popup(browser.url("/", "")) or not tab.js("document.querySelector('#trouble').hidden"):
        assert time.monotonic() < deadline, tab.js("document.body.innerText")
    browser.open(FIELDS["textarea"])
    tab.type(START)
    browser.until_ghost()
