"""Setting up editors: each gets the command of the language server in its own configuration."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.editors import vsix
from idiolect.daemon.setup import own_files
from idiolect.daemon.setup.place import Change, LinesPlace, Place, SetupRefusedError, Target

_HELIX: Final = (("markdown", ""), ("git-commit", ""), ("text", "text.plain"), ("mail", "text.mail"))
_HELIX_TYPES: Final = {"text": ["txt"], "mail": ["eml"]}
_VSCODE: Final = ("code", "codium", "code-oss")
_EXTENSION: Final = "idiolect.idiolect"


class _Editor(Place):
    """What editors have in common."""

    asks_by = "lsp"
    programs: tuple[str, ...] = ()

    @override
    def found(self, target: Target) -> str | None:
        """Where its program is."""
        return next((path for program in self.programs if (path := shutil.which(program))), None)


class Neovim(_Editor, LinesPlace):
    """A file of its own in Neovim's `plugin` folder, which Neovim reads by itself."""

    name, title, programs = "neovim", "Neovim", ("nvim",)
    comment = "--"
    first = (
        "Open a text (`nvim letter.md`), press i, and type a sentence: the menu comes by itself, and Ctrl-N and Ctrl-Y "
        "take a word."
    )

    def path(self, target: Target) -> Path:
        """The configuration file."""
        return target.config / "nvim" / "plugin" / "idiolect.lua"

    def lines(self, target: Target) -> str:
        """How it starts the language server."""
        text = resources.files("idiolect.daemon.setup").joinpath("neovim.lua").read_text("utf-8")
        command = "{ " + ", ".join(map(_lua, target.command)) + " }"
        pairs = ", ".join(f"{name} = {_lua(value)}" for name, value in target.environment.items())
        return text.replace("@COMMAND@", command).replace("@ENVIRONMENT@", f"{{ {pairs} }}")


class Helix(_Editor, LinesPlace):
    """Lines in `languages.toml`."""

    name, title, programs = "helix", "Helix", ("hx", "helix")
    first = "Open a text (`hx letter.md`), press i, and type: the menu comes by itself, and Tab takes a word."

    def path(self, target: Target) -> Path:
        """The configuration file."""
        return target.config / "helix" / "languages.toml"

    def lines(self, target: Target) -> str:
        """How it starts the language server."""
        command, argument = target.command
        lines = ["[language-server.idiolect]", f"command = {json.dumps(command)}", f'args = ["{argument}"]']
        lines += ["config = { learn = true }"]
        if target.environment:
            pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in target.environment.items())
            lines += [f"environment = {{ {pairs} }}"]
        for language, scope in _HELIX:
            lines += ["", "[[language]]", f'name = "{language}"']
            if scope:
                lines += [f'scope = "{scope}"', f"file-types = {json.dumps(_HELIX_TYPES[language])}"]
            lines += ['language-servers = ["idiolect"]']
        return "\n".join(lines) + "\n"

    @override
    def changes(self, target: Target) -> list[Change]:
        """The lines. Raises SetupRefusedError where the file names these languages already."""
        path = self.path(target)
        given = path.read_text("utf-8") if path.is_file() and not own_files.has_lines(path) else ""
        if any(f'name = "{language}"' in given for language, _ in _HELIX):
            raise SetupRefusedError(
                f"{path} has rules of its own for Markdown or text, which must not stand there twice. Add "
                '"idiolect" to their language-servers by hand: `idiolect setup helix --show` prints the lines.'
            )
        return super().changes(target)


class Emacs(_Editor, LinesPlace):
    """Lines in the init file, for eglot."""

    name, title, programs = "emacs", "Emacs", ("emacs",)
    comment = ";;"
    first = "Open a text (`emacs letter.txt`) and type the beginning of a word: M-TAB shows the words."

    def path(self, target: Target) -> Path:
        """The configuration file."""
        old = target.home / ".emacs"
        places = [old, target.home / ".emacs.d" / "init.el", target.config / "emacs" / "init.el"]
        return next((path for path in places if path.is_file()), places[1])

    def lines(self, target: Target) -> str:
        """How it starts the language server."""
        server = " ".join(json.dumps(part, ensure_ascii=False) for part in _with_environment(target))
        return (
            "(with-eval-after-load 'eglot\n"
            "  (add-to-list 'eglot-server-programs\n"
            '               \'(((markdown-mode :language-id "markdown") (text-mode :language-id "plaintext")\n'
            '                  (message-mode :language-id "mail") (rst-mode :language-id "rst"))\n'
            f"                 . ({server} :initializationOptions (:learn t)))))\n"
            "(add-hook 'text-mode-hook #'eglot-ensure)\n"
        )


class Kate(_Editor):
    """Two servers in the settings of Kate's LSP client, which are JSON."""

    name, title, programs = "kate", "Kate", ("kate",)
    first = (
        "In Kate, switch the plug-in LSP Client on (Settings, Configure Kate, Plugins), open a text and type: "
        "Kate asks once whether it may start the server."
    )

    def _path(self, target: Target) -> Path:
        return target.config / "kate" / "lspclient" / "settings.json"

    def _servers(self, target: Target) -> dict[str, dict[str, Any]]:
        markdown = {
            "command": _with_environment(target),
            "initializationOptions": {"learn": True},
            "highlightingModeRegex": "^Markdown$",
        }
        return {
            "markdown": markdown,
            "plaintext": {"use": "markdown", "highlightingModeRegex": "^(Normal|None)$"},
        }

    def _read(self, target: Target) -> dict[str, Any]:
        path = self._path(target)
        if not path.is_file() or not path.read_text("utf-8").strip():
            return {}
        try:
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise SetupRefusedError(f"{path} is not valid JSON. Mend it, and try again.") from None
        return found

    def installed(self, target: Target) -> bool:
        """Whether the server for Markdown is ours."""
        command = self._read(target).get("servers", {}).get("markdown", {}).get("command", [])
        return list(command[-2:]) == list(target.command)

    def changes(self, target: Target) -> list[Change]:
        """The servers. Raises SetupRefusedError where there are others for these languages."""
        servers = self._read(target).get("servers", {})
        if not self.installed(target) and servers.keys() & self._servers(target):
            raise SetupRefusedError(
                f"{self._path(target)} has a server for Markdown or plain text already. Take it out, or add the lines "
                "by hand: `idiolect setup kate --show` prints them."
            )
        lines = json.dumps({"servers": self._servers(target)}, indent=2)
        return [Change(str(self._path(target)), lines + "\n")]

    def install(self, target: Target) -> None:
        """Write the servers. Raises SetupRefusedError."""
        self.changes(target)
        given = self._read(target)
        self._write(target, {**given, "servers": {**given.get("servers", {}), **self._servers(target)}})

    def remove(self, target: Target) -> list[str]:
        """Take the servers out."""
        if not self.installed(target):
            return []
        given = self._read(target)
        for name in self._servers(target):
            given["servers"].pop(name, None)
        if given == {"servers": {}}:
            self._path(target).unlink()
        else:
            self._write(target, given)
        return [str(self._path(target))]

    def _write(self, target: Target, content: dict[str, Any]) -> None:
        own_files.write(self._path(target), (json.dumps(content, indent=2) + "\n").encode())


class VSCode(_Editor):
    """The extension, installed by VS Code's own command."""

    name, title, programs = "vscode", "VS Code", _VSCODE
    first = "Open a text (`code letter.md`) and type: the menu comes by itself, and Return takes a word."

    def installed(self, target: Target) -> bool:
        """Whether the extension is installed."""
        program = self.found(target)
        return program is not None and _EXTENSION in _run(program, "--list-extensions").split()

    def changes(self, target: Target) -> list[Change]:
        """The extension."""
        return [Change(f"the extension {_EXTENSION}", f"It starts: {' '.join(target.command)}\n")]

    def install(self, target: Target) -> None:
        """Have VS Code install the extension. Raises SetupRefusedError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "idiolect.vsix"
            vsix.write(path)
            _run(self.found(target) or "code", "--install-extension", str(path), "--force")

    def remove(self, target: Target) -> list[str]:
        """Have VS Code uninstall the extension."""
        if not self.installed(target):
            return []
        _run(self.found(target) or "code", "--uninstall-extension", _EXTENSION)
        return [f"the extension {_EXTENSION}"]


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise SetupRefusedError(
            f"`{command[0]}` cannot be run, or does not end. Nothing was changed."
        ) from None
    if done.returncode:
        raise SetupRefusedError(f"`{' '.join(command[:2])}` failed with exit code {done.returncode}.")
    return done.stdout


def _with_environment(target: Target) -> list[str]:
    """The language server's command for editors that can give it no environment otherwise."""
    given = [f"{name}={value}" for name, value in target.environment.items()]
    return [*(["env", *given] if given else []), *target.command]


def _lua(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
