"""What the user answers, as suggestions read it: for them alone, kept nowhere and for ten minutes at the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.redact import redact, without_placeholders

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_S: Final = 600.0
"""Seconds after the last question, in which nothing of it is left."""

MAX_ANSWERED_TEXTS: Final = 8
"""The most texts that are answered at once."""

_MAX_CHARS: Final = 4_000  # the newest


def read_answered(texts: Sequence[str]) -> str:
    """Return the newest characters of what is answered, the newest text last, without what looks like a secret."""
    newest = "\n".join(text.strip() for text in texts)[-_MAX_CHARS:]
    return without_placeholders(redact(newest)[0])
