"""All places that can be set up, and how each of them stands; the service at log-in itself."""

from __future__ import annotations

import subprocess
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.clients.setup.browser_place import Browsers
from idiolect.daemon.clients.setup.keyboard_place import Keyboard
from idiolect.daemon.clients.setup.place import Change, Place, SetupRefusedError, Step, Target
from idiolect.daemon.clients.setup.vscode_place import VSCode
from idiolect.daemon.runtime import package
from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.models.errors import IdiolectError


class DesktopService(Place):
    """The service as a unit of systemd."""

    name, title = "service", "The service at log-in"
    first = "It runs now, and after each log-in: `idiolect status` shows it."
    missing = "No systemd runs for this user; `idiolect start` starts the service by hand."

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
        return state.current and (state.enabled or package.serves(target.settings.home))

    def changes(self, target: Target) -> list[Change]:
        """The unit."""
        if package.serves(target.settings.home):
            return []
        desktop = Desktop(target.settings, target.writable)
        return [Change(str(desktop.path), desktop.text().decode())]

    def install(self, target: Target) -> list[str]:
        """Install and start it. Raises ServiceManagerError."""
        desktop = Desktop(target.settings, target.writable)
        desktop.install()
        wrote = "" if package.serves(target.settings.home) else f"Wrote {desktop.path}. "
        done = [f"{wrote}It runs, and starts at log-in."]
        if not desktop.state().lingers:
            done.append("It ends when you log out; `loginctl enable-linger` lets it go on.")
        return done

    def remove(self, target: Target) -> list[str]:
        """Stop and uninstall it; what it knows stays. Raises ServiceManagerError."""
        desktop = Desktop(target.settings)
        removed = "Ended" if package.serves(target.settings.home) else f"Removed {desktop.path}, and ended"
        return [f"{removed} the service."] if desktop.uninstall() else []

    @override
    def next_step(self, target: Target) -> str | None:
        """To write it anew where that is due."""
        if self.installed(target) and not self.works(target):
            return f"It was written for another version or place. Run `idiolect setup {self.name}` again"
        return super().next_step(target)


_STEP_S: Final = 20.0

#: In the order in which they are shown: those first through which most programs are reached.
PLACES: Final[tuple[Place, ...]] = (Keyboard(), Browsers(), VSCode(), DesktopService())


@dataclass(frozen=True)
class PlaceState:
    """How one place stands.

    `found` says which program is there, None where it is not installed. `connected`: it is set up, and all that can be
    seen of it is as it should be. `next_step` is what to do for it, None where nothing is; what is to be typed stands
    in backquotes. `button` is what connecting it does of that, in the words of a button.
    """

    place: str
    title: str
    found: str | None
    connected: bool
    next_step: str | None
    button: str | None = None


def survey(target: Target) -> list[PlaceState]:
    """How each place stands; one whose files are closed to this process counts as not found."""
    return [_state(place, target) for place in PLACES]


def find_changes(place: Place, target: Target) -> list[Change]:
    """What `place.install` would change. Raises SetupRefusedError, too where there is no program for the place."""
    if place.found(target) is None:
        hint = f" {place.missing}" if place.missing else ""
        raise SetupRefusedError(f"{place.title}: no program for it was found.{hint}")
    return place.changes(target)


@dataclass(frozen=True)
class Connections:
    """The programs that people type in, as the page sees and connects them: all places but the service itself."""

    target: Target

    def survey(self) -> list[PlaceState]:
        """How each of them stands."""
        return [state for state in survey(self.target) if state.place != DesktopService.name]

    def connect(self, name: str, *, learn: bool | None, dry_run: bool) -> dict[str, Any]:
        """Connect one, or say what that would write.

        Raises SetupRefusedError, too where this process may not write there.
        """
        place = next((one for one in PLACES if one.name == name != DesktopService.name), None)
        if place is None:
            raise SetupRefusedError(f"There is no place of the name {name!r}. GET /v1/places lists them.")
        target = replace(self.target, learn=learn)
        step, changes, done = place.step(target), find_changes(place, target), list[str]()
        changes += [step.change] if step else []
        if not dry_run:
            try:
                done = place.install(target)
                done += [take(step)] if step else []
            except OSError as error:
                raise SetupRefusedError(
                    f"{place.title}: {error.strerror}. In a terminal, run `idiolect setup {name}`."
                ) from error
        learns = LearningChoice(target.settings).learn if place.name == Keyboard.name else None
        first = place.first if step is None else ""
        return {
            "changes": [asdict(change) for change in changes],
            "done": done,
            "first": first,
            "learns": learns,
        }


def take(step: Step) -> str:
    """Do what is left to do for a place. Returns what was done; raises SetupRefusedError."""
    command = " ".join(step.command)
    try:
        done = subprocess.run(step.command, capture_output=True, timeout=_STEP_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode:
        raise SetupRefusedError(f"That did not work. In a terminal, `{command}` says why.")
    return step.done


def _state(place: Place, target: Target) -> PlaceState:
    try:
        found, works, next_step = place.found(target), place.works(target), place.next_step(target)
        step = None if works else place.step(target)
        connects = found and f"`idiolect setup {place.name}`" in (next_step or "")
        return PlaceState(
            place.name,
            place.title,
            found,
            connected=works,
            next_step=next_step,
            button=step.title if step else "Connect …" if connects else None,
        )
    except (IdiolectError, OSError):  # its files are closed to this process, or its program does not answer
        return PlaceState(place.name, place.title, None, connected=False, next_step=None)
