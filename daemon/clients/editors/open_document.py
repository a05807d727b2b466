"""An open document as a door of the session: the editor's changes go in as edits, and corrections come out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from idiolect.daemon.session import effects, events
from idiolect.daemon.session.document_engine import DocumentEngine, EditorHand
from idiolect.daemon.session.session import Session
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


@dataclass(eq=False)
class OpenDocument:
    """An open document that may be read."""

    uri: str
    language: str
    path: Path | None
    session: Session
    hand: EditorHand
    changed_ns: int = 0  # when the file was changed last, as far as is known
    held: tuple[events.DocumentEdited, ...] = ()  # edits to what the file holds: of keys if a save follows
    offered: tuple[str, ...] = ()  # the words offered last
    saved: str = ""  # the text as it was saved last
    ask: effects.AskService | None = None  # the session's last question
    mended: effects.InsertText | None = None  # the session's last correction
    engine: DocumentEngine = field(init=False)

    def __post_init__(self) -> None:
        """Make the engine."""
        self.engine = DocumentEngine(self.session, self, self.hand)

    def insert(self, text: str, replaced: int, _removed: str) -> None:
        """Note a correction for the editor that asks for one."""
        self.mended = effects.InsertText(text, replaced)

    def answer_key(self, number: Any, *, used: bool) -> None:
        """Answer no key: an editor reports what keys have done."""

    def show(self, show: effects.ShowSuggestions) -> None:
        """Show nothing: an editor asks for what it shows."""

    def place_window(self, y: int) -> None:
        """Place no window."""

    def show_menu(self, menu: effects.ShowMenu) -> None:
        """Show no menu."""


def edited(text: str, changes: Sequence[_Change], codec: PositionCodec) -> Iterator[events.DocumentEdited]:
    """Translate the changes of one message: parts in a row are edits together, a whole document is one by itself."""
    parts: list[events.DocumentEdit] = []
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            document = Document("", text, position_codec=codec)
            start = document.offset_at_position(change.range.start)
            end = max(document.offset_at_position(change.range.end), start)
            parts.append(events.DocumentEdit(start, end, change.text))
            text = text[:start] + change.text + text[end:]
            continue
        if parts:
            yield events.DocumentEdited(tuple(parts))
        parts, text = [], change.text
        yield events.DocumentEdited((events.DocumentEdit(0, 0, text),), whole=True)
    if parts:
        yield events.DocumentEdited(tuple(parts))


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
