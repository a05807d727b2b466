"""Sure corrections as a document is typed, for editors that ask for them behind a space or a mark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from lsprotocol import types
from pygls.workspace import TextDocument

from idiolect.daemon.clients.editors import prose
from idiolect.daemon.clients.editors.quick_fixes import position_at

#: The characters that end a word.
TRIGGERS: Final = (" ", ".", ",", ";", ":", "!", "?", ")")


class Mendings:
    """The corrections that were made in one document."""

    def __init__(self) -> None:
        """Begin without any."""
        self._made = set[int]()  # hashes of the text up to the end of each mistyped word
        self._kept = set[str]()  # words whose correction was taken back, in small letters

    async def mend(
        self,
        ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]],
        document: TextDocument,
        place: types.Position,
        language: str,
    ) -> list[types.TextEdit]:
        """Return the edit that mends the word right before a place where a character ended it; [] for none.

        `ask` asks the service for suggestions. A word that stands again where it was mended is kept from then on.
        """
        text, offset = document.source, document.offset_at_position(place)
        reply = prose.reply(text[:offset], text[offset:], language)
        if language not in prose.LANGUAGES or reply.prefix is None:
            return []
        answer = await ask({"prefix": reply.prefix, "candidates": 0, "ghost_words": 0, "corrections": True})
        correction = answer and answer.get("correction")
        if not correction or not correction["apply"] or document.source != text:
            return []
        removed, put = text[offset - correction["replace"] : offset], correction["text"]
        while removed[-1:] == put[-1:] and not removed[-1:].isalnum():  # the mark behind it stays
            removed, put, offset = removed[:-1], put[:-1], offset - 1
        start = offset - len(removed)
        made = hash(text[:offset])
        if made in self._made:  # its user has undone that
            self._kept.add(removed.casefold())
        if removed.casefold() in self._kept:
            return []
        self._made.add(made)
        ends = types.Range(position_at(document, start), position_at(document, offset))
        return [types.TextEdit(ends, put)]
