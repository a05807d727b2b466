"""What each rule of redaction must take and what it must not, as redaction_examples.txt says it.

Under `== NAME`, the rule's name, a line that begins with `+` has a secret between ⟦ and ⟧, and a line that begins with
`-` has none. A ⏎ is the end of a line. A `¦`, to be taken out, keeps scanners from taking the file for a leak.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from idiolect.daemon.text.redaction.patterns import RULES
from idiolect.daemon.text.redaction.rule import Rule
from idiolect.daemon.text.redaction.service_tokens import SERVICES

_BY_NAME = {rule.name: rule for rule in RULES}


def _lines(mark: str) -> Iterator[tuple[Rule, str]]:
    rule = None
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    for line in text.split("\n"):
        if line.startswith("== "):
            rule = _BY_NAME[line[3:]]
        elif line.startswith(mark):
            assert rule is not None
            yield rule, line[2:].replace("⏎", "\n").replace("¦", "")


def taken() -> list[tuple[Rule, str, str]]:
    """Texts with one secret, each with the rule that must take it and with what must be left."""
    marked = [*_lines("+ ")]
    tokens = _BY_NAME["tokens of services"]
    marked += [
        (tokens, f"⟦{example.replace('¦', '')}⟧") for _, _, example in SERVICES if "ccountK" not in example
    ]
    return [
        (rule, re.sub("[⟦⟧]", "", text), re.sub("⟦.*⟧", rule.placeholder, text, flags=re.DOTALL))
        for rule, text in marked
    ]


def left() -> list[tuple[Rule, str]]:
    """Texts without a secret, each with the rule that could take something of it by mistake."""
    return [*_lines("- ")]
