"""The command `idiolect quiet`: show nothing for a while, or show suggestions again."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.session.choices import MAX_QUIET_MINUTES, QUIET_MINUTES

_NUMBER: Final = re.compile(r"[0-9]{1,4}")
EXAMPLE = "idiolect quiet; idiolect quiet 90; idiolect quiet end"


def run(
    minutes: Annotated[
        str,
        typer.Argument(metavar="MINUTES", help="For how long, a day at most; end: show suggestions again."),
    ] = str(QUIET_MINUTES),
) -> None:
    """Show no suggestions anywhere for a while; learning goes on."""
    ends = minutes == "end"
    if not (ends or (_NUMBER.fullmatch(minutes) and 1 <= int(minutes) <= MAX_QUIET_MINUTES)):
        raise typer.BadParameter(
            f"give a number of minutes from 1 to {MAX_QUIET_MINUTES:,}, which is a day, or end"
        )
    with connect() as client:
        answer = client.post("/v1/quiet/end") if ends else client.post("/v1/quiet", {"minutes": int(minutes)})
    quiet = f"Nothing is shown for {counted(int(minutes), 'minute')}." if not ends else ""
    Terminal().print_result(quiet or "Suggestions are shown again.", answer)
