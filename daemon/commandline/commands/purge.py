"""The command `idiolect purge`: delete the whole profile."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from idiolect.daemon.commandline.arguments import AsJson, Yes, confirm
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.formatting import plain
from idiolect.daemon.commandline.service_process import end_service
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.profile.purge import Purged, contents, purge, require_profile
from idiolect.daemon.setup.browser_place import Browsers
from idiolect.daemon.setup.place import Target

EXAMPLE = "idiolect purge"


def run(
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete everything: text, adapters, key, log, settings, base model. It cannot be undone."""
    settings, terminal = find_profile(), Terminal()
    require_profile(settings)
    if not yes:
        terminal.say(f"{settings.home}:")
        for name, size in contents(settings).items():
            terminal.say(f"  {size / 1e6:>9,.1f} MB  {plain(name)}")
        confirm("Delete all of this, and its key? It cannot be undone.")
    if settings.home.exists():
        settings.require_writable()
    end_service(settings)
    inside = str(settings.browser_host_path)
    # Before the rest, so that no browser starts the program meanwhile.
    manifests = [path for path in Browsers().remove(Target.of(settings)) if path != inside]
    done = purge(settings)
    if as_json:
        terminal.print_json({"home": str(settings.home), **asdict(done), "manifests": manifests})
    else:
        for manifest in manifests:
            terminal.say(f"Removed {plain(manifest)}: a browser no longer knows the program.")
        _show(terminal, settings.home, done)


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
