"""When the extension reads a page for what its user answers."""

import json
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "daemon" / "clients" / "browser" / "extension" / "content" / "context.js"
#: `steps` are run one after another; what is told is how often the page was read after each, and what is known then.
STEPS = """
import {{ readFileSync }} from "node:fs";
let idle = null, time = 0, thread = ["Anna: See you on Thursday?"], reads = 0, firsts = 0, isField = true;
globalThis.requestIdleCallback = (work) => ((idle = work), 1);
globalThis.cancelIdleCallback = () => (idle = null);
globalThis.location = {{ href: "https://notes.test/1" }};
Object.defineProperty(globalThis, "performance", {{ value: {{ now: () => time }} }});
const newest = {{ isConnected: true }};
globalThis.idiolect = {{
  now: {{ field: {{ element: {{}} }} }},
  fields: {{ of: () => (isField ? {{}} : null) }},
  thread: {{ around: () => (reads++, {{ texts: [...thread], newest }}) }},
}};
(0, eval)(readFileSync({path}, "utf-8"));
const {{ told, texts, forget, onFirst }} = idiolect.context;
onFirst(() => firsts++);
const rest = () => {{ const work = idle; idle = null; work?.(); }};
const found = [{steps}].map((step) => (step(), [reads, texts().join(), firsts]));
console.log(JSON.stringify(found));
"""
ANNA = "Anna: See you on Thursday?"


@pytest.fixture
def after(needs_program):
    """`after(step, ...)`: how often the page was read after each step, what is known then, and of how many fields."""

    def run(*steps):
        code = STEPS.format(
            steps=", ".join(f"() => {{ {step} }}" for step in steps), path=json.dumps(str(SCRIPT))
        )
        program = needs_program("node", "nodejs")
        command = [program, "--input-type=module", "-e", code]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        return [tuple(one) for one in json.loads(ran.stdout)]

    return run


def test_the_page_is_read_once_and_not_before_an_answer_wants_it(after):
    steps = ["rest()", "told(false); rest()", "told(true)", "rest()", *["told(true); rest()"] * 3]
    assert after(*steps) == [(0, "", 0)] * 3 + [(1, ANNA, 1)] * 4


@pytest.mark.parametrize("change", ['location.href += "2"', "newest.isConnected = false"])
def test_what_was_read_is_dropped_where_the_page_has_become_another(after, change):
    steps = ["told(true); rest()", change, "newest.isConnected = true; rest()"]
    assert after(*steps) == [(1, ANNA, 1), (1, "", 1), (2, ANNA, 2)]


@pytest.mark.parametrize("end", ["forget()", "told(false)", "told(undefined)"])
def test_what_was_read_is_dropped_where_the_field_is_left_or_an_answer_wants_it_no_more(after, end):
    steps = ["told(true); rest()", end, "rest()"]
    assert after(*steps) == [(1, ANNA, 1), (1, "", 1), (1, "", 1)]
    assert after("told(true)", end, "rest()")[-1] == (0, "", 0)


@pytest.mark.parametrize("change", ["isField = false", "idiolect.now.field = null"])
def test_nothing_is_read_around_a_field_that_has_become_none(after, change):
    assert after("told(true)", f"{change}; rest()") == [(0, "", 0)] * 2
