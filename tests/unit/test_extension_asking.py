"""The extension's questions: what holds of an answer whose text was replaced meanwhile."""

import json
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "daemon" / "clients" / "browser" / "extension" / "content" / "asking.js"
TYPED_ON = """
import {{ readFileSync }} from "node:fs";
const field = {{ element: {{}}, purpose: "text" }};
const asked = [], none = [], texts = {texts};
globalThis.idiolect = {{
  now: {{ field, mode: "learn", speed: {{}} }},
  fields: {{ of: () => field }},
  text: {{ around: () => ({{ prefix: texts.shift(), suffix: "" }}) }},
  showing: {{ isDismissed: () => false, outdate() {{}}, current: () => null, last: () => null }},
  context: {{ texts: () => none }},
  link: {{ tell: ({{ id }}) => asked.push(id) }},
}};
(0, eval)(readFileSync({path}, "utf-8"));
const {{ ask, replace, answered, holding }} = idiolect.asking;
while (texts.length) ask();
replace("hte ", "the ");
const answer = {{ words: {words}, correction: {correction} }};
console.log(JSON.stringify(asked.map((id) => {{
  const prompt = answered(id);
  return [prompt.prefix, holding(prompt, answer)];
}})));
"""


def test_nothing_of_an_answer_reaches_into_what_was_replaced_since_it_was_asked_for(needs_program):
    node = needs_program("node", "nodejs")
    words = [{"text": "cat", "p": 0.5}, {"text": "cat", "p": 0.4, "replace": 3}]
    reaching = {"text": "the cut", "p": 0.3, "replace": 7}
    held = {"words": json.dumps([*words, reaching]), "correction": json.dumps({**reaching, "apply": True})}
    script = TYPED_ON.format(texts=json.dumps(["so", "hte cta"]), path=json.dumps(str(SCRIPT)), **held)
    ran = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    (_, whole), (prefix, holds) = json.loads(ran.stdout)
    assert len(whole["words"]) == 3, "what was not touched stays as it was answered"
    assert (prefix, holds) == ("the cta", {"words": words, "correction": None})
