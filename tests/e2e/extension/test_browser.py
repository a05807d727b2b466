"""The extension in a real Chromium and a real Firefox, over the real host and the real service with the tiny model."""

import contextlib
import json
import re
import subprocess
import sys
import time

import pytest
from browsers import (
    EDITORS,
    FIELDS,
    LINTER,
    PLAIN,
    START,
    VALUE,
    in_chromium,
    in_firefox,
    learned,
    several,
    until_learned,
)
from waiting import until

from idiolect.daemon.runtime import process
from idiolect.daemon.vault import lock

KEY_S = 0.1  # between two keys of somebody who types fast


@in_chromium
def test_what_became_of_suggestions_is_told_when_its_user_rests_or_leaves(browser, service):
    def accepted(kind):
        """How many suggestions were taken, and their characters."""
        rows = [row for row in service.ask("/v1/report")["by_day"] if row["kind"] == kind]
        return sum(row["accepted"] for row in rows), sum(row["characters"] for row in rows)

    def until_told(kind, characters):
        taken, before = told[kind]
        until(lambda: accepted(kind) == (taken + 1, before + characters), lambda: accepted(kind))

    browser.after_all()  # what was taken in the tests before is told by then
    told = {kind: accepted(kind) for kind in ("word", "ghost")}
    browser.offer()
    browser.tab.press("1", "Alt")
    browser.until_value(f"{START}elin")
    until_told("word", len("elin "))
    browser.begin()
    ghost, _ = browser.until_ghost()
    browser.tab.press("Tab")
    browser.until_value(START + ghost)
    browser.popup(browser.url("/", ""))
    until_told("ghost", len(ghost))


def test_what_is_shown_is_taken_as_if_it_were_typed_and_undone(browser):
    browser.open(several(*FIELDS))
    tab = browser.tab
    for place in range(len(FIELDS)):
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


def ink_end(browser):
    """The right edge of the letters in the field's first line, black and grey, in pixels of the window."""
    box = "(({ left, top, width }) => [left, top, width])(field.getBoundingClientRect())"
    left, top, width = browser.tab.js(box)
    line = browser.picture(left + 3, top + 3, width - 6, 11).convert("L")
    return left + 3 + line.point(lambda light: 255 * (light < 200)).getbbox()[2]


@in_chromium
def test_the_ghost_behind_a_word_that_was_taken_is_what_tab_types_where_it_stands(browser):
    browser.open(several(*FIELDS))
    tab = browser.tab
    for place in range(len(FIELDS)):
        tab.js(f"turn({place})")
        browser.begin()
        browser.until_ghost()
        tab.press("1", "Alt")
        browser.until_value(f"{START}elin")
        ghost, _ = browser.until_shown(lambda ghost, _: ghost.startswith("hums"))
        shown = ink_end(browser)
        with browser.room.mute():  # so that nothing new is shown
            tab.press("Tab")
            browser.until_value(f"{START}elin {ghost}")
            assert abs(ink_end(browser) - shown) <= 2, ghost


@in_chromium
def test_in_a_trial_a_field_is_counted(browser, service):
    tab, text, fields = browser.tab, "the keeper Zorvelin sails to the harbour", 5
    service.ask("/v1/trial/start", begin=True)
    try:
        # From its answer on it knows of the trial.
        browser.offer(FIELDS["textarea"] + "<textarea></textarea>" * fields)
        for written in range(1, fields + 1):
            tab.js(f"document.querySelectorAll('textarea')[{written}].focus()")
            began_s = time.time()
            for place, letter in enumerate(text):  # by the browser's clock it takes eight seconds
                tab.press(letter, at_s=began_s + 0.2 * place)
            tab.js("document.querySelector('textarea').focus()")
            until(lambda: service.ask("/v1/trial")["stretches"] == written)  # noqa: B023 (it is asked here)
    finally:
        service.ask("/v1/trial/stop", end=True)


@in_chromium
def test_what_is_worth_a_look_depends_on_the_speed_and_a_key_shows_the_words(browser, service):
    doubtful = "We met the teal l"
    service.ask("/v1/switches", show="auto")
    try:
        fast, slow = (service.ask("/v1/suggest", prefix=doubtful, key_ms=ms) for ms in (60, 2000))
        assert (fast["ghost"]["show"], fast["list"]["show"]) == (False, False)
        assert slow["ghost"]["show"] or slow["list"]["show"]
        service.ask("/v1/switches", show="asked")
        browser.open(FIELDS["textarea"])
        with browser.noticed():
            browser.begin(doubtful)
        browser.until_nothing()
        browser.tab.press("-", "Alt")
        ghost, words = browser.until_shown(lambda _, words: len(words) > 0)
        assert (ghost, "lighthouse" in words) == ("", True)
        browser.tab.type("i")
        _, words = browser.until_shown(lambda _, words: "lighthouse" in words)
        browser.tab.press(f"{1 + words.index('lighthouse')}", "Alt")
        browser.tab.until(f"{VALUE}.startsWith('We met the teal lighthouse')")
        browser.until_nothing()
    finally:
        service.ask("/v1/switches", show="more")


@in_chromium
def test_how_fast_its_user_types_is_told_and_no_page_can_say(browser, service):
    def told():
        return service.ask("/v1/status")["key_ms"]

    browser.room.end_hosts()  # one of them may know the speed already
    browser.offer()
    service.tell_speed([80] * 99 + [1400] * 100)
    until(
        lambda: service.tell_speed([1400]) or told() > 1000
    )  # the next that is faster says which of both it is
    before, tab = told(), browser.tab
    tab.js("""void ((letters) => {
        const fake = setInterval(() => {
          const key = letters.pop();
          if (key) field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
          else globalThis.faked = clearInterval(fake) ?? true;
        }, 90);
      })([..."harbour".repeat(5)])""")
    tab.until("globalThis.faked")
    browser.begin()
    browser.until_ghost()  # so the service has had what the extension told
    assert told() == before

    def is_told_of_the_hand():
        for letter in " along":
            tab.press(letter)
            time.sleep(KEY_S)
        return told() < before

    try:
        until(is_told_of_the_hand, told)
    finally:  # or the tests after this one would have the grey text of a very fast typist
        service.ask("/v1/switches", speed=30)


@in_chromium
def test_a_click_on_a_word_takes_it_and_the_page_gets_no_click(browser):
    browser.offer(FIELDS["textarea"] + "<script>var clicks = 0; onclick = () => clicks++;</script>")
    _, (left, top, _, height) = browser.boxes()

    def is_taken():
        """The first clicks come before it may have been seen."""
        browser.tab.click_at(left + 10, top + height / 2)
        return browser.tab.js("field.value") != START

    until(is_taken)
    browser.until_value(f"{START}elin")
    assert browser.tab.js("[clicks, document.activeElement === field]") == [0, True]


def are_corrected(browser, kind, times):
    """Whether a word is corrected that often in a new page; where a busy machine is a second late, it stays."""
    browser.open(FIELDS[kind], path=f"/corrected-{kind}-{times}")
    for _ in range(times):
        browser.tab.press("Enter")
        browser.tab.js(
            "void ('value' in field ? (field.value = '') : field.replaceChildren())"
        )  # it was sent
        browser.tab.type("hte ")
        until(lambda: browser.tab.js(VALUE) == "the" or "hte → the" in browser.shown()[1])
        if browser.tab.js(VALUE) != "the":
            return False
    return True


@pytest.mark.parametrize("kind", ["textarea", "editable"])
def test_a_sure_correction_is_made_and_taken_back(browser, kind):
    tab = browser.tab
    until(lambda: are_corrected(browser, kind, 2))
    assert ["input", "insertText"] in [event[:2] for event in tab.js("told.slice(-1)")]
    tab.press("z", "Control")
    browser.until_value("hte")
    tab.type("x hte ")
    browser.until_shown(lambda _, words: words)
    assert tab.js(VALUE) == "hte x hte"  # taken back once, it is not made again
    until(lambda: are_corrected(browser, kind, 1))
    tab.press("Backspace")
    browser.until_value("hte")
    tab.press("Backspace")
    tab.type(" ")
    tab.type("x")
    browser.until_value("hte x")


def type_on(tab, text):
    """Type a key each 10 ms, as a fast hand does: keys that come together are one change to an editor."""
    for letter in text:
        tab.press(letter)
        time.sleep(0.01)


@in_chromium
@pytest.mark.parametrize("kind", ["textarea", "editable"])
def test_a_fast_hand_has_its_words_corrected_behind_which_it_has_typed_on(browser, kind):
    def are_corrected():
        """In a new page, since a word stays there where a busy machine is a second late."""
        browser.open(FIELDS[kind])
        browser.begin("so we are okay")
        browser.until_shown(lambda _, words: words)
        with browser.room.mute():  # the answers come once all is typed
            type_on(browser.tab, " hte hte cat")
        browser.until_shown(lambda _, words: words)
        late_s = time.monotonic() + 3  # what is not corrected by then was answered too late
        while "hte" in (held := browser.tab.js(VALUE)) and time.monotonic() < late_s:
            time.sleep(KEY_S)
        assert re.fullmatch("so we are okay (hte|the) (hte|the) cat", held)
        return "hte" not in held

    until(are_corrected)
    browser.tab.press("Backspace")  # takes the last of them back
    browser.until_value("so we are okay the hte cat")


@in_chromium
def test_a_page_has_nothing_corrected_that_its_user_did_not_type(browser):
    browser.open(FIELDS["textarea"])
    browser.begin("ok hte ")
    browser.until_shown(lambda _, words: words[:1] == ["hte → the"])
    assert browser.tab.js("field.value") == "ok hte "
    browser.tab.press("1", "Alt")
    browser.until_value("ok the")


@in_chromium
def test_what_a_correction_takes_away_is_what_it_is_for(browser):
    """A character that is not seen stands in the word."""
    browser.open(FIELDS["editable"])
    browser.begin("ok h\u200bte ")
    browser.until_shown(lambda _, words: words[:1] == ["hte → the"])
    browser.tab.press("1", "Alt")
    browser.until_value("ok the")


@in_chromium
def test_a_full_stop_takes_only_a_space_of_ours_back(browser):
    browser.offer()
    browser.tab.press("1", "Alt")
    browser.until_value(f"{START}elin")
    browser.tab.type(".")
    browser.until_value(f"{START}elin.")
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
        browser.until_shown(lambda ghost, _: ghost != "", browser.type_anew)
        left, right, top, bottom = tab.js(f"cursor({place})")
        ghost, row = browser.boxes()
        assert abs(row[0] - (left if rtl else right)) <= 2
        assert 0 <= row[1] - bottom <= 12
        assert abs(ghost[1] + ghost[3] / 2 - (top + bottom) / 2) <= 2


@in_chromium
@pytest.mark.parametrize("kind", ["textarea", "editable"])
def test_a_ghost_of_several_lines_stands_on_lines_of_the_field_and_the_words_under_it(browser, kind):
    style = "<style>#field { width: 190px; font: 18px/40px serif }</style>"
    browser.offer(style + FIELDS[kind])
    (_, top, _, height), row = browser.boxes()
    assert 40 < height <= 80  # of two lines
    assert row[1] >= top + height
    found = (
        browser.picture(*browser.boxes()[0])
        .convert("L")
        .point(lambda shade: 255 if shade < 200 else 0)
        .getbbox()
    )
    assert found[3] > 45  # something of it is drawn where the field's second line is


def contrast(picture):
    """How far the darkest and the lightest colour of a picture are apart, as WCAG 2 reckons it."""

    def luminance(colour):
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    found = sorted(luminance(colour) for _, colour in picture.getcolors(1 << 20))
    return (found[-1] + 0.05) / (found[0] + 0.05)


@in_chromium
def test_the_words_are_dark_on_a_page_that_is_dark_where_all_else_is_light(browser):
    papers = []
    for scheme in ("dark", "light"):
        browser.offer(f"<style>:root {{ color-scheme: {scheme} }}</style>{FIELDS['textarea']}")
        _, row = browser.boxes()
        papers.append(sum(browser.picture(*row).getpixel((3, round(row[3] / 2)))))
    dark, light = papers
    assert dark < light / 2


@in_chromium
def test_it_can_be_read_in_every_theme_and_is_announced_when_asked_for(browser):
    ghost, _ = browser.offer("<style>:root { color-scheme: light dark }</style>" + FIELDS["textarea"])
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
    assert "1 Zorvelin" in said[0]
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
    ghost, _ = browser.offer(f"<dialog id=box>{FIELDS['textarea']}</dialog><script>box.showModal()</script>")
    browser.tab.press("F9", "Alt")
    said = until(lambda: announced(browser, ghost))
    assert "1 Zorvelin" in said[0]
    browser.tab.until("box.querySelector('idiolect-said') === null")  # no longer than it is needed
    assert browser.tab.js("[box.children.length, field.value]") == [1, START]


@in_chromium
def test_an_input_method_composes_undisturbed(browser):
    browser.offer()
    tab = browser.tab
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
    browser.offer(host="other.test")
    browser.popup(other)
    tab.click("#all")
    tab.until("document.body.dataset.ready === 'off'")
    before = browser.room.asked("suggest")
    browser.open(FIELDS["textarea"], host="other.test")
    browser.begin()
    browser.popup(browser.url("/", ""))
    assert browser.room.asked("suggest") == before


def until_mode(browser, url, mode):
    """Wait until the popup shows what is done on a site."""

    def shown():
        browser.popup(url)
        return browser.tab.js("document.body.dataset.ready")

    until(lambda: shown() == mode, shown)


@in_firefox
def test_a_choice_holds_once_the_browser_allows_it_and_as_long(browser):
    """The popup is gone by then: the browser's question closes it."""
    url = browser.url("/", "", "asked.test")
    tab = browser.tab
    browser.may("*", False)  # another test has had it allow them all
    browser.asks(True)
    try:
        browser.popup(url)
        tab.click("[value=learn]")
        tab.until("document.querySelector('[value=learn]').checked")
        until_mode(browser, url, "off")
        browser.may("asked.test", True)
        until_mode(browser, url, "learn")
        browser.may("asked.test", False)
        until_mode(browser, url, "off")
        assert tab.js("document.querySelector('[value=off]').checked")
        browser.may("asked.test", True)  # in the browser's settings, where nothing is chosen
        until_mode(browser, url, "learn")
    finally:
        browser.asks(False)
        browser.switch(url, "off")


@pytest.mark.parametrize("name", EDITORS)
def test_an_editor_takes_it_as_if_it_had_been_typed(browser, editor, name):
    tab = browser.tab

    def is_corrected():
        """Where a busy machine is a second late, the word stays."""
        editor(name)
        tab.type("Dear all,")
        tab.press("Enter")
        tab.type("hte ")
        until(lambda: tab.js("model().trim().endsWith('the')") or "hte → the" in browser.shown()[1])
        if name == "codemirror":  # it says that it wants no corrections, as editors of code do
            tab.press("1", "Alt")
        return tab.js("model().trim().endsWith('the')")

    until(is_corrected)
    tab.type(START.removeprefix("the ")[:-1])
    browser.until_shown(lambda ghost, _: ghost.startswith("velin"), browser.type_anew)
    tab.press("Escape")
    browser.until_nothing()
    tab.press("-", "Alt")  # else nothing is shown until the next word
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

    def is_undone():
        """An editor draws what a key has changed before the next comes: Draft.js loses undoing that overtakes it."""
        tab.press("z", "Control")
        tab.js("new Promise((then) => requestAnimationFrame(() => setTimeout(then)))")
        return tab.js(f"!model().includes({json.dumps(ghost[4:])})")

    assert any(is_undone() for _ in range(20))


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


@in_chromium
def test_nothing_is_asked_in_fields_that_are_for_no_prose(browser):
    tab = browser.tab

    def type_in_each():
        for place in range(tab.js("document.querySelectorAll('.never').length")):
            tab.js(f"document.querySelectorAll('.never')[{place}].focus()")
            tab.type("e 1")

    browser.offer()
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


@in_chromium
def test_nothing_is_asked_on_a_site_that_is_off_or_a_banks_or_frames_another(browser):
    tab = browser.tab
    browser.offer()
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
    browser.offer()
    browser.popup(browser.url("/", ""))  # the page before is gone, and asks no more
    before = browser.room.asked("suggest")
    with browser.private_window(FIELDS["textarea"]):
        browser.begin()
        browser.until_value(START)
    browser.after_all()
    assert browser.room.asked("suggest") == before


# --- learning ---


@in_chromium
def test_a_slip_that_its_user_mends_is_counted_as_a_pair_of_letters_and_no_page_can_say(
    browser, service, learning
):
    tab = browser.tab

    def counted(*slip):
        return sum(
            times for *pair, times in service.ask("/v1/report")["slips"] if pair == [*slip] or not slip
        )

    def type_slip():
        for key in ("t", "e", "h", "Backspace", "Backspace", "h", "e", " "):
            tab.press(key)

    before = counted("he", "eh")
    browser.open(FIELDS["textarea"])
    browser.write_noticed("q ")
    tab.js("""for (const key of ["a", "q", "z", "Backspace", "Backspace", "z", "q", " "])
      field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }))""")
    type_slip()
    until(lambda: counted("he", "eh") > before, again=type_slip)
    assert counted("zq", "qz") == 0
    browser.after_all()
    told = counted()
    browser.switch(learning, "suggest")
    browser.open(FIELDS["textarea"])
    browser.write_noticed("q ")
    type_slip()
    browser.after_all()
    assert counted() == told


@in_chromium
def test_what_is_written_is_learned_once_and_only_where_that_is_allowed(browser, service, learning):
    tab = browser.tab
    name = "Plimbora"
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
    browser.switch(learning, "suggest")
    browser.open(FIELDS["textarea"])
    browser.write_noticed(f"Nobody hears of the wobbly {name} here.")
    tab.js("field.blur()")
    browser.after_all()
    for text in (f"wobbly {name}", f"quoted {name}", "Theirs was here"):
        assert learned(service, text) == 0


def test_what_is_written_is_learned_where_its_page_is_left(browser, service, learning):
    browser.open(FIELDS["textarea"])
    with browser.noticed():
        browser.tab.type(f"We left {browser.name} by the back door")
    browser.popup(learning)
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
    browser, service, learning
):
    tab = browser.tab
    for place, name in enumerate(("Quilvane", "Brestolka")):
        browser.open(FULL, path=f"/full{place}")
        tab.js(f"turn({place})")
        browser.write_noticed(f" So {name} came late to the pier")
        tab.js("field.blur()")
        assert until_learned(service, f"So {name} came late to the pier") == 1
    assert learned(service, "Theirs stood") == learned(service, "quoted line") == 0


@in_chromium
def test_what_is_typed_in_an_editor_is_learned_and_what_is_pasted_is_not(browser, editor, service, learning):
    tab = browser.tab
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


@in_chromium
def test_of_an_editor_that_draws_only_some_lines_those_are_learned_that_were_typed(
    browser, editor, service, learning
):
    editor("codemirror")
    tab = browser.tab
    tab.js("fill(Array.from({ length: 900 }, (_, line) => `Theirs is the bare line ${line}`).join('\\n'))")
    tab.press("Enter")
    with browser.noticed():
        tab.type("The windy Harvola ends it")
    # The editor scrolls back to its cursor once after a key.
    tab.until("(scrollTo(0, 0), document.querySelector('.cm-line').textContent.endsWith('bare line 0'))")
    tab.click(".cm-line")
    tab.press("Enter")
    tab.type("The sunny Harvola parts it ")
    tab.js("field.blur()")
    assert until_learned(service, "The windy Harvola ends it") == 1
    assert until_learned(service, "The sunny Harvola parts it") == 1
    assert learned(service, "Theirs is the bare line") == 0


def test_the_linter_of_extensions_finds_nothing(room, editors, needs_program):
    done = subprocess.run(
        [
            needs_program("node", "nodejs"),
            editors / LINTER,
            "--output",
            "json",
            room.folder / "built" / "extension",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = json.loads(done.stdout)
    codes = [one["code"] for kind in ("errors", "warnings", "notices") for one in found[kind]]
    assert codes == ["BACKGROUND_SERVICE_WORKER_IGNORED"], "one manifest is for all browsers"


# --- when something is missing ---

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

    def said():
        browser.popup(browser.url("/", ""))
        return browser.tab.js("(trouble.hidden ? '' : trouble.innerText)")

    until(lambda: advice in said() if advice else not said(), said)


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
    browser.offer()


@in_chromium
def test_the_button_shows_what_is_done_on_the_site_of_a_tab(browser, learning, upset):
    tab, here = browser.tab, learning
    browser.open(FIELDS["textarea"])
    found = "(await chrome.tabs.query({ url: '*://notes.test/*' }))[0]?.id"
    asked = (
        f"(async () => {{ const tabId = {found}; return tabId && await chrome.action.%s({{ tabId }}); }})()"
    )
    with tab.another(here):
        for mode, shown, title in (
            ("learn", "L", "learns"),
            ("off", "", "off"),
            ("suggest", "S", "suggests only"),
        ):
            browser.switch(here, mode)
            tab.until(f"{asked % 'getBadgeText'}.then((text) => text === {shown!r})")
            assert title in tab.js(asked % "getTitle")
        with without_host(browser.room):
            browser.popup(here)
            tab.until(f"{asked % 'getBadgeText'}.then((text) => text === '!')")
            assert "idiolect setup browser" in tab.js(asked % "getTitle")
        all_is_well(browser)
        upset.ask("/v1/pause", for_s=600)
        for mode, shown in (("learn", "!"), ("suggest", "S")):  # suggestions go on
            browser.switch(here, mode)
            tab.until(f"{asked % 'getBadgeText'}.then((text) => text === {shown!r})")


@in_chromium
def test_without_a_host_the_button_says_what_to_do(browser):
    with without_host(browser.room):
        nothing_is_shown(browser, "idiolect setup browser")
    all_is_well(browser)


@in_chromium
def test_with_an_older_host_the_button_says_what_to_do(browser):
    with with_old_host(browser.room):
        nothing_is_shown(browser, "update it")
    all_is_well(browser)


@pytest.fixture
def upset(service):
    """The service, which a test may stop, lock and pause: afterwards it runs, unlocked, and learns."""
    yield service
    if service.settings.locked_path.exists():
        process.stop(service.settings)
        lock.unlock(service.settings, None)
    process.start(service.settings)
    service.ask("/v1/resume", for_s=None)


@in_chromium
def test_where_the_service_is_stopped_locked_or_paused_the_button_says_what_to_do(browser, upset):
    settings = upset.settings
    process.stop(settings)
    nothing_is_shown(browser, "idiolect start")
    lock.lock(settings, None)
    process.start(settings)
    nothing_is_shown(browser, "idiolect unlock")
    process.stop(settings)
    lock.unlock(settings, None)
    process.start(settings)
    all_is_well(browser)
    upset.ask("/v1/pause", for_s=600)
    until_told(browser, "idiolect pause --end")
    browser.offer()
    upset.ask("/v1/resume", for_s=None)
    all_is_well(browser)
