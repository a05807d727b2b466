"""The table of scenarios in a page: real keys, the extension, its host, and a service that corrects by rules.

The real service answers by itself, so that rows which say what it answers are run against the session alone.
"""

import json

import pytest
from browsers import FIELDS, in_chromium, learned, until_learned
from typing_scenarios import scenarios, text_of
from waiting import until

CAN = {
    "many lines",
    "type",
    "key",
    "puts",
    "report",
    "corrects",
    "choose",
    "stands",
    "menu",
    "no menu",
    "note",
    "learns",
}
TIMES = 3  # an answer may bring another question
KEYS = {"BackSpace": "Backspace", "Return": "Enter", "Left": "ArrowLeft"}
ROWS = [row for row in scenarios(door="browser") if {verb for _, verb, _ in row.steps} <= CAN]


class PageRow:
    """Runs one scenario in a new page."""

    def __init__(self, scenario, browser, service):
        self.scenario, self.browser, self.tab, self.service = scenario, browser, browser.tab, service
        self.typed, self.known = "", set()

    def is_right(self):
        """Whether all holds that the scenario says; a correction that a busy machine makes too late is not made."""
        verbs = {verb for _, verb, _ in self.scenario.steps}
        self.typed = ""
        self.browser.open(FIELDS["textarea" if "many lines" in verbs else "input"])
        return all(
            getattr(self, f"do_{verb.replace(' ', '_')}")(rest) is not False
            for _, verb, rest in self.scenario.steps
        )

    def do_corrects(self, rest):
        text, _, replacement = rest.lower().partition("→")
        self.known.add(text)
        self.service.ask("/v1/words/add", kind="always_correct", text=text, replacement=replacement)

    def do_many_lines(self, _rest):
        pass

    def do_report(self, _rest):
        pass

    def do_note(self, _rest):
        """What is noted is said by a screen reader, which other tests hear."""

    def do_puts(self, rest):
        text = json.dumps(text_of(rest))
        self.tab.js(
            f"(field.value = {text}, field.setSelectionRange(field.value.length, field.value.length))"
        )

    def do_type(self, rest):
        with self.browser.noticed():  # what comes first to a page is loaded then
            self.tab.type(text_of(rest))
        self.typed = f"{self.typed}{text_of(rest)}"
        if self.known:  # what is corrected is, before the next key
            self.browser.after_answers()

    def do_key(self, rest):
        for name in rest.split():
            if name.startswith("Ctrl+"):
                self.browser.command(name[-1])
            else:
                self.tab.press(KEYS[name])

    def do_stands(self, rest):
        """Whether it stands there once all answers are there."""
        for _ in range(TIMES):
            self.browser.after_answers()
            if self.tab.js("field.value") == text_of(rest):
                return True
        return False

    def do_choose(self, rest):
        with self.browser.menu():
            button = f'[value="{rest}"]'
            self.tab.until(f"document.querySelector('{button}') !== null")
            self.tab.push(button)
            self.tab.until("document.querySelector('#mended').innerText.includes('put back')")

    def do_menu(self, rest):
        with self.browser.menu():
            self.tab.until(f"document.querySelector('#mended')?.innerText.includes({json.dumps(rest)})")

    def do_no_menu(self, rest):
        with self.browser.menu():
            self.tab.until("document.body?.dataset.ready !== undefined")
            return rest not in self.tab.js("document.querySelector('#mended').innerText")

    def do_learns(self, rest):
        self.tab.js("field.blur()")
        if rest == "nothing":
            self.browser.after_all()
            return learned(self.service, self.typed) == 0
        return until_learned(self.service, rest)


@in_chromium
@pytest.mark.parametrize("scenario", ROWS, ids=str)
def test_what_follows_from_what_is_typed_in_a_page(scenario, browser, service, learning):
    row = PageRow(scenario, browser, service)
    until(row.is_right)
    for text in row.known:
        service.ask("/v1/words/remove", text=text)
