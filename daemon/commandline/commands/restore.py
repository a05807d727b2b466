"""The command `idiolect restore`: replace the store by a backup."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, PassphraseFile, Yes, confirm, parse_path
from idiolect.daemon.commandline.backup_dialog import ProfileKey, describe_contents, read_key, require_one_key
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.profile.backup import examine, restore
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect restore /media/usb/idiolect.backup"


def run(
    path: Annotated[Path, typer.Argument(parser=parse_path, metavar="FILE", help="A backup.")],
    passphrase_file: PassphraseFile = None,
    profile_key: ProfileKey = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a backup the profile's store; the one before is kept until you delete it. The service must not run."""
    terminal, settings = Terminal(), Settings()
    require_one_key(passphrase_file, profile_key=profile_key)
    key = read_key(settings, passphrase_file, profile_key=profile_key, new=False)
    with terminal.waiting("Reading the backup"):
        found = examine(path, key)
    if settings.store_path.exists() and not yes:
        holds = describe_contents(found)
        confirm(f"Replace the store of {settings.home} by this backup ({holds})? The store is kept.")
    with terminal.waiting("Restoring"):
        done = restore(settings, path, key)
    sentence = f"Restored {describe_contents(done.holds)} into {settings.home}. `idiolect start` serves it."
    if done.former is not None:
        sentence += (
            f" The store before is kept in {done.former}: `idiolect restore {done.former} --profile-key` puts it back. "
            "Delete it when you no longer need it."
        )
    former = None if done.former is None else str(done.former)
    facts = {"home": str(settings.home), "former": former, **asdict(done.holds)}
    terminal.print_result(sentence, facts, as_json=as_json)
