"""All places that can be set up, and how each of them stands; the service at log-in itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.browser_place import Browsers
from idiolect.daemon.setup.editor_places import Emacs, Helix, Kate, Neovim, VSCode
from idiolect.daemon.setup.keyboard_place import Keyboard
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


#: In the order in which they are shown: those first through which most programs are reached.
PLACES: Final[tuple[Place, ...]] = (
    Keyboard(),
    Browsers(),
    VSCode(),
    Neovim(),
    Emacs(),
    Helix(),
    Kate(),
    DesktopService(),
)


@dataclass(frozen=True)
class PlaceState:
    """How one place stands.

    `found` says which program is there, None where it is not installed. `connected`: it is set up. `next_step` is what
    to do for it, None where nothing is; what is to be typed stands in backquotes.
    """

    place: str
    title: str
    found: str | None
    connected: bool
    next_step: str | None


def survey(settings: Settings) -> list[PlaceState]:
    """How each place that you type in stands; one whose files are closed to this process counts as not found."""
    places = (place for place in PLACES if not isinstance(place, DesktopService))
    return [_state(place, Target.of(settings)) for place in places]


def _state(place: Place, target: Target) -> PlaceState:
    try:
        return PlaceState(
            place.name,
            place.title,
            place.found(target),
            connected=place.installed(target),
            next_step=place.next_step(target),
        )
    except (IdiolectError, OSError):  # its files are closed to this process, or its program does not answer
        return PlaceState(place.name, place.title, None, connected=False, next_step=None)
