"""Corrections as quick fixes: one that mends the word under the cursor, and one that keeps it."""

from __future__ import annotations

import re
from typing import Final

from lsprotocol import types
from pygls.workspace import TextDocument

from idiolect.daemon.clients.editors import prose
from idiolect.daemon.clients.editors.lsp_completions import DECIDED
from idiolect.daemon.clients.service_link import ServiceLink

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


async def quick_fixes(
    link: ServiceLink,
    document: TextDocument,
    place: types.Position,
    language: str,
    app: str | None,
    *,
    sees_context: bool,
) -> list[types.CodeAction]:
    """Return the code actions for a mistyped word at a place, or right before it.

    `sees_context`: the request carries the text that the document answers, which the service keeps for the next key.
    """
    text = document.source
    found = word_at(text, document.offset_at_position(place))
    if found is None:
        return []
    reply = prose.reply(text[: found[1]], text[found[1] :], language)
    if reply.prefix is None:
        return []
    body = {"prefix": f"{reply.prefix} ", "candidates": 0, "ghost_words": 0, "corrections": True, "app": app}
    if sees_context:
        body["context"] = reply.context()
    answer = await link.ask("POST", "/v1/suggest", body)
    correction = answer and answer.get("correction")
    if not correction:
        return []
    start, end = found
    # The prefix ends in a space that ends the word, and that is not in the document.
    put, begin, word = correction["text"][:-1], end + 1 - correction["replace"], text[start:end]
    edit = types.TextEdit(types.Range(position_at(document, begin), position_at(document, end)), put)
    kept = {"kind": "never_correct", "text": word}
    return [
        types.CodeAction(
            title=f"Change to “{put}”",
            kind=types.CodeActionKind.QuickFix,
            edit=types.WorkspaceEdit(changes={document.uri: [edit]}),
            is_preferred=True,
        ),
        types.CodeAction(
            title=f"“{word}” is no mistake",
            kind=types.CodeActionKind.QuickFix,
            command=types.Command("No mistake", DECIDED, arguments=[kept]),
        ),
    ]


def position_at(document: TextDocument, offset: int) -> types.Position:
    """Return the place of a character in a document."""
    before = document.source[:offset]
    line = before[before.rfind("\n") + 1 :]
    return types.Position(before.count("\n"), int(document.position_codec.client_num_units(line)))
