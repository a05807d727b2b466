"""How all places stand: found here, connected, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idiolect.daemon.keyboard import install as keyboard
from idiolect.daemon.setup.place import Target
from idiolect.daemon.setup.places import PLACES
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.setup.place import Place

#: What a place is called on a screen, those first through which most programs are reached.
_TITLES: Final = {
    "keyboard": "Every program of the desktop",
    "browser": "Web pages",
    "vscode": "VS Code",
    "neovim": "Neovim",
    "emacs": "Emacs",
    "helix": "Helix",
    "kate": "Kate",
    "shell": "Shell",
}
#: What to do where its program is missing, or was never started.
_MISSING: Final = {
    "keyboard": "Install IBus (the package is called ibus), then `idiolect setup keyboard`",
    "browser": "Start Chromium, Chrome, Brave, Edge or Firefox once, then `idiolect setup browser`",
}
#: What is left to do where it is connected, as far as this program can see.
_CONNECTED: Final = {
    "browser": "Each browser needs the extension, too: `idiolect browser build` says how to load it"
}


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
    """How each place that one types in stands."""
    places, target = {place.name: place for place in PLACES}, Target.of(settings)
    return [_state(places[name], title, target) for name, title in _TITLES.items()]


def _state(place: Place, title: str, target: Target) -> PlaceState:
    try:
        found, connected = place.found(target), place.done(target)
        if connected:
            next_step = keyboard.standing(target.settings).mend if place.name == "keyboard" else None
        else:
            next_step = _MISSING.get(place.name) if found is None else f"`idiolect setup {place.name}`"
    except (IdiolectError, OSError):  # its files are closed to this process, or its program does not answer
        return PlaceState(place.name, title, None, connected=False, next_step=None)
    return PlaceState(place.name, title, found, connected, next_step or _CONNECTED.get(place.name))
