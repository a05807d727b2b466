"""The command `idiolect browser`: build the extension, and connect browsers to the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, parse_path
from idiolect.daemon.commandline.deferred import find_profile, load_settings, open_terminal
from idiolect.daemon.commandline.output_files import writing

if TYPE_CHECKING:
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.setup.browser_place import BrowserState

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
    _print_state(load_settings(), as_json=as_json)


@GROUP.command()
def install(as_json: AsJson = False) -> None:
    """Let the browsers that are there start what their extension asks."""
    from idiolect.daemon.setup.browser_place import Browsers
    from idiolect.daemon.setup.place import Target

    settings = load_settings()
    Browsers().install(Target.of(settings))
    _print_state(settings, as_json=as_json)


@GROUP.command()
def remove(as_json: AsJson = False) -> None:
    """Let them start it no more."""
    from idiolect.daemon.setup.browser_place import Browsers
    from idiolect.daemon.setup.place import Target

    gone = Browsers().remove(Target.of(find_profile()))
    said = f"Removed {', '.join(gone)}." if gone else "It was not installed."
    open_terminal().print_result(said, {"removed": gone}, as_json=as_json)


@GROUP.command("build")
def write(
    into: Annotated[
        Path, typer.Option(parser=parse_path, metavar="FOLDER", help="Where to write it.")
    ] = Path("idiolect-browser"),
    as_json: AsJson = False,
) -> None:
    """Write the extension."""
    from idiolect.daemon.browser.package import build

    with writing(into, "Name another folder: idiolect browser build --into FOLDER."):
        built = build(into)
    said = [
        _HOW_TO_LOAD[one.browser].format(
            folder=Path(one.folder).resolve(), archive=Path(one.archive).resolve()
        )
        for one in built
    ]
    open_terminal().print_result(said, {"packages": built}, as_json=as_json)


@GROUP.command()
def host(
    _callers: Annotated[
        list[str] | None, typer.Argument(help="What a browser says of itself.", metavar="CALLER")
    ] = None,
) -> None:
    """Answer the extension: what browsers start."""
    from idiolect.daemon.browser.host import serve

    serve(load_settings().prepare())


def _print_state(settings: Settings, *, as_json: bool) -> None:
    from idiolect.daemon.setup.browser_place import Browsers
    from idiolect.daemon.setup.place import Target

    states = Browsers().states(Target.of(settings))
    open_terminal().print_result(_describe(states), {"browsers": states}, as_json=as_json)


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
