"""What is known of an open document."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types

from idiolect.daemon.clients.editors.document_authorship import Authorship, Paragraph, Saved
from idiolect.daemon.clients.editors.type_formatting import Mendings
from idiolect.daemon.session.slip_watch import SlipWatch


@dataclass
class OpenDocument:
    """An open document that may be read."""

    language: str
    path: Path | None
    authorship: Authorship | None  # None: nothing is learned of it
    changed_ns: int = 0  # when the file was changed last, as far as is known
    reread_s: float | None = None  # when the document became what the file holds, without a save
    changed_s: float = float("-inf")  # when the document was changed last
    sees_context: bool = False  # whether the service uses an answered text here, by its last answer
    listed_at: tuple[int, int] | None = None  # line and start of the word for which words were shown
    unlisted_at: types.Position | None = None  # where no words were shown since the last change
    offered: tuple[str, ...] = ()  # the words offered last
    caret: types.Position | None = None  # behind the last key; None: not known
    slips: SlipWatch = field(default_factory=SlipWatch)
    ghosts: tuple[str, ...] = ()  # the ghost texts offered last
    saved: Saved | None = None
    learning: asyncio.Task[None] | None = None
    mendings: Mendings = field(default_factory=Mendings)


@dataclass(frozen=True)
class SavedParagraph:
    """A paragraph with newly typed text, and when it was saved (ISO 8601)."""

    path: Path
    paragraph: Paragraph
    at: str
