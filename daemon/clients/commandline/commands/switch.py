"""The command `idiolect switch`: set corrections, how much is shown, speed, languages and keys as the service runs."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Final, get_args

import typer

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import BRING_BACK, describe_held_back
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.session.key_table import USUAL
from idiolect.daemon.settings import Language

EXAMPLE = (
    "idiolect switch; idiolect switch show less; idiolect switch speed 40; idiolect switch languages de en; "
    "idiolect switch keys grey F8"
)


GROUP = typer.Typer(
    help="Switch corrections, how much is shown, for which speed, in which languages and with which keys; `idiolect "
    "pause` stops the learning."
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


LanguageSwitch = enum.StrEnum("LanguageSwitch", [*get_args(Language), "found"])  # type: ignore[misc]
KeySwitch = enum.StrEnum("KeySwitch", [*USUAL.names(), "usual"])  # type: ignore[misc]

#: What each key does.
_KEYS: Final = {
    "grey": "takes the grey text",
    "next": "takes the next word of the grey text",
    "word": "takes the first word; the keys behind it take the others",
    "hide": "hides what is shown",
    "ask": "shows the words where they do not appear by themselves",
    "quiet": "shows nothing for a while, and ends that",
}

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
def list_switches() -> None:
    """Show how all are switched."""
    _set({})


@GROUP.command()
def corrections(
    value: Annotated[
        CorrectionsSwitch | None,
        typer.Argument(
            metavar="VALUE",
            help="off: leave mistyped words; offer: offer the right one; apply: also make sure ones.",
        ),
    ] = None,
) -> None:
    """Switch what is done about mistyped words; without a value it is shown."""
    _set({} if value is None else {"corrections": value.value})


@GROUP.command()
def show(
    value: Annotated[
        ShowSwitch | None,
        typer.Argument(
            metavar="VALUE", help="auto: what saves time; more; less; asked: nothing appears by itself."
        ),
    ] = None,
) -> None:
    """Switch how much appears by itself; without a value it is shown."""
    _set({} if value is None else {"show": value.value})


@GROUP.command()
def speed(
    words: Annotated[
        int | None,
        typer.Argument(
            metavar="WORDS", min=0, max=300, help="words a minute; 0: as measured while you type."
        ),
    ] = None,
) -> None:
    """Say how fast you type, for which suggestions are judged; without a number it is shown."""
    _set({} if words is None else {"speed": words})


@GROUP.command()
def languages(
    values: Annotated[
        list[LanguageSwitch] | None,
        typer.Argument(
            metavar="LANGUAGE...",
            help="The languages that you write, the most written first; found: look for them in your text.",
        ),
    ] = None,
) -> None:
    """Switch the languages that words are offered in; without a value they are shown."""
    wanted = [value.value for value in values or ()]
    if "found" in wanted[1:] or wanted[:1] == ["found"] != wanted:
        raise typer.BadParameter("found stands alone: it looks for your languages in your text.")
    _set({"languages": [] if wanted == ["found"] else wanted} if wanted else {})


@GROUP.command()
def keys(
    what: Annotated[
        KeySwitch | None,
        typer.Argument(
            metavar="WHAT",
            help="grey: takes the grey text; next: a word of it; word: the first word; hide; ask; quiet. usual: all as "
            "they were at first.",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Such as F8, Ctrl+Enter or Alt+1; usual: as at first.")
    ] = None,
) -> None:
    """Switch which key does what, in every program; without a key they are shown."""
    if what == "usual" and key is not None:
        raise typer.BadParameter("usual stands alone, or behind what the key does")
    with connect() as client:
        stands = client.get("/v1/switches")
        if what == "usual":
            stands = client.post("/v1/switches", {"keys": {}})
        elif what is not None and key is not None:
            named = USUAL.names()[what] if key == "usual" else key
            stands = client.post("/v1/switches", {"keys": {**stands["keys"], what.value: named}})
    terminal = Terminal()
    terminal.print_result(lambda: _show_keys(terminal, stands), stands)


def _show_keys(terminal: Terminal, stands: dict[str, Any]) -> None:
    for what, key in stands["keys"].items():
        use = stands["key_uses"].get(what)
        warns = f". Elsewhere it {use}: not while it takes something here" if use else ""
        terminal.say((f"{what:<13}", "dim"), (f"{key:<12}", "bold"), f"{_KEYS[what]}{warns}", indent=25)


def _set(body: dict[str, Any]) -> None:
    with connect() as client:
        stands = client.post("/v1/switches", body) if body else client.get("/v1/switches")
        now = client.get("/v1/status")
    terminal = Terminal()
    terminal.print_result(lambda: _show(terminal, stands, now), stands)


def _show(terminal: Terminal, stands: dict[str, Any], now: dict[str, Any]) -> None:
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
    chosen = ("chosen", "found") if stands["languages"] else ("found", "names, as in `de en`")
    says = f"words are offered in {', '.join(now['languages'])} (else: {chosen[1]})"
    terminal.say((f"{'languages':<13}", "dim"), (f"{chosen[0]:<8}", "bold"), says, indent=21)
    own = stands["keys"] != USUAL.names()
    terminal.say(
        (f"{'keys':<13}", "dim"),
        (f"{'own' if own else 'usual':<8}", "bold"),
        "`idiolect switch keys` shows them",
    )
    if (grey := now["grey_text"])["held_back"]:
        terminal.say(f"Grey text is {describe_held_back(grey)}. {BRING_BACK}")
