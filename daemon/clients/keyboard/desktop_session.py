"""The session of one desktop: it finds the program with the focus, and reads its field for screen readers."""

from __future__ import annotations

from typing_extensions import override

from idiolect.daemon.clients.keyboard.focused_text import FocusedText
from idiolect.daemon.clients.keyboard.focused_window import find_focused_program
from idiolect.daemon.clients.session_runner import SessionRunner
from idiolect.daemon.session.effects import ReadField
from idiolect.daemon.settings import Settings


class DesktopSession(SessionRunner):
    """Shared by the doors of the keyboard's process."""

    def __init__(self, settings: Settings) -> None:
        """Begin without a field."""
        super().__init__(settings, "keyboard")
        self._focused_text = FocusedText()

    @override
    async def find_program(self) -> str:
        return await find_focused_program()

    @override
    async def read_field(self, read: ReadField) -> tuple[str, str] | None:
        self._focused_text.listen()
        return await self._focused_text.read_around(read.line, read.app)
