"""Takes the picture of the extension, `browser-chromium.png`: an editor in Chromium.

`python docs/browser_screenshots.py` starts the real service with a throw-away profile and the real base model, and
drives Chromium as the tests do. The editor is the one that the tests have fetched to `.cache/editors`.
"""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image

from idiolect.daemon.runtime import process

# Where the browsers are driven.
sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("tests/e2e", "tests"))

import browsers
import conftest

ROOT = Path(__file__).resolve().parents[1]
KNOWN = "Thank you for the minutes of the meeting. I will send the figures on Monday morning."
LINES = ("Good morning,", "thank you for the agenda. I will send the fi")
PAGE = """<!doctype html><meta charset="utf-8"><title>An editor</title><link rel="icon" href="data:,">
<style>body {{ margin: 24px; font: 17px/1.5 serif }} .ProseMirror, .ql-editor {{ outline: 0 }}
#place {{ width: 560px; min-height: 128px; padding: 4px 16px; border: 1px solid #999; border-radius: 6px }}
p {{ margin: 8px 0 }}</style><div id="place"></div><script src="{name}.js"></script>"""
SIZE = (660, 200)


def take(folder: Path) -> None:
    """Serve a profile and a page in `folder`, and take the picture of an editor."""
    home = folder / "profile"
    home.mkdir()
    (home / "config.toml").write_text("keyring = false\nauto_train = false\n", "utf-8")
    (home / "base").symlink_to((ROOT / ".cache" / "base").resolve())
    service = conftest.Service(home)
    service.settings.prepare()
    server = _pages(folder / "site")
    process.start(service.settings)
    try:
        for _ in range(5):
            service.ask("/v1/history", text=KNOWN, source="pictures")
        room = browsers.Room(folder, service)
        _picture(room, f"http://notes.test:{server.server_port}/")
    finally:
        server.shutdown()
        process.stop(service.settings)


def _pages(site: Path) -> http.server.ThreadingHTTPServer:
    shutil.copytree(ROOT / ".cache" / "editors" / "bundled", site)
    (site / "tiptap.html").write_text(PAGE.format(name="tiptap"), "utf-8")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _picture(room: browsers.Room, site: str) -> None:
    folder = room.folder / "config" / "chromium"
    more = ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1")
    tab = conftest.Tab(shutil.which("chromium"), folder, more, room.environment)
    try:
        browser = browsers.Chromium(tab, room, lambda *_: site)
        browser.switch(site, "suggest")
        tab.go(f"{site}tiptap.html")
        tab.until("!!globalThis.field && document.readyState === 'complete'")
        tab.js("globalThis.field.focus()")
        with browser.noticed():
            tab.type(LINES[0])
        tab.press("Enter")
        tab.type(LINES[1])
        # The last character anew where a busy service passed a ghost over.
        again = functools.partial(tab.type, LINES[1][-1])
        browser.until_shown(
            lambda ghost, words: ghost and len(words) > 1, lambda: (tab.press("Backspace"), again())
        )
        path = ROOT / "docs" / "browser-chromium.png"
        Image.open(io.BytesIO(tab.picture())).convert("RGB").crop((0, 0, *SIZE)).save(path, optimize=True)
        sys.stdout.write(f"{path}\n")
    finally:
        tab.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        take(Path(own))
