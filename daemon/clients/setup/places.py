"""All places that can be set up, and how each of them stands; the service at log-in itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from idiolect.daemon.clients.setup.browser_place import Browsers
from idiolect.daemon.clients.setup.keyboard_place import Keyboard
from idiolect.daemon.clients.setup.place import Change, Place, Target
from idiolect.daemon.clients.setup.vscode_place import VSCode
from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.models.errors import IdiolectError


class DesktopService(Place):
    """The service as a unit of systemd."""

    name, title = "service", "The service at log-in"
    first = "It runs now, and after each log-in: `idiolect status` shows it."
    missing = "No systemd runs for this user; `idiolect start` starts the service by hand"

    def found(self, target: Target) -> str | None:
        """What runs services here."""
        return "systemd" if Desktop(target.settings).has_manager() else None

    def installed(self, target: Target) -> bool:
        """Whether the unit is installed."""
        return Desktop(target.settings).state().installed

    @override
    def works(self, target: Target) -> bool:
        """Whether it is as it would be written now, and starts at log-in."""
        state = Desktop(target.settings).state()
        return state.current and state.enabled

    def changes(self, target: Target) -> list[Change]:
        """The unit."""
        desktop = Desktop(target.settings, target.writable)
        return [Change(str(desktop.path), desktop.text().decode())]

    def install(self, target: Target) -> list[str]:
        """Install and start it. Raises ServiceManagerError."""
        desktop = Desktop(target.settings, target.writable)
        desktop.install()
        done = [f"Wrote {desktop.path}. It runs, and starts at log-in."]
        if not desktop.state().lingers:
            done.append("It ends when you log out; `loginctl enable-linger` lets it go on.")
        return done

    def remove(self, target: Target) -> list[str]:
        """Stop and uninstall it; what it knows stays. Raises ServiceManagerError."""
        desktop = Desktop(target.settings)
        return [f"Removed {desktop.path}, and ended the service."] if desktop.uninstall() else []

    @override
    def next_step(self, target: Target) -> str | None:
        """To write it anew where that is due."""
        if self.installed(target) and not self.works(target):
            return f"It was written for another version or place. Run `idiolect setup {self.name}` again"
        return super().next_step(target)


#: In the order in which they are shown: those first through which most programs are reached.
PLACES: Final[tuple[Place, ...]] = (Keyboard(), Browsers(), VSCode(), DesktopService())


@dataclass(frozen=True)
class PlaceState:
    """How one place stands.

    `found` says which program is there, None where it is not installed. `connected`: it is set up, and all that can be
    seen of it is as it should be. `next_step` is what to do for it, None where nothing is; what is to be typed stands
    in backquotes.
    """

    place: str
    title: str
    found: str | None
    connected: bool
    next_step: str | None


def survey(target: Target) -> list[PlaceState]:
    """How each place stands; one whose files are closed to this process counts as not found."""
    return [_state(place, target) for place in PLACES]


def _state(place: Place, target: Target) -> PlaceState:
    try:
        return PlaceState(
            place.name,
            place.title,
            place.found(target),
            connected=place.works(target),
            next_step=place.next_step(target),
        )
    except (IdiolectError, OSError):  # its files are closed to this process, or its program does not answer
        return PlaceState(place.name, place.title, None, connected=False, next_step=None)
