"""Mistyped words in an editor: a quick fix at the word under the cursor, and another that keeps the word as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from idiolect.daemon.editors.offers import DECIDED

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

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
    answer: dict[str, Any], document: TextDocument, uri: str, start: int, end: int
) -> list[types.CodeAction]:
    """Return what may be done about a mistyped word, from `start` to `end` in characters of a document.

    Args:
        answer: the service's, for the text up to the word's end and a space.
        document: where the word stands.
        uri: of the document, as the editor says it.
        start: where the word begins.
        end: where it ends.
    """
    correction = answer.get("correction")
    if not correction:
        return []
    # A space was put behind the word to have it finished, and is not in the document.
    put, begin, word = correction["text"][:-1], end + 1 - correction["replace"], document.source[start:end]
    edit = types.TextEdit(types.Range(_position(document, begin), _position(document, end)), put)
    kept = {"kind": "never_correct", "text": word}
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
            command=types.Command("No mistake", DECIDED, arguments=[kept]),
        ),
    ]


def _position(document: TextDocument, offset: int) -> types.Position:
    before = document.source[:offset]
    line = before[before.rfind("\n") + 1 :]
    return types.Position(before.count("\n"), int(document.position_codec.client_num_units(line)))
