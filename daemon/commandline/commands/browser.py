"""The command `idiolect browser`: build the extension, and connect browsers to the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from idiolect.daemon.browser.package import build
from idiolect.daemon.commandline.arguments import AsJson, parse_path
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.output_files import writing
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.browser_place import Browsers, BrowserState
from idiolect.daemon.setup.place import Target

EXAMPLE = "idiolect browser install; idiolect browser build; idiolect browser status --json"


_HOW_TO_LOAD: Final = {
    "chromium": "Chromium, Chrome, Brave, Edge: in chrome://extensions load {folder} (for a store: {archive}).",
    "firefox": "Firefox: in about:debugging load {folder}/manifest.json, or install {archive}.",
}


GROUP = typer.Typer(
    help="Suggest in the fields of web pages: write the extension, and connect the browsers that are there with it."
)


@GROUP.command()
def status(as_json: AsJson = False) -> None:
    """Show how it stands."""
    _print_state(Settings(), as_json=as_json)


@GROUP.command()
def install(as_json: AsJson = False) -> None:
    """Let the browsers that are there start what their extension asks."""
    settings = Settings()
    Browsers().install(Target.of(settings))
    _print_state(settings, as_json=as_json)


@GROUP.command()
def remove(as_json: AsJson = False) -> None:
    """Let them start it no more."""
    gone = Browsers().remove(Target.of(find_profile()))
    said = f"Removed {', '.join(gone)}." if gone else "It was not installed."
    Terminal().print_result(said, {"removed": gone}, as_json=as_json)


@GROUP.command("build")
def write(
    into: Annotated[
        Path, typer.Option(parser=parse_path, metavar="FOLDER", help="Where to write it.")
    ] = Path("idiolect-browser"),
    as_json: AsJson = False,
) -> None:
    """Write the extension."""
    with writing(into, "Name another folder: idiolect browser build --into FOLDER."):
        built = build(into)
    said = [
        _HOW_TO_LOAD[one.browser].format(
            folder=Path(one.folder).resolve(), archive=Path(one.archive).resolve()
        )
        for one in built
    ]
    Terminal().print_result(said, {"packages": built}, as_json=as_json)


@GROUP.command()
def host(
    _callers: Annotated[
        list[str] | None, typer.Argument(help="What a browser says of itself.", metavar="CALLER")
    ] = None,
) -> None:
    """Answer the extension: what browsers start."""
    from idiolect.daemon.browser.host import serve  # slow to import

    serve(Settings().prepare())


def _print_state(settings: Settings, *, as_json: bool) -> None:
    states = Browsers().states(Target.of(settings))
    Terminal().print_result(_describe(states), {"browsers": states}, as_json=as_json)


def _describe(states: list[BrowserState]) -> list[str]:
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
