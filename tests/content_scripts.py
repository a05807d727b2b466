"""The extension's content scripts in Node: what they make of cases that Python is asked, too."""

import json
import subprocess
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parents[1] / "daemon" / "clients" / "browser" / "extension" / "content"
ASK = """
import {{ readFileSync }} from "node:fs";
(0, eval)(readFileSync({script}, "utf-8"));
const made = {work};
console.log(JSON.stringify({cases}.map(made)));
"""


def run_script(node: str, name: str, work: str, cases: list[Any]) -> list[Any]:
    """What `work`, a function in JavaScript, makes of each case once a content script is loaded."""
    given = {"script": str(CONTENT / name), "cases": cases}
    code = ASK.format(work=work, **{name: json.dumps(value) for name, value in given.items()})
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True
    )
    found: list[Any] = json.loads(done.stdout)
    return found
