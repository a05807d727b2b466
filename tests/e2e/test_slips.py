"""Common slips of English typists, typed into real programs with the real model: how many are mended.

The pairs are from Wikipedia, "Lists of common misspellings/For machines" and "Commonly misspelled English words".
"""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
import time

import desktop as session
import pytest
from browsers import EDITOR, FIELDS, Chromium, Room, Site, fetched
from program import Program

PAIRS = """
accomodate>accommodate acheive>achieve arguement>argument becuase>because beleive>believe buisness>business
definately>definitely dissapear>disappear embarass>embarrass enviroment>environment foriegn>foreign
freind>friend goverment>government immediatly>immediately independant>independent neccessary>necessary
occured>occurred publically>publicly recieve>receive seperate>separate suprise>surprise thier>their
tommorow>tomorrow untill>until wich>which teh>the adn>and hte>the
"""
SLIPS = dict(pair.split(">") for pair in PAIRS.split())
FRAME = "so {} then"
#: Milliseconds from one key to the next; None: what follows a slip waits for the answer to it.
DELAYS_MS = (None, 15)
#: Of 100 slips, that are mended at least where each answer is awaited; faster than answers come, none need be.
LEAST_MENDED = 60


def text_of(slips):
    """A phrase with each slip, seven on a line."""
    return "".join(
        f"{' ' if place % 7 else chr(10)}{FRAME.format(slip)}" for place, slip in enumerate(slips)
    )[1:]


def parts_of(text, delay_ms):
    """The parts of a text after which an answer is awaited: each slip with the space behind it, and the rest."""
    return re.findall(rf".*?\b(?:{'|'.join(SLIPS)}) |.+\Z", text, re.DOTALL) if delay_ms is None else [text]


@pytest.fixture(scope="module")
def profile(base_dir, tmp_path_factory):
    """A fresh profile that mends sure slips, and its service."""
    profile = Program(tmp_path_factory.mktemp("service") / "profile", base_dir)
    profile.run("start")
    profile.post("/v1/switches", corrections="apply").raise_for_status()
    yield profile
    profile.run("stop")


def count(text, record_property, name, slips=SLIPS):
    """How many slips were mended; all else must stand as it was typed."""
    words = r"\s+".join(FRAME.format(f"({typed}|{meant})") for typed, meant in slips.items())
    found = re.fullmatch(rf"(?:q\s+)?{words}\s*", text)
    assert found, text
    mended = sum(word != typed for word, typed in zip(found.groups(), slips, strict=True))
    record_property(name, f"{mended} of {len(slips)} mended")
    return mended


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_slips_are_mended_in_a_text_editor_and_nothing_else_is_changed(
    profile, needs_program, tmp_path, record_property, delay_ms
):
    program = needs_program("mousepad", "mousepad")
    for name in ("Xvfb", "xdotool", "openbox", "ibus-daemon", "dbus-daemon"):
        needs_program(name, name)
    text = tmp_path / "text.txt"
    text.write_text("")
    with contextlib.closing(session.Desktop(tmp_path, profile.home)) as desktop:
        command = [program, "--disable-server", str(text)]
        with contextlib.closing(session.Editor(desktop, "mousepad", command, session.saved(text))) as editor:
            for part in parts_of(text_of(SLIPS), delay_ms):
                desktop.type(part, delay_ms=delay_ms or min(filter(None, DELAYS_MS)))
                desktop.rest()
            session.wait_for(lambda: editor.text.endswith("then"), lambda: editor.text)  # it is saved
            mended = count(editor.text, record_property, f"mousepad, {delay_ms} ms a key")
    assert delay_ms or mended >= LEAST_MENDED / 100 * len(SLIPS), mended


@pytest.fixture(scope="module")
def browser(profile, new_tab, needs_program, tmp_path_factory):
    """A browser with the extension, and the pages of a text area and of ProseMirror."""
    folder = tmp_path_factory.mktemp("room")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def url(path, html, host="notes.test"):
        Site.pages[path] = html
        return f"http://{host}:{server.server_port}{path}"

    more = ("--enable-unsafe-extension-debugging", "--host-resolver-rules=MAP *.test 127.0.0.1")
    with server, contextlib.ExitStack() as ended:
        ended.callback(server.shutdown)
        room = Room(folder, profile)
        tab = ended.enter_context(new_tab(folder / "config" / "chromium", more, room.environment))
        browser = Chromium(tab, room, url)
        browser.switch(url("/", ""), "suggest")
        yield browser


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("kind", ["textarea", "prosemirror"])
def test_slips_are_mended_in_a_web_page_and_nothing_else_is_changed(
    browser, needs_program, record_property, kind, delay_ms
):
    slips, page = SLIPS, FIELDS.get(kind)
    if page is None:
        slips = dict(list(SLIPS.items())[-5:])
        script = (fetched(needs_program) / "bundled" / f"{kind}.js").read_text()
        page = EDITOR.format(src=browser.url(f"/{kind}.js", script))
    browser.open(page)
    browser.tab.until("!!globalThis.field")
    browser.tab.js("field.focus()")
    browser.write_noticed("q ")
    for part in parts_of(text_of(slips), delay_ms):
        for letter in part:
            browser.tab.press("Enter" if letter == "\n" else letter)
            time.sleep((delay_ms or 0) / 1000)  # as fast as a hand types, whatever the machine does
        browser.after_answers()
    text = browser.tab.js("globalThis.model?.() ?? field.value")
    mended = count(text, record_property, f"{kind}, {delay_ms} ms a key", slips)
    assert delay_ms or mended >= LEAST_MENDED / 100 * len(slips), mended
