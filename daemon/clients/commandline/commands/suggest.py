"""The command `idiolect suggest`: complete a text."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from idiolect.daemon.clients.commandline.arguments import read_text, read_text_file
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import chance, plain
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = 'idiolect suggest "Thanks for the "'

_MAX_CHARS: Final = 100_000  # of what is answered, as `/v1/suggest` takes it
_BETWEEN_WORDS: Final = re.compile(r"[^\w'’]|_")


def run(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What stands before the cursor; - reads it from stdin.")
    ],
    answering: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file with what you answer, such as a mail: its words and names are suggested, too; - reads it from "
            "stdin. It is used for this once, and neither kept nor learned.",
        ),
    ] = None,
) -> None:
    """Show how it would complete a text."""
    if text == answering == "-":
        raise typer.BadParameter("only one of the text and what you answer can stand on stdin")
    terminal, prefix = Terminal(), read_text(text)
    context = (
        [] if answering is None else [read_text_file(answering, _MAX_CHARS, "give the part that you answer")]
    )
    with connect() as client:
        asked = {
            "prefix": prefix,
            "corrections": True,
            "reasons": True,
            **({"context": context} if context else {}),
        }
        found = client.post("/v1/suggest", asked)
    if context and not found["sees_context"]:
        terminal.note("What you answer was not used: the setting see_context is off.")
    if terminal.as_json:
        return terminal.print_json(found)
    if not found["words"] and not found["ghost"]["text"]:
        for reason in found["reasons"]:
            terminal.note(f"Nothing is shown: {reason['why']} {reason['remedy']}")
    begun = _BETWEEN_WORDS.split(prefix)[-1]  # the word that the text ends in, if it does
    if (mended := found.get("correction")) is not None:
        terminal.say(
            f"{chance(mended['p'])}  {plain(prefix[-mended['replace'] :]).strip()} → {plain(mended['text']).strip()}"
        )
    for word in found["words"]:
        whole = _whole(prefix, begun, word["text"], word.get("replace", 0))
        terminal.say(f"{chance(word['p'])}  {plain(whole).strip()}")
    if " " in found["ghost"]["text"]:  # else it is the first word again
        ghost = found["ghost"]["text"]
        whole = ghost if ghost[:1].isspace() else begun + ghost
        terminal.say((f"grey text  {plain(whole).strip()}", "dim"))
    return None


def _whole(prefix: str, begun: str, text: str, replaced: int) -> str:
    """Return the words that a suggestion makes of the one that is ``begun``, and what it replaces if that is more."""
    if text[:1].isspace():
        return text
    if replaced <= len(begun):
        return begun[: len(begun) - replaced] + text
    return f"{prefix[-replaced:]} → {text}"
