"""What `idiolect backup` and `idiolect restore` share: reading a backup's key, and describing its content."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from idiolect.daemon.commandline.arguments import read_passphrase
from idiolect.daemon.profile.backup import BackupContents
from idiolect.daemon.settings import Settings

ProfileKey = Annotated[
    bool,
    typer.Option(
        "--profile-key", help="Use the profile's own key, which the keyring holds, and no passphrase."
    ),
]
_ONE: Final = {"entries": "entry", "adapters": "adapter", "rounds": "round"}


def require_one_key(passphrase_file: str | None, *, profile_key: bool) -> None:
    """Raise typer.BadParameter if both a passphrase and the profile's key are given."""
    if passphrase_file is not None and profile_key:
        raise typer.BadParameter("--passphrase-file and --profile-key exclude each other")


def read_key(settings: Settings, passphrase_file: str | None, *, profile_key: bool, new: bool) -> str:
    """Return the key of a backup: the profile's own, or a passphrase.

    A `new` passphrase, for a backup that is made, is asked for twice, and must not be a short one. Raises
    typer.BadParameter, and IdiolectError where the profile has no key.
    """
    if profile_key:
        from idiolect.daemon.profile import backup

        return backup.profile_key(settings) if new else backup.kept_key(settings)
    return read_passphrase(passphrase_file, "Passphrase of the backup: ", new=new)


def describe_contents(contents: BackupContents) -> str:
    """Return what a backup holds, such as "1,068 entries, 1 adapter, 3 rounds"."""
    parts = asdict(contents).items()
    return ", ".join(f"{count:,} {name if count != 1 else _ONE[name]}" for name, count in parts)
