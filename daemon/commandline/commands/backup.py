"""The command `idiolect backup`: write the store into one encrypted file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, PassphraseFile, Yes, confirm, parse_path
from idiolect.daemon.commandline.backup_dialog import ProfileKey, describe_contents, read_key, require_one_key
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.profile.backup import make, replaces
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect backup /media/usb/idiolect.backup"


def run(
    path: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="FILE", help="Where to; a file outside the profile.")
    ],
    passphrase_file: PassphraseFile = None,
    profile_key: ProfileKey = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write all that was learned to one encrypted file, and read it through; a running service goes on meanwhile."""
    terminal, settings = Terminal(), Settings()
    require_one_key(passphrase_file, profile_key=profile_key)
    replaces(settings, path)  # whether a file can be written there is told before a passphrase is asked for
    key = read_key(settings, passphrase_file, profile_key=profile_key, new=True)
    if replaces(settings, path, key) and not yes:
        confirm(f"{path} is an earlier backup. Replace it?")
    with terminal.waiting("Writing the backup"):
        made = make(settings, path, key)
    holds = describe_contents(made.holds)
    sentence = f"Wrote and verified {made.path}: {holds}, {made.size_bytes / 1e6:,.1f} MB. "
    if profile_key:
        sentence += "It is of use only with the profile's key: keep that too, and apart from it."
    else:
        sentence += "Without its passphrase nobody can read it, you included."
    facts = {"path": str(made.path), "size_bytes": made.size_bytes, **asdict(made.holds)}
    terminal.print_result(sentence, facts, as_json=as_json)
