"""The command `idiolect service`: whether and how the desktop runs the service."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, parse_path
from idiolect.daemon.commandline.deferred import find_profile, load_settings, open_terminal

if TYPE_CHECKING:
    from idiolect.daemon.runtime.desktop import Installed

EXAMPLE = "idiolect service install; idiolect service status --json; idiolect service uninstall"


class Action(enum.StrEnum):
    """What to do about the desktop's service."""

    status = "status"
    install = "install"
    uninstall = "uninstall"
    show = "show"


def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="install: start it now and at each log-in; uninstall: end that; status: how it stands; show: what "
            "would be written for systemd or launchd."
        ),
    ] = Action.status,
    writable: Annotated[
        list[Path] | None,
        typer.Option(
            parser=parse_path,
            metavar="FOLDER",
            help="With install: a folder that exports may go to; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have the desktop start the service at log-in and after a crash, shut off from all that it does not need."""
    from dataclasses import asdict

    from idiolect.daemon.commandline.service_process import build_base
    from idiolect.daemon.runtime.desktop import Desktop

    if writable and action not in (Action.install, Action.show):
        raise typer.BadParameter("--writable is for install")
    terminal = open_terminal()
    settings = find_profile() if action is Action.uninstall else load_settings()
    desktop = Desktop(settings, [path.expanduser().absolute() for path in writable or ()])
    if action is Action.show:
        return typer.echo(desktop.text().decode(), nl=False)
    if action is Action.install:
        build_base(settings.prepare(), terminal)
        desktop.install()
    was_installed = action is Action.uninstall and desktop.uninstall()
    state = desktop.state()
    if as_json:
        return terminal.print_json(asdict(state))
    if action is Action.uninstall:
        said = "Uninstalled; what it knows stays." if was_installed else "It was not installed."
        return terminal.say(said)
    for line in _describe(state):
        terminal.say(line)
    return None


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
