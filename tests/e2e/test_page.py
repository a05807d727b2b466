"""The page of `idiolect open` in a real browser, over the real service with the tiny model."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from importlib import resources
from pathlib import Path

import httpx
import pytest
from program import IDIOLECT, Program
from publishing import publish
from sharing import Device
from shop import make_shop
from waiting import until

from idiolect.daemon.runtime import process
from idiolect.daemon.session.key_table import USUAL
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key

SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
SENTENCES = 12  # so often it was written
KEY_S = 0.24  # between two keys of somebody who types as most do
READ_S = 0.2  # more than the 150 ms before which nobody has read grey text
READY = "document.querySelector('main:not([hidden]) #words tr') !== null"


def value(tab):
    return tab.js("document.querySelector('#text').value")


def offered(word):
    """That this is the first word on offer, for all that is typed by now."""
    there = f"document.querySelector('#offers .word').innerText.trim() === {json.dumps(word)}"
    return f"document.querySelector('#offers').ariaBusy !== 'true' && {there}"


def in_any_capitals(offered):
    return offered.replace(".trim()", ".trim().toLowerCase()")


def ghost(tab):
    return tab.js("document.querySelector('#mirror span').textContent")


def until_read(tab):
    """The grey text, once no more of it is to come and one has had the time to read it."""
    grey = "document.querySelector('#mirror span').textContent"
    tab.until(f"document.querySelector('#offers').ariaBusy !== 'true' && {grey}")
    time.sleep(READ_S)
    return ghost(tab)


class Profile(Program):
    """A profile that is served, and its command line and endpoint."""

    def ask(self, path, body=None):
        with self.client() as http:
            answer = http.get(path) if body is None else http.post(path, json=body)
        return json.loads(answer.raise_for_status().text.splitlines()[-1])  # of events the last


@pytest.fixture(scope="module")
def profile(tiny, tmp_path_factory, make_lora, trust_memory):
    """A profile with two adapters, of which the second serves."""
    profile = Profile(tmp_path_factory.mktemp("home") / "profile", tiny.folder.parent)
    settings = profile.settings.prepare()
    with contextlib.closing(Store.open(settings.store_path, store_key.obtain(settings).hex)) as store:
        for parent, reason, perplexity in (
            (None, "it predicts better", 36),
            (1, "it predicts better still", 32),
        ):
            publish(
                store,
                blob=make_lora(tiny.config).to_bytes(),
                parent=parent,
                reason=reason,
                metrics={
                    "base_sha256": tiny.source_sha256,
                    "memory": {"perplexity": 40},
                    "both": {"perplexity": perplexity},
                },
            )
    trust_memory(settings, 2)
    user = tmp_path_factory.mktemp("user")
    (user / "notes").mkdir()
    for number in range(3):
        (user / "notes" / f"{number}.md").write_text("Some words of mine.\n")
    profile.env["HOME"] = str(user)
    profile.run("start")
    profile.ask("/v1/switches", {"speed": 30})  # grey text saves time of who types so slowly
    yield profile
    profile.run("stop")


@pytest.fixture
def page(tab, profile):
    """The page, opened by a fresh link, over a service that knows a sentence, learns, and serves adapter 2."""
    profile.ask("/v1/resume", {})
    profile.ask("/v1/use", {"adapter": 2})
    known = profile.ask("/v1/forget", {"source": "test", "dry_run": True})["entries"]
    for _ in range(SENTENCES - known):
        said = profile.ask("/v1/history", {"text": SENTENCE, "source": "test"})
        assert said["stored"], said
    tab.problems.clear()
    tab.look()
    tab.go(profile.ask("/v1/open", {})["url"])
    tab.until(READY)
    yield tab
    assert tab.problems == []


def look_anew(page):
    """Have the page look now at how things stand, as it does where its tab comes to the front, and else each 5 s."""
    page.js("void document.dispatchEvent(new Event('visibilitychange'))")


# --- the playground ---


def test_one_sees_words_and_takes_them_and_nothing_is_learned(page, profile):
    before = profile.ask("/v1/status")
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.press("1", "Alt")
    assert value(page) == "the teal lighthouse keeper Zorvelin "
    page.press("z", "Control")
    assert value(page) == "the teal lighthouse keeper Zorv"
    page.until(offered("Zorvelin"))
    page.press("1", "Alt")
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
    page.press("Tab")  # where no grey text stands it leaves the field
    assert page.js("document.activeElement.id") != "text"
    page.js("document.querySelector('#text').focus()")
    page.type(" hums qui")
    left = until_read(page)
    page.press("Tab")
    assert value(page) == f"the teal lighthouse keeper Zor{whole.split()[0]} hums qui{left}"
    page.until("document.querySelector('#spoken').textContent.length")


def test_where_nothing_is_suggested_the_page_says_why(page):
    page.type("x" * 80)
    page.until("document.querySelector('#nothing').textContent.startsWith('Nothing is suggested: ')")
    page.type(" ")
    page.until("document.querySelector('#nothing').textContent === ''")


def set_speed(page, words):
    """Put a number into the field of words a minute, or nothing."""
    page.js(f"""void ((speed) => {{
      speed.value = {json.dumps(words)};
      speed.dispatchEvent(new Event("change"));
    }})(document.querySelector("#switch-speed"))""")


def test_the_page_says_how_fast_its_user_types(page, profile):
    set_speed(page, "")
    until(lambda: profile.ask("/v1/switches")["speed"] == 0)
    profile.tell_speed([80] * 99 + [1400] * 101)  # so that a few more say which of both it is
    before = profile.ask("/v1/status")["key_ms"]
    began_s = time.time()
    for place, letter in enumerate("we sailed along the quiet harbour"):
        page.press(letter, at_s=began_s + KEY_S * place)
    until(lambda: profile.ask("/v1/status")["key_ms"] < before)

    def is_said():  # of what a busy machine is told late, too
        look_anew(page)
        speed = round(12_000 / profile.ask("/v1/status")["key_ms"])
        said = page.js("document.querySelector('#speed:not([hidden])')?.textContent")
        return (said or "").startswith(f"You type about {speed} words a minute")

    until(is_said)
    set_speed(page, "30")
    until(lambda: profile.ask("/v1/status")["key_ms"] == 400)


def test_what_is_typed_is_learned_where_the_switch_says_so(page, profile):
    before = profile.ask("/v1/status")
    page.type("not this line\r")
    page.js("document.querySelector('#learn').focus()")
    page.press(" ")
    page.until("document.querySelector('#learn-sure').open")
    page.js("document.querySelector('#learn-yes').focus()")
    page.press("Enter")
    page.until("document.querySelector('#learn').checked && !document.querySelector('#learn-sure').open")
    page.js("document.querySelector('#text').focus()")
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.press("1", "Alt")
    page.type("waves\r")
    page.until("document.querySelector('#said').innerText === 'Learned.'")
    after = profile.ask("/v1/status")
    assert after["entries"] == before["entries"] + 1
    assert after["sources"]["page"] == 1
    assert after["savings"]["characters"] == len("elin ")
    page.until("document.querySelector('#plot .words') !== null")  # without a reload
    profile.ask("/v1/forget", {"source": "page"})


def rush(page, keys):
    """Send keys 10 ms apart, as a fast hand does, without waiting for what the page makes of each."""
    for number, key in enumerate(keys):
        due = time.monotonic() + 0.01
        page.press(*(key if isinstance(key, tuple) else (key,)))
        if number < len(keys) - 1:
            time.sleep(max(0.0, due - time.monotonic()))


def test_tab_takes_only_grey_text_that_could_be_read(page):
    page.type("the teal lighthouse keeper Zor")
    page.until("document.querySelector('#mirror span').textContent.length")
    shown = ghost(page)
    # The letter goes on with the grey text, so that this stands there at once; nobody has read it when Tab is pressed.
    page.js("""((text) => {
      text.dispatchEvent(new KeyboardEvent("keydown", { key: "v", code: "KeyV", bubbles: true }));
      document.execCommand("insertText", false, "v");
      window.left = text.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab", code: "Tab", cancelable: true }));
    })(document.querySelector("#text"))""")
    assert page.js("window.left")  # not prevented: the browser's own Tab, which leaves the field
    assert value(page) == "the teal lighthouse keeper Zorv"
    grown = until_read(page)  # further words may have come behind it
    assert f"v{grown}".startswith(shown)
    page.press("Tab")
    assert value(page) == f"the teal lighthouse keeper Zorv{grown}"
    assert page.js("document.activeElement.id") == "text"


def test_alt_and_a_digit_does_nothing_right_after_words_closed_and_is_the_browsers_later(page):
    press = """(digit) => document.querySelector("#text").dispatchEvent(new KeyboardEvent("keydown",
      { key: digit, code: `Digit${digit}`, altKey: true, bubbles: true, cancelable: true }))"""
    assert page.js(f"({press})('1')")  # nothing was offered: it is the browser's
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.js("document.querySelector('#text').setSelectionRange(0, 3)")  # a selection: the words close
    page.until("document.querySelectorAll('#offers li:not([hidden])').length === 0")
    page.js("window.wordsClosed = performance.now()")
    assert not page.js(f"performance.now() - window.wordsClosed < 800 && ({press})('1')")
    assert value(page) == "the teal lighthouse keeper Zorv"
    page.until("performance.now() - window.wordsClosed > 1200")
    assert page.js(f"({press})('1')")


def test_no_mistyped_key_switches_learning_on(page, profile):
    before = profile.ask("/v1/status")["entries"]
    page.js("document.querySelector('#text').focus()")
    rush(page, ["x", "q", "Tab", " ", "Tab", "Tab", " ", "y", " ", "Enter", "z"])
    assert value(page).startswith("xq")
    assert not page.js("document.querySelector('#learn').checked")
    page.js("document.querySelector('#learn-sure').close('no')")
    page.js("document.querySelector('#learn').focus()")  # even there a space and Enter leave it off
    rush(page, [" ", " ", "Enter", "Escape"])
    page.until("!document.querySelector('#learn-sure').open")
    assert not page.js("document.querySelector('#learn').checked")
    assert profile.ask("/v1/status")["entries"] == before


@pytest.mark.parametrize("more", ["ve", "x"])
def test_a_word_that_was_offered_for_another_text_is_not_put_there(page, more):
    page.type("the teal lighthouse keeper Zor")
    page.until(offered("Zorvelin"))
    # No answer comes any more: the words on screen are those for the text before.
    page.js("window.fetch = () => new Promise(() => {})")
    rush(page, [*more, ("1", "Alt")])
    done = "velin "[len(more) :] if "velin".startswith(more) else ""
    assert value(page) == f"the teal lighthouse keeper Zor{more}{done}"


def test_what_is_passed_over_is_told_and_the_savings_move(page, profile):
    page.push("#learn")  # by the keyboard it asks
    page.js("document.querySelector('#learn-sure').close('yes')")
    before = profile.ask("/v1/report?days=1")["savings"]
    page.type("the teal lighthouse keeper Zor")
    page.until("document.querySelector('#mirror span').textContent.length")
    page.type("x")
    page.until("document.querySelector('#tabled').hidden === false")
    after = {}

    def counted():
        after.update(profile.ask("/v1/report?days=1")["savings"])
        return after["dismissed"] != before["dismissed"]

    until(counted)
    assert after["accepted"] == before["accepted"]


def test_a_keyboard_shows_which_keys_slip(page, profile):
    tab = page
    for meant, typed in [("he", "eh")] * 2 + [("e", "w"), ("f ", "f")]:
        assert profile.post("/v1/slip", meant=meant, typed=typed).json() == {"counted": True}
    tab.js("void document.querySelector('#days').dispatchEvent(new Event('change'))")  # so that it asks anew
    tab.until("!document.querySelector('#hand').hidden")
    label = "document.querySelector('#hand-keys svg').getAttribute('aria-label')"
    tab.until(f"{label} === 'Slips by key: e 3, h 2, space 1'")
    rows = tab.js("document.querySelector('#hand-rows').textContent")
    assert rows == "heeh2ew1f␣f1"
    warmth = "[...document.querySelectorAll('#hand-keys .warm')].map((key) => Number(key.getAttribute('fill-opacity')))"
    assert sum(warm > 0 for warm in tab.js(warmth)) == 3


def test_a_word_is_never_suggested_again_and_that_is_undone(page, profile):
    page.type("the teal lighthouse keeper Zorv")
    page.until(offered("Zorvelin"))
    page.push('#words [aria-label="Never suggest Zorvelin"]')
    page.until("document.querySelector('#decided').innerText.includes('Zorvelin is never suggested')")
    page.until("![...document.querySelectorAll('#offers .word')].some((one) => one.innerText === 'Zorvelin')")
    assert [rule["text"] for rule in profile.ask("/v1/words")["rules"]] == ["Zorvelin"]
    page.push("#words-undo")
    page.until("document.querySelector('#decided').children.length === 0")
    page.until(offered("Zorvelin"))
    page.js("document.querySelector('#decide-text').focus()")
    page.type("Zorb")
    page.js("document.querySelector('#decide-kind').value = 'mine'")
    page.press("Enter")
    page.until("document.querySelector('#decided').innerText.includes('Zorb is suggested, however rare')")
    page.push("#decided button")
    page.until("document.querySelector('#decided').children.length === 0")


def test_a_mistyped_word_is_mended_by_one_key_and_one_takes_that_back(page):
    page.type("the teal definat")
    page.until(offered("definitely"))
    page.press("1", "Alt")
    assert value(page) == "the teal definitely "
    page.type("seperate ")
    page.until(offered("seperate → separate"))
    page.press("1", "Alt")
    assert value(page) == "the teal definitely separate "
    page.press("Backspace")
    assert value(page) == "the teal definitely seperate "
    page.type("definately ")
    page.until(in_any_capitals(offered("definately → definitely")))
    page.press("1", "Alt")
    page.press("z", "Control")
    assert value(page) == "the teal definitely seperate definately "
    page.type("recieve")
    page.until(in_any_capitals(offered("receive")))
    rush(page, [" ", ("1", "Alt")])  # the answer to the space is not there yet
    assert value(page).lower() == "the teal definitely seperate definately receive "
    page.press("Backspace")
    assert value(page) == "the teal definitely seperate definately recieve "


def test_a_source_is_read_from_the_page(page, profile, tmp_path):
    (tmp_path / "letters.txt").write_text("a letter of mine about gannets\n")
    page.js("document.querySelector('#source-path').focus()")
    page.type(str(tmp_path / "letters.txt"))
    page.press("Enter")
    page.until("document.querySelector('#source-rows').innerText.includes('letters.txt')")
    profile.ask("/v1/sources/remove", {"path": str(tmp_path / "letters.txt")})


def test_what_there_is_to_read_is_looked_for_and_read(page, profile):
    notes = f"{profile.env['HOME']}/notes"
    page.push("#find")
    page.until(f"document.querySelector('#found')?.innerText.includes({json.dumps(notes)})")
    assert page.text("#found li").startswith(f"Notes\n1 KB in {notes}")
    page.push("#found button")
    page.until(f"document.querySelector('#source-rows').innerText.includes({json.dumps(notes)})")
    page.until("document.querySelector('#found').children.length === 0")
    page.push("#find")
    page.until("document.querySelector('#reading').innerText.startsWith('Nothing else was found.')")
    profile.ask("/v1/sources/remove", {"path": notes})


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
    page.until("document.querySelector('#state').innerText.startsWith('On')")
    assert not profile.ask("/v1/status")["paused"]


def test_a_curve_shows_what_rounds_have_added(page):
    page.until("document.querySelectorAll('#gains circle').length === 2")
    assert page.js("document.querySelector('#gains svg').ariaLabel").endswith("after each round: 10 %, 20 %")
    assert "20% easier to predict than with the memory alone" in page.js(
        "document.querySelector('#adapters').closest('section').innerText"
    )


def test_one_rolls_back(page, profile):
    page.push('[aria-label="Use personal model 1"]')
    page.until("document.querySelector('#said').innerText === 'Personal model 1 is in use now.'")
    assert profile.ask("/v1/status")["adapter"] == 1
    page.push('[aria-label="Go back to the model without personal training"]')
    page.until(
        "document.querySelector('#said').innerText === 'The model without personal training is in use now.'"
    )
    assert profile.ask("/v1/status")["adapter"] is None
    page.until("document.querySelector('#adapters').textContent.includes('it predicts better still')")


def test_what_was_learned_is_searched_and_forgotten(page, profile):
    page.js("document.querySelector('#contains').focus()")
    page.type("Zorv")
    page.until(
        "document.querySelectorAll('#words tr').length && !document.querySelector('#forget-text').disabled"
    )
    page.until("[...document.querySelectorAll('#words th')].every((word) => word.innerText.includes('Zorv'))")
    for press, left in (("Escape", SENTENCES), ("Enter", 0)):
        page.js("document.querySelector('#forget-text').focus()")
        page.press("Enter")
        page.until("document.querySelector('#ask').open", again=lambda: page.press("Enter"))
        assert "12 texts" in page.text("#ask-text")
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
            page.until("/Forgotten: 12 texts. Receipt \\d+/.test(document.querySelector('#said').innerText)")
        assert profile.ask("/v1/status")["entries"] == left
    page.until("document.querySelectorAll('#words tr').length === 0")


def test_an_older_searchs_answer_that_comes_late_changes_nothing(page, profile):
    page.js("""
        window.send = window.fetch;
        window.fetch = (path, about) => String(about?.body).includes('"Q"')
            ? new Promise((answer) => { window.late = () => send(path, about).then(answer); }) : send(path, about);
    """)
    page.js("document.querySelector('#contains').focus()")
    page.type("Q")
    page.until("!!window.late")
    page.press("Backspace")
    page.type("Zorv")
    found = "[...document.querySelectorAll('#words th')].every((word) => word.innerText.includes('Zorv'))"
    page.until(found)
    page.js("window.late().then(() => send('/v1/status')).then((answer) => answer.json())")
    assert page.js(found)
    assert not page.js("document.querySelector('#forget-text').disabled")


def test_the_newest_texts_of_a_source_are_read_and_forgotten_one_by_one(page, profile):
    profile.ask("/v1/history", {"text": "A <b>letter</b> to the quay.", "source": "letters"})
    page.js("location.reload()")
    page.until("[...document.querySelectorAll('#texts-of option')].some((one) => one.value === 'letters')")
    page.js("document.querySelector('#texts-of').value = 'letters'")
    page.push("#texts button")
    page.until("document.querySelector('#text-rows span')?.innerText === 'A <b>letter</b> to the quay.'")
    assert page.js("document.querySelector('#texts-more').hidden")
    page.push("#text-rows button")
    page.until("document.querySelector('#ask').open")
    page.push("#ask-yes")
    page.until("document.querySelector('#text-rows').children.length === 0")
    assert profile.ask("/v1/audit/texts", {"source": "letters"})["texts"] == []


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
    page.push("#forget-text")
    page.until("document.querySelector('#ask').open")
    page.push("#ask-yes")
    page.until("document.querySelector('#ask-text').innerText.includes('“zanthilfeathers” (1 text)')")
    assert profile.ask("/v1/status")["entries"] == held - 1
    page.js("document.querySelector('#said').textContent = ''; document.querySelector('#ask-yes').click()")
    page.until("document.querySelector('#said').innerText.startsWith('Forgotten: 1 text.')")
    page.until("!document.querySelector('#ask').open")
    assert profile.ask("/v1/status")["entries"] == held - 2
    profile.ask("/v1/forget", {"source": "near"})


def test_a_lost_device_is_removed_from_the_shared_folder(page, profile, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    words = profile.ask("/v1/sync", {"action": "share", "folder": str(folder)})["words"]
    try:
        lost = Device(tmp_path, "lost")
        lost.sync.join(folder, words)
        lost.cycle()
        lost.close()
        until(lambda: len(profile.ask("/v1/sync")["sharing"]["devices"]) == 2)
        page.go(profile.ask("/v1/open", {})["url"])
        page.until("document.querySelectorAll('#device-rows li').length === 2")
        page.push("#device-rows button")
        page.until("document.querySelector('#ask').open")
        page.push("#ask-yes")
        page.until("document.querySelectorAll('#device-rows li').length === 1")
        assert [one["this"] for one in profile.ask("/v1/sync")["sharing"]["devices"]] == [True]
    finally:
        profile.ask("/v1/sync", {"action": "leave"})


def test_rules_and_sources_are_shown_and_changed(page, profile, tmp_path):
    (tmp_path / "notes.txt").write_text("a note of mine about herons\n")
    profile.ask("/v1/import", {"paths": [str(tmp_path / "notes.txt")]})
    page.js("document.querySelector('#rule-app').focus()")
    page.type("*chat*")
    page.press("Enter")
    page.until("document.querySelector('#rule-rows').innerText.includes('*chat*: is off')")
    assert profile.ask("/v1/apps")["rules"][-1]["app"]
    page.push("#rule-rows button")
    page.until("!document.querySelector('#rule-rows').innerText.includes('*chat*')")
    page.js("location.reload()")
    page.until("document.querySelector('#source-rows button') !== null")
    page.push("#source-rows button")
    page.until("document.querySelector('#ask').open")
    page.push("#ask-yes")
    page.until("document.querySelector('#source-rows').children.length === 0")
    assert profile.ask("/v1/sources")["sources"] == []


def test_the_command_prints_a_link_and_opens_it(page, profile, tmp_path, monkeypatch):
    page.go(json.loads(profile.run("open", "--json"))["url"])
    page.until(READY)
    page.go(profile.run("open", "--no-browser").strip())
    page.until(READY)
    opener = tmp_path / "browser"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/link\n')
    opener.chmod(0o700)
    monkeypatch.setitem(profile.env, "BROWSER", f"{opener} %s")
    assert "http" not in profile.run("open")
    page.go((tmp_path / "link").read_text())
    page.until(READY)


def test_corrections_and_grey_text_are_switched(page, profile):
    choose = """(id, value) => { const select = document.getElementById(id); select.value = value;
      select.dispatchEvent(new Event("change")); }"""
    assert profile.ask("/v1/switches") == {
        "corrections": "offer",
        "show": "auto",
        "languages": [],
        "speed": 30,
        "keys": USUAL.names(),
        "key_uses": {},
        "mending_question": {"typed": "becuase", "meant": "because"},
    }
    page.until("!document.querySelector('#mending').hidden")
    assert "becuase → because" in page.text("#mending")
    page.js("document.querySelector('#mending [value=offer]').click()")
    page.until("document.querySelector('#mending').hidden")
    assert profile.ask("/v1/switches")["mending_question"] is None
    page.until("document.querySelector('#switch-corrections').value === 'offer'")
    try:
        page.type("the teal lighthouse keeper Zor")
        page.until("document.querySelector('#mirror span').textContent.length")
        page.js(f"({choose})('switch-show', 'asked')")
        profile_says(profile, show="asked")
        page.js("document.querySelector('#text').focus()")
        page.type("v")
        page.until(offered("Zorvelin"))
        assert ghost(page) == ""
        page.js(f"({choose})('switch-corrections', 'off')")
        profile_says(profile, corrections="off")
        page.type(" seperate ")
        page.until("document.querySelector('#offers').ariaBusy !== 'true'")
        assert "separate" not in page.text("#offers")
        page.js("document.querySelector('#switch-languages [value=en]').click()")
        profile_says(profile, languages=["en"])
        page.js("document.querySelector('#switch-languages [value=en]').click()")
        profile_says(profile, languages=[])
        click = "document.querySelector('#switch-languages [value=de]').click()"
        page.js(f"{click}, {click}, {click}")  # faster than the first is answered
        profile_says(profile, languages=["de"])
        page.js(click)
        profile_says(profile, languages=[])
    finally:
        profile.ask("/v1/switches", {"corrections": "offer", "show": "auto"})
    page.until(
        "document.querySelector('#switch-show').value === 'auto'"
    )  # what is set elsewhere is shown, too


def profile_says(profile, **stands):
    until(lambda: stands.items() <= profile.ask("/v1/switches").items())


def test_grey_text_that_is_held_back_is_told_and_comes_back(page, profile):
    assert page.js("document.querySelector('#held-back').hidden")
    told = {"kind": "ghost", "p": 0.9}
    profile.ask("/v1/feedback", {**told, "outcome": "dismissed", "count": 900})
    for _ in range(3):
        profile.ask("/v1/feedback", {**told, "outcome": "accepted", "characters": 6, "words": 1})
    said = profile.ask("/v1/status")["grey_text"]
    assert said["held_back"]
    look_anew(page)
    page.until("!document.querySelector('#held-back').hidden")
    sentence = f"Grey text is held back, since you took {said['taken']} of {said['shown']} of late."
    assert page.js("document.querySelector('#held-back span').textContent") == sentence
    page.type("the teal lighthouse keeper Zor")
    page.until(offered("Zorvelin"))
    try:
        page.push("#bring-back")
        page.until("document.querySelector('#held-back').hidden")
        page.until("document.querySelector('#switch-show').value === 'more'")
        page.js("document.querySelector('#text').focus()")
        page.type("v")
        page.until("document.querySelector('#mirror span').textContent.length")
    finally:
        profile.ask("/v1/switches", {"show": "auto"})


def test_a_trial_is_begun_once_its_user_has_said_so_and_ended(page, profile):
    def says(what):
        page.until(f"document.querySelector('#trial-says').textContent.startsWith({json.dumps(what)})")

    says("Do suggestions make you faster?")
    page.push("#trial")
    page.until("document.querySelector('#ask').open")
    assert profile.ask("/v1/trial")["state"] == "none"
    page.push("#ask-yes")
    says("Not enough yet: 0 of 240")
    assert profile.ask("/v1/trial")["state"] == "running"
    page.push("#trial")
    says("The trial ended after 0 stretches of writing, too few to tell.")


def test_nothing_is_shown_for_a_while_and_again(page, profile):
    page.push("#quiet")
    page.until("document.querySelector('#state').innerText.includes('Quiet: 30 minutes left')")
    assert profile.ask("/v1/status")["quiet"]
    page.push("#quiet")
    page.until("!document.querySelector('#state').innerText.includes('Quiet')")
    assert not profile.ask("/v1/status")["quiet"]


def test_keys_are_chosen_and_a_wrong_one_goes_back(page, profile):
    def choose(key):
        page.js(
            f"{{ const input = document.querySelector('#key-grey'); input.value = {json.dumps(key)};"
            " input.dispatchEvent(new Event('change')); }"
        )

    page.until("document.querySelector('#key-grey').value === 'Tab'")
    choose("ctrl+w")
    page.until("document.querySelector('#key-grey').value === 'Ctrl+W'")
    assert "Ctrl+W closes the tab or window" in page.text("#keys")
    assert profile.ask("/v1/status")["keys"] == {"grey": "Ctrl+W"}
    choose("x")
    page.until("document.querySelector('#said').innerText.includes('X is for typing')")
    assert page.js("document.querySelector('#key-grey').value") == "Ctrl+W"
    page.problems.clear()  # of the refused request
    choose("")
    page.until("document.querySelector('#key-grey').value === 'Tab'")
    assert profile.ask("/v1/status")["keys"] == {}


def test_one_goes_off_the_record_and_back(page, profile):
    page.push("#off-record")
    page.until("document.querySelector('#state').innerText.startsWith('Paused')")
    assert profile.ask("/v1/status")["paused"]
    page.push("#off-record")
    page.until("document.querySelector('#state').innerText.startsWith('On')")
    assert not profile.ask("/v1/status")["paused"]


def test_a_switch_that_the_service_did_not_hear_goes_back(page, profile):
    page.send("Network.enable")
    page.send(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
    )
    try:
        page.push("#off-record")
        page.until("document.querySelector('#said').innerText.includes('does not answer')")
        assert not page.js("document.querySelector('#off-record').checked")
        page.js(
            "{ const show = document.querySelector('#switch-show'); show.value = 'more';"
            " show.dispatchEvent(new Event('change')); }"
        )
        page.until("document.querySelector('#switch-show').value === 'auto'")
    finally:
        page.send(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
    page.problems.clear()  # the browser notes what went unanswered


def test_it_says_which_programs_are_connected_and_what_to_type_for_the_others(page, profile):
    page.until("document.querySelector('#place-rows').children.length")
    places = {one["place"]: one for one in profile.ask("/v1/places")["places"]}
    assert {"keyboard", "browser", "vscode"} <= set(places)
    shown = [one for one in places.values() if one["found"] or one["next_step"]]
    rows = page.js("[...document.querySelectorAll('#place-rows > li')].map((row) => row.innerText)")
    assert len(rows) == len(shown)
    for row, place in zip(rows, shown, strict=True):
        assert place["title"] in row
        assert ("connected" in row.split("\n")[0]) is place["connected"]
        assert (place["button"] or "notices once that is done") in row or place["connected"]
        assert not re.findall(r"idiolect setup|ibus engine|im-config", row), "nobody needs a terminal"


def test_a_program_is_connected_from_the_page(page, profile):
    config = Path(profile.env["HOME"]) / ".config"
    (config / "chromium").mkdir(parents=True)  # as after its first start
    look_anew(page)
    connect = "document.querySelector('#place-rows [aria-label=\"Connect: Web pages\"]')"
    page.until(f"{connect} !== null")
    page.js(f"{connect}.click()")
    page.until("document.querySelector('#ask').open")
    manifests = config / "chromium" / "NativeMessagingHosts"
    assert "adds 3 small files. It changes none of your own" in page.text("#ask-text")
    page.js("document.querySelectorAll('#ask-text details').forEach((one) => { one.open = true; })")
    assert str(manifests) in page.text("#ask-text")
    assert not manifests.exists(), "nothing is written before its user has said so"
    page.push("#ask-no")
    page.until("!document.querySelector('#ask').open")
    assert not manifests.exists()
    # The button does one thing at a time, and a dialog tells that it has closed a moment later.
    page.until(f"({connect}.click(), document.querySelector('#ask').open)")
    page.push("#ask-yes")
    page.until(f"{connect} === null")
    page.until("document.querySelector('#said').innerText.startsWith('Load the extension')")
    assert [path.suffix for path in manifests.iterdir()] == [".json"]
    states = {one["place"]: one["connected"] for one in profile.ask("/v1/places")["places"]}
    assert states["browser"]
    steps = page.js("[...document.querySelectorAll('#place-rows ol li code')].map((code) => code.innerText)")
    assert steps == ["chrome://extensions", str(profile.settings.browser_extension_path / "extension")]
    page.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.send("Page.bringToFront")  # only a page that has the focus may write to the clipboard
    copy = "#place-rows [aria-label='Copy chrome://extensions']"
    page.js(f"document.querySelector({json.dumps(copy)}).scrollIntoView({{ block: 'center' }})")
    page.click(copy)
    page.until("document.querySelector('#said').innerText === 'Copied.'", again=lambda: page.click(copy))
    assert page.js("navigator.clipboard.readText()") == "chrome://extensions"


def test_a_place_that_may_not_be_written_says_what_to_type(profile):
    config = Path(profile.env["HOME"]) / ".config" / "BraveSoftware"
    (config / "Brave-Browser").mkdir(parents=True)
    (config / "Brave-Browser" / "NativeMessagingHosts").write_text("in its way")
    with profile.client() as http:
        answer = http.post("/v1/places/connect", json={"place": "browser"})
    shutil.rmtree(config)
    assert answer.status_code == 409
    assert "`idiolect setup browser`" in answer.json()["error"]["message"]


# --- the first steps ---


def axe_finds_nothing(tab):
    """The page has no fault that axe knows, at the width of a desk and of a telephone, where it is as wide as that."""
    for width in (390, 1280):
        tab.look(width=width)
        assert not tab.js("document.documentElement.scrollWidth > innerWidth")
        tab.js((resources.files("axe_core_python") / "axe.min.js").read_text("utf-8") + "; true")
        assert (
            tab.js("axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes[0].html]))")
            == []
        )


@pytest.fixture
def fresh(tiny, tmp_path):
    """The service of a profile that knows nothing yet, of somebody who has a folder of notes."""
    profile = Profile(tmp_path / "profile", tiny.folder.parent)
    notes = tmp_path / "user" / "notes"
    notes.mkdir(parents=True)
    for number in range(3):
        (notes / f"{number}.md").write_text("The ferry to the north island leaves early in the morning.\n")
    profile.env["HOME"] = str(tmp_path / "user")
    profile.run("start")
    yield profile
    profile.run("stop")


def test_who_begins_is_led_through_three_steps(tab, fresh):
    sections = "[...document.querySelectorAll('main section')]"
    visible = f"{sections}.filter((one) => one.checkVisibility()).map((one) => one.id)"

    def at(*shown):
        tab.until(f"JSON.stringify({visible}) === {json.dumps(json.dumps(shown, separators=(',', ':')))}")
        axe_finds_nothing(tab)
        commands = "[...document.querySelectorAll('main code')].filter((one) => one.checkVisibility())"
        assert tab.js(f"{commands}.map((one) => one.innerText)") == [], "nobody needs a terminal"

    tab.problems.clear()
    tab.look()
    tab.go(fresh.ask("/v1/open", {})["url"])
    at("steps", "sources")
    tab.until("document.querySelectorAll('#found li').length")
    assert fresh.ask("/v1/status")["entries"] == 0, "nothing is read before its user has said so"
    tab.push("#found button")
    tab.until("document.querySelector('#said').innerText.startsWith('Read')")
    assert fresh.ask("/v1/status")["entries"] > 0
    tab.push("#source-rows button")
    tab.until("document.querySelector('#ask').open")
    assert fresh.ask("/v1/status")["watches"] == []
    tab.push("#ask-yes")
    tab.until("document.querySelector('#source-rows').innerText.includes('Stop following')")
    assert fresh.ask("/v1/status")["watches"] == [str(Path(fresh.env["HOME"], "notes"))]
    tab.push("#step-next")
    at("steps", "rounds")
    tab.send("Page.reload")  # and taken up again where it was left
    at("steps", "rounds")
    tab.push("#step-next")
    at("steps", "try", "places")
    tab.push("#step-next")
    tab.until("document.querySelector('#steps').hidden && document.querySelector('#apps').checkVisibility()")
    tab.send("Page.reload")
    tab.until("document.querySelector('#steps-open')?.checkVisibility()")
    assert tab.js("document.querySelector('#steps').hidden"), "it was left"
    tab.push("#steps-open")
    at("steps", "sources")
    tab.push("#steps-leave")
    assert tab.problems == []


GERMAN = (
    "Die Fähre zur nördlichen Insel fährt morgen früh um sieben, und wir müssen rechtzeitig am Hafen sein.",
    "Bitte schick mir heute noch die Zahlen für den Bericht, damit ich sie vor der Sitzung lesen kann.",
    "Ich habe gestern mit der Werkstatt gesprochen: das Auto ist erst am Freitag wieder fertig.",
    "Könntest du auf dem Rückweg noch Brot und Milch mitbringen? Wir haben leider nichts mehr im Haus.",
)


@pytest.fixture
def shop(tiny, tiny_profile, make_gguf, tmp_path, at_start, monkeypatch):
    """The service of somebody who has German notes; a model that knows German is on the shelf."""
    shop = make_shop(tiny, tiny_profile, make_gguf, tmp_path)
    (tmp_path / "notes").mkdir()
    for number, text in enumerate(GERMAN * 4):
        (tmp_path / "notes" / f"{number}.md").write_text(f"{text} Es ist der {number}. Brief.\n")
    for name, value in shop.index.items():
        monkeypatch.setenv(name, value)
    at_start(shop.knows)
    process.start(shop.settings)
    yield shop
    process.stop(shop.settings)


def test_who_writes_german_is_offered_the_model_that_knows_it_and_gets_it(tab, shop, tmp_path):
    profile = Profile(shop.settings.home)
    tab.problems.clear()
    tab.look()
    tab.go(profile.ask("/v1/open", {})["url"])
    tab.until("document.querySelector('#steps')?.checkVisibility()")
    tab.js(f"document.querySelector('#source-path').value = {json.dumps(str(tmp_path / 'notes'))}")
    tab.push("#source button")
    tab.until("document.querySelector('#said').innerText.startsWith('Read')")
    tab.push("#step-next")
    look_anew(tab)
    tab.until("document.querySelector('#base-terms').checkVisibility()")
    assert "You also write in German." in tab.text("#better-base")
    assert "Other 1M" in tab.text("#better-base")
    assert "Terms of Kindness" in tab.text("#better-base")
    fetched = shop.settings.base_dir / "others"
    assert not fetched.exists(), "nothing is fetched before its user has said so"
    ask = "document.querySelector('#ask')"
    for answer in ("#ask-no", "#ask-yes"):
        tab.until(f"(document.querySelector('#base-terms').click(), {ask}.open)")
        assert "Be kind." in tab.text("#ask-text")
        axe_finds_nothing(tab)
        tab.push(answer)
        tab.until(f"!{ask}.open")
        assert not list(fetched.glob("other/accepted-terms")) or answer == "#ask-yes"
    tab.until("document.querySelector('#said').innerText.includes('Other 1M is in use now')")
    assert not tab.js("document.querySelector('#better-base').checkVisibility()")
    assert shop.status()["base"] == "other"
    assert tab.js("document.querySelector('#gone').hidden"), "the page stays open"
    assert tab.problems == []


@pytest.fixture
def begins(tiny, tiny_profile, make_gguf, tmp_path, at_start):
    """`begins(gguf)`: a profile whose base model is still to be built, a program that opens its pages, and where."""
    link = tmp_path / "link"
    opener = tmp_path / "browser"
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {link}\n')
    opener.chmod(0o700)
    made = make_gguf(tmp_path / "made.gguf")
    at_start("from idiolect.models import lexicon\nlexicon.SIZE = 1000\n")
    started = []

    def begin(gguf):
        settings = tiny_profile(tmp_path / "profile")
        settings.base_dir.unlink()
        settings.base_dir.mkdir()
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        choice = {"name": "mine", "sha256": digest, "gguf": str(gguf or made)}
        (settings.base_dir / "chosen.json").write_text(json.dumps(choice))
        environment = {**os.environ, "IDIOLECT_HOME": str(settings.home), "BROWSER": f"{opener} %s"}
        started.append(settings)
        command = subprocess.Popen([*IDIOLECT, "open"], env=environment, stderr=subprocess.PIPE, text=True)
        return command, until(lambda: link.exists() and link.read_text().splitlines())[0]

    yield begin
    for settings in started:
        process.stop(settings)


def test_the_first_start_from_a_menu_is_in_sight_and_leads_to_the_page(tab, begins):
    tab.problems.clear()
    tab.look()
    command, url = begins(None)
    with command:
        tab.go(url)
        tab.until("document.querySelector('h1')?.innerText === 'idiolect is being set up'")
        for path in (url, f"{url}/now"):
            assert httpx.get(path).status_code == 404, "another user, who has read the address"
        tab.go(url)
        tab.until("document.querySelector('h1')?.innerText === 'idiolect is being set up'")
        axe_finds_nothing(tab)
        tab.until("document.querySelector('#steps')?.checkVisibility()")
        assert command.wait() == 0, command.stderr.read()
    tab.problems.clear()  # the browser asks each new page for an icon


def test_a_first_start_from_a_menu_that_fails_says_why_in_the_browser(tab, begins, tmp_path):
    tab.look()
    command, url = begins(tmp_path / "gone.gguf")
    with command:
        tab.go(url)
        tab.until("document.querySelector('h1')?.innerText === 'idiolect could not be set up'")
        assert "is not there any more" in tab.text("main")
        assert command.wait() == 7
    tab.problems.clear()


# --- for everyone ---


def test_tab_passes_what_was_learned_in_one_step_and_the_arrow_keys_move_in_it(page):
    active = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    buttons = "[...document.querySelectorAll('#words button')].map((one) => one.ariaLabel)"
    labels = page.js(buttons)
    assert len(labels) >= 4
    page.js("document.querySelector('#contains').focus()")
    page.press("Tab")  # "Forget text with this" cannot be pressed yet, so that Tab passes it
    assert page.js(active) == labels[0]
    page.press("ArrowRight")
    assert page.js(active) == labels[1]
    page.press("ArrowDown")
    assert page.js(active) == labels[3]
    page.press("End", "Control")
    assert page.js(active) == labels[-1]
    page.press("ArrowDown")
    assert page.js(active) == labels[-1]
    page.press("Tab")
    assert page.js(active) == "words-undo"
    page.press("Tab", "Shift")  # back to where one was
    assert page.js(active) == labels[-1]
    page.press("Home", "Control")
    assert page.js(active) == labels[0]


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_it_fits_and_axe_finds_nothing(page, width, dark):
    axe = resources.files("axe_core_python") / "axe.min.js"
    page.look(dark=dark, width=width)
    page.type("We met th")  # of which three words are likely
    page.js("for (const details of document.querySelectorAll('details')) details.open = true")
    page.until("document.querySelectorAll('#offers li:not([hidden])').length >= 3")
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
