"""The commands that bring suggestions to where people type: `lsp`, `shell-init` and `vscode`."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import path_of


class Shell(enum.StrEnum):
    """A shell that can suggest."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands to the command line, in the group `panel`."""
    app.command(rich_help_panel=panel, epilog="Example: idiolect lsp")(lsp)
    app.command("shell-init", rich_help_panel=panel, epilog="Example: idiolect shell-init zsh --full-line")(
        shell_init
    )
    app.command(
        rich_help_panel=panel, epilog="Example: idiolect vscode && code --install-extension idiolect.vsix"
    )(vscode)


def lsp(
    _stdio: Annotated[
        bool, typer.Option("--stdio", help="Over stdin and stdout, as it is in any case: editors say so.")
    ] = False,
) -> None:
    """Speak the Language Server Protocol with an editor, over stdin and stdout; starts the service if need be."""
    from idiolect.daemon.editors.server import serve
    from idiolect.daemon.settings import Settings

    serve(Settings().prepare())


def shell_init(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")],
    full_line: Annotated[
        bool,
        typer.Option("--full-line", help="Suggest commands, too, not only commit messages and the like."),
    ] = False,
) -> None:
    """Print a script for your shell, which then suggests at its prompt."""
    from idiolect.daemon.editors.shells import script
    from idiolect.daemon.settings import Settings

    typer.echo(script(shell.value, Settings(), full_line=full_line), nl=False)


def vscode(
    path: Annotated[Path, typer.Argument(parser=path_of, help="Where to write it.", metavar="FILE")] = Path(
        "idiolect.vsix"
    ),
) -> None:
    """Write the extension for VS Code, to be installed with `code --install-extension FILE`."""
    from idiolect.daemon.commandline.view import UnwritableError
    from idiolect.daemon.editors.vsix import write

    try:
        write(path)
    except OSError as error:
        raise UnwritableError(
            f"{path} can't be written ({error.strerror}). Name another file: idiolect vscode FILE."
        ) from error
    typer.echo(f"Wrote {path}. Install it: code --install-extension {path}")
