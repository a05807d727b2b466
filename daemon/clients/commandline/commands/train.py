"""The command `idiolect train`: start a training round now, and show its verdict."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import Budget
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import clock, number, percent
from idiolect.daemon.clients.commandline.interrupts import explain_interrupt
from idiolect.daemon.clients.commandline.progress import follow_phases
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient

EXAMPLE = "idiolect train --wait --budget 120"

_KINDS: Final = (("base", "base"), ("memory", "+ memory"), ("adapter", "+ adapter"), ("both", "+ both"))
_MUCH_LONGER: Final = 1.5  # times the computing time
#: What a verdict means for the user.
_MEANINGS: Final = {
    "promoted": "the new adapter goes into use",
    "refused": "what was in use stays so",
}


def run(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict.")] = False,
    budget: Budget = None,
) -> None:
    """Learn your style now: train an adapter, a small addition to the model, used only if it predicts you better."""
    terminal = Terminal()
    with connect() as client:
        if not wait:
            answer = client.post("/v1/train", {"budget_s": budget})
            said = "A training round has begun; `idiolect adapters` will show its verdict."
            return terminal.print_result(said, answer)
        verdict = wait_for_round(client, terminal, budget)
        return terminal.print_json(verdict) if terminal.as_json else show_verdict(terminal, verdict)


def wait_for_round(client: ServiceClient, terminal: Terminal, budget: float | None) -> dict[str, Any]:
    """Train for at most `budget` seconds, with the progress shown; return the verdict.

    Raises RelayedError where there is no verdict; Ctrl-C ends the waiting, not the round.
    """
    began_s = time.monotonic()
    events = client.stream("/v1/train", {"stream": True, "budget_s": budget})
    with explain_interrupt(lambda: _explain_round_goes_on(terminal)):
        verdict = follow_phases(terminal, "Training", events)
    return {**verdict, "clock_s": round(time.monotonic() - began_s, 1)}


def show_verdict(terminal: Terminal, verdict: dict[str, Any]) -> None:
    """Show how well the user's newest text is predicted with and without what was learned, and the decision."""
    metrics = verdict["metrics"]
    if "base" in metrics:
        entries = number(metrics.get("held_out_entries"))
        terminal.say(f"On what you wrote last, kept aside to test on ({entries} entries):")
        figures = ("perplexity", "top-3")
        terminal.show_table(
            ("", *figures), (_make_row(name, metrics.get(kind) or {}) for kind, name in _KINDS), right=figures
        )
        terminal.say(
            "Perplexity: between how many next words or parts of words it wavers; lower is better. Top-3: how "
            "often the right one is among its three likeliest."
        )
    before, after = metrics.get("general_before"), metrics.get("general_after")
    if before and after:
        change = f"{after / before - 1:+.1%}"
        terminal.say(f"General text: perplexity {before:.2f} before, {after:.2f} after ({change}).")
    terminal.say(describe_verdict(verdict))
    if verdict.get("added"):
        terminal.say(f"What rounds have added: {verdict['added']}.")
    if verdict.get("seconds"):
        terminal.say(
            f"The round computed for {clock(verdict['seconds'])}. {describe_delay(verdict)}".rstrip()
        )


def describe_verdict(verdict: dict[str, Any]) -> str:
    """Return whether the new adapter is used, and why."""
    meaning = _MEANINGS.get(verdict["status"])
    status = verdict["status"].capitalize() + (f" ({meaning})" if meaning else "")
    return f"{status}: {verdict['reason']}"


def describe_delay(verdict: dict[str, Any]) -> str:
    """Return what to say where the round took much longer than it computed; nothing where it did not."""
    clock_s = verdict.get("clock_s")
    if clock_s is None or clock_s < _MUCH_LONGER * verdict["seconds"]:
        return ""
    return (
        f"By the clock it took {clock(clock_s)}, since other programs used the processor or it had to wait."
    )


def _make_row(name: str, scores: dict[str, float]) -> tuple[str, str, str]:
    return name, number(scores.get("perplexity"), 2), percent(scores.get("top3"))


def _explain_round_goes_on(terminal: Terminal) -> None:
    terminal.note("The round goes on in the background; `idiolect status` shows how far it is.")
