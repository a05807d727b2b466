"""The command `idiolect backup`: write the store into a new encrypted file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from idiolect.daemon.clients.commandline.arguments import PassphraseFile, parse_path, read_passphrase
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.backup import BackupContents, find_folder, make

EXAMPLE = "idiolect backup /media/usb"
_ONE: Final = {"entries": "entry", "adapters": "adapter", "rounds": "round"}


def run(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=parse_path, metavar="FOLDER", help="Where to: a folder outside the profile; this one."
        ),
    ] = Path(),
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write all that was learned to a new encrypted file, and read it through; a running service goes on meanwhile."""
    terminal, settings = Terminal(), Settings()
    folder = find_folder(settings, folder)  # what is wrong with it is told before a passphrase is asked for
    key = read_passphrase(passphrase_file, "Passphrase of the backup: ", new=True)
    with terminal.waiting("Writing the backup"):
        made = make(settings, folder, key)
    holds = describe_contents(made.holds)
    facts = {"path": str(made.path), "size_bytes": made.size_bytes, **asdict(made.holds)}
    terminal.print_result(
        f"Wrote and verified {made.path}: {holds}, {made.size_bytes / 1e6:,.1f} MB. Without its passphrase nobody can "
        "read it, you included.",
        facts,
    )


def describe_contents(contents: BackupContents) -> str:
    """Return what a backup holds, such as "1,068 entries, 1 adapter, 3 rounds"."""
    parts = asdict(contents).items()
    return ", ".join(f"{count:,} {name if count != 1 else _ONE[name]}" for name, count in parts)
