"""Words that the extension mends by itself: how that is marked and put back, where it is not done, and bad input."""

import pytest
from browsers import FIELDS, VALUE, in_chromium, nodes
from waiting import DEADLINE_S, until

NOWHERE = {
    "a form's city": '<input id="field" name="city">',
    "a form's name, as the browser would complete it": '<input id="field" autocomplete="given-name">',
    "a field for code": '<textarea id="field" spellcheck="false"></textarea>',
    "an editor of code": '<div autocorrect="off"><div id="field" contenteditable></div></div>',
    "code in a text": '<div id="field" contenteditable><pre>x</pre></div>',
}


def words(browser):
    return browser.shown()[1]


def offers(browser):
    return "hte → the" in words(browser)


def write_slip(browser, body):
    """Whether a slip is mended in a new page; where a busy machine is a second late, it is offered."""

    def write():
        browser.open(body)
        browser.tab.type("we saw hte ")
        browser.tab.until(f"({VALUE}).includes('the') || ({VALUE}).includes('hte')")

    write()
    until(lambda: browser.tab.js(VALUE).endswith("the") or offers(browser), again=write)
    return browser.tab.js(VALUE).endswith("the")


def is_marked(browser):
    document = browser.tab.send("DOM.getDocument", depth=-1, pierce=True)["root"]
    marks = [node["attributes"] for node in nodes(document) if "mark" in node.get("attributes", ())]
    return any("hidden" not in attributes for attributes in marks)


def is_said(browser, text):
    told = browser.tab.send("Accessibility.getFullAXTree")["nodes"]
    return any(text == one.get("name", {}).get("value") for one in told)


def put_back(browser, button):
    """Push a button of the menu, once that names the mended word."""
    with browser.menu():
        browser.tab.until("document.querySelector('[value=put_back]')?.textContent.includes('“hte”')")
        browser.tab.push(f"[value={button}]")
        browser.tab.until("document.querySelector('#mended').innerText.includes('put back')")


@in_chromium
@pytest.mark.parametrize("kind", ["textarea", "editable"])
def test_what_was_mended_is_underlined_said_and_put_back_by_the_buttons_menu(browser, service, kind):
    tab = browser.tab
    for seen in (
        is_marked,
        lambda browser: is_said(browser, "“hte” became “the”. BackSpace takes that back."),
    ):
        until(lambda: write_slip(browser, FIELDS[kind]) and seen(browser))  # noqa: B023 (called here)
    tab.type("cat")
    for button in ("put_back", "never_mend"):
        put_back(browser, button)
        browser.until_value("we saw hte cat")
        with browser.menu():
            tab.until("document.body?.dataset.ready !== undefined")
            assert tab.js("document.querySelector('#mended').hidden")
        tab.type(" hte ")
        until(lambda: words(browser))
        browser.until_value("we saw hte cat hte")
        rules = [one["text"] for one in service.ask("/v1/words")["rules"] if one["kind"] == "never_correct"]
        assert ("hte" in rules) is (button == "never_mend")
        if button == "put_back":
            until(lambda: write_slip(browser, FIELDS[kind]))
            tab.type("cat")
    service.ask("/v1/words/add", kind="always_correct", text="hte", replacement="the")


@in_chromium
@pytest.mark.parametrize("where", NOWHERE)
def test_in_code_and_in_the_data_of_a_form_a_correction_is_only_offered(browser, where):
    browser.open(NOWHERE[where])
    if where == "code in a text":
        browser.tab.js("getSelection().collapse(field.firstChild.firstChild, 1)")
    browser.tab.type(" we saw hte ")
    until(lambda: offers(browser))
    assert browser.tab.js(VALUE).endswith("we saw hte")


#: What happens between a key and its answer, and what stands there then: as it was typed, whatever the answer says.
BETWEEN = {
    "the field shows what was typed in its own way": (
        "void (field.value = field.value.toUpperCase())",
        "WE SAW HTE",
    ),
    "the field takes the word away": ("void (field.value = 'we saw it')", "we saw it"),
    "the cursor jumps": ("field.setSelectionRange(3, 3)", "we saw hte"),
    "the text is selected": ("field.select()", "we saw hte"),
    "another field has the focus": ("field.blur()", "we saw hte"),
}


def muted(browser, work):
    """Type a slip whose answer comes after `work`."""
    until(lambda: write_slip(browser, FIELDS["textarea"]))  # the service answers by now
    browser.tab.js("void (field.value = '')")
    browser.tab.type("we saw")
    with browser.room.mute():
        browser.tab.type(" hte ")
        work()


@in_chromium
@pytest.mark.parametrize("what", BETWEEN)
def test_a_field_that_changes_before_the_answer_comes_stands_as_it_is(browser, what):
    done, left = BETWEEN[what]
    muted(browser, lambda: browser.tab.js(done))
    browser.after_answers()
    assert browser.tab.js(VALUE) == left


@in_chromium
def test_what_is_undone_before_the_answer_comes_stays_undone(browser):
    muted(browser, lambda: browser.tab.press("z", "Control"))
    left = browser.tab.js(VALUE)
    browser.after_answers()
    assert browser.tab.js(VALUE) == left
    assert "the" not in left


@in_chromium
def test_an_input_method_that_composes_before_the_answer_comes_is_undisturbed(browser):
    def compose():
        browser.tab.send("Input.imeSetComposition", text="に", selectionStart=1, selectionEnd=1)

    muted(browser, compose)
    browser.after_answers()
    assert browser.tab.js(VALUE) == "we saw hte に"


@in_chromium
def test_what_was_typed_stands_where_the_service_goes_before_it_answers(browser):
    def kill():
        for one in browser.room.hosts():
            one.kill()
            one.wait(DEADLINE_S)

    muted(browser, kill)
    assert browser.tab.js(VALUE) == "we saw hte"
    browser.popup(browser.url("/", ""))  # it starts another host at once
    until(lambda: write_slip(browser, FIELDS["textarea"]))


@in_chromium  # the other has no tab beside the page
def test_the_buttons_menu_has_nothing_shown_for_a_while_and_ends_that(browser):
    tab = browser.tab
    browser.offer()
    for quiet in (True, False):
        with browser.menu():
            tab.until(
                "document.querySelector('#quietly')?.hidden === false && document.body.dataset.ready !== undefined"
            )
            assert tab.js("document.querySelector('#quiet').checked") != quiet
            assert "Show nothing" in tab.js("document.querySelector('#quietly').innerText")
            tab.push("#quiet")
        if quiet:
            browser.until_nothing()
    browser.until_ghost()
