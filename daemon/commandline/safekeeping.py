"""The commands `backup` and `restore`: what they ask for and what they say. The work is done in `backup.py`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idiolect.daemon.commandline.arguments import AsJson, confirm, passphrase_of, path_of

if TYPE_CHECKING:
    from idiolect.daemon.profile.backup import Contents
    from idiolect.daemon.settings import Settings


_PassphraseFile = Annotated[
    str | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Take the passphrase from this file's first line (-: from stdin) instead of asking for it.",
    ),
]
_ProfileKey = Annotated[
    bool,
    typer.Option(
        "--profile-key", help="Use the profile's own key, which the keyring holds, and no passphrase."
    ),
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands to the command line, in the group `panel`."""
    app.command(rich_help_panel=panel, epilog="Example: idiolect backup /media/usb/idiolect.backup")(backup)
    app.command(
        rich_help_panel=panel,
        epilog="Example: idiolect restore /media/usb/idiolect.backup; idiolect restore --undo",
    )(restore)


def backup(
    path: Annotated[
        Path, typer.Argument(parser=path_of, metavar="FILE", help="Where to; a file outside the profile.")
    ],
    read_from: _PassphraseFile = None,
    profile_key: _ProfileKey = False,
    yes: _Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write all that was learned to one encrypted file, and read it through; a running service goes on meanwhile."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.profile.backup import make, replaces

    view, settings = View(), _settings()
    _one_key(read_from, profile_key=profile_key)
    replaces(settings, path)  # whether a file can be written there is told before a passphrase is asked for
    key = _key(settings, read_from, profile_key=profile_key, new=True)
    if replaces(settings, path, key) and not yes:
        confirm(f"{path} is an earlier backup. Replace it?")
    with view.waiting("Writing the backup"):
        made = make(settings, path, key)
    sentence = f"Wrote and verified {made.path}: {_holds(made.holds)}, {made.size_bytes / 1e6:,.1f} MB. "
    if profile_key:
        sentence += "It is of use only with the profile's key: keep that too, and apart from it."
    else:
        sentence += "Without its passphrase nobody can read it, you included."
    view.tell(sentence, _facts(made.holds, path=str(made.path), size_bytes=made.size_bytes), as_json=as_json)


def restore(
    path: Annotated[Path | None, typer.Argument(parser=path_of, metavar="FILE", help="A backup.")] = None,
    read_from: _PassphraseFile = None,
    profile_key: _ProfileKey = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put back the store that the last restore replaced.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Remove the store that the last restore replaced.")
    ] = False,
    yes: _Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a backup the profile's store; the one before is kept until you remove it. The service must not run."""
    from idiolect.daemon.commandline.view import View

    if [path is not None, undo, discard].count(True) != 1:
        raise typer.BadParameter("name a backup, or give --undo or --discard")
    view, settings = View(), _settings()
    if undo:
        _undo(settings, view, as_json=as_json)
    elif discard:
        _discard(settings, view, yes=yes, as_json=as_json)
    elif path is not None:
        _one_key(read_from, profile_key=profile_key)
        key = _key(settings, read_from, profile_key=profile_key, new=False)
        _restore(settings, view, path, key, yes=yes, as_json=as_json)


def _restore(settings: Settings, view: Any, path: Path, key: str, *, yes: bool, as_json: bool) -> None:
    from idiolect.daemon.profile.backup import examine
    from idiolect.daemon.profile.backup import restore as put_back

    with view.waiting("Reading the backup"):
        found = examine(path, key)
    if settings.store_path.exists() and not yes:
        confirm(f"Replace the store of {settings.home} by this backup ({_holds(found)})? The store is kept.")
    with view.waiting("Restoring"):
        done = put_back(settings, path, key)
    sentence = f"Restored {_holds(done.holds)} into {settings.home}. `idiolect start` serves it."
    if done.former is not None:
        sentence += (
            f" The store before is kept in {done.former}: `idiolect restore --undo` puts it back, "
            "`idiolect restore --discard` removes it."
        )
    former = None if done.former is None else str(done.former)
    view.tell(sentence, _facts(done.holds, home=str(settings.home), former=former), as_json=as_json)


def _undo(settings: Settings, view: Any, *, as_json: bool) -> None:
    from idiolect.daemon.profile.backup import undo

    holds = undo(settings)
    said = "which cannot be read" if holds is None else _holds(holds)
    sentence = (
        f"Put back the store from before the restore ({said}). The restored one is kept in its place: the same "
        "command again puts that back, and `idiolect restore --discard` removes it."
    )
    facts = {"readable": False} if holds is None else _facts(holds, readable=True)
    view.tell(sentence, facts | {"former": str(settings.former_store_path)}, as_json=as_json)


def _discard(settings: Settings, view: Any, *, yes: bool, as_json: bool) -> None:
    from idiolect.daemon.profile.backup import discard

    if settings.former_store_path.exists() and not yes:
        confirm(f"Remove {settings.former_store_path}? It cannot be put back then.")
    removed = discard(settings)
    view.tell(f"Removed {removed}.", {"removed": str(removed)}, as_json=as_json)


def _settings() -> Settings:
    from idiolect.daemon.settings import Settings

    return Settings()


def _one_key(read_from: str | None, *, profile_key: bool) -> None:
    if read_from is not None and profile_key:
        raise typer.BadParameter("--passphrase-file and --profile-key exclude each other")


def _key(settings: Settings, read_from: str | None, *, profile_key: bool, new: bool) -> str:
    """The key of a copy. A `new` passphrase is asked for twice, and must not be a short one."""
    if profile_key:
        from idiolect.daemon.profile import backup as work

        return work.profile_key(settings) if new else work.kept_key(settings)
    return passphrase_of(read_from, "Passphrase of the backup: ", new=new)


def _holds(contents: Contents) -> str:
    parts = asdict(contents).items()
    return ", ".join(f"{count:,} {name if count != 1 else _ONE[name]}" for name, count in parts)


_ONE = {"entries": "entry", "adapters": "adapter", "rounds": "round"}


def _facts(contents: Contents, **more: Any) -> dict[str, Any]:
    return {**more, **asdict(contents)}
