"""The command `idiolect trial`: does its user type faster with suggestions?"""

from __future__ import annotations

import enum
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, Yes, confirm
from idiolect.daemon.commandline.deferred import connect, open_terminal

EXAMPLE = "idiolect trial start; idiolect trial"

_QUESTION: Final = (
    "In one of four fields that you write in, drawn by chance, nothing is suggested, until enough is known or you stop "
    "it. Of each field the number of characters, keys and seconds is kept, and no text. Begin?"
)


class Step(enum.StrEnum):
    """What can be done with a trial."""

    start = "start"
    stop = "stop"


def run(
    step: Annotated[
        Step | None, typer.Argument(help="start or stop; without it, how the trial stands or ended.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Find out whether suggestions make you type faster: now and then they are left out, and it is counted."""
    with connect() as client:
        now = client.get("/v1/trial")
        if step is Step.start and not yes and now["state"] != "running":
            lost = f"{now['says']} This is forgotten then. " if now["state"] == "ended" else ""
            confirm(lost + _QUESTION)
        stands = now if step is None else client.post(f"/v1/trial/{step}")
    begun = "It has begun. " if step is Step.start else ""
    open_terminal().tell(f"{begun}{stands['says']}{_what_next(stands)}", stands, as_json=as_json)


def _what_next(stands: dict[str, Any]) -> str:
    faster = stands["faster"]
    if stands["state"] == "running":
        return " `idiolect trial stop` ends it before."
    if faster is None:
        return " `idiolect trial start` begins one."
    return " `idiolect switch show less` has it do so." if faster["high"] < 0 else ""
