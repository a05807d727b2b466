"""The command `idiolect watch`: a folder to follow from now on, and the question where it holds very much."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, absolute, confirm, interrupted, path_of

if TYPE_CHECKING:
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View

#: What the service says of a folder that it reads only where that is confirmed.
_MUCH: Final = "many-files"


def watch(
    path: Annotated[Path, typer.Argument(parser=path_of, metavar="PATH", help="A folder.")],
    remove: Annotated[bool, typer.Option("--remove", help="Follow it no longer.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, however much the folder holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read a folder and go on learning what you newly write in it; asks first where that is very much."""
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.settings import Settings

    view = View()
    with Client(Settings()) as client:
        body = {"path": absolute([path])[0], "remove": remove}
        if remove:
            found = client.post("/v1/watch", body)["removed"]
            return view.unwatched(path, found=found, as_json=as_json)
        try:
            report = _followed(
                client, view, {**body, "confirmed": yes}, ask=sys.stdin.isatty() and not as_json
            )
        except BaseException as error:
            if interrupted(error):
                view.not_watched(path)
                raise KeyboardInterrupt from error
            raise
        view.imported(report, as_json=as_json)
    return None if as_json else view.watched(path)


def _followed(client: Client, view: View, body: dict[str, Any], *, ask: bool) -> dict[str, Any]:
    """Have a folder read and followed; the import's report. Where it is very much, the user may be asked first."""
    from idiolect.daemon.runtime.process import RelayedError

    try:
        return view.follow_import(client.stream("/v1/watch", body))
    except RelayedError as error:
        if error.relayed_code != _MUCH or not ask:
            raise
        confirm(f"{error}\nFollow it all the same?")
    return view.follow_import(client.stream("/v1/watch", {**body, "confirmed": True}))
