"""Setting up the login shell: a line in its init file."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from typing_extensions import override

from idiolect.daemon.editors.shells import script
from idiolect.daemon.setup.place import LinesPlace, Target


class LoginShell(LinesPlace):
    """The login shell, where it is one of those that can suggest."""

    name, title = "shell", "Shell"
    first = (
        'Open a new shell. In zsh, type git commit -m "Fix the and look at the grey text; in bash and fish Alt-I asks '
        "for it."
    )

    def _shell(self) -> str:
        return Path(pwd.getpwuid(os.getuid()).pw_shell).name

    @override
    def found(self, target: Target) -> str | None:
        """The shell's name."""
        return self._shell() if self._shell() in ("zsh", "bash", "fish") else None

    def path(self, target: Target) -> Path:
        """The init file."""
        if self._shell() == "fish":
            return target.config / "fish" / "config.fish"
        return target.home / f".{self._shell()}rc"

    def lines(self, target: Target) -> str:
        """The script that the shell reads."""
        return script(self._shell(), target.settings, full_line=False)
