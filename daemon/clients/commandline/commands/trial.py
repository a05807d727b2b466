"""The command `idiolect trial`: measure whether the user types faster with suggestions."""

from __future__ import annotations

from typing import Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import Yes, confirm
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect trial start; idiolect trial"

GROUP = typer.Typer(
    help="Find out whether suggestions make you type faster: now and then they are left out, and it is counted."
)

_QUESTION: Final = (
    "In one of four fields that you write in, drawn by chance, nothing is suggested, until enough is known or you stop "
    "it. Of each field the number of characters, keys and seconds is kept, and no text. Begin?"
)


@GROUP.command()
def status() -> None:
    """Show how the trial stands, or what came of it."""
    with connect() as client:
        _print_state(client.get("/v1/trial"))


@GROUP.command()
def start(yes: Yes = False) -> None:
    """Begin a trial; what came of the last one is forgotten."""
    with connect() as client:
        now = client.get("/v1/trial")
        if not yes and now["state"] != "running":
            lost = f"{now['says']} This is forgotten then. " if now["state"] == "ended" else ""
            confirm(lost + _QUESTION)
        _print_state(client.post("/v1/trial/start"), begun="It has begun. ")


@GROUP.command()
def stop() -> None:
    """End the trial before its time; what was counted stays."""
    with connect() as client:
        _print_state(client.post("/v1/trial/stop"))


def _print_state(stands: dict[str, Any], *, begun: str = "") -> None:
    Terminal().print_result(f"{begun}{stands['says']}{_what_next(stands)}", stands)


def _what_next(stands: dict[str, Any]) -> str:
    faster = stands["faster"]
    if stands["state"] == "running":
        return " `idiolect trial stop` ends it before."
    if faster is None:
        return " `idiolect trial start` begins one."
    return " `idiolect switch show less` has it do so." if faster["high"] < 0 else ""
