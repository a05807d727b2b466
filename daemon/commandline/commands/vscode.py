"""The command `idiolect vscode`: write the extension for VS Code to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import parse_path
from idiolect.daemon.commandline.output_files import writing
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.editors.vsix import write

EXAMPLE = "idiolect vscode && code --install-extension idiolect.vsix"


def run(
    path: Annotated[
        Path, typer.Argument(parser=parse_path, help="Where to write it.", metavar="FILE")
    ] = Path("idiolect.vsix"),
) -> None:
    """Write the extension for VS Code, to be installed with `code --install-extension FILE`."""
    with writing(path, "Name another file: idiolect vscode FILE."):
        write(path)
    Terminal().show_whole(f"Wrote {path}. Install it: code --install-extension {path}")
