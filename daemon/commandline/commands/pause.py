"""The command `idiolect pause`: learn nothing for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, parse_duration
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect pause --for 30m"


def run(
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Such as 30m, 2h or 1d; else until resumed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn nothing for a while; suggestions go on."""
    for_s = None if duration is None else parse_duration(duration)
    with connect() as client:
        answer = client.post("/v1/pause", {"for_s": for_s})
    said = f"Paused for {duration}." if duration else "Paused until `idiolect resume`."
    Terminal().print_result(said, answer, as_json=as_json)
