"""Secrets out, the rest of the text kept: what every text passes through before anything is stored."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from idiolect.daemon.patterns import PLACEHOLDER, RULES, Rule

_ANY_PLACEHOLDER: Final = re.compile(PLACEHOLDER)
_DIGIT: Final = re.compile(r"[0-9]")
_LONG: Final = 60
_LOOKED_AT: Final = 200  # characters before the cursor that a secret may have begun in
_HINTS: Final = tuple({rule.hints for rule in RULES if rule.hints})


def redact(text: str) -> tuple[str, int]:
    """`text` with each secret replaced by a placeholder such as `[token]`, and how many were replaced.

    Idempotent: what comes out goes through unchanged.
    """
    total = 0
    while True:  # a secret beside another is sometimes seen only once that one is gone
        count = 0
        for rule in _worth_trying(text):
            text, found = _apply(rule, text)
            count += found
        if not count:
            return text, total
        total += count


def placeholders(text: str) -> int:
    """How many placeholders are in `text`."""
    return sum(1 for _ in _ANY_PLACEHOLDER.finditer(text)) if "[" in text else 0


def kinds(text: str) -> dict[str, int]:
    """How many placeholders of each kind are in `text`."""
    return Counter(found.group()[1:-1] for found in _ANY_PLACEHOLDER.finditer(text))


def without_placeholders(text: str) -> str:
    """`text` less its placeholders: what is left was really written."""
    return _ANY_PLACEHOLDER.sub("", text) if "[" in text else text


def hides(before: str, offered: str) -> bool:
    """Whether redaction would take something of `offered` if it stood after `before`, or has taken it already."""
    before = before[-_LOOKED_AT:]
    whole = before + offered
    # A suggestion may end within a placeholder, or begin in one.
    if "[" in whole and any(found.end() > len(before) for found in _ANY_PLACEHOLDER.finditer(f"{whole}]")):
        return True
    if not _worth_trying(whole):
        return False
    kept, count = redact(whole)
    # A secret that is complete without what is offered stays the prefix's own.
    return bool(count) and not kept.endswith(offered)


def _worth_trying(text: str) -> list[Rule]:
    """The rules whose cheap conditions hold: most texts meet almost none, and patterns are slow."""
    folded = text.lower()
    hinted = {hints for hints in _HINTS if any(map(folded.__contains__, hints))}
    held = {
        "": True,
        "digit": _DIGIT.search(text) is not None,
        "long word": len(text) >= _LONG and max(map(len, text.split()), default=0) >= _LONG,
    }
    return [rule for rule in RULES if held[rule.needs] and (not rule.hints or rule.hints in hinted)]


def _apply(rule: Rule, text: str) -> tuple[str, int]:
    parts: list[str] = []
    end = count = 0
    for match in rule.pattern.finditer(text):
        span = rule.locate(match)
        if span is not None:
            parts += (text[end : span[0]], rule.placeholder)
            end = span[1]
            count += 1
    return ("".join([*parts, text[end:]]), count) if count else (text, 0)
