"""The command `idiolect setup`: connect the programs that you type in to the service, and take that back."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import Yes, confirm, make_absolute, parse_path
from idiolect.daemon.clients.commandline.client import connect, find_profile
from idiolect.daemon.clients.commandline.formatting import plain
from idiolect.daemon.clients.commandline.output_files import writing
from idiolect.daemon.clients.commandline.service_process import build_base
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.setup.place import Place, Target
from idiolect.daemon.clients.setup.places import PLACES, find_changes, survey
from idiolect.daemon.settings import Settings
from idiolect.daemon.settings_file import did_you_mean
from idiolect.models.errors import IdiolectError

EXAMPLE = "idiolect setup; idiolect setup keyboard --learn; idiolect setup --remove"


def run(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="PLACE",
            help="keyboard, browser, vscode or service; without one, all are listed, or with --remove taken back.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Show what would be written, and write nothing.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take back what was written.")] = False,
    learn: Annotated[
        bool | None,
        typer.Option(
            "--learn/--no-learn",
            help="keyboard: whether what you write with it is learned; without either you are asked.",
        ),
    ] = None,
    writable: Annotated[
        list[Path] | None,
        typer.Option(
            parser=parse_path,
            metavar="FOLDER",
            help="service: a folder that exports may go to; may be repeated.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path, metavar="FOLDER", help="browser, vscode: where to write the extension."
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Connect a program that you type in: shows the changes, asks, and writes them."""
    for name, given, takers in (
        ("--learn", learn, ("keyboard",)),
        ("--writable", writable, ("service",)),
        ("--into", into, ("browser", "vscode")),
    ):
        if given is not None and place not in takers:
            raise typer.BadParameter(f"{name} is for {' and '.join(takers)} alone")
    settings, terminal = find_profile() if remove else Settings(), Terminal()
    folders = tuple(Path(make_absolute(path)) for path in writable or ())
    target = Target(settings, learn, folders, None if into is None else Path(make_absolute(into)))
    chosen = None if place is None else _find_place(place)
    if remove:
        return _remove(terminal, PLACES if chosen is None else (chosen,), target)
    if chosen is None:
        if show or yes:
            raise typer.BadParameter("name a place: without one, setup only lists them")
        _list(terminal, target)
        return None if terminal.as_json else _ask_about_mending(terminal)
    if show:
        return _show(terminal, chosen, target)
    ask = not yes and not terminal.as_json
    _install(terminal, chosen, target, ask=ask)
    return _ask_about_mending(terminal) if ask else None


def _find_place(name: str) -> Place:
    found = next((one for one in PLACES if one.name == name), None)
    if found is None:
        names = [one.name for one in PLACES]
        raise typer.BadParameter(
            f"there is no place of this name. The places are {', '.join(names)}.{did_you_mean(name, names)}"
        )
    return found


def _install(terminal: Terminal, place: Place, target: Target, *, ask: bool) -> None:
    changes = find_changes(place, target)
    if ask:
        _show(terminal, place, target)
        confirm("Write this?")
        target = _ask_about_learning(place, target)
    if place.name == "service":
        build_base(target.settings.prepare(), terminal)
    if target.into is None:
        done = place.install(target)
    else:
        with writing(target.into, "Name another folder with --into."):
            done = place.install(target)
    wrote = [change.where for change in changes]
    if terminal.as_json:
        return terminal.print_json({"place": place.name, "wrote": wrote, "done": done, "first": place.first})
    for sentence in done:
        terminal.show_whole(sentence)
    if target.into is None:
        terminal.say(f"Undo: `idiolect setup {place.name} --remove`.")
    return terminal.say(f"Try it: {place.first}")


def _ask_about_learning(place: Place, target: Target) -> Target:
    if place.name != "keyboard" or target.learn is not None or not sys.stdin.isatty():
        return target
    learn = typer.confirm(
        "Learn what you write with it? From now on it is kept and learned from, but for password fields, terminals and "
        "private windows",
        default=False,
    )
    return replace(target, learn=learn)


def _ask_about_mending(terminal: Terminal) -> None:
    """Ask whether sure slips are mended, once in the life of a profile, where its service runs and somebody answers."""
    if not sys.stdin.isatty():
        return
    with contextlib.suppress(IdiolectError), connect() as client:
        if (slip := client.get("/v1/switches")["mending_question"]) is None:
            return
        terminal.say(f"For example {plain(slip['typed'])} → {plain(slip['meant'])}. Backspace undoes it.")
        mend = typer.confirm("Correct clear typing mistakes as you type?", default=False)
        client.post("/v1/switches", {"corrections": "apply" if mend else "offer"})


def _show(terminal: Terminal, place: Place, target: Target) -> None:
    for change in place.changes(target):
        terminal.show_whole((change.where, "bold"))
        for line in change.lines.rstrip().splitlines():
            terminal.show_whole(("    " + line, "dim"))


def _remove(terminal: Terminal, places: tuple[Place, ...], target: Target) -> None:
    """Take places back; one that refuses keeps none of the others from it, and its error is raised afterwards."""
    done, refused = dict[str, list[str]](), list[IdiolectError]()
    for place in places:
        try:
            done[place.name] = place.remove(target)
        except IdiolectError as error:
            refused.append(error)
    said = [sentence for sentences in done.values() for sentence in sentences]
    if terminal.as_json:
        terminal.print_json({"removed": {name: sentences for name, sentences in done.items() if sentences}})
    else:
        for sentence in said or ([] if refused else ["Nothing was set up."]):
            terminal.show_whole(sentence)
    if refused:
        raise refused[0]


def _list(terminal: Terminal, target: Target) -> None:
    states = survey(target)
    if terminal.as_json:
        return terminal.print_json([asdict(state) for state in states])
    terminal.show_table(
        ("place", "found here", "connected"),
        ((state.place, state.found or "no", "yes" if state.connected else "no") for state in states),
    )
    for state in states:
        if state.next_step is not None:
            terminal.say(f"{state.place}: {state.next_step.rstrip('.')}.")
    return terminal.say("`idiolect setup PLACE` connects one of them: it shows the changes first, and asks.")
