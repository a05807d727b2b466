"""The command `idiolect setup`: the editors and the shell that are here are told of the program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idiolect.daemon.commandline.arguments import AsJson, Yes, confirm
from idiolect.daemon.commandline.deferred import find_profile, load_settings, open_terminal

if TYPE_CHECKING:
    from idiolect.daemon.commandline.terminal import Terminal
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.setup.place import Place, Target

EXAMPLE = "idiolect setup; idiolect setup neovim; idiolect setup neovim --remove"


def run(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="[PLACE]",
            help="neovim, helix, emacs, kate, vscode, shell, service, keyboard or browser; without one, what is found "
            "here is listed.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only show what would be written.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take out what was written.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Set up the places that you type in: finds them, shows what it would write, writes and checks it."""
    from idiolect.daemon.setup.place import SetupRefusedError, Target
    from idiolect.daemon.setup.places import PLACES

    settings, terminal = find_profile() if remove else load_settings(), open_terminal()
    target = Target.of(settings)
    if place is None:
        if show or remove or yes:
            raise typer.BadParameter("name a place; without one they are only listed")
        return _list(terminal, target, PLACES, as_json=as_json)
    chosen = next((one for one in PLACES if one.name == place), None)
    if chosen is None:
        from idiolect.daemon.settings_file import did_you_mean

        names = [one.name for one in PLACES]
        raise typer.BadParameter(
            f"there is no such place; there are {', '.join(names)}.{did_you_mean(place, names)}"
        )
    if remove:
        gone = chosen.remove(target)
        said = f"{place} is as it was before." if gone else f"{place} was not set up."
        return terminal.print_result(said, {"place": place, "removed": gone}, as_json=as_json)
    if show:
        return _show(terminal, chosen, target)
    if chosen.found(target) is None:
        raise SetupRefusedError(f"{place} is not installed here, so there is nothing to set up.")
    steps = chosen.steps(target)
    if not yes and not as_json:
        _show(terminal, chosen, target)
        confirm("Write this?")
    chosen.install(target)
    words = _check(chosen, target, settings, terminal)
    facts: dict[str, Any] = {
        "place": place,
        "wrote": [step.where for step in steps],
        "checked": words is not None,
        "first": chosen.first,
    }
    if as_json:
        return terminal.print_json(facts)
    return _print_state(terminal, chosen, facts, words, settings)


def _show(terminal: Terminal, place: Place, target: Target) -> None:
    for step in place.steps(target):
        terminal.show_whole((step.where, "bold"))
        for line in step.lines.rstrip().splitlines():
            terminal.show_whole(("    " + line, "dim"))


def _list(terminal: Terminal, target: Target, places: tuple[Place, ...], *, as_json: bool) -> None:
    rows = [{"place": one.name, "found": one.found(target), "done": one.done(target)} for one in places]
    if as_json:
        return terminal.print_json(rows)
    terminal.show_table(
        ("place", "found here", "set up"),
        ((str(row["place"]), str(row["found"] or "no"), "yes" if row["done"] else "no") for row in rows),
    )
    return terminal.say("`idiolect setup PLACE` shows what it would write, and asks.")


def _check(place: Place, target: Target, settings: Settings, terminal: Terminal) -> list[str] | None:
    """The words that are offered where the place asks the service as it is set up to; None where that fails."""
    from idiolect.daemon.commandline.service_process import start_service
    from idiolect.daemon.setup.check import words_from

    if place.asks_by != "lsp":
        return []
    start_service(settings.prepare(), terminal)
    with terminal.waiting(f"Asking as {place.name} does"):
        return words_from(target.command, target.environment)


def _print_state(
    terminal: Terminal, place: Place, facts: dict[str, Any], words: list[str] | None, settings: Settings
) -> None:
    for where in facts["wrote"]:
        terminal.say(f"Wrote {where}. Take it out again: idiolect setup {place.name} --remove")
    if words is None:
        terminal.say("The service does not answer from there yet. `idiolect doctor` says what is wrong.")
    elif words:
        terminal.say(f"It answers: behind “Thanks for the ” it offers {', '.join(words)}.")
    if (other := _demonstration(settings)) is not None:
        terminal.say(
            f"Your profile knows no text yet; the demonstration's does. `idiolect add FOLDER` gives yours text, and "
            f"`IDIOLECT_HOME={other} idiolect setup {place.name}` uses the demonstration's."
        )
    terminal.say(f"First: {place.first}")


def _demonstration(settings: Settings) -> Path | None:
    """The profile of `make start`, where it holds text and the one that is used does not."""
    from idiolect.daemon.commandline.client import ServiceClient

    other = Path(sys.prefix).parent / ".demo"
    if other == settings.home or not settings.model_copy(update={"home": other}).store_path.exists():
        return None
    with ServiceClient(settings) as client:
        return None if client.get("/v1/status")["entries"] else other
