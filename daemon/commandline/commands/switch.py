"""The command `idiolect switch`: set corrections, how much is shown and the typing speed while the service runs."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.formatting import BRING_BACK, describe_held_back
from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect switch; idiolect switch show less; idiolect switch speed 40"


GROUP = typer.Typer(
    help="Switch corrections, how much is shown, and for which speed; `idiolect pause` stops the learning."
)


class CorrectionsSwitch(enum.StrEnum):
    """What is done about mistyped words."""

    off = "off"
    offer = "offer"
    apply = "apply"


class ShowSwitch(enum.StrEnum):
    """How much appears."""

    auto = "auto"
    more = "more"
    less = "less"
    asked = "asked"


#: What each value of a switch does.
_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "corrections": {
        "off": "mistyped words are left as they are",
        "offer": "the right word is offered",
        "apply": "sure ones are also made by themselves; BackSpace takes one back",
    },
    "show": {
        "auto": "words and grey text appear where they save time at your speed",
        "more": "all words, and grey text wherever it is likely to be right",
        "less": "only what saves twice as much",
        "asked": "nothing appears by itself; Alt+- shows the words",
    },
}


@GROUP.command("list")
def list_switches(as_json: AsJson = False) -> None:
    """Show how all are switched."""
    _set({}, as_json=as_json)


@GROUP.command()
def corrections(
    value: Annotated[
        CorrectionsSwitch | None,
        typer.Argument(
            metavar="VALUE",
            help="off: leave mistyped words; offer: offer the right one; apply: also make sure ones.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch what is done about mistyped words; without a value it is shown."""
    _set({} if value is None else {"corrections": value.value}, as_json=as_json)


@GROUP.command()
def show(
    value: Annotated[
        ShowSwitch | None,
        typer.Argument(
            metavar="VALUE", help="auto: what saves time; more; less; asked: nothing appears by itself."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch how much appears by itself; without a value it is shown."""
    _set({} if value is None else {"show": value.value}, as_json=as_json)


@GROUP.command()
def speed(
    words: Annotated[
        int | None,
        typer.Argument(
            metavar="WORDS", min=0, max=300, help="words a minute; 0: as measured while you type."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how fast you type, for which suggestions are judged; without a number it is shown."""
    _set({} if words is None else {"speed": words}, as_json=as_json)


def _set(body: dict[str, Any], *, as_json: bool) -> None:
    with connect() as client:
        stands = client.post("/v1/switches", body) if body else client.get("/v1/switches")
        grey = client.get("/v1/status")["grey_text"]
    terminal = Terminal()
    terminal.print_result(lambda: _show(terminal, stands, grey), stands, as_json=as_json)


def _show(terminal: Terminal, stands: dict[str, Any], grey: dict[str, Any]) -> None:
    for switch, meanings in _MEANINGS.items():
        value = stands[switch]
        others = " or ".join(other for other in meanings if other != value)
        terminal.say(
            (f"{switch:<13}", "dim"),
            (f"{value:<8}", "bold"),
            f"{meanings[value]} (else: {others})",
            indent=21,
        )
    speed = stands["speed"]
    says = "words a minute, as you said (0: as measured)" if speed else "measured while you type"
    terminal.say((f"{'speed':<13}", "dim"), (f"{speed or 'auto':<8}", "bold"), says, indent=21)
    if grey["held_back"]:
        terminal.say(f"Grey text is {describe_held_back(grey)}. {BRING_BACK}")
