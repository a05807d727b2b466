"""What the extension costs in Chromium: from a key to the words, the script that it adds to a key, a page of no fields.

    python tests/bench/browser.py [--keys 200] [--rounds 3]

The service is the real one with the real base model, fetched to `.cache/base`. Prints a table, and JSON at its end.
"""

import argparse
import contextlib
import functools
import http.server
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import ROOT, served

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from conftest import Tab

KEY_S = 0.1
MODES = ("off", "suggest", "learn")
TO_THE_END = """(field.focus(), "value" in field ? field.setSelectionRange(field.value.length, field.value.length)
  : getSelection().collapse(field.lastChild.firstChild, field.lastChild.textContent.length))"""
TEXT = "Thank you for the minutes of the meeting. I will send the figures on Monday, and we can talk about them then. "
LONG_CHARS = 50_000
PAGES = {
    "short": '<textarea id="field" rows="20" cols="80"></textarea>',
    "long": '<textarea id="field" rows="20" cols="80"></textarea><script>field.value = LONG</script>',
    "rich": '<div id="field" contenteditable></div><script>field.append(...LONG.split("\\n").map((line) => { '
    'const one = document.createElement("p"); one.textContent = line || "."; return one; }))</script>',
    "none": "<h1>Nothing to write in</h1>" + "<p>A paragraph.</p>" * 500,
}
#: In the extension's own world: when a key was pressed, and when what came of it was drawn.
WATCH = """
globalThis.waits = []; let at = 0;
window.addEventListener("keydown", (e) => { at = e.timeStamp; }, true);
const show = idiolect.overlay.show;
idiolect.overlay.show = (...given) => {
  const shown = show(...given);
  if (at && given[1].length > 0) waits.push(performance.now() - at), (at = 0);
  return shown;
};
"""


class Watched(Tab):
    """A tab that also knows the worlds of extensions in its page."""

    def __init__(self, *given):
        self.worlds = []
        super().__init__(*given)

    def _take(self, told):
        if told.get("method") == "Runtime.executionContextCreated":
            self.worlds.append(told["params"]["context"])
        super()._take(told)

    def inside(self, expression):
        """The value of an expression in the extension's world."""
        [*_, world] = [one for one in self.worlds if one["name"] == "idiolect"]
        told = self.send("Runtime.evaluate", expression=expression, contextId=world["id"], returnByValue=True)
        return told["result"].get("value")

    def spent(self):
        """Milliseconds of the processor that the page has spent so far, by kind."""
        names = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")
        found = {one["name"]: one["value"] for one in self.send("Performance.getMetrics")["metrics"]}
        return {name: 1000 * found[name] for name in names}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the pages, without a word."""

    def log_message(self, *_):
        pass


def typed(tab, text):
    """Type at ten keys a second; what the page spent in it, per key, in ms."""
    before, due = tab.spent(), time.monotonic()
    for key in text:
        tab.press(key)
        due += KEY_S
        time.sleep(max(0.0, due - time.monotonic()))
    after = tab.spent()
    return {name: (after[name] - before[name]) / len(text) for name in before}


def percentiles(waits):
    ordered = sorted(waits)
    p95 = ordered[int(0.95 * len(ordered))]
    return {"answers": len(ordered), "p50_ms": round(statistics.median(ordered), 1), "p95_ms": round(p95, 1)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--keys", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    keys, rounds = asked.keys, asked.rounds
    text = (TEXT * (keys // len(TEXT) + 1))[:keys]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ends:
        home = Path(folder)
        program = ends.enter_context(served(home / "profile"))
        program.run("switch", "show", "more")
        program.env |= {"HOME": folder, "XDG_CONFIG_HOME": f"{folder}/config"}
        (home / "config" / "chromium").mkdir(parents=True)
        program.run("setup", "browser", "--yes", "--into", home / "built")
        manifest = home / "built" / "extension" / "manifest.json"
        manifest.write_text(
            json.dumps({**json.loads(manifest.read_text()), "host_permissions": ["*://*.test/*"]})
        )
        (home / "site").mkdir()
        for name, body in PAGES.items():
            line = "<!doctype html><meta charset=utf-8><script>var LONG = "
            line += json.dumps((TEXT * 5 + "\n") * (LONG_CHARS // len(TEXT * 5 + "\n") + 1))
            (home / "site" / f"{name}.html").write_text(f"{line}</script>{body}")
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=home / "site")
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ends.callback(server.shutdown)
        more = ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1")
        tab = Watched(shutil.which("chromium"), home / "config" / "chromium", more, program.env)
        ends.callback(tab.close)
        with tab.whole():
            found = tab.send("Extensions.loadUnpacked", path=str(manifest.parent))
        tab.send("Performance.enable", timeDomain="threadTicks")  # processor time, whatever else runs
        print(
            json.dumps(
                measure(tab, f"chrome-extension://{found['id']}", server.server_port, text, rounds), indent=2
            )
        )


def measure(tab, origin, port, text, rounds):
    """Each page with the extension off, suggesting, and learning, in turn, several times; of each figure the median."""
    page = f"http://notes.test:{port}/"
    rows = {(name, mode): [] for name in PAGES for mode in MODES}
    waits = []
    for _ in range(rounds):
        for mode in MODES:
            tab.go(f"{origin}/popup.html?url={page}")
            tab.until("document.body?.dataset.ready !== undefined")
            tab.click(f"[value={mode}]")
            tab.until(f"document.body.dataset.ready === '{mode}'")
            for name in PAGES:
                opened(tab, f"{page}{name}.html")
                if name == "none":
                    loaded = tab.spent()  # it began with the page
                    rows[name, mode].append(loaded)
                    continue
                tab.js(TO_THE_END)
                tab.type("So ")  # the host starts
                time.sleep(1)
                if mode == "suggest" and name == "short":
                    tab.inside(WATCH)
                rows[name, mode].append(typed(tab, text))
                if mode == "suggest" and name == "short":
                    waits += tab.inside("waits")
    told = {"from a key to the words": percentiles(waits)}
    print(
        "from a key to the words: p50 {p50_ms} ms, p95 {p95_ms} ms".format(**told["from a key to the words"])
    )
    for name in PAGES:
        middle = {
            mode: {
                kind: statistics.median(one[kind] for one in rows[name, mode]) for kind in rows[name, mode][0]
            }
            for mode in MODES
        }
        told[name] = {mode: {kind: round(ms, 2) for kind, ms in of.items()} for mode, of in middle.items()}
        for on in MODES[1:]:
            added = {kind: round(middle[on][kind] - middle["off"][kind], 2) for kind in middle["off"]}
            told[name][f"added by {on}"] = added
            print(f"{name}, {on}: added, ms {'at its loading' if name == 'none' else 'a key'}: {added}")
    return told


def opened(tab, url):
    tab.go("about:blank")
    tab.until("location.href === 'about:blank'")
    tab.go(url)
    tab.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")
    time.sleep(0.3)


if __name__ == "__main__":
    main()
