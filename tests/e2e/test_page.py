"""The page of `idiolect open` in a real browser, over the real service with the tiny model."""

import contextlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib import resources

import httpx
import pytest

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import keys
from idiolect.daemon.storage.store import Store

MAIN = "from idiolect.daemon.commandline.cli import main; main()"
SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
READY = "document.querySelector('main:not([hidden]) #words tr') !== null"


def value(tab):
    return tab.js("document.querySelector('#text').value")


def offered(word):
    return f"document.querySelector('#offers .word').innerText === {json.dumps(word)}"


def ghost(tab):
    return tab.js("document.querySelector('#mirror span').textContent")


class Profile:
    """A profile that is served, and its command line and endpoint."""

    def __init__(self, home):
        self.home, self.settings = home, Settings(home=home)

    def run(self, *arguments, **environment):
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            env={**os.environ, "IDIOLECT_HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def ask(self, path, body=None):
        url, token = process.find(self.settings).url, process.read_token(self.settings)
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        ) as http:
            answer = http.get(path) if body is None else http.post(path, json=body)
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def profile(tiny, tmp_path_factory, make_lora):
    """A profile with two adapters, of which the second serves."""
    home = tmp_path_factory.mktemp("home") / "profile"
    home.mkdir()
    gguf = json.dumps(str(tiny.folder.parent / "tiny.gguf"))
    (home / "config.toml").write_text(f"keyring = false\nauto_train = false\nbase = {gguf}\n")
    (home / "base").symlink_to(tiny.folder.parent)
    profile = Profile(home)
    settings = profile.settings.prepare()
    with contextlib.closing(Store.open(settings.store_path, keys.obtain(settings).hex)) as store:
        for parent, reason in ((None, "it predicts better"), (1, "it predicts better still")):
            store.publish(
                store.rounds.begin(parent),
                blob=make_lora(tiny.config).to_bytes(),
                rank=4,
                parent=parent,
                seen=(),
                status="active",
                reason=reason,
                metrics={"base_sha256": tiny.source_sha256},
                tokens_per_s=None,
                seconds=None,
            )
    profile.run("start")
    yield profile
    profile.run("stop")


@pytest.fixture
def page(tab, profile):
    """The page, opened by a fresh link, over a service that knows a sentence, learns, and serves adapter 2."""
    profile.ask("/v1/resume", {})
    profile.ask("/v1/use", {"adapter": 2})
    profile.ask("/v1/forget", {"source": "test"})
    for _ in range(12):  # each at another time: what was forgotten is not taken in again
        now = datetime.now(UTC).isoformat()
        assert profile.ask("/v1/history", {"text": SENTENCE, "source": "test", "at": now})["stored"]
    tab.problems.clear()
    tab.look()
    tab.go(profile.ask("/v1/open", {})["url"])
    tab.until(READY)
    yield tab
    assert tab.problems == []


# --- the playground ---


def test_one_sees_words_and_takes_them_and_nothing_is_learned(page, profile):
    before = profile.ask("/v1/status")
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.until("document.querySelector('#offers .part').textContent === 'from memory'")
    steps = page.js(
        "[...document.querySelectorAll('#offers li')[0].querySelectorAll('dt')].map((e) => e.innerText)"
    )
    assert steps == ["base", "+ adapter", "+ memory"]
    page.press("1", "Alt")
    assert value(page) == "the teal lighthouse keeper Zorvelin "
    page.type(".")
    assert value(page) == "the teal lighthouse keeper Zorvelin."
    page.press("Enter")
    page.js("fetch('/healthz').then((answer) => answer.ok)")
    after = profile.ask("/v1/status")
    assert (after["entries"], after["savings"]) == (before["entries"], before["savings"])


def test_grey_text_is_taken_whole_by_word_or_hidden(page):
    page.type("the teal lighthouse keeper Zor")
    page.until("document.querySelector('#mirror span').textContent.includes(' ')")
    whole = ghost(page)
    rest = " ".join(whole.split()[1:])
    page.press("ArrowRight", "Control")
    assert value(page) == "the teal lighthouse keeper Zor" + whole.split()[0]
    page.until(f"document.querySelector('#spoken').textContent.endsWith({json.dumps(rest)})")
    assert ghost(page) == f" {rest}"
    page.press("Escape")
    assert ghost(page) == ""
    page.press("Tab")
    assert page.js("document.activeElement.id") != "text"
    page.js("document.querySelector('#text').focus()")
    page.type(" hums qui")
    page.until("document.querySelector('#mirror span').textContent.length")
    left = ghost(page)
    page.press("Tab")
    assert value(page) == f"the teal lighthouse keeper Zor{whole.split()[0]} hums qui{left}"
    page.until("document.querySelector('#spoken').textContent.length")


def test_what_is_typed_is_learned_where_the_switch_says_so(page, profile):
    before = profile.ask("/v1/status")
    page.type("not this line\r")
    page.js("document.querySelector('#learn').focus()")
    page.press(" ")
    page.js("document.querySelector('#text').focus()")
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.press("1", "Alt")
    page.type("waves\r")
    page.until("document.querySelector('#said').innerText === 'Learned.'")
    after = profile.ask("/v1/status")
    assert after["entries"] == before["entries"] + 1
    assert after["sources"]["playground"] == 1
    assert after["savings"]["characters"] == len("elin ")
    page.js("document.querySelector('#days').dispatchEvent(new Event('change'))")
    page.until("document.querySelector('#plot .words') !== null")
    profile.ask("/v1/forget", {"source": "playground"})


# --- steering ---


def test_learning_is_paused_and_resumed_from_the_keyboard(page, profile):
    page.js("document.querySelector('#text').focus()")
    for _ in range(20):
        page.press("Tab", "Shift")
        if page.js("document.activeElement.id") == "pause-button":
            break
    page.press("Enter")
    page.until(
        "document.querySelector('#state').innerText.replace(/\\s+/g, ' ') === 'Paused 30 minutes left'"
    )
    assert profile.ask("/v1/status")["paused_for_s"] == pytest.approx(1800, abs=60)
    page.press("Enter")
    page.until("document.querySelector('#state').innerText.startsWith('Learning')")
    assert not profile.ask("/v1/status")["paused"]


def test_one_rolls_back(page, profile):
    page.js("document.querySelector('[aria-label=\"Serve adapter 1\"]').click()")
    page.until("document.querySelector('#said').innerText === 'Adapter 1 serves now.'")
    assert profile.ask("/v1/status")["adapter"] == 1
    page.js("document.querySelector('[aria-label=\"Roll back to the base model alone\"]').click()")
    page.until("document.querySelector('#said').innerText === 'The base model alone serves now.'")
    assert profile.ask("/v1/status")["adapter"] is None
    page.until("document.querySelector('#adapters').innerText.includes('it predicts better still')")


def test_what_was_learned_is_searched_and_forgotten(page, profile):
    page.js("document.querySelector('#contains').focus()")
    page.type("Zorv")
    page.until(
        "document.querySelectorAll('#words tr').length && !document.querySelector('#forget-text').disabled"
    )
    page.until("[...document.querySelectorAll('#words th')].every((word) => word.innerText.includes('Zorv'))")
    for press, left in (("Escape", 12), ("Enter", 0)):
        page.js("document.querySelector('#forget-text').focus()")
        page.press("Enter")
        page.until("document.querySelector('#ask').open")
        assert "12 entries" in page.text("#ask-text")
        if press == "Enter":
            assert page.js("document.querySelector('#ask-yes').disabled")  # it is more than a tenth of all
            page.js("document.querySelector('#ask-number').focus()")
            page.type("11")
            page.press(press)
            assert page.js("document.querySelector('#ask').open")
            page.press("Backspace")
            page.type("2")
        page.press(press)
        page.until("!document.querySelector('#ask').open")
        if press == "Enter":
            page.until(
                "/Forgotten: 12 entries. Receipt \\d+/.test(document.querySelector('#said').innerText)"
            )
        assert profile.ask("/v1/status")["entries"] == left
    page.until("document.querySelectorAll('#words tr').length === 0")


def test_what_is_nearly_the_same_is_offered_after_forgetting(page, profile):
    for text in (
        "a zanthilfeather here",
        "two zanthilfeathers there",
        *(f"other text {n}" for n in range(9)),
    ):
        assert profile.ask("/v1/history", {"text": text, "source": "near"})["stored"]
    held = profile.ask("/v1/status")["entries"]
    page.js("document.querySelector('#contains').focus()")
    page.type("a zanthilfeather")
    page.until("!document.querySelector('#forget-text').disabled")
    page.js("document.querySelector('#forget-text').click()")
    page.until("document.querySelector('#ask').open")
    page.js("document.querySelector('#ask-yes').click()")
    page.until("document.querySelector('#ask-text').innerText.includes('“zanthilfeathers” (1 entry)')")
    assert profile.ask("/v1/status")["entries"] == held - 1
    page.js("document.querySelector('#said').textContent = ''; document.querySelector('#ask-yes').click()")
    page.until("document.querySelector('#said').innerText.startsWith('Forgotten: 1 entry.')")
    page.until("!document.querySelector('#ask').open")
    assert profile.ask("/v1/status")["entries"] == held - 2
    profile.ask("/v1/forget", {"source": "near"})


def test_rules_and_sources_are_shown_and_changed(page, profile, tmp_path):
    (tmp_path / "notes.txt").write_text("a note of mine about herons\n")
    profile.run("add", str(tmp_path / "notes.txt"))
    page.js("document.querySelector('#rule-app').focus()")
    page.type("*chat*")
    page.press("Enter")
    page.until(
        "document.querySelector('#rule-rows').innerText.includes('*chat* suggests and learns nothing')"
    )
    assert profile.ask("/v1/apps")["rules"][-1]["app"]
    page.js("document.querySelector('#undo').click()")
    page.until("!document.querySelector('#rule-rows').innerText.includes('*chat*')")
    page.js("location.reload()")
    page.until("document.querySelector('#source-rows button') !== null")
    page.js("document.querySelector('#source-rows button').click()")
    page.until("document.querySelector('#ask').open")
    page.js("document.querySelector('#ask-yes').click()")
    page.until("document.querySelector('#source-rows').children.length === 0")
    assert profile.ask("/v1/sources")["sources"] == []


def test_the_command_prints_a_link_and_opens_it(page, profile, tmp_path):
    page.go(json.loads(profile.run("open", "--json"))["url"])
    page.until(READY)
    page.go(profile.run("open", "--no-browser").strip())
    page.until(READY)
    opener = tmp_path / "browser"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/link\n')
    opener.chmod(0o700)
    assert "http" not in profile.run("open", BROWSER=f"{opener} %s")
    page.go((tmp_path / "link").read_text())
    page.until(READY)


# --- for everyone ---


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_axe_finds_nothing(page, dark, width):
    axe = resources.files("axe_core_python") / "axe.min.js"
    page.look(dark=dark, width=width)
    page.type("the teal lighthouse keeper Zor")
    page.until("document.querySelectorAll('#offers .part:not(:empty)').length === 4")
    page.js("for (const details of document.querySelectorAll('details')) details.open = true")
    wide = "[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth)"
    inside = ".filter((one) => !one.closest('.scroll')).map((one) => one.outerHTML)"
    assert page.js(f"document.documentElement.scrollWidth > innerWidth && {wide}{inside}") is False
    paper = page.js("getComputedStyle(document.querySelector('section')).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 200) is dark
    page.js(axe.read_text("utf-8") + "; true")
    found = page.js("axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes[0].html]))")
    assert found == []


def test_without_a_session_it_says_how_to_get_one(page):
    page.send("Network.clearBrowserCookies")
    page.send("Page.reload")
    page.until("document.querySelector('#gone')?.innerText.includes('idiolect open')")
    assert page.js("document.querySelector('main').hidden")
    assert all("401" in problem for problem in page.problems)  # the browser notes the refusal
    page.problems.clear()
