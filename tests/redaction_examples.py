"""What each rule of redaction must take and what it must not, as redaction_examples.txt says it.

Under `== NAME`, the rule's name, a line that begins with `+` has a secret between ⟦ and ⟧, and a line that begins with
`-` has none. What the tagger must take and what not stands under :data:`TOLD`. A ⏎ is the end of a line. A `¦`, to be
taken out, keeps scanners from taking the file for a leak.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from idiolect.daemon.text.redaction.patterns import RULES
from idiolect.daemon.text.redaction.rule import Rule
from idiolect.daemon.text.redaction.service_tokens import SERVICES

TOLD = "told by the words around it"
_BY_NAME: dict[str, Rule | None] = {TOLD: None} | {rule.name: rule for rule in RULES}


def _lines(mark: str) -> Iterator[tuple[Rule | None, str]]:
    rule = None
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    for line in text.split("\n"):
        if line.startswith("== "):
            rule = _BY_NAME[line[3:]]
        elif line.startswith(mark):
            yield rule, line[2:].replace("⏎", "\n").replace("¦", "")


def taken() -> list[tuple[Rule, str, str]]:
    """Texts with one secret, each with the rule that must take it and with what must be left."""
    marked = [(rule, text) for rule, text in _lines("+ ") if rule is not None]
    tokens = next(rule for rule in RULES if rule.name == "tokens of services")
    marked += [
        (tokens, f"⟦{example.replace('¦', '')}⟧") for _, _, example in SERVICES if "ccountK" not in example
    ]
    return [
        (rule, re.sub("[⟦⟧]", "", text), re.sub("⟦.*⟧", rule.placeholder, text, flags=re.DOTALL))
        for rule, text in marked
    ]


def told() -> list[tuple[str, str]]:
    """Texts with one secret that only the words around it tell, each with its secret."""
    marked = [text for rule, text in _lines("+ ") if rule is None]
    return [(re.sub("[⟦⟧]", "", text), text[text.index("⟦") + 1 : text.index("⟧")]) for text in marked]


def left() -> list[tuple[Rule | None, str]]:
    """Texts without a secret, each with the rule that could take something of it by mistake; None: the tagger."""
    return [*_lines("- ")]
