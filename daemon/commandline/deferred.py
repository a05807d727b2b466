"""Imports deferred until a command runs: the settings, a connection to the service, the terminal.

The modules behind these functions are slow to import. They are imported when a function is called, so that
`idiolect --help` is there at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idiolect.daemon.commandline.client import ServiceClient
    from idiolect.daemon.commandline.terminal import Terminal
    from idiolect.daemon.settings import Settings


def load_settings() -> Settings:
    """Read the settings of the profile that `IDIOLECT_HOME` names. Raises SettingsError."""
    from idiolect.daemon.settings import Settings

    return Settings()


def find_profile() -> Settings:
    """Return the settings of the profile, also where there is a fault in them, which is then told on stderr.

    What stops the service or takes text away works so whatever the settings say: it needs only where the profile is.
    """
    from idiolect.daemon.settings import Settings

    settings, fault = Settings.tolerant()
    if fault is not None:
        open_terminal().note(f"Warning: {fault} This command works all the same.")
    return settings


def connect(settings: Settings | None = None) -> ServiceClient:
    """Connect to the service of a profile, by default the one that `IDIOLECT_HOME` names (see `find_profile`).

    Raises NotRunningError, and UnauthorizedError if the token cannot be read.
    """
    from idiolect.daemon.commandline.client import ServiceClient

    return ServiceClient(find_profile() if settings is None else settings)


def open_terminal() -> Terminal:
    """Return the terminal, which prints to stdout and stderr as they are now."""
    from idiolect.daemon.commandline.terminal import Terminal

    return Terminal()
