"""The profile that a command works on, and the connection to its service."""

from __future__ import annotations

from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.settings import Settings


def find_profile() -> Settings:
    """Return the settings of the profile; a fault in them is noted on stderr.

    For commands that stop the service or take text away: they need only to know where the profile is.
    """
    settings, fault = Settings.tolerant()
    if fault is not None:
        Terminal().note(f"Warning: {fault} This command works all the same.")
    return settings


def connect(settings: Settings | None = None) -> ServiceClient:
    """Connect to the service of a profile, by default the one that `IDIOLECT_HOME` names (see `find_profile`).

    Raises NotRunningError, and UnauthorizedError if the token cannot be read.
    """
    return ServiceClient(find_profile() if settings is None else settings)
