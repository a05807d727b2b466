"""The command `idiolect suggest`: how a text would be completed."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, read_text
from idiolect.daemon.commandline.deferred import connect, open_terminal
from idiolect.daemon.commandline.formatting import plain

EXAMPLE = 'idiolect suggest "Thanks for the "'


def run(
    text: Annotated[str, typer.Argument(help="What stands before the cursor; - reads it from stdin.")],
    as_json: AsJson = False,
) -> None:
    """Show how it would complete a text."""
    terminal = open_terminal()
    with connect() as client:
        found = client.post("/v1/suggest", {"prefix": read_text(text)})
    if as_json:
        return terminal.print_json(found)
    for word in found["words"]:
        terminal.say(f"{word['p']:>5.0%}  {plain(word['text'])}")
    if " " in found["ghost"]["text"]:  # else it is the first word again
        terminal.say((f"ghost  {plain(found['ghost']['text'])}", "dim"))
    return None
