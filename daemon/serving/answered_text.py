"""What the user answers, as suggestions read it: for them alone, kept nowhere and for ten minutes at the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from idiolect.adapters.memory.secret_cues import announces_secret
from idiolect.adapters.prediction.answered import AnsweredText
from idiolect.daemon.text.redaction.redact import redact, without_placeholders
from idiolect.daemon.text.replies import FROM, end_of

KEPT_S: Final = 600.0
"""Seconds after the last question, in which nothing of it is left."""

MAX_ANSWERED_TEXTS: Final = 8
"""The most texts that are answered at once."""

_MAX_CHARS: Final = 4_000  # the newest
_BEFORE_CHARS: Final = 300
_CUE_CHARS: Final = 100  # before a code, in which such a word is looked for
# No time, and no date with points or strokes.
_CODE: Final = regex.compile(
    r"(?<![\p{L}\p{N}.:/-])(?=[\p{L}-]*\p{N})(?=[\p{L}\p{N}-]{4})[\p{L}\p{N}]++(?:-[\p{L}\p{N}]++)*+(?![.:/]\p{N})"
)

_NAME: Final = r"\p{Lu}[\p{L}\p{M}'’-]{0,31}+"
#: A field of a mail's header that names who sent it, or to whom it goes.
_NAMED: Final = regex.compile(
    rf"(?m)^(?i:to|{FROM})[:：][ \t]*\"?(?P<first>{_NAME})(?: {_NAME}){{0,3}}\"?[ \t]*(?:[<,]|$)"
)


def read_answered(texts: Sequence[str]) -> AnsweredText:
    """Return the newest characters of what is answered, the newest text last, without what looks like a secret.

    Its sender is the person whom the newest line "From: …" or "To: …" names.
    """
    whole = [text.strip() for text in texts if text.strip()]
    joined = "\n".join(whole)
    read = end_of(joined, _MAX_CHARS)
    before = joined[: len(joined) - len(read)][-_BEFORE_CHARS:]  # a secret may have its label there
    text = _without_codes(without_placeholders(redact(read, before=before)[0]))
    sender = next(filter(None, map(named_in, reversed(_newest(whole)))), "")
    return AnsweredText(text, sender if sender.casefold() in text.casefold() else "")


def named_in(text: str) -> str:
    """Return the first name of the person in a text's line "From: …" or "To: …", or ""."""
    found = _NAMED.search(text)
    return found["first"] if found is not None else ""


def _without_codes(text: str) -> str:
    """Return a text without what has a digit and stands behind a word such as "code": here it may as well be none."""
    return _CODE.sub(
        lambda found: (
            "" if announces_secret(text[max(found.start() - _CUE_CHARS, 0) : found.start()]) else found[0]
        ),
        text,
    )


def _newest(texts: Sequence[str]) -> list[str]:
    """Return the end of the texts that counts, text by text."""
    kept: list[str] = []
    left = _MAX_CHARS
    for text in reversed(texts):
        kept.insert(0, end_of(text, left))
        left -= len(kept[0])
    return kept
