"""The command `idiolect learned`: list the words and phrases typical of the user, and forget one."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, Expect, Yes, read_text
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.forget_dialog import Consent, forget_text
from idiolect.daemon.commandline.formatting import number, plain
from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = 'idiolect learned; idiolect learned --forget "kind regards"'

_FIGURES: Final = ("uses", "entries", "× in general")


def run(
    contains: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Only words and phrases that contain this; - reads it from stdin."
        ),
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="How many, at most.", min=1, max=10_000)] = 40,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="PHRASE", help="Forget every entry with these whole words; - reads them from stdin."
        ),
    ] = None,
    mistakes: Annotated[
        bool,
        typer.Option("--mistakes", help="Show the words that were taken for mistakes, and are not learned."),
    ] = False,
    yes: Yes = False,
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Show the words and phrases that set you apart: what you use more than people do in general."""
    terminal = Terminal()
    with connect() as client:
        if forget is None:
            body = {"limit": limit, "contains": read_text(contains).strip()}
            found = client.post("/v1/learned", body, patient=True)
            if mistakes:
                made = found["mistakes"]
                return terminal.print_json(made) if as_json else _show_mistakes(terminal, made)
            return terminal.print_json(found["words"]) if as_json else _show(terminal, found["words"])
        phrase = {"phrase": read_text(forget)}
        return forget_text(client, phrase, Consent(yes, expect), terminal, as_json=as_json)


def _show(terminal: Terminal, words: list[dict[str, Any]]) -> None:
    if not words:
        terminal.say("Nothing that sets you apart was found. It takes words that you use in several entries.")
        return
    terminal.show_table(("word or phrase", *_FIGURES), map(_make_row, words), right=_FIGURES)
    terminal.say('`idiolect learned --forget "…"` forgets the entries that a word or phrase is in.')


def _show_mistakes(terminal: Terminal, mistakes: list[dict[str, Any]]) -> None:
    if not mistakes:
        terminal.say("No word of yours was taken for a mistake.")
        return
    terminal.show_table(
        ("you typed", "taken for", "times", "typed right"),
        (
            (plain(one["typed"]), plain(one["meant"]), number(one["times"]), number(one["meant_times"]))
            for one in mistakes
        ),
        right=("times", "typed right"),
    )
    terminal.say('`idiolect words mine "…"` says that a word is no mistake.')


def _make_row(word: dict[str, Any]) -> tuple[str, ...]:
    times = number(word["times"], 0 if word["times"] >= 10 else 1)
    return plain(word["text"]), number(word["count"]), number(word["entries"]), times
