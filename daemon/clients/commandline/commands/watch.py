"""The command `idiolect watch`: follow a folder; asks first where it holds very much."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import confirm, make_absolute, parse_path
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.commands.add import show_import
from idiolect.daemon.clients.commandline.interrupts import explain_interrupt
from idiolect.daemon.clients.commandline.progress import follow_import
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import NotAnsweringError, ServiceClient
from idiolect.daemon.runtime.process import RelayedError

EXAMPLE = "idiolect watch ~/notes"

#: The service's code for a folder that it reads only where that is confirmed.
_MUCH: Final = "many-files"


def run(
    path: Annotated[Path, typer.Argument(parser=parse_path, metavar="PATH", help="A folder.")],
    remove: Annotated[bool, typer.Option("--remove", help="Follow it no longer.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, however much the folder holds.")
    ] = False,
) -> None:
    """Read a folder and go on learning what you newly write in it; asks first where that is very much."""
    terminal = Terminal()
    with connect() as client:
        body = {"path": make_absolute(path), "remove": remove}
        if remove:
            found = client.post("/v1/watch", body)["removed"]
            said = f"No longer following {path}." if found else f"{path} was not followed."
            return terminal.print_result(said, {"removed": found})
        ask = sys.stdin.isatty() and not terminal.as_json
        with explain_interrupt(lambda: _explain_not_followed(terminal, path)):
            report = _follow(client, terminal, {**body, "confirmed": yes}, ask=ask)
        show_import(terminal, report)
    said = f"Following {path}: what you newly write there is learned."
    return None if terminal.as_json else terminal.say(said)


def _follow(client: ServiceClient, terminal: Terminal, body: dict[str, Any], *, ask: bool) -> dict[str, Any]:
    """Have a folder read and followed; return the import's report. Where it is very much, `ask` the user first."""
    try:
        return follow_import(terminal, client.stream("/v1/watch", body))
    except NotAnsweringError:
        _explain_not_followed(terminal, Path(body["path"]))
        raise
    except RelayedError as error:
        if error.relayed_code != _MUCH or not ask:
            raise
        confirm(f"{error}\nFollow it all the same?")
    return follow_import(terminal, client.stream("/v1/watch", {**body, "confirmed": True}))


def _explain_not_followed(terminal: Terminal, path: Path) -> None:
    terminal.note(
        f"{path} is not followed. What was read of it until now is kept; `idiolect forget --read-from` takes it back."
    )
