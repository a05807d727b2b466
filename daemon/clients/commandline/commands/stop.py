"""The command `idiolect stop`: end the service."""

from __future__ import annotations

from idiolect.daemon.clients.commandline.client import find_profile
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.runtime import process

EXAMPLE = "idiolect stop"


def run() -> None:
    """End the service; what it learned is kept."""
    settings = find_profile()
    pid = process.stop(settings)
    said = "No service runs" if pid is None else "Stopped the service"
    Terminal().print_result(f"{said} for the profile {settings.home}.", {"pid": pid})
