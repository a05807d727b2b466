"""All places that can be set up, and those that are no editors: the shell, and the desktop's service."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from idiolect.daemon.editors.shells import script
from idiolect.daemon.runtime.desktop import Desktop
from idiolect.daemon.setup import marked
from idiolect.daemon.setup.editors import Emacs, Helix, Kate, Neovim, VSCode
from idiolect.daemon.setup.place import Step, Target
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.setup.place import Place


class Shell:
    """A line in the login shell's init file."""

    name, asks_by = "shell", "none"
    first = (
        'Open a new shell. In zsh, type git commit -m "Fix the and look at the grey text; in bash and fish Alt-I asks '
        "for it."
    )

    def _shell(self) -> str:
        return Path(pwd.getpwuid(os.getuid()).pw_shell).name

    def _path(self, target: Target) -> Path:
        paths = {
            "zsh": target.home / ".zshrc",
            "bash": target.home / ".bashrc",
            "fish": target.config / "fish" / "config.fish",
        }
        return paths[self._shell()]

    def _lines(self, target: Target) -> str:
        return script(self._shell(), target.settings, full_line=False)

    def found(self, target: Target) -> str | None:  # noqa: ARG002 (other places look into the target)
        """The login shell, where it is one of those that can suggest."""
        return self._shell() if self._shell() in ("zsh", "bash", "fish") else None

    def done(self, target: Target) -> bool:
        """Whether the lines are there."""
        return self.found(target) is not None and marked.holds(self._path(target))

    def steps(self, target: Target) -> list[Step]:
        """The lines."""
        return [Step(str(self._path(target)), self._lines(target))]

    def install(self, target: Target) -> None:
        """Write the lines."""
        marked.put(self._path(target), self._lines(target), "#")

    def remove(self, target: Target) -> bool:
        """Take the lines out."""
        return self.found(target) is not None and marked.take_out(self._path(target))


class Service:
    """The service of the desktop, which starts the program at log-in."""

    name, asks_by = "service", "none"
    first = "It runs now, and after each log-in: `idiolect status` shows it."

    def found(self, target: Target) -> str | None:
        """What runs services here."""
        try:
            Desktop(target.settings).state()
        except IdiolectError:
            return None
        return "the desktop's services"

    def done(self, target: Target) -> bool:
        """Whether it is installed."""
        return self.found(target) is not None and Desktop(target.settings).state().installed

    def steps(self, target: Target) -> list[Step]:
        """The unit."""
        desktop = Desktop(target.settings)
        return [Step(str(desktop.path), desktop.text().decode())]

    def install(self, target: Target) -> None:
        """Install and start it."""
        Desktop(target.settings).install()

    def remove(self, target: Target) -> bool:
        """Stop and uninstall it."""
        return self.found(target) is not None and Desktop(target.settings).uninstall()


#: In the order in which they are offered. Another place is a row here.
PLACES: Final[tuple[Place, ...]] = (
    Neovim(),
    Helix(),
    Emacs(),
    Kate(),
    VSCode(),
    Shell(),
    Service(),
)
