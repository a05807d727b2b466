"""Whose words are learned in a page: its user's own, whatever the page does to its fields."""

import json

from browsers import FIELDS, START, VALUE, in_chromium, learned, until_learned

#: Ways of a page to have its own words learned as its user's: the kind of field, and what its script does. `theirs` is
#: what it wants to be learned, `once(work)` does it at one key alone, `put(text)` adds a text to the field.
WAYS = {
    "it appends to what is typed": ("textarea", "on(field, 'input', once(() => put(` ${theirs}.`)))"),
    "it writes before the browser does": ("textarea", "on(window, 'keydown', once(() => put(`${theirs} `)))"),
    "it writes between the key and the change": (
        "textarea",
        "on(window, 'beforeinput', once(() => field.setRangeText(`${theirs}. `, 0, 0, 'preserve')))",
    ),
    "it carries out a command at a key": (
        "textarea",
        "on(field, 'keydown', once(() => document.execCommand('insertText', false, ` ${theirs} `)))",
    ),
    "it carries out a command of each letter": (
        "editable",
        """on(field, 'keyup', once(() => {
          for (const letter of ` ${theirs} `) document.execCommand('insertText', false, letter);
        }))""",
    ),
    "it has markup put in": (
        "editable",
        "on(field, 'input', once(() => document.execCommand('insertHTML', false, `<b> ${theirs} </b>`)))",
    ),
    "it adds an element that is out of sight": (
        "editable",
        """on(field, 'input', once(() => {
          const one = document.createElement('p');
          one.textContent = theirs;
          one.style = 'position: absolute; left: -9999px';
          field.append(one);
        }))""",
    ),
    "it replaces everything a moment later": (
        "textarea",
        "on(field, 'keydown', once(() => setTimeout(() => { field.value = `${theirs}. ${field.value}`; }, 30)))",
    ),
    "it completes the word": (
        "textarea",
        """on(field, 'input', once(() => {
          const at = field.selectionEnd;
          field.setRangeText(` ${theirs}`, at, at, 'preserve');
          setTimeout(() => field.setSelectionRange(field.value.length, field.value.length));
        }))""",
    ),
    "it makes events of its own": (
        "editable",
        """on(field, 'keyup', once(() => {
          for (const letter of `${theirs} `) {
            const about = { bubbles: true, cancelable: true, composed: true };
            field.dispatchEvent(new KeyboardEvent('keydown', { ...about, key: letter }));
            field.dispatchEvent(new InputEvent('beforeinput', { ...about, data: letter, inputType: 'insertText' }));
            put(letter);
            field.dispatchEvent(new InputEvent('input', { ...about, data: letter, inputType: 'insertText' }));
          }
        }))""",
    ),
    "it writes where its user leaves": (
        "textarea",
        "on(window, 'focusout', once(() => put(` ${theirs}`)))",
    ),
    "it takes letters out of what was typed": (
        "textarea",
        "on(field, 'input', () => { field.value = field.value.replace('xqx', ''); })",
    ),
}
HOSTILE = """{field}<button>next</button><script>
var theirs = {theirs}, armed = false;
const on = (target, type, work) => target.addEventListener(type, work, true);
const once = (work) => (event) => {{ if (armed && event.isTrusted) {{ armed = false; work(event); }} }};
const put = (text) => {{ "value" in field ? (field.value += text) : field.append(text); }};
</script><script>{way}</script>"""
NAMES = [
    "Abroval",
    "Brindel",
    "Corvask",
    "Dellamur",
    "Ethrand",
    "Fossick",
    "Garnoble",
    "Hallowin",
    "Istrane",
    "Jorvelle",
    "Kestrick",
    "Lomander",
]


def test_a_page_puts_no_word_into_its_users_mouth_in_twelve_ways(browser, service, learning):
    tab = browser.tab
    tried = {}
    for place, (name, (kind, way)) in enumerate(WAYS.items()):
        own = f"{NAMES[place]}{browser.name.lower()}"
        theirs = f"buy the Vorpal{place}{browser.name.lower()} today"
        first, last = "The heron", f" saw {own} sing"
        if "letters" in name:
            theirs = f"Vor{'abcdefghijkl'[place]}pal"
            first = f"The Vor{'abcdefghijkl'[place]}xqxpal"
        body = HOSTILE.format(field=FIELDS[kind], theirs=json.dumps(theirs), way=way)
        browser.open(body, path=f"/hostile{place}")
        with browser.noticed():
            tab.type(
                first[0]
            )  # of what comes before it is loaded all would be the page's, where that changes it
        tab.type(first[1:-1])
        tab.js("void document.defaultView.eval('armed = true')")  # in the page's own world
        tab.type(first[-1])
        if "moment" in name:
            tab.until(f"field.value.startsWith({json.dumps(theirs)})")
        tab.js("('value' in field && field.setSelectionRange(field.value.length, field.value.length))")
        tab.type(last)
        held = tab.js(VALUE)
        tab.js("field.blur()")
        held = max(held, tab.js(VALUE), key=len)
        assert theirs in held, (name, held)  # the page has had its way
        until_learned(service, f"saw {own}")
        tried[theirs] = name
    assert [name for theirs, name in tried.items() if learned(service, theirs)] == []


def test_what_its_user_undoes_cuts_and_takes_is_theirs_as_what_they_type(browser, service, learning):
    tab = browser.tab
    for kind in ("textarea", "editable"):
        mark = f"{kind}{browser.name.lower()}"
        browser.open(FIELDS[kind] + "<button>next</button>", path=f"/own-{kind}")
        with browser.noticed():
            tab.type(f"We saw the gantry of {mark} ")
        tab.type("twice today")
        tab.press("z", "Control")
        tab.until(f"!({VALUE}).endsWith('today')")
        tab.press("z", "Control", "Shift")
        tab.until(f"({VALUE}).endsWith('today')")
        tab.js("field.blur()")
        until_learned(service, f"We saw the gantry of {mark} twice today")

        browser.open(FIELDS[kind] + "<button>next</button>", path=f"/cut-{kind}")
        with browser.noticed():
            tab.type(f"Nobody moved the {mark} kettle")
        browser.command("a")
        browser.command("x")
        browser.until_value("")
        tab.type("So ")
        browser.command("v")
        tab.until(f"({VALUE}).endsWith('kettle')")
        tab.type(" again")
        tab.js("field.blur()")
        until_learned(service, f"So Nobody moved the {mark} kettle again")

        browser.open(FIELDS[kind] + "<button>next</button>", path=f"/taken-{kind}")
        tab.type(f"{mark} told {START}")
        browser.until_ghost()
        tab.press("Tab")
        tab.until(f"({VALUE}).includes('Zorvelin hums')")
        tab.js("field.blur()")
        until_learned(service, f"{mark} told {START}elin hums")


@in_chromium
def test_what_an_input_method_composes_is_theirs_and_what_the_page_adds_to_it_is_not(
    browser, service, learning
):
    tab = browser.tab
    browser.open(FIELDS["textarea"] + "<button>next</button>", path="/composed")
    with browser.noticed():
        tab.type("The sign reads ")
    tab.js("field.addEventListener('compositionend', () => { field.value += ' vorpalline offer'; })")
    for composed in ("に", "にほ", "にほん"):
        about = {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)}
        tab.send("Input.imeSetComposition", **about)
    tab.send("Input.insertText", text="日本語だよ")
    tab.until("field.value.endsWith('offer')")
    tab.js("field.blur()")
    until_learned(service, "The sign reads 日本語だよ")
    assert learned(service, "vorpalline offer") == 0


@in_chromium
def test_what_is_typed_in_a_pause_is_not_learned_after_it(browser, service, learning):
    tab = browser.tab
    mark = f"Perrivale{browser.name.lower()}"
    browser.open(FIELDS["textarea"] + "<button>next</button>", path="/paused")
    with browser.noticed():
        tab.type(f"Openly {mark} spoke")
    tab.press("Enter")
    try:
        service.ask("/v1/pause", for_s=600)
        tab.type(f"Secretly {mark} wept")
        tab.press("Enter")
        tab.until("field.value.includes('wept')")
    finally:
        service.ask("/v1/resume", for_s=None)
    tab.type(f"Again {mark} sang")
    tab.js("field.blur()")
    until_learned(service, f"Again {mark} sang")
    assert learned(service, f"Openly {mark} spoke") == 1
    assert learned(service, f"Secretly {mark}") == 0


@in_chromium
def test_a_secret_in_two_pieces_is_found(browser, service, learning):
    """What stands before the new part is looked at, and kept nowhere."""
    tab = browser.tab
    browser.open(FIELDS["textarea"] + "<button>next</button>", path="/pieces")
    with browser.noticed():
        tab.type("Dear Tove, My PIN is ")
    tab.js("field.blur()")
    tab.js("(field.focus(), field.setSelectionRange(field.value.length, field.value.length))")
    tab.type("4471 8890")
    tab.press("Enter")
    tab.type("The wifi password:")
    tab.press("Enter")
    tab.type("Kirschbaum-Regen-8")
    tab.press("Enter")
    tab.type("That was the last of the merry Okapelli")
    tab.js("field.blur()")
    until_learned(service, "That was the last of the merry Okapelli")
    assert learned(service, "My PIN is") == 1
    for secret in ("4471 8890", "4471", "8890", "Kirschbaum-Regen-8", "Kirschbaum"):
        assert learned(service, secret) == 0, secret


SECRET = """
<label for="one">Passphrase</label> <textarea id="one" class="never"></textarea>
<label>Security code <textarea class="never"></textarea></label>
<span id="recovery">Recovery phrase</span> <textarea aria-labelledby="recovery" class="never"></textarea>
<textarea name="mnemonic" class="never"></textarea> <textarea aria-label="Seed phrase" class="never"></textarea>
<textarea placeholder="Your backup code" class="never"></textarea>
<textarea title="Private key" class="never"></textarea>
<div contenteditable aria-label="Recovery phrase" class="never"></div>
<span id="code">Security code</span> <div contenteditable aria-labelledby="other code" class="never"></div>
<input autocomplete="cc-csc" class="never"> <input autocomplete="section-a current-password" class="never">
<input aria-labelledby="code" class="never"> <input name="oneTimeCode" class="never">
<textarea aria-label="Verification code" class="never"></textarea>
<textarea placeholder="パスワード" class="never"></textarea>
<textarea name="contraseña" class="never"></textarea> <input title="Sicherheitscode" class="never">
<p><textarea id="field" aria-label="Message to the passengers"></textarea></p>
"""


@in_chromium
def test_nothing_is_asked_or_learned_in_a_field_that_is_called_a_secrets(browser, service, learning):
    tab = browser.tab
    browser.after_all()  # what the page before asked is no question of these fields
    browser.offer(SECRET, path="/secret")
    before = browser.room.asked("suggest")
    for place in range(tab.js("document.querySelectorAll('.never').length")):
        tab.js(f"document.querySelectorAll('.never')[{place}].focus()")
        tab.type("Thimblory e")
    tab.js("document.activeElement.blur()")
    browser.after_all()
    assert browser.room.asked("suggest") == before
    assert learned(service, "Thimblory") == 0
    # A field that becomes one while it is written in is none when it is left.
    browser.open(FIELDS["textarea"] + "<button>next</button>", path="/renamed")
    with browser.noticed():
        tab.type("Thimblory words")
    tab.js("field.setAttribute('aria-label', 'Passphrase')")
    tab.type(" more")
    tab.js("field.blur()")
    browser.after_all()
    assert learned(service, "Thimblory") == 0
