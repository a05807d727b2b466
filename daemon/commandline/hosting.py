"""The commands about the service itself: start, stop, status, and `service`, for a start at each log-in."""

from __future__ import annotations

import enum
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, path_of
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.runtime.desktop import Installed
    from idiolect.daemon.runtime.process import Running
    from idiolect.daemon.settings import Settings

_PROMPT_S = 15.0  # a service that runs tells within this time that it does


def start(
    port: Annotated[int | None, typer.Option(help="Listen here instead of at the last port.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the base model anew first.")] = False,
    new_store: Annotated[
        bool,
        typer.Option(
            "--new-store",
            help="Begin anew where the store is lost or damaged; what is left of it is kept aside.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the service in the background; returns once it answers."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.runtime import process
    from idiolect.daemon.settings import Settings

    settings = (Settings() if port is None else Settings(port=port)).prepare()
    view = View()
    if rebuild:
        process.stop(settings)
        shutil.rmtree(settings.base_dir, ignore_errors=True)
        settings.prepare()
    if new_store:
        from idiolect.daemon.storage.opening import begin_anew

        view.begun_anew(begin_anew(settings), as_json=as_json)
    running, fresh = started(settings, view, port)
    view.started(running, fresh=fresh, as_json=as_json)


def started(settings: Settings, view: View, port: int | None = None) -> tuple[Running, bool]:
    """The service, started if it did not run, and whether it was. Raises what keeps it from answering."""
    from concurrent.futures import ThreadPoolExecutor

    from idiolect.daemon.runtime import process
    from idiolect.daemon.storage.marker import refuse_lost

    if process.holder(settings) is not None:
        return _launched(settings, view, port)
    refuse_lost(settings)  # before minutes of work on the base model
    if settings.base is None and (settings.base_dir / "model" / "manifest.json").exists():
        # Reading all of the base model takes a while, so it is looked at beside the start.
        with ThreadPoolExecutor(max_workers=1) as beside:
            whole = beside.submit(_whole, settings)
            try:
                found = _launched(settings, view, port)
            except IdiolectError:  # also where the service was killed, or is another program's to start
                if whole.result():
                    raise
            else:
                if whole.result():
                    return found
                process.stop(settings)
    from idiolect.models.build import ensure_base

    with view.base_progress() as progress:
        ensure_base(settings.base_dir, settings.base, progress)
    return _launched(settings, view, port)


def _whole(settings: Settings) -> bool:
    from idiolect.models.build import whole_base

    return whole_base(settings.base_dir) is not None


def _launched(settings: Settings, view: View, port: int | None) -> tuple[Running, bool]:
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.runtime import desktop

    with view.waiting("Starting the service"):
        running, fresh = desktop.start(settings, port)
        with Client(settings) as client:
            client.get("/healthz", timeout_s=_PROMPT_S)
    return running, fresh


def stop(as_json: AsJson = False) -> None:
    """End the service; what it learned is kept."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.runtime import process
    from idiolect.daemon.settings import Settings

    settings = Settings()
    View().stopped(process.stop(settings), settings.home, as_json=as_json)


def status(as_json: AsJson = False) -> None:
    """Show what it knows, serves and does; works without the service, too."""
    from pydantic_core import to_jsonable_python

    from idiolect.daemon.commandline.client import Client, NotAnsweringError, NotRunningError
    from idiolect.daemon.commandline.doctor import warnings
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.endpoint import tokens
    from idiolect.daemon.runtime import process
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.marker import standing

    settings = Settings()
    try:
        with Client(settings) as client:
            now = client.get("/v1/status", timeout_s=_PROMPT_S)
    except (NotRunningError, NotAnsweringError, process.RelayedError) as error:
        if getattr(error, "relayed_code", "locked") != "locked":
            raise
        if isinstance(error, NotAnsweringError) and process.find(settings) is not None:
            raise  # one that ended when it was to wake says why below
        running = process.find(settings)
        where = {name: running and getattr(running, name) for name in ("pid", "url", "socket", "moved_from")}
        unknown = dict.fromkeys(("base", "adapter", "entries", "tokens", "savings", "training"))
        now = {"running": running is not None, **where, **unknown, **tokens.files(settings)}
    now |= {"home": str(settings.home), "locked": settings.locked_path.exists()}
    now |= {"warnings": warnings(settings)}
    if now.get("store") is None:
        now["store"] = to_jsonable_python(asdict(standing(settings)))  # as the service writes it
    View().status(now, as_json=as_json)


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
            parser=path_of,
            metavar="FOLDER",
            help="With install: a folder that exports may go to; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have the desktop run the service: hardened, from log-in on, again after a crash."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.runtime.desktop import Desktop
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
