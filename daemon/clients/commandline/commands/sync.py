"""The command `idiolect sync`: a folder is shared with the user's other devices."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from idiolect.daemon.clients.commandline.arguments import (
    Yes,
    confirm,
    make_absolute,
    parse_path,
    read_text,
)
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, minute, plain
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect sync share ~/Sync/idiolect; idiolect sync join ~/Sync/idiolect; idiolect sync"

GROUP = typer.Typer(
    help="Share what is learned with your other devices, through a folder that Syncthing or the like synchronises."
)

Folder = Annotated[
    Path, typer.Argument(parser=parse_path, metavar="FOLDER", help="The folder that is synchronised.")
]


@GROUP.command("status")
def show() -> None:
    """Show the folder, the devices, and what waits."""
    with connect() as client:
        sharing = client.get("/v1/sync")["sharing"]
    terminal = Terminal()
    terminal.print_result(lambda: _show(terminal, sharing), sharing)


@GROUP.command()
def share(folder: Folder) -> None:
    """Share an empty FOLDER; the twelve words that let your other devices in are shown once."""
    with connect() as client:
        answer = client.post("/v1/sync", {"action": "share", "folder": make_absolute(folder)})
    said = [
        f"This device shares {plain(answer['sharing']['folder'])}. Its words, which are shown this once:",
        answer["words"],
        "Write them down. `idiolect sync join` asks for them on your other devices; who has them and the folder can "
        "read all of it.",
    ]
    Terminal().print_result(said, answer)


@GROUP.command()
def join(folder: Folder) -> None:
    """Share FOLDER, which your other devices share; its words are asked for, or read from stdin."""
    words = getpass("The twelve words of the folder: ") if sys.stdin.isatty() else read_text("-")
    body = {
        "action": "join",
        "folder": make_absolute(folder),
        "words": words.strip().partition("\n")[0] or "-",
    }
    with connect() as client:
        answer = client.post("/v1/sync", body)
    said = [
        f"This device shares {plain(answer['sharing']['folder'])}.",
        "`idiolect sync` shows how far it is.",
    ]
    Terminal().print_result(said, answer)


@GROUP.command()
def leave(yes: Yes = False) -> None:
    """Share the folder no more; what was learned stays here, and with the others."""
    if not yes:
        confirm(
            "This device shares the folder no more; what it has learned stays here, and with the others. Go on?"
        )
    with connect() as client:
        answer = client.post("/v1/sync", {"action": "leave"}, patient=True)
    said = ["The folder is shared no more from here."]
    if not answer["told"]:
        said.append("It is not there, or cannot be written, so what this device had put there stays.")
    Terminal().print_result(said, answer)


@GROUP.command()
def remove(
    device: Annotated[
        str, typer.Argument(metavar="DEVICE", help="Its name, or its number in `idiolect sync --json`.")
    ],
    yes: Yes = False,
) -> None:
    """Share the folder no more with DEVICE, which is lost or was purged; what came from it stays."""
    if not yes:
        confirm(
            f"{plain(device)} counts as a device that has left; what came from it stays. If it still has the words and "
            "the folder, it can read on. Go on?"
        )
    with connect() as client:
        answer = client.post("/v1/sync", {"action": "remove", "device": device}, patient=True)
    Terminal().print_result(f"{plain(device)} shares the folder no more.", answer)


def _show(terminal: Terminal, sharing: dict[str, Any] | None) -> None:
    if sharing is None:
        return terminal.say("No folder is shared. `idiolect sync share FOLDER` shares one.")
    terminal.say(f"This device shares {plain(sharing['folder'])}.")
    terminal.show_table(
        ("device", "entries", "last wrote", "how far"),
        (
            (plain(one["name"]), f"{one['entries']:,}", _when(one["seen_at"]), _how_far(one))
            for one in sharing["devices"]
        ),
        right=("entries",),
    )
    if sharing["unsent"]:
        terminal.say(f"{counted(sharing['unsent'], 'thing waits', 'things wait')} here to be sent.")
    if sharing["problem"] is not None:
        terminal.say(plain(sharing["problem"]))
    return None


def _how_far(device: dict[str, Any]) -> str:
    if device["this"]:
        return "this device"
    if device["waiting"]:
        return f"{counted(device['waiting'], 'file has', 'files have')} not arrived whole"
    return "all was read"


def _when(seconds: int | None) -> str:
    return "" if seconds is None else minute(datetime.fromtimestamp(seconds, UTC).isoformat())
