"""The command `idiolect setup`: connect editors, the desktop and browsers to the program."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from idiolect.daemon.commandline.arguments import AsJson, Yes, confirm
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.service_process import start_service
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.settings_file import did_you_mean
from idiolect.daemon.setup.lsp_check import words_from
from idiolect.daemon.setup.place import Place, SetupRefusedError, Target
from idiolect.daemon.setup.places import PLACES

EXAMPLE = "idiolect setup; idiolect setup neovim; idiolect setup neovim --remove"


def run(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="PLACE",
            help="keyboard, browser, vscode, neovim, emacs, helix, kate or service; without one, all are "
            "listed.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Show what would be written, and write nothing.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what was written.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Connect a program that you type in: shows the changes, asks, writes them, and checks that it works."""
    settings, terminal = find_profile() if remove else Settings(), Terminal()
    target = Target.of(settings)
    if place is None:
        if show or remove or yes:
            raise typer.BadParameter("name a place: without one, setup only lists them")
        return _list(terminal, target, PLACES, as_json=as_json)
    chosen = next((one for one in PLACES if one.name == place), None)
    if chosen is None:
        names = [one.name for one in PLACES]
        raise typer.BadParameter(
            f"there is no place of this name. The places are {', '.join(names)}.{did_you_mean(place, names)}"
        )
    if remove:
        gone = bool(chosen.remove(target))
        said = f"{place} is as it was before." if gone else f"{place} was not set up."
        return terminal.print_result(said, {"place": place, "removed": gone}, as_json=as_json)
    if show:
        return _show(terminal, chosen, target)
    if chosen.found(target) is None:
        hint = f" {chosen.missing}." if chosen.missing else ""
        raise SetupRefusedError(f"{chosen.title}: no program for it was found.{hint}")
    changes = chosen.changes(target)
    if not yes and not as_json:
        _show(terminal, chosen, target)
        confirm("Write this?")
    chosen.install(target)
    words = _check(chosen, target, settings, terminal)
    facts: dict[str, Any] = {
        "place": place,
        "wrote": [change.where for change in changes],
        "checked": words is not None,
        "first": chosen.first,
    }
    if as_json:
        return terminal.print_json(facts)
    return _print_state(terminal, chosen, facts, words)


def _show(terminal: Terminal, place: Place, target: Target) -> None:
    for change in place.changes(target):
        terminal.show_whole((change.where, "bold"))
        for line in change.lines.rstrip().splitlines():
            terminal.show_whole(("    " + line, "dim"))


def _list(terminal: Terminal, target: Target, places: tuple[Place, ...], *, as_json: bool) -> None:
    rows = [{"place": one.name, "found": one.found(target), "done": one.installed(target)} for one in places]
    if as_json:
        return terminal.print_json(rows)
    terminal.show_table(
        ("place", "found here", "connected"),
        ((str(row["place"]), str(row["found"] or "no"), "yes" if row["done"] else "no") for row in rows),
    )
    for one, row in zip(places, rows, strict=True):
        if row["found"] is None and one.missing:
            terminal.say(f"{one.name}: {one.missing}.")
    return terminal.say("`idiolect setup PLACE` connects one: it shows the changes first, and asks.")


def _check(place: Place, target: Target, settings: Settings, terminal: Terminal) -> list[str] | None:
    """The words that are offered where the place asks the service as it is set up to; None where that fails."""
    if place.asks_by != "lsp":
        return []
    start_service(settings.prepare(), terminal)
    with terminal.waiting(f"Asking as {place.name} does"):
        return words_from(target.command, target.environment)


def _print_state(terminal: Terminal, place: Place, facts: dict[str, Any], words: list[str] | None) -> None:
    for where in facts["wrote"]:
        terminal.say(f"Wrote {where}. Undo: idiolect setup {place.name} --remove")
    if words is None:
        terminal.say(
            f"{place.title} gets no answer from the service yet. `idiolect doctor` says what is wrong."
        )
    elif words:
        terminal.say(f"It answers: after “Thanks for the ” it suggests {', '.join(words)}.")
    terminal.say(f"Try it: {place.first}")
