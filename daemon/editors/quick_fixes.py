"""Mistyped words in an editor: a quick fix at the word under the cursor, and another that keeps the word as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Callable

#: The command that an editor runs once a word is to stay as it is. Its argument is the word.
KEEP_WORD: Final = "idiolect.keepWord"
_WORD_BEFORE: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’])*\Z")
_WORD_BEHIND: Final = re.compile(r"(?:[^\W\d_]|['’])*")


def word_at(text: str, offset: int) -> tuple[int, int] | None:
    """Return [start, end) of the word that stands around `offset`, or right before it; None if there is none."""
    behind = _WORD_BEHIND.match(text, offset)
    end = behind.end() if behind else offset
    if end == offset and text[:offset].endswith(" "):  # the word just finished
        end = offset = offset - 1
    before = _WORD_BEFORE.search(text[:end])
    return (before.start(), end) if before else None


def quick_fixes(
    answer: dict[str, Any], word: str, uri: str, place: Callable[[int, int], types.Range], end: int
) -> list[types.CodeAction]:
    """Return what may be done about a mistyped word.

    Args:
        answer: the service's, for the text up to the word's end and a space.
        word: as it stands in the document.
        uri: of the document.
        place: the range from one character of the document to another.
        end: where the word ends, in characters.
    """
    correction = answer.get("correction")
    if not correction:
        return []
    # A space was put behind the word to have it finished, and is not in the document.
    put, replaced = correction["text"][:-1], correction["replace"] - 1
    edit = types.TextEdit(place(end - replaced, end), put)
    return [
        types.CodeAction(
            title=f"Change to “{put}”",
            kind=types.CodeActionKind.QuickFix,
            edit=types.WorkspaceEdit(changes={uri: [edit]}),
            is_preferred=True,
        ),
        types.CodeAction(
            title=f"“{word}” is no mistake",
            kind=types.CodeActionKind.QuickFix,
            command=types.Command("Keep", KEEP_WORD, arguments=[word]),
        ),
    ]
