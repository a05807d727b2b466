"""The command `idiolect restore`: replace the store by a backup."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import (
    PassphraseFile,
    Yes,
    confirm,
    make_absolute,
    parse_path,
    read_passphrase,
)
from idiolect.daemon.clients.commandline.commands.backup import describe_contents
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.backup import examine, restore

EXAMPLE = "idiolect restore /media/usb/idiolect-2026-01-31-0930.backup"


def run(
    path: Annotated[Path, typer.Argument(parser=parse_path, metavar="FILE", help="A backup.")],
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
) -> None:
    """Make a backup the profile's store; the one before is kept until you delete it. The service must not run."""
    terminal, settings = Terminal(), Settings()
    if not Path(make_absolute(path)).is_file():
        raise typer.BadParameter(f"there is no backup {path}: give the path of its file")
    key = read_passphrase(passphrase_file, "Passphrase of the backup: ", new=False)
    with terminal.waiting("Reading the backup"):
        found = examine(path, key)
    if settings.store_path.exists() and not yes:
        holds = describe_contents(found)
        confirm(f"Replace the store of {settings.home} by this backup ({holds})? The store is kept.")
    with terminal.waiting("Restoring"):
        done = restore(settings, path, key)
    sentence = f"Restored {describe_contents(done.holds)} into {settings.home}. `idiolect start` serves it."
    if done.former is not None:
        sentence += f" The store before is kept in {done.former}: delete it when you no longer need it."
    former = None if done.former is None else str(done.former)
    facts = {"home": str(settings.home), "former": former, **asdict(done.holds)}
    terminal.print_result(sentence, facts)
