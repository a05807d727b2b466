"""The command `idiolect switch`: corrections and how much is shown, set while the service runs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.deferred import connect, open_terminal
from idiolect.daemon.commandline.grey_text import BRING_BACK, describe_held_back

if TYPE_CHECKING:
    from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect switch; idiolect switch show less; idiolect switch corrections off"


class Switch(enum.StrEnum):
    """What can be switched."""

    corrections = "corrections"
    show = "show"


#: What each value of a switch does.
_MEANINGS: Final[dict[Switch, dict[str, str]]] = {
    Switch.corrections: {
        "off": "mistyped words are left as they are",
        "offer": "the right word is offered",
        "apply": "sure ones are also made by themselves; BackSpace takes one back",
    },
    Switch.show: {
        "auto": "words and grey text appear where they save time at your speed",
        "more": "all words, and grey text wherever it is likely to be right",
        "less": "only what saves twice as much",
        "asked": "nothing appears by itself; Alt+- shows the words",
    },
}


def run(
    switch: Annotated[
        Switch | None, typer.Argument(help="corrections or show; without one, both are told.")
    ] = None,
    value: Annotated[
        str | None,
        typer.Argument(
            help="corrections: off, offer or apply; show: auto (what saves time), more, less or asked (nothing)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch corrections, and how much is shown, in all programs at once; `idiolect pause` stops the learning."""
    if (switch is None) != (value is None):
        raise typer.BadParameter(f"say what it is to be: {', '.join(_MEANINGS[switch or Switch.show])}")
    if switch is not None and value not in _MEANINGS[switch]:
        raise typer.BadParameter(f"{switch} is {', '.join(_MEANINGS[switch])}, and not {value}")
    with connect() as client:
        body = None if switch is None else {switch.name: value}
        stands = client.get("/v1/switches") if body is None else client.post("/v1/switches", body)
        grey = client.get("/v1/status")["grey_text"]
    terminal = open_terminal()
    if as_json:
        return terminal.print_json(stands)
    return _show(terminal, stands, grey)


def _show(terminal: Terminal, stands: dict[str, str], grey: dict[str, Any]) -> None:
    for switch, meanings in _MEANINGS.items():
        value = stands[switch.name]
        others = " or ".join(other for other in meanings if other != value)
        terminal.say(
            (f"{switch:<13}", "dim"),
            (f"{value:<8}", "bold"),
            f"{meanings[value]} (else: {others})",
            indent=21,
        )
    if grey["held_back"]:
        terminal.say(f"Grey text is {describe_held_back(grey)}. {BRING_BACK}")
