"""The command `idiolect purge`: delete the whole profile."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from idiolect.daemon.clients.commandline.arguments import Yes, confirm
from idiolect.daemon.clients.commandline.client import find_profile
from idiolect.daemon.clients.commandline.formatting import plain
from idiolect.daemon.clients.commandline.service_process import end_service
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.setup.place import Place, Target
from idiolect.daemon.clients.setup.places import PLACES
from idiolect.daemon.vault.purge import Purged, contents, find_shared_folder, purge, require_profile
from idiolect.models.errors import IdiolectError

EXAMPLE = "idiolect purge"


def run(
    yes: Yes = False,
) -> None:
    """Delete everything: text, adapters, key, log, settings, base model, and what `setup` wrote for this profile."""
    settings, terminal = find_profile(), Terminal()
    require_profile(settings)
    target = Target(settings)
    places = [place for place in PLACES if _is_of_profile(place, target)]
    if not yes:
        terminal.say(f"{settings.home}:")
        for name, size in contents(settings).items():
            terminal.say(f"  {size / 1e6:>9,.1f} MB  {plain(name)}")
        for place in places:
            terminal.say(f"  {place.title}: what `idiolect setup {place.name}` wrote")
        if folder := find_shared_folder(settings):
            terminal.say(
                f"This device's part of the shared folder {plain(folder)} stays there, encrypted, and the others go on "
                "waiting for it. `idiolect sync leave` takes it out first; later, `idiolect sync remove` on another "
                "device does."
            )
        confirm("Delete all of this, and its key? It cannot be undone.")
    if settings.home.exists():
        settings.require_writable()
    # Before the rest, so that neither a browser nor the desktop starts the program meanwhile.
    taken_back = {place.name: _take_back(place, target) for place in places}
    end_service(settings)
    done = purge(settings)
    if terminal.as_json:
        return terminal.print_json({"home": str(settings.home), **asdict(done), "setup": taken_back})
    for sentence in (one for sentences in taken_back.values() for one in sentences):
        terminal.say(plain(sentence))
    return _show(terminal, settings.home, done)


def _is_of_profile(place: Place, target: Target) -> bool:
    """Return True if a place is set up for the profile; one whose program gives no answer is taken for not set up."""
    try:
        return place.is_of_profile(target)
    except (IdiolectError, OSError):
        return False


def _take_back(place: Place, target: Target) -> list[str]:
    try:
        return place.remove(target)
    except (IdiolectError, OSError) as error:
        return [f"{place.title}: {error} `idiolect setup {place.name} --remove` tries again."]


def _show(terminal: Terminal, home: Path, done: Purged) -> None:
    """Say what was removed, what is left, and what was out of reach."""
    names = ", ".join(done.removed)
    size = sum(done.removed.values()) / 1e6
    terminal.say(
        f"Removed {names} ({size:,.1f} MB) and the key."
        if names
        else f"There was nothing to remove at {home}."
    )
    if not names and not done.left:
        return
    if done.left:
        terminal.say(f"Left in {home}, since it is not the program's: {', '.join(map(plain, done.left))}.")
    else:
        terminal.say(f"{home} is gone. Nothing of it was found in the file system or the keyring.")
    terminal.say(
        "Out of reach: backups and other copies of the profile, what was exported, the files that the text came "
        "from, and what the disk keeps of deleted files (snapshots, worn blocks). The store is encrypted there; a "
        "key that was in a file may be there, too."
    )
