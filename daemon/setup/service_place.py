"""Setting up the service itself: the desktop starts it at log-in."""

from __future__ import annotations

from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.daemon.setup.place import Change, Place, Target
from idiolect.models.errors import IdiolectError


class DesktopService(Place):
    """The service as a unit of systemd or a launch agent of macOS."""

    name, title = "service", "The service at log-in"
    first = "It runs now, and after each log-in: `idiolect status` shows it."

    def found(self, target: Target) -> str | None:
        """What runs services here."""
        try:
            Desktop(target.settings).state()
        except IdiolectError:
            return None
        return "the desktop's services"

    def installed(self, target: Target) -> bool:
        """Whether the unit is installed."""
        return self.found(target) is not None and Desktop(target.settings).state().installed

    def changes(self, target: Target) -> list[Change]:
        """The unit."""
        desktop = Desktop(target.settings)
        return [Change(str(desktop.path), desktop.text().decode())]

    def install(self, target: Target) -> None:
        """Install and start it. Raises ServiceManagerError."""
        Desktop(target.settings).install()

    def remove(self, target: Target) -> list[str]:
        """Stop and uninstall it. Raises ServiceManagerError."""
        desktop = Desktop(target.settings)
        return [str(desktop.path)] if desktop.uninstall() else []
