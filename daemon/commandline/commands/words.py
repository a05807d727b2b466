"""The command `idiolect words`: words and phrases that are never suggested, or that always are."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, read_text
from idiolect.daemon.commandline.deferred import connect, open_terminal
from idiolect.daemon.commandline.formatting import plain

if TYPE_CHECKING:
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = 'idiolect words never "fyi"; idiolect words mine "Zorvelin"; idiolect words correct "hte" "the"'

_MEANINGS: Final = {
    "never": "is never suggested",
    "mine": "is suggested, however rare",
    "never_correct": "is never corrected",
    "always_correct": "is always corrected",
}


class Action(enum.StrEnum):
    """What to do with a word or phrase."""

    list = "list"
    never = "never"
    mine = "mine"
    correct = "correct"
    never_correct = "never-correct"
    remove = "remove"
    undo = "undo"


_KINDS: Final = {Action.correct: "always_correct", Action.never_correct: "never_correct"}


def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="never: suggest it no more; mine: suggest it although it is rare; correct: always put REPLACEMENT in "
            "its place; never-correct: it is no mistake; remove: take back what was said of it; undo: take the last "
            "change back; list: show what was said."
        ),
    ] = Action.list,
    text: Annotated[
        str | None,
        typer.Argument(help="The word or phrase, in any case; - reads it from stdin."),
    ] = None,
    replacement: Annotated[
        str | None,
        typer.Argument(help="What a word is always corrected to; - reads it from stdin."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which words are never suggested, which are yours, and what is corrected; what was learned stays as it is."""
    names_one = action not in (Action.list, Action.undo)
    if names_one != (text is not None):
        raise typer.BadParameter(f"{action} {'needs a word or phrase' if names_one else 'takes no word'}")
    if (action is Action.correct) != (replacement is not None):
        needs = "needs a replacement, too" if action is Action.correct else "takes no replacement"
        raise typer.BadParameter(f"{action} {needs}")
    terminal = open_terminal()
    with connect() as client:
        if action is Action.list:
            return _list(terminal, client.get("/v1/words")["rules"], as_json=as_json)
        given = [None if one is None else read_text(one) for one in (text, replacement)]
        change = _change(client, action, *given)
    if as_json:
        return terminal.print_json(change)
    return _tell(terminal, change)


def _change(client: Client, action: Action, text: str | None, replacement: str | None) -> dict[str, Any]:
    if action is Action.undo:
        return client.post("/v1/words/undo")
    if action is Action.remove:
        return client.post("/v1/words/remove", {"text": text})
    kind = _KINDS.get(action, action.value)
    return client.post("/v1/words/add", {"text": text, "kind": kind, "replacement": replacement})


def _list(terminal: Terminal, rules: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        return terminal.print_json(rules)
    if not rules:
        return terminal.say('No word was decided about yet: idiolect words never "fyi"')
    return terminal.show_table(
        ("word or phrase", "it", "said by"),
        (
            (plain(rule["text"]), _meaning(rule), "you" if rule["source"] == "hand" else "learned")
            for rule in rules
        ),
    )


def _tell(terminal: Terminal, change: dict[str, Any]) -> None:
    """Say what holds now and what no longer does."""
    for rule in change["removed"]:
        terminal.say(f"No longer: “{plain(rule['text'])}” {_meaning(rule)}.")
    for rule in change["added"]:
        terminal.say(f"“{plain(rule['text'])}” {_meaning(rule)}.")
    if not change["added"] and not change["removed"]:
        return terminal.say("That was so already.")
    return terminal.say("Undo: idiolect words undo")


def _meaning(rule: dict[str, Any]) -> str:
    meaning = _MEANINGS[rule["kind"]]
    return f"{meaning} to “{plain(rule['replacement'])}”" if rule["replacement"] else meaning
