"""Setting up VS Code: its own command installs the extension."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from typing_extensions import override

from idiolect.daemon.clients.editors import vsix
from idiolect.daemon.clients.setup.place import Change, Place, SetupRefusedError, Target
from idiolect.daemon.profile_paths import default_home

_PROGRAMS: Final = ("code", "codium", "code-oss")
_EXTENSION: Final = "idiolect.idiolect"
_ANSWER_S: Final = 120.0


class VSCode(Place):
    """The extension for VS Code."""

    name, title = "vscode", "VS Code"
    first = "Open a text (`code letter.md`) and type: the menu comes by itself, and Return takes a word."

    @override
    def found(self, target: Target) -> str | None:
        """Where its program is; or the folder that the extension is to be written to."""
        if target.into is not None:
            return str(target.into)
        return next((path for program in _PROGRAMS if (path := shutil.which(program))), None)

    def installed(self, target: Target) -> bool:
        """Whether the extension is installed."""
        program = self.found(target)
        return program is not None and _EXTENSION in _run(program, "--list-extensions").split()

    @override
    def is_of_profile(self, target: Target) -> bool:
        """Whether it is installed, for the usual profile: the extension names none."""
        return target.settings.home == default_home() and self.installed(target)

    def changes(self, target: Target) -> list[Change]:
        """The extension."""
        where = f"the extension {_EXTENSION}" if target.into is None else str(_file(target.into))
        return [Change(where, f"It starts: {' '.join(target.command)}\n")]

    def install(self, target: Target) -> list[str]:
        """Have VS Code install the extension, or write its file. Raises SetupRefusedError, OSError."""
        if target.into is not None:
            target.into.mkdir(parents=True, exist_ok=True)
            path = _file(target.into)
            vsix.write(path)
            return [f"Wrote {path}. Install it: code --install-extension {path}"]
        with tempfile.TemporaryDirectory() as folder:
            vsix.write(_file(Path(folder)))
            _run(self.found(target) or "code", "--install-extension", str(_file(Path(folder))), "--force")
        return [f"VS Code has the extension {_EXTENSION}."]

    def remove(self, target: Target) -> list[str]:
        """Have VS Code uninstall the extension."""
        if not self.installed(target):
            return []
        _run(self.found(target) or "code", "--uninstall-extension", _EXTENSION)
        return [f"Uninstalled the extension {_EXTENSION} of VS Code."]


def _file(folder: Path) -> Path:
    return folder / "idiolect.vsix"


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise SetupRefusedError(
            f"`{command[0]}` cannot be run, or does not end. Nothing was changed."
        ) from None
    if done.returncode:
        raise SetupRefusedError(f"`{' '.join(command[:2])}` failed with exit code {done.returncode}.")
    return done.stdout
