"""What its user wrote in a field of a page: of its text when they came and when they left or sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idiolect.daemon.editors.written import Typed, Written
from idiolect.daemon.sources.replies import own_words

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_CHARS: Final = 200_000  # of a field; a longer one is not somebody's message


def newly_written(before: str, after: str, pasted: Iterable[str] = ()) -> list[Typed]:
    """The paragraphs that are new in `after`, and of edited ones the new words; without quotations and what was pasted.

    `before` is what the field held when its user came to it. A line is a paragraph: fields know no other end of one.
    """
    if len(after) > _MOST_CHARS or len(before) > _MOST_CHARS:
        return []
    written = Written(_paragraphs(before))
    written.not_typed([line for text in pasted for line in _paragraphs(str(text))])
    return written.saved(_paragraphs(own_words(after)))


def _paragraphs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
