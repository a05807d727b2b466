"""The commands that other programs run to have suggestions where people type: `lsp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands to the command line, in the group `panel`."""
    app.command(rich_help_panel=panel, epilog="Example: idiolect lsp")(lsp)


def lsp() -> None:
    """Speak the Language Server Protocol with an editor, over stdin and stdout; starts the service if need be."""
    from idiolect.daemon.editors.server import serve
    from idiolect.daemon.settings import Settings

    serve(Settings().prepare())
