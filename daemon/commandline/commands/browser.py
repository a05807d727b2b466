"""The command `idiolect browser`: the extension for browsers, and the program that they start for it."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, parse_path
from idiolect.daemon.commandline.deferred import find_profile, load_settings, open_terminal
from idiolect.daemon.commandline.output_files import writing

if TYPE_CHECKING:
    from idiolect.daemon.browser.installing import State
    from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect browser install; idiolect browser build; idiolect browser status --json"


_HOW_TO_LOAD: Final = {
    "chromium": "Chromium, Chrome, Brave, Edge: in chrome://extensions load {folder} (for a store: {archive}).",
    "firefox": "Firefox: in about:debugging load {folder}/manifest.json, or install {archive}.",
}


class Action(enum.StrEnum):
    """What to do about browsers."""

    status = "status"
    install = "install"
    remove = "remove"
    build = "build"
    host = "host"


def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="install: let the browsers that are there start what their extension asks; remove: end that; "
            "status: how it stands; build: write the extension; host: what browsers start."
        ),
    ] = Action.status,
    callers: Annotated[
        list[str] | None,
        typer.Argument(help="With host: what a browser says of itself.", metavar="CALLER"),
    ] = None,
    into: Annotated[
        Path, typer.Option(parser=parse_path, metavar="FOLDER", help="With build: where to write it.")
    ] = Path("idiolect-browser"),
    as_json: AsJson = False,
) -> None:
    """Suggest in the fields of web pages: write the extension, and connect the browsers that are there with it."""
    if callers and action is not Action.host:
        raise typer.BadParameter("only host takes more arguments")
    if action is Action.host:
        from idiolect.daemon.browser.host import serve

        return serve(load_settings().prepare())
    terminal = open_terminal()
    if action is Action.build:
        return _build(into, terminal, as_json=as_json)
    from dataclasses import asdict

    from idiolect.daemon.browser import installing

    settings = find_profile() if action is Action.remove else load_settings()
    if action is Action.remove:
        gone = installing.remove(settings)
        said = f"Removed {', '.join(gone)}." if gone else "It was not installed."
        return terminal.tell(said, {"removed": gone}, as_json=as_json)
    states = (
        installing.install(settings.prepare()) if action is Action.install else installing.status(settings)
    )
    if as_json:
        return terminal.print_json({"browsers": [asdict(state) for state in states]})
    for line in _describe(states):
        terminal.say(line)
    return None


def _build(into: Path, terminal: Terminal, *, as_json: bool) -> None:
    from dataclasses import asdict

    from idiolect.daemon.browser.package import build

    with writing(into, "Name another folder: idiolect browser build --into FOLDER."):
        built = build(into)
    if as_json:
        return terminal.print_json({"packages": [asdict(one) for one in built]})
    for one in built:
        folder, archive = Path(one.folder).resolve(), Path(one.archive).resolve()
        terminal.say(_HOW_TO_LOAD[one.browser].format(folder=folder, archive=archive))
    return None


def _describe(states: list[State]) -> list[str]:
    if not states:
        return ["No browser that is known here has been started yet."]
    lines = []
    for state in states:
        if not state.works:
            lines.append(f"{state.browser}: not possible: {state.limit}.")
        elif not state.installed:
            lines.append(f"{state.browser}: not connected. `idiolect browser install` connects it.")
        elif not state.current:
            lines.append(f"{state.browser}: connected to another version; `idiolect browser install` again.")
        else:
            lines.append(f"{state.browser}: connected ({state.path}).")
        if state.works and state.limit is not None:
            lines.append(f"  {state.limit}.")
    return lines
