"""The command `idiolect apps`: in which applications it suggests and learns, or only suggests, or neither."""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.deferred import connect, open_terminal
from idiolect.daemon.commandline.formatting import plain

if TYPE_CHECKING:
    from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect apps; idiolect apps exclude '*chat*'; idiolect apps undo"

_MEANINGS: Final = {
    "allow": "suggests and learns",
    "quiet": "suggests, learns nothing",
    "exclude": "neither",
}


class Action(enum.StrEnum):
    """What to do with the rules for applications."""

    list = "list"
    allow = "allow"
    quiet = "quiet"
    exclude = "exclude"
    undo = "undo"


def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="allow: suggest and learn there; quiet: suggest but learn nothing; exclude: neither; "
            "undo: take the last change back; list: show the rules."
        ),
    ] = Action.list,
    app: Annotated[
        str | None,
        typer.Argument(
            help="An application's name, or a pattern such as *chat*; letter case does not matter."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say in which applications to suggest and learn; password managers are always left alone."""
    names_one = action in (Action.allow, Action.quiet, Action.exclude)
    if names_one != (app is not None):
        raise typer.BadParameter(
            f"{action} {'needs an application' if names_one else 'takes no application'}"
        )
    with connect() as client:
        if action is Action.list:
            answer = client.get("/v1/apps")
        elif action is Action.undo:
            answer = client.post("/v1/apps", {"undo": True})
        else:
            answer = client.post("/v1/apps", {"app": app, "rule": action.value})
    _show(open_terminal(), answer["rules"], changed=action is not Action.list, as_json=as_json)


def _show(terminal: Terminal, rules: list[dict[str, Any]], *, changed: bool, as_json: bool) -> None:
    """Show what is done in which applications, and how a change is undone; neighbours with one rule share a row."""
    if as_json:
        return terminal.print_json(rules)
    groups = itertools.groupby(rules, lambda row: (row["rule"], row["source"]))
    terminal.show_table(
        ("application", "there it", "said by"),
        (
            (plain("  ".join(row["app"] for row in group)), _MEANINGS[rule], source)
            for (rule, source), group in groups
        ),
    )
    terminal.say("Everywhere else: suggests and learns. The first rule that fits decides.")
    if changed:
        terminal.say("Undo: idiolect apps undo")
    return None
