"""The command `idiolect lsp`: the language server that editors start."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.clients.editors.language_server import serve
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect lsp"


def run(
    _stdio: Annotated[
        bool, typer.Option("--stdio", help="Over stdin and stdout, as it is in any case: editors say so.")
    ] = False,
) -> None:
    """Speak the Language Server Protocol with an editor, over stdin and stdout; starts the service if need be."""
    serve(Settings().prepare())
