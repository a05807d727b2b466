"""The command `idiolect stop`: end the service."""

from __future__ import annotations

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.deferred import find_profile, open_terminal

EXAMPLE = "idiolect stop"


def run(as_json: AsJson = False) -> None:
    """End the service; what it learned is kept."""
    from idiolect.daemon.runtime import process

    settings = find_profile()
    pid = process.stop(settings)
    said = "No service runs" if pid is None else "Stopped the service"
    open_terminal().print_result(f"{said} for the profile {settings.home}.", {"pid": pid}, as_json=as_json)
