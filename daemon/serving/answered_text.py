"""What the user answers, as suggestions read it: for them alone, kept nowhere and for ten minutes at the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from idiolect.adapters.prediction.answered import AnsweredText
from idiolect.adapters.secret_cues import announces_secret
from idiolect.daemon.redaction.redact import redact, without_placeholders
from idiolect.daemon.reply_parser import end_of
from idiolect.daemon.serving.message_author import author_of

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


def read_answered(texts: Sequence[str]) -> AnsweredText:
    """Return the newest characters of what is answered, the newest text last, without what looks like a secret.

    Its sender is who wrote the newest of the texts that is not the user's own, as far as the text says so; or to whom
    the mail goes whose header is the newest.
    """
    whole = [text.strip() for text in texts if text.strip()]
    joined = "\n".join(whole)
    read = end_of(joined, _MAX_CHARS)
    before = joined[: len(joined) - len(read)][-_BEFORE_CHARS:]  # a secret may have its label there
    text = _without_codes(without_placeholders(redact(read, before=before)[0]))
    sender = author_of(_newest(whole))
    return AnsweredText(text, sender if sender.casefold() in text.casefold() else "")


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
