"""The command `idiolect service`: as a service of the desktop, that starts at log-in."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson

if TYPE_CHECKING:
    from idiolect.daemon.desktop import Installed


class Action(enum.StrEnum):
    """What to do about the desktop's service."""

    status = "status"
    install = "install"
    uninstall = "uninstall"
    show = "show"


def service(
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
            metavar="FOLDER", help="With install: a folder that exports may go to; may be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have the desktop run the service: hardened, from log-in on, again after a crash."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.desktop import Desktop
    from idiolect.daemon.settings import Settings

    if writable and action not in (Action.install, Action.show):
        raise typer.BadParameter("--writable is for install")
    settings = Settings()
    desktop = Desktop(settings, [path.expanduser().absolute() for path in writable or ()])
    if action is Action.show:
        return typer.echo(desktop.text().decode(), nl=False)
    if action is Action.install:
        from idiolect.models.build import ensure_base

        with View().base_progress() as progress:
            ensure_base(settings.prepare().base_dir, settings.base, progress)
        desktop.install()
    was = action is Action.uninstall and desktop.uninstall()
    state = desktop.state()
    if as_json:
        return typer.echo(json.dumps(asdict(state), indent=2))
    if action is Action.uninstall:
        said = "Uninstalled; what it knows stays." if was else "It was not installed."
        return typer.echo(said)
    return typer.echo("\n".join(_told(state)))


def _told(state: Installed) -> list[str]:
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
