"""What the extension keeps of a field until the rest of it is loaded, and whose that is taken to be."""

import json
import subprocess
from pathlib import Path

import pytest

CONTENT = Path(__file__).parents[2] / "daemon" / "clients" / "browser" / "extension" / "content"
#: A field of a page in which keys come before the rest is loaded, then some behind it; what is learned of it.
SLOWLY_LOADED = """
import {{ readFileSync }} from "node:fs";
const heard = {{}}, element = {{ isConnected: true, value: "", contains: () => true }};
const page = {{ addEventListener: (name, work) => (heard[name] = work), querySelector: () => null }};
Object.assign(globalThis, {{ window: page, document: page }});
globalThis.chrome = {{ runtime: {{ sendMessage: () => new Promise(() => {{}}) }} }};
const field = {{ element, kind: "plain" }};
globalThis.idiolect = {{
  now: {{ mode: "learn", composing: false }},
  fields: {{ MODIFIERS: [], focused: () => ({{ element, roots: [] }}), of: () => field, isSecret: () => false }},
  text: {{ all: () => element.value }},
}};
const load = (name) => (0, eval)(readFileSync({folder} + name, "utf-8"));
const happens = (name, about) => heard[name]({{ isTrusted: true, composedPath: () => [element], ...about }});
load("start.js");
happens("focusin", {{}});
for (const key of {keys}) {{
  happens("keydown", {{ key }});
  const inputType = key === "Backspace" ? "deleteContentBackward" : "insertText";
  happens("beforeinput", {{ inputType, data: key === "Backspace" ? null : key }});
}}
element.value = {shown};
for (const name of ["authorship.js", "learning.js"]) load(name);
const {{ learning, start }} = idiolect;
learning.begin(field, start.early());
for (const key of " and more") {{
  learning.onKey({{ key, getModifierState: () => false }});
  learning.onChange({{ inputType: "insertText", data: key }});
  element.value += key;
  learning.sync();
}}
const {{ lines }} = learning.left() ?? {{ lines: [] }};
console.log(JSON.stringify(lines.map(({{ text, marks }}) => [text, marks.every(([, at]) => at > 0)])));
"""
LONG = "the heron of the upper weir stands there in the rain, and it has not moved since seven o'clock"


@pytest.mark.parametrize(
    ("keys", "shown", "learned"),
    [
        ([*LONG], LONG, [[f"{LONG} and more", True]]),
        ([*LONG, "s", "Backspace"], LONG, [[f"{LONG} and more", True]]),
        ([*"the heron"], "the Herons", []),
    ],
    ids=["many words", "a letter taken back", "the page has changed them"],
)
def test_what_is_typed_before_the_rest_is_loaded_is_learned_whole_or_not_at_all(
    needs_program, keys, shown, learned
):
    script = SLOWLY_LOADED.format(
        folder=json.dumps(f"{CONTENT}/"), keys=json.dumps(keys), shown=json.dumps(shown)
    )
    command = [needs_program("node", "nodejs"), "--input-type=module", "-e", script]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == learned
