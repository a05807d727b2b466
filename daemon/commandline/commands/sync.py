"""The command `idiolect sync`: a folder is shared with the user's other devices."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import (
    AsJson,
    Yes,
    confirm,
    make_absolute,
    parse_path,
    read_passphrase,
)
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.formatting import counted, minute, plain
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.runtime.process import RelayedError

EXAMPLE = "idiolect sync ~/Sync/idiolect; idiolect sync; idiolect sync revoke laptop"
#: The sub-command that is meant where a word is none: `idiolect sync FOLDER`.
OTHERWISE: Final = "join"

GROUP = typer.Typer(
    help="Share what is learned with your other devices, through a folder that Syncthing or the like synchronises."
)


@GROUP.command("status")
def show(as_json: AsJson = False) -> None:
    """Show the folder, the devices, and what waits."""
    with connect() as client:
        sharing = client.get("/v1/sync")["sharing"]
    terminal = Terminal()
    terminal.print_result(lambda: _show(terminal, sharing), sharing, as_json=as_json)


@GROUP.command()
def join(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=parse_path, metavar="FOLDER", help="An empty folder, or one that others share."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call this device; else as the machine is called."),
    ] = None,
    code_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Take the code from this file's first line (-: from stdin), not by asking."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Share FOLDER, with a code where other devices share it; `sync FOLDER` does the same."""
    body: dict[str, Any] = {"action": "join", "folder": make_absolute(folder), "name": name}
    if code_file is not None:
        body["code"] = read_passphrase(code_file, "", new=False)
    with connect() as client:
        try:
            answer = client.post("/v1/sync", body)
        except RelayedError as error:
            if error.relayed_code != "sync-code-needed" or code_file is not None or not sys.stdin.isatty():
                raise
            Terminal().note(
                "Other devices share this folder. `idiolect sync invite` on one of them shows a code."
            )
            code = read_passphrase(None, "The code, twelve words: ", new=False)
            answer = client.post("/v1/sync", {**body, "code": code})
    said = f"This device, {answer['sharing']['name']}, shares {answer['sharing']['folder']}."
    _tell_code(answer, [said, "`idiolect sync` shows how far it is."], as_json=as_json)


@GROUP.command()
def invite(as_json: AsJson = False) -> None:
    """Show a code that lets one more device in."""
    with connect() as client:
        _tell_code(client.post("/v1/sync", {"action": "invite"}), [], as_json=as_json)


@GROUP.command()
def revoke(
    device: Annotated[
        str, typer.Argument(metavar="DEVICE", help="Its name, or its number in `sync --json`.")
    ],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Share nothing more with a device, and encrypt the folder anew."""
    if not yes:
        confirm(f"{device} gets nothing more, and what it has not sent yet is not taken. Go on?")
    with connect() as client:
        answer = client.post("/v1/sync", {"action": "revoke", "device": device}, patient=True)
    said = [
        f"{device} is revoked. What is in the folder is encrypted anew; the other devices do so once they hear of it.",
        "It still holds what it had read until now. If it was stolen, lock or wipe it, if that can be done.",
    ]
    Terminal().print_result(said, answer, as_json=as_json)


@GROUP.command()
def leave(yes: Yes = False, as_json: AsJson = False) -> None:
    """Share the folder no more; what was learned stays here."""
    if not yes:
        confirm(
            "This device shares the folder no more; what it has learned stays here, and with the others. Go on?"
        )
    with connect() as client:
        answer = client.post("/v1/sync", {"action": "leave"}, patient=True)
    said = ["The folder is shared no more from here."]
    if not answer["told"]:
        said.append(
            "It is not there, or cannot be written, so the others still count this device: run `idiolect sync revoke` "
            "with its name on one of them."
        )
    Terminal().print_result(said, answer, as_json=as_json)


def _tell_code(answer: dict[str, Any], said: list[str], *, as_json: bool) -> None:
    if answer["code"] is not None:
        said = [
            *said,
            "This code lets one more device in, within seven days. It is shown once; who has it and the folder can "
            "read all of it:",
            answer["code"],
            "Give it there when `idiolect sync FOLDER` asks for it.",
        ]
    Terminal().print_result(said, answer, as_json=as_json)


def _show(terminal: Terminal, sharing: dict[str, Any] | None) -> None:
    if sharing is None:
        return terminal.say("No folder is shared. `idiolect sync FOLDER` shares one.")
    terminal.say(f"{plain(sharing['name'])} shares {plain(sharing['folder'])}.")
    terminal.show_table(
        ("device", "entries", "last wrote", "how far"),
        (
            (plain(one["name"]), f"{one['entries']:,}", _when(one["seen_at"]) or "", _how_far(one))
            for one in sharing["devices"]
        ),
        right=("entries",),
    )
    if sharing["unsent"]:
        terminal.say(f"{counted(sharing['unsent'], 'thing waits', 'things wait')} here to be sent.")
    if sharing["invited_until"] is not None:
        terminal.say(f"A code that was shown lets another device in until {_when(sharing['invited_until'])}.")
    if sharing["problem"] is not None:
        terminal.say(plain(sharing["problem"]))
    return None


def _how_far(device: dict[str, Any]) -> str:
    if device["this"]:
        return "this device"
    if device["seen_at"] is None:
        return "nothing of it has arrived"
    waits = f"{counted(device['waiting'], 'file has', 'files have')} not arrived" if device["waiting"] else ""
    behind = "has not read all of this one's" if device["behind"] else ""
    return "; ".join(part for part in (waits, behind) if part) or "in step"


def _when(seconds: int | None) -> str:
    return "" if seconds is None else minute(datetime.fromtimestamp(seconds, UTC).isoformat())
