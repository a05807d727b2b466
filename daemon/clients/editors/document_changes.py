"""Changes that an editor reports for a document, as edits of its text, and whether the file changed, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from idiolect.daemon.clients.editors.document_authorship import Authorship, Edit, Hand, edits
from idiolect.daemon.text.typed_text import kept_ends
from idiolect.models.regular_files import read_regular

_MAX_FILE_BYTES: Final = 16 * 2**20  # of a file that is compared with its document
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_Change: TypeAlias = types.TextDocumentContentChangePartial | types.TextDocumentContentChangeWholeDocument


class Document(TextDocument):
    """A document whose lines end where the protocol says; Python's `splitlines` knows more ends."""

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        return _LINE.findall(self.source)


class ChangeFollower:
    """Follows the documents of one editor as it tells of their changes."""

    def __init__(self) -> None:
        """Nothing is known of how the editor tells of changes."""
        self._hand = Hand()
        self._sends_parts = False  # of documents that change

    def follow(
        self,
        authorship: Authorship,
        changes: Sequence[_Change],
        ghosts: Sequence[str],
        codec: PositionCodec,
        now_s: float,
    ) -> None:
        """A document changes: what keys or a ghost text of ours have put in was typed now, all else was not."""
        for change in _together(changes):
            if isinstance(change, list):
                self._sends_parts = True
                made = list(_edits_of(authorship.text, change, codec))
                typed = self._hand.typed(made) or _is_taken(made, ghosts)
            else:
                made = list(edits(authorship.text, change.text))
                # The whole comes when it was read again from the disk, unless an editor always sends it, such as Kate.
                new = [_inserted(authorship.text, edit) for edit in made]
                typed = not self._sends_parts and len(new) <= 1 and self._hand.typed(new, whole=True)
                made.reverse()  # each place is one in the text before
            for edit in made:
                authorship.edit(edit, now_s if typed else None)


def typed_character(changes: Sequence[_Change]) -> str:
    """The one character that an editor tells of by itself, as a key types it; "" for any other change."""
    match changes:
        case [types.TextDocumentContentChangePartial(range=types.Range(start, end), text=text)]:
            return text if start == end and len(text) == 1 else ""
    return ""


def _is_taken(made: Sequence[Edit], ghosts: Sequence[str]) -> bool:
    """Whether an edit puts in a ghost text, or its beginning."""
    [text, *more] = [edit.text for edit in made]
    return not more and text.strip() != "" and any(ghost.startswith(text) for ghost in ghosts)


def _together(
    changes: Sequence[_Change],
) -> Iterator[list[types.TextDocumentContentChangePartial] | types.TextDocumentContentChangeWholeDocument]:
    """The changes that an editor tells of at once: those of parts together, one of the whole by itself."""
    parts: list[types.TextDocumentContentChangePartial] = []
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            parts.append(change)
            continue
        if parts:
            yield parts
        parts = []
        yield change
    if parts:
        yield parts


def _edits_of(
    text: str, changes: Sequence[types.TextDocumentContentChangePartial], codec: PositionCodec
) -> Iterator[Edit]:
    """The changes in characters, each of the text that the one before it left."""
    for change in changes:
        document = Document("", text, position_codec=codec)
        start = document.offset_at_position(change.range.start)
        end = document.offset_at_position(change.range.end)
        edit = Edit(start, max(start, end), change.text)
        text = text[: edit.start] + edit.text + text[edit.end :]
        yield edit


def _inserted(old: str, edit: Edit) -> Edit:
    """An edit without what it leaves as it was."""
    gone = old[edit.start : edit.end]
    first, last = kept_ends(gone, edit.text)
    return Edit(edit.start + first, edit.end - last, edit.text[first : len(edit.text) - last])


def changed_ns(path: Path | None) -> int:
    """When a file was changed last; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0


def holds(path: Path, text: str) -> bool:
    """Whether a file holds just this text; one that is very large is not looked at."""
    try:
        held = read_regular(path, _MAX_FILE_BYTES, follow=True).decode(errors="replace")
    except OSError:
        return False
    return held.splitlines() == text.splitlines()
