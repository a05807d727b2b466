"""The command `idiolect apps`: in which applications it suggests and learns, or only suggests, or neither."""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.deferred import connect, open_terminal
from idiolect.daemon.commandline.formatting import counted, plain

if TYPE_CHECKING:
    from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect apps; idiolect apps exclude '*chat*'; idiolect apps undo"

_MEANINGS: Final = {
    "allow": "suggests and learns",
    "quiet": "suggests only",
    "exclude": "off",
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
            help="allow: it suggests and learns there; quiet: it suggests only; exclude: it is off; "
            "undo: take the last change back; list: show the rules."
        ),
    ] = Action.list,
    app: Annotated[
        str | None,
        typer.Argument(
            help="An application's name, or a pattern such as *chat*; letter case does not matter."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With list: show the built-in rules, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say in which applications it is off, suggests only, or suggests and learns; always off in password managers."""
    names_one = action in (Action.allow, Action.quiet, Action.exclude)
    if names_one != (app is not None):
        raise typer.BadParameter(
            f"{action} {'needs an application' if names_one else 'takes no application'}"
        )
    if everything and action is not Action.list:
        raise typer.BadParameter("--all is for list")
    with connect() as client:
        if action is Action.list:
            answer = client.get("/v1/apps")
        elif action is Action.undo:
            answer = client.post("/v1/apps", {"undo": True})
        else:
            answer = client.post("/v1/apps", {"app": app, "rule": action.value})
    terminal, rules = open_terminal(), answer["rules"]
    if as_json:
        return terminal.print_json(rules)
    _show(terminal, rules, everything=everything)
    return None if action in (Action.list, Action.undo) else terminal.say("Undo: idiolect apps undo")


def _show(terminal: Terminal, rules: list[dict[str, Any]], *, everything: bool) -> None:
    """Show the user's own rules, a row each, and of the built-in ones how many there are, or `everything`."""
    own = [row for row in rules if row["source"] in ("you", "settings")]
    built_in = [row for row in rules if row not in own]
    rows = [(plain(row["app"]), row["rule"], row["source"]) for row in own]
    if everything:  # neighbours with one rule share a row
        groups = itertools.groupby(built_in, lambda row: (row["rule"], row["source"]))
        rows += [(plain("  ".join(row["app"] for row in group)), *of) for of, group in groups]
    if rows:
        shown = ((app, _MEANINGS[rule], source) for app, rule, source in rows)
        terminal.show_table(("application", "there it", "said by"), shown)
    if not everything:
        secret = sum(row["rule"] == "exclude" for row in built_in)
        terminal.say(
            f"Built in: off in password managers and other programs for secrets ({counted(secret, 'rule')}), suggests "
            f"only in terminals ({counted(len(built_in) - secret, 'rule')}). `idiolect apps --all` lists them."
        )
    terminal.say("Everywhere else: suggests and learns. The first rule that fits decides.")
