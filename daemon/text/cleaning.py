"""What makes a text fit to be stored: one form of its characters, and secrets replaced by placeholders."""

from __future__ import annotations

from typing import Final

from idiolect.daemon.text.normalise import has_words, normalise
from idiolect.daemon.text.redaction.redact import redact, without_placeholders

BEFORE_CHARS: Final = 400
"""How much of what stands before a text is read with it, in characters."""


def cleaned(text: str, before: str = "") -> tuple[str, int]:
    """`text`, normalised and without secrets, and how many those were; "" where nothing is left.

    `before` stood in front of it: its last `BEFORE_CHARS` characters are read for what they say of the text's secrets.
    """
    own = normalise(text)
    text, redactions = redact(own, before=_in_front(before, text) if own else "")
    return (text if has_words(without_placeholders(text)) else ""), redactions


def _in_front(before: str, text: str) -> str:
    """What stands in front of a text, in its written form and with the white space that parts them."""
    before = before[-BEFORE_CHARS:]
    written = normalise(before)
    if not written:
        return ""
    between = before[len(before.rstrip()) :] + text[: len(text) - len(text.lstrip())]
    lines = normalise(f".{between}.").count("\n")
    return written + ("\n" * lines or " " * bool(between))
