"""The command `idiolect shell-init`: print the script by which a shell suggests at its prompt."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from idiolect.daemon.editors.shells import script
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect shell-init zsh --full-line"


class Shell(enum.StrEnum):
    """A shell that can suggest."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def run(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    full_line: Annotated[
        bool,
        typer.Option("--full-line", help="Suggest commands, too, not only commit messages and the like."),
    ] = False,
) -> None:
    """Print a script for your shell, which then suggests at its prompt."""
    typer.echo(script(shell.value, Settings(), full_line=full_line), nl=False)
