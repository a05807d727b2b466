"""The command `idiolect restore`: replace the store by a backup, or undo that."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, PassphraseFile, Yes, confirm, parse_path
from idiolect.daemon.commandline.backup_dialog import ProfileKey, describe_contents, read_key, require_one_key
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.profile.backup import discard, examine, restore, undo
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect restore /media/usb/idiolect.backup; idiolect restore --undo"


def run(
    path: Annotated[Path | None, typer.Argument(parser=parse_path, metavar="FILE", help="A backup.")] = None,
    passphrase_file: PassphraseFile = None,
    profile_key: ProfileKey = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put back the store that the last restore replaced.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Remove the store that the last restore replaced.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a backup the profile's store; the one before is kept until you remove it. The service must not run."""
    if [path is not None, undo, discard].count(True) != 1:
        raise typer.BadParameter("name a backup, or give --undo or --discard")
    terminal, settings = Terminal(), Settings()
    if undo:
        _undo(settings, terminal, as_json=as_json)
    elif discard:
        _discard(settings, terminal, yes=yes, as_json=as_json)
    elif path is not None:
        require_one_key(passphrase_file, profile_key=profile_key)
        key = read_key(settings, passphrase_file, profile_key=profile_key, new=False)
        _restore(settings, terminal, path, key, yes=yes, as_json=as_json)


def _restore(
    settings: Settings, terminal: Terminal, path: Path, key: str, *, yes: bool, as_json: bool
) -> None:
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
            f" The store before is kept in {done.former}: `idiolect restore --undo` puts it back, "
            "`idiolect restore --discard` removes it."
        )
    former = None if done.former is None else str(done.former)
    facts = {"home": str(settings.home), "former": former, **asdict(done.holds)}
    terminal.print_result(sentence, facts, as_json=as_json)


def _undo(settings: Settings, terminal: Terminal, *, as_json: bool) -> None:
    holds = undo(settings)
    contents = "which cannot be read" if holds is None else describe_contents(holds)
    sentence = (
        f"Put back the store from before the restore ({contents}). The restored one is kept in its place: the same "
        "command again puts that back, and `idiolect restore --discard` removes it."
    )
    facts = {"readable": False} if holds is None else {"readable": True, **asdict(holds)}
    terminal.print_result(sentence, {**facts, "former": str(settings.former_store_path)}, as_json=as_json)


def _discard(settings: Settings, terminal: Terminal, *, yes: bool, as_json: bool) -> None:
    if settings.former_store_path.exists() and not yes:
        confirm(f"Remove {settings.former_store_path}? It cannot be put back then.")
    removed = discard(settings)
    terminal.print_result(f"Removed {removed}.", {"removed": str(removed)}, as_json=as_json)
