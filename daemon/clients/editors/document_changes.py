"""Changes that an editor reports for a document, as edits of its text, and the file behind the document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from idiolect.daemon.clients.editors.document_authorship import Authorship, Edit, Hand, edits
from idiolect.daemon.session.slip_watch import BACKSPACE
from idiolect.daemon.text.typed_text import kept_ends
from idiolect.models.regular_files import read_regular

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAX_FILE_BYTES: Final = 16 * 2**20  # of a file that is compared with its document
_Change: TypeAlias = types.TextDocumentContentChangePartial | types.TextDocumentContentChangeWholeDocument


class Document(TextDocument):
    """A document whose lines end where the protocol says; Python's `splitlines` knows more ends."""

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        return _LINE.findall(self.source)


class ChangeFollower:
    """Applies an editor's changes to the authorship of its documents."""

    def __init__(self) -> None:
        """Begin with an editor of unknown habits."""
        self._hand = Hand()
        self._sends_parts = False  # rather than whole documents

    def follow(
        self,
        authorship: Authorship,
        changes: Sequence[_Change],
        ghosts: Sequence[str],
        codec: PositionCodec,
        now_s: float,
    ) -> None:
        """Apply the changes of a document: text of keys and of `ghosts` was typed now, all other text was not."""
        for change in _together(changes):
            if isinstance(change, list):
                self._sends_parts = True
                made = list(_edits_of(authorship.text, change, codec))
                typed = self._hand.typed(made) or _is_taken(made, ghosts)
            else:
                made = list(edits(authorship.text, change.text))
                # A whole document was read again from the disk, except in an editor such as Kate that sends no other.
                new = [_trim(authorship.text, edit) for edit in made]
                typed = not self._sends_parts and len(new) <= 1 and self._hand.typed(new, whole=True)
                made.reverse()  # places count in the old text
            for edit in made:
                authorship.edit(edit, now_s if typed else None)


def typed_key(changes: Sequence[_Change]) -> tuple[str, types.Position | None, types.Position | None]:
    """Return what key a change is of, and where the caret was before it and is behind it.

    That is the one character inserted, or BACKSPACE where one was deleted; "" for any other change, of which no caret
    is known.
    """
    match changes:
        case [types.TextDocumentContentChangePartial(range=types.Range(start, end), text=text)]:
            if start == end and len(text) == 1:
                return text, start, types.Position(start.line, start.character + 1)
            if text == "" and end == types.Position(start.line, start.character + 1):
                return BACKSPACE, end, start
    return "", None, None


def _is_taken(made: Sequence[Edit], ghosts: Sequence[str]) -> bool:
    """Return whether the one edit inserts the beginning of a ghost text."""
    [text, *more] = [edit.text for edit in made]
    return not more and text.strip() != "" and any(ghost.startswith(text) for ghost in ghosts)


def _together(
    changes: Sequence[_Change],
) -> Iterator[list[types.TextDocumentContentChangePartial] | types.TextDocumentContentChangeWholeDocument]:
    """Group the changes of one message: parts in a row together, a whole document by itself."""
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
    """Convert the changes to characters; each counts in the text that the change before it left."""
    for change in changes:
        document = Document("", text, position_codec=codec)
        start = document.offset_at_position(change.range.start)
        end = document.offset_at_position(change.range.end)
        edit = Edit(start, max(start, end), change.text)
        text = text[: edit.start] + edit.text + text[edit.end :]
        yield edit


def read_changed_ns(path: Path | None) -> int:
    """Return when a file was changed last; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0


def holds(path: Path, text: str) -> bool:
    """Return whether a file holds just this text; a very large file is not read."""
    try:
        held = read_regular(path, _MAX_FILE_BYTES, follow=True).decode(errors="replace")
    except OSError:
        return False
    return held.splitlines() == text.splitlines()


def _trim(old: str, edit: Edit) -> Edit:
    """Return an edit without the text at its ends that stays."""
    gone = old[edit.start : edit.end]
    first, last = kept_ends(gone, edit.text)
    return Edit(edit.start + first, edit.end - last, edit.text[first : len(edit.text) - last])
