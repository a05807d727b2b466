"""All places that can be set up, and how each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.browser_place import Browsers
from idiolect.daemon.setup.editor_places import Emacs, Helix, Kate, Neovim, VSCode
from idiolect.daemon.setup.keyboard_place import Keyboard
from idiolect.daemon.setup.place import Place, Target
from idiolect.daemon.setup.service_place import DesktopService
from idiolect.daemon.setup.shell_place import LoginShell
from idiolect.models.errors import IdiolectError

#: In the order in which they are shown: those first through which most programs are reached.
PLACES: Final[tuple[Place, ...]] = (
    Keyboard(),
    Browsers(),
    VSCode(),
    Neovim(),
    Emacs(),
    Helix(),
    Kate(),
    LoginShell(),
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
