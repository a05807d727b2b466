"""The command `idiolect service`: install the service as a unit that starts at log-in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, make_absolute, parse_path
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.service_process import build_base
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.runtime.service_unit import Desktop, Installed
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect service install; idiolect service status --json; idiolect service uninstall"


GROUP = typer.Typer(
    help="Have the desktop start the service at log-in and after a crash, shut off from all that it does not need."
)

_Writable = Annotated[
    list[Path] | None,
    typer.Option(
        parser=parse_path, metavar="FOLDER", help="A folder that exports may go to; may be repeated."
    ),
]


@GROUP.command()
def status(as_json: AsJson = False) -> None:
    """Show how it stands."""
    _print_state(_desktop(Settings()), as_json=as_json)


@GROUP.command()
def install(writable: _Writable = None, as_json: AsJson = False) -> None:
    """Start it now and at each log-in."""
    settings = Settings()
    build_base(settings.prepare(), Terminal())
    desktop = _desktop(settings, writable)
    desktop.install()
    _print_state(desktop, as_json=as_json)


@GROUP.command()
def uninstall(as_json: AsJson = False) -> None:
    """Start it no more."""
    desktop = _desktop(find_profile())
    was_installed = desktop.uninstall()
    said = "Uninstalled; what it knows stays." if was_installed else "It was not installed."
    Terminal().print_result(said, desktop.state(), as_json=as_json)


@GROUP.command()
def show(writable: _Writable = None) -> None:
    """Show what would be written for systemd or launchd."""
    typer.echo(_desktop(Settings(), writable).text().decode(), nl=False)


def _desktop(settings: Settings, writable: list[Path] | None = None) -> Desktop:
    return Desktop(settings, [Path(make_absolute(path)) for path in writable or ()])


def _print_state(desktop: Desktop, *, as_json: bool) -> None:
    state = desktop.state()
    Terminal().print_result(_describe(state), state, as_json=as_json)


def _describe(state: Installed) -> list[str]:
    if not state.installed:
        return ["Not installed. `idiolect service install` starts it now and at each log-in."]
    runs = "Runs" if state.active else "Does not run"
    starts = "starts" if state.enabled else "does not start"
    lines = [f"Installed as {state.path}.", f"{runs}, and {starts} at log-in."]
    if not state.current:
        lines.append(
            "It was written for another version or place of the program: `idiolect service install` again."
        )
    if state.lingers is False:
        lines.append("It ends when you log out; `loginctl enable-linger` lets it go on.")
    return lines
