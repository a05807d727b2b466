"""The command `idiolect pause`: learn nothing for a while, or learn again."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import parse_duration
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect pause --for 30m; idiolect pause --end"


def run(
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Such as 30m, 2h or 1d; else until resumed."),
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="Learn again.")] = False,
) -> None:
    """Learn nothing for a while; suggestions go on."""
    if end and duration is not None:
        raise typer.BadParameter("--end ends a pause: leave --for out")
    for_s = None if duration is None else parse_duration(duration)
    with connect() as client:
        answer = client.post("/v1/resume") if end else client.post("/v1/pause", {"for_s": for_s})
    paused = f"Paused for {duration}." if duration else "Paused until `idiolect pause --end`."
    Terminal().print_result("Learning again." if end else paused, answer)
