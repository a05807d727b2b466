"""The command `idiolect start`: fetch the base model where it is missing, and start the service."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.formatting import describe_moved
from idiolect.daemon.commandline.service_process import start_service
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect start --port 8765"


def run(
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Listen here instead of at the last port.")
    ] = None,
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
    settings = (Settings() if port is None else Settings(port=port)).prepare()
    terminal = Terminal()
    if rebuild:  # what it needs is slow to import, and a start is not to wait for that
        from idiolect.daemon.profile.purge import remove_base
        from idiolect.models.base_choice import chosen, require_source, serving_folder

        require_source(chosen(settings.base_dir))  # else nothing is left to serve
        process.stop(settings)
        with process.locked(settings):  # nobody starts another one that reads the model meanwhile
            remove_base(settings, serving_folder(settings.base_dir) / "model")
    if new_store:
        from idiolect.daemon.vault.opening import begin_anew

        moved = begin_anew(settings)
        if not as_json:  # where one object is one command's answer
            for path in moved:
                terminal.say(f"Kept aside: {path}")
    running, fresh = start_service(settings, terminal, port)
    _show(terminal, running, fresh=fresh, as_json=as_json)


def _show(terminal: Terminal, running: Running, *, fresh: bool, as_json: bool) -> None:
    did = "Started" if fresh else "Already running"
    said = [f"{did}: {running.socket or running.url} (pid {running.pid})"]
    if running.moved_from is not None:
        said.append(f"{describe_moved(running.moved_from)} `idiolect doctor` says what to do.")
    terminal.print_result(said, {**asdict(running), "fresh": fresh}, as_json=as_json)
