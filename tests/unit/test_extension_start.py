"""What the extension keeps of a field until the rest of it is loaded, and whose that is taken to be."""

import json
import subprocess
from pathlib import Path

import pytest

from idiolect.daemon.clients.browser.page_door import read_event
from idiolect.daemon.session import effects, events
from idiolect.daemon.session.field import PageField
from idiolect.daemon.session.field_authorship import texts_of
from idiolect.daemon.session.page_engine import PageEngine
from idiolect.daemon.session.session import Session

CONTENT = Path(__file__).parents[2] / "daemon" / "clients" / "browser" / "extension" / "content"
#: A field of a page in which keys come before the rest is loaded, then some behind it; what is told of them.
SLOWLY_LOADED = """
import {{ readFileSync }} from "node:fs";
const heard = {{}}, told = [];
class HTMLInputElement {{ value = ""; isConnected = true; contains() {{ return true; }} }}
const element = new HTMLInputElement();
const page = {{ addEventListener: (name, work) => (heard[name] = work), querySelector: () => null }};
Object.assign(globalThis, {{ window: page, document: page, HTMLInputElement }});
globalThis.chrome = {{ runtime: {{ sendMessage: () => new Promise(() => {{}}) }} }};
const field = {{ element, kind: "plain", purpose: "", mends: true }};
const load = (name) => (0, eval)(readFileSync({folder} + name, "utf-8"));
globalThis.idiolect = {{
  now: {{ mode: "learn", composing: false, field }},
  fields: {{ MODIFIERS: [], focused: () => ({{ element, roots: [] }}), of: () => field, isSecret: () => false }},
  link: {{ tell: ({{ events }}) => told.push(...events) }},
  context: {{ texts: () => [] }},
}};
load("text.js");
idiolect.text.around = () => ({{ prefix: element.value, suffix: "" }});
load("start.js");
const happens = (name, about) => heard[name]({{ isTrusted: true, composedPath: () => [element], ...about }});
happens("focusin", {{}});
for (const key of {keys}) {{
  happens("keydown", {{ key }});
  const inputType = key === "Backspace" ? "deleteContentBackward" : "insertText";
  happens("beforeinput", {{ inputType, data: key === "Backspace" ? null : key }});
}}
element.value = {shown};
load("telling.js");
const {{ telling, start }} = idiolect;
telling.open(start.early());
telling.tell();
for (const key of " and more") {{
  telling.open();
  telling.note("key", key, 0, 0);
  telling.enter("insertText", key);
  element.value += key;
  telling.tell();
}}
telling.leave();
console.log(JSON.stringify(told));
"""
LONG = "the heron of the upper weir stands there in the rain, and it has not moved since seven o'clock"


def learned(told):
    """What is learned of a field of which this is told."""
    session, found = Session(learns=True), []
    engine = PageEngine(session, None)
    for event in told:
        match event:
            case ["field", *_, text]:
                event = events.FieldCame("1", PageField("browser:1"), text)
            case ["text", *_]:
                continue
            case _:
                event = read_event(event)
        for _, effect in session.handle(event, engine, now_s=1000.0, unix_s=1000.0):
            if isinstance(effect, effects.LearnLines):
                found += [text.text for text in texts_of(effect.lines)]
    return found


@pytest.mark.parametrize(
    ("keys", "shown", "expected"),
    [
        ([*LONG], LONG, [f"{LONG} and more"]),
        ([*LONG, "s", "Backspace"], LONG, [f"{LONG} and more"]),
        ([*"the heron"], "the Herons", ["and more"]),
    ],
    ids=["many words", "a letter taken back", "the page has changed them"],
)
def test_what_is_typed_before_the_rest_is_loaded_is_learned_as_it_was_typed(
    needs_program, keys, shown, expected
):
    script = SLOWLY_LOADED.format(
        folder=json.dumps(f"{CONTENT}/"), keys=json.dumps(keys), shown=json.dumps(shown)
    )
    command = [needs_program("node", "nodejs"), "--input-type=module", "-e", script]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert learned(json.loads(ran.stdout)) == expected
