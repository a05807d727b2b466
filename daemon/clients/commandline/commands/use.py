"""The command `idiolect use`: serve another adapter, or none."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import parse_adapter
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect use 3; idiolect use base"


def run(
    adapter: Annotated[str, typer.Argument(metavar="ID|base", help="An adapter's number, or base.")],
) -> None:
    """Use another adapter, or the base model alone, from the next request on."""
    chosen = parse_adapter(adapter)
    with connect() as client:
        client.post("/v1/use", {"adapter": chosen})
    said = "Serving the base model alone." if chosen is None else f"Serving adapter {chosen}."
    Terminal().print_result(said, {"adapter": chosen})
