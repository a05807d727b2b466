"""The command `idiolect apps`: rules for applications: suggest and learn, suggest only, or off."""

from __future__ import annotations

import enum
import itertools
import shlex
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, plain
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect apps; idiolect apps exclude '*chat*'; idiolect apps context '*mail*' off"

_MEANINGS: Final = {
    "allow": "suggests and learns",
    "quiet": "suggests only",
    "exclude": "off",
    "on": "sees what you answer",
    "off": "does not see what you answer",
}


GROUP = typer.Typer(
    help="Say in which applications it is off, suggests only, or suggests and learns; always off in password managers."
)


class ContextRule(enum.StrEnum):
    """Whether it sees what you answer."""

    on = "on"
    off = "off"


_App = Annotated[
    str,
    typer.Argument(
        metavar="APP", help="An application's name, or a pattern such as *chat*; letter case does not matter."
    ),
]


@GROUP.command("list")
def list_rules(
    everything: Annotated[bool, typer.Option("--all", help="Show the built-in rules, too.")] = False,
) -> None:
    """Show the rules."""
    with connect() as client:
        _print_state(client.get("/v1/apps"), everything=everything)


@GROUP.command()
def allow(app: _App) -> None:
    """Suggest and learn there."""
    _give("rule", "allow", app)


@GROUP.command()
def quiet(app: _App) -> None:
    """Suggest there, and learn nothing."""
    _give("rule", "quiet", app)


@GROUP.command()
def exclude(app: _App) -> None:
    """Be off there."""
    _give("rule", "exclude", app)


@GROUP.command()
def context(
    app: _App,
    seen: Annotated[
        ContextRule, typer.Argument(metavar="VALUE", help="on or off: whether it sees what you answer there.")
    ],
) -> None:
    """See what you answer there, or not."""
    _give("context", seen, app)


@GROUP.command()
def remove(app: _App) -> None:
    """Remove your rules for APP."""
    with connect() as client:
        _print_state(client.post("/v1/apps", {"app": app, "remove": True}))


def _give(field: str, value: str, app: str) -> None:
    with connect() as client:
        _print_state(client.post("/v1/apps", {"app": app, field: value}))
    terminal = Terminal()
    if not terminal.as_json:
        terminal.say(plain(f"`idiolect apps remove {shlex.quote(app)}` takes that back."))


def _print_state(answer: dict[str, Any], *, everything: bool = False) -> None:
    terminal, rules = Terminal(), answer["rules"]
    terminal.print_result(lambda: _show(terminal, rules, everything=everything), rules)


def _show(terminal: Terminal, rules: list[dict[str, Any]], *, everything: bool) -> None:
    """Show the user's own rules, a row each, and of the built-in ones how many there are, or `everything`."""
    own = [row for row in rules if row["source"] in ("you", "settings")]
    built_in = [row for row in rules if row not in own]
    rows = [(plain(row["app"]), row["rule"] or row["context"], row["source"]) for row in own]
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
