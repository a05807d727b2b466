"""All places that can be set up, and those that are no editors: shell, service, keyboard and browsers."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Final

from typing_extensions import override

from idiolect.daemon.browser import installing
from idiolect.daemon.editors.shells import script
from idiolect.daemon.keyboard import install as keyboard
from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.daemon.setup import marked
from idiolect.daemon.setup.editors import Emacs, Helix, Kate, Neovim, VSCode
from idiolect.daemon.setup.place import Place, Step, Target
from idiolect.models.errors import IdiolectError


class Shell(Place):
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

    @override
    def found(self, target: Target) -> str | None:
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


class Service(Place):
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


class Keyboard(Place):
    """The input method for every program of the desktop."""

    name, asks_by = "keyboard", "none"
    first = (
        "Choose idiolect among your input sources (Super+Space in GNOME, `ibus engine idiolect` elsewhere), and type "
        "in any program. It learns what you write only after `idiolect keyboard install --learn`."
    )

    def found(self, target: Target) -> str | None:
        """IBus, and its version."""
        version = keyboard.standing(target.settings).ibus
        return None if version is None else f"IBus {version}"

    def done(self, target: Target) -> bool:
        """Whether IBus is told of it."""
        return keyboard.standing(target.settings).written

    def steps(self, target: Target) -> list[Step]:
        """What IBus is told, and the entry among the input sources. Raises KeyboardInstallError."""
        told = [Step(str(path), text.decode()) for path, text in keyboard.files(target.settings).items()]
        return [*told, Step("your input sources", "idiolect, as the last one\n")]

    def install(self, target: Target) -> None:
        """Make it an input method. Raises KeyboardInstallError."""
        keyboard.install(target.settings)

    @override
    def remove(self, target: Target) -> bool:
        """Take it out of the input methods."""
        return bool(keyboard.remove())


class Browsers(Place):
    """The browsers that are there, each of which may start what its extension asks."""

    name, asks_by = "browser", "none"
    first = (
        "Write the extension with `idiolect browser build`, load it (Chromium: chrome://extensions, Load unpacked; "
        "Firefox: about:debugging, Load Temporary Add-on), and click its button on a page that you write in."
    )

    def _states(self, target: Target) -> list[installing.State]:
        return [state for state in installing.status(target.settings) if state.works]

    def found(self, target: Target) -> str | None:
        """The browsers that have been started once."""
        return ", ".join(state.browser for state in self._states(target)) or None

    def done(self, target: Target) -> bool:
        """Whether every one of them is connected."""
        states = self._states(target)
        return bool(states) and all(state.installed for state in states)

    def steps(self, target: Target) -> list[Step]:
        """The program that they start, and their manifests. Raises NoBrowserError."""
        return [Step(str(path), text.decode()) for path, text in installing.files(target.settings).items()]

    def install(self, target: Target) -> None:
        """Connect them. Raises NoBrowserError, ManifestError."""
        installing.install(target.settings.prepare())

    def remove(self, target: Target) -> bool:
        """Disconnect them. Raises ManifestError."""
        return bool(installing.remove(target.settings))


#: In the order in which they are offered. Another place is a row here.
PLACES: Final[tuple[Place, ...]] = (
    Neovim(),
    Helix(),
    Emacs(),
    Kate(),
    VSCode(),
    Shell(),
    Service(),
    Keyboard(),
    Browsers(),
)
