"""Carries out what the session wants done for one editor: questions wait until it asks, texts go by its saved prose."""

from __future__ import annotations

import glob
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.clients.editors import prose
from idiolect.daemon.clients.editors.open_document import OpenDocument
from idiolect.daemon.clients.outbox import Outbox
from idiolect.daemon.clients.session_runner import Door, SessionRunner
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.session import effects, events
from idiolect.daemon.session.document_engine import EditorHand
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.file_discovery import Exclusion, IgnoreRules
from idiolect.daemon.text.typed_text import BEFORE_CHARS

#: Where password managers put text while it is edited; the service never reads other such places.
_SECRETS: Final = ("/dev/shm", "pass.*", "gopass*")  # noqa: S108 (nothing is written there)


class PrivateFiles:
    """The files that are not read, or not learned from."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings' `exclude`; `.idiolectignore` files and places for secrets count besides."""
        self._exclusion = Exclusion((*settings.exclude, *_SECRETS, glob.escape(str(settings.home))))

    def covers(self, path: Path, *, hidden: bool) -> bool:
        """Return whether a file is private; with `hidden`, every file in a hidden folder is."""
        return any(
            self._exclusion.covers(one, Path(one.anchor), hidden=hidden)
            or IgnoreRules().covers(one, Path(one.anchor))
            for one in {path, real_path(path)}
        )


_SOURCE: Final = "editor"


class EditorRunner(SessionRunner):
    """Runs the session of one editor."""

    def __init__(self, settings: Settings, *, learn: bool) -> None:
        """Begin without documents; `learn`: what is typed and saved is learned."""
        super().__init__(settings, _SOURCE, learn=learn)
        self.private_files = PrivateFiles(settings)
        self.open: dict[str, OpenDocument] = {}
        self.hand = EditorHand()
        self._saved = Outbox(self._send_saved)

    def tell(self, one: OpenDocument, event: events.Event) -> None:
        """Hand an event of a document to the session."""
        self.release(one)
        self.handle(event, one)

    def release(self, one: OpenDocument, *, by_program: bool = True) -> None:
        """Hand over the edits that waited whether a save follows: else another program has made them."""
        held, one.held = one.held, ()
        for edit in held:
            self.handle(replace(edit, by_program=by_program), one)

    @override
    def ask(self, ask: effects.AskService, door: Door) -> None:
        """Keep the question until the editor asks."""
        if isinstance(door, OpenDocument):
            door.ask = ask

    @override
    def learn(self, text: effects.LearnText) -> None:
        """Queue those parts of a text that are prose of its document, as that was saved."""
        one = self.open.get(text.uri)
        if one is None or one.path is None or self.private_files.covers(one.path, hidden=True):
            return
        whole, before = prose.read(one.saved, one.language) or [], text.body["before"]
        for part in prose.read(text.body["text"], one.language) or []:
            if any(part in paragraph for paragraph in whole):
                body = {**text.body, "text": part, "before": before, "source": _SOURCE}
                self._saved.put((one.path, body))
            before = f"{before}{part}\n\n"[-BEFORE_CHARS:]
        self._saved.start()

    async def _send_saved(self, saved: tuple[Path, dict[str, Any]]) -> bool:
        """Send a text. Return whether the service took or refused it."""
        path, body = saved
        status = await self.requests.link.ask("GET", "/v1/status")
        if status is None:
            return False
        # The service itself reads files in a watched folder.
        if any(path.is_relative_to(folder) for folder in status.get("watches", [])):
            return True
        return await self.requests.link.send("/v1/history", body)

    @override
    async def finish(self) -> None:
        """Send what was saved; the editor goes."""
        for one in self.open.values():
            self.tell(one, events.FocusGone())
        self.open.clear()
        await self._saved.finish()
        await super().finish()
