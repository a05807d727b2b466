"""The command `idiolect eval`: measure the keystrokes saved on text that was not learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import Budget, make_absolute, parse_path
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, number, percent
from idiolect.daemon.clients.commandline.interrupts import explain_interrupt
from idiolect.daemon.clients.commandline.progress import follow_phases
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect eval; idiolect eval ~/mail/sent.jsonl; idiolect eval --context replies.jsonl"

_WORDS_ON_OFFER: Final = (1, 3, 5)


def run(
    path: Annotated[
        Path | None,
        typer.Argument(
            parser=parse_path,
            metavar="PATH",
            help="A file, folder or .git folder to do it with, apart from your history.",
        ),
    ] = None,
    chars: Annotated[
        int, typer.Option(metavar="N", help="About how many characters to type.", min=500, max=200_000)
    ] = 8000,
    budget: Budget = None,
    no_train: Annotated[
        bool, typer.Option("--no-train", help="With PATH: train no adapter, which is quicker.")
    ] = False,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Also mistype words, and count how many are mended.")
    ] = False,
    context: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help='Type the texts of this file instead, without and with what they answer: JSON Lines, each {"text": '
            '"…", "context": ["…"]}, what you wrote and what it answers, the newest last. None of it is kept.',
        ),
    ] = None,
) -> None:
    """Measure what it saves: type what you wrote last again, with only older text learned."""
    if path is None and (no_train or budget):
        raise typer.BadParameter("--no-train and --budget are for the training on PATH: name one")
    if no_train and budget:
        raise typer.BadParameter("--budget is for the training that --no-train leaves out")
    if context is not None and (path or mistakes):
        raise typer.BadParameter("--context types the texts of its file alone: leave PATH and --mistakes out")
    body = {
        "path": None if path is None else make_absolute(path),
        "chars": chars,
        "mistakes": mistakes,
        "context": None if context is None else make_absolute(context),
    }
    terminal = Terminal()
    with connect() as client:
        events = client.stream("/v1/eval", {**body, "budget_s": budget, "train": not no_train})
        with explain_interrupt(lambda: terminal.note("The evaluation is ended; nothing of it is kept.")):
            found = follow_phases(terminal, "Evaluating", events)
        measured = client.get("/v1/status")["key_ms"] is not None

    terminal.print_result(
        lambda: _show_answers(terminal, found) if context else _show(terminal, found, measured),
        found,
    )


def describe_savings(found: dict[str, Any]) -> str:
    """Return how many keystrokes an evaluation found to be saved, at first and now, in a sentence."""
    before, after = (100 * arm["savings"]["3"]["value"] for arm in _compare(found))
    return (
        f"It saves you about {after:.0f} of the next 100 keys, with three words on offer: measured on text of yours "
        f"that it has not learned from. Before it read you, that was {before:.0f}."
    )


def words_a_minute(key_ms: float) -> int:
    """Return how many words of five letters somebody types in a minute who takes so long from letter to letter."""
    return round(60_000 / (5 * key_ms))


def _compare(found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an evaluation found of the program at first, and of what is served now."""
    arms = {arm["name"]: arm["all"] for arm in found["arms"]}
    served = next((arms[name] for name in ("both", "memory") if name in arms), found["arms"][-1]["all"])
    adapter = found["adapter"]
    if adapter is not None and adapter["status"] == "refused":
        served = arms.get("memory", served)
    return arms.get("base", served), served


def _show(terminal: Terminal, found: dict[str, Any], speed_measured: bool) -> None:
    """Show what was saved at first and is saved now, in a sentence and four rows."""
    fresh, served = _compare(found)

    def row(name: str, before: float, after: float) -> tuple[str, str, str]:
        return name, f"{100 * before:.0f}", f"{100 * after:.0f}"

    three = [arm["savings"]["3"]["value"] for arm in (fresh, served)]
    seconds = [arm["ghost"]["seconds"]["value"] for arm in (fresh, served)]
    speed = f"{words_a_minute(found['key_ms'])} words a minute"
    at = f"At your speed, {speed}," if speed_measured else f"At {speed} (your own speed is not measured yet),"
    terminal.say(
        f"{at} grey text saves you about "
        f"{100 * seconds[1]:.0f} of 100 seconds, on text of yours that it has not learned from. The time for looking "
        "at it is taken off."
    )
    terminal.show_table(
        ("saved of 100", "at first", "now"),
        (
            row("seconds: grey text", *seconds),
            row("keystrokes: one word on offer", *(arm["savings"]["1"]["value"] for arm in (fresh, served))),
            row("keystrokes: three words on offer", *three),
            row(
                "keystrokes: grey text, word by word",
                *(arm["ghost"]["words"]["value"] for arm in (fresh, served)),
            ),
        ),
        right=("at first", "now"),
    )
    if found.get("mistakes"):
        terminal.say(_describe_mistakes(found["mistakes"]))
    terminal.say("`--json` has each part of the program, with intervals and times.")


def _show_answers(terminal: Terminal, found: dict[str, Any]) -> None:
    """Show what was saved without and with what each text answers, side by side."""
    typed, arms = counted(found["test"]["entries"], "text"), found["arms"]
    terminal.say(
        f"Typed {typed}, {found['test']['characters']:,} characters, once without what each answers and once with "
        f"it; {'an' if found['adapter'] else 'no'} adapter serves."
    )
    rows = [arm["all"] for arm in arms]
    ghosts = [row["ghost"] for row in rows]
    figures = {
        "seconds saved: grey text": [percent(ghost["seconds"]["value"]) for ghost in ghosts],
        **{
            f"keystrokes saved: {words} on offer": [
                percent(row["savings"][str(most)]["value"]) for row in rows
            ]
            for most, words in zip(_WORDS_ON_OFFER, ("one word", "three words", "five words"), strict=True)
        },
        "keystrokes saved: grey text, word by word": [percent(ghost["words"]["value"]) for ghost in ghosts],
        "grey text: first word right": [percent(ghost["precision"]) for ghost in ghosts],
        "grey text: new wrong ones in 100 characters": [
            number(ghost["wrong_new_per_100"], 1) for ghost in ghosts
        ],
    }
    names = [arm["name"] for arm in arms]
    terminal.show_table(("", *names), ((name, *row) for name, row in figures.items()), right=names)


def _describe_mistakes(found: dict[str, Any]) -> str:
    saved = {way: 100 * share for way, share in found["saved"].items()}
    return (
        f"Mistyped words: of {found['mistyped']}, the right one is offered first for {found['first']:.1%} and among "
        f"three for {found['among_three']:.1%}. With `idiolect switch corrections apply`, "
        f"{found['mended']:.1%} are mended without being asked and {found['mended_wrongly']:.1%} wrongly, and of "
        f"1,000 words typed right {found['spoilt_per_1000']:g} would be changed. Of 100 seconds, with three slips in "
        f"100 keys, grey text saves {saved['grey']:.1f}, mending {saved['mending']:.1f}, both together "
        f"{saved['both']:.1f}."
    )
