"""The command `idiolect start`: fetch the base model where it is missing, start the service, and read text."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import Budget, Me, make_absolute, parse_path
from idiolect.daemon.clients.commandline.formatting import describe_moved
from idiolect.daemon.clients.commandline.service_process import start_service
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect start; idiolect start ~/notes --budget 240"


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=parse_path, metavar="PATH…", help="Your own text, to read and learn from at once."
        ),
    ] = None,
    me: Me = None,
    budget: Budget = None,
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
) -> None:
    """Start the service in the background, and return once it answers; with PATH, also show what it learns there."""
    if not paths and (me or budget):
        raise typer.BadParameter("--me and --budget are for text that is read: name a PATH")
    terminal = Terminal()
    if paths and terminal.as_json:
        raise typer.BadParameter("--json is for a start without a PATH")
    settings = Settings() if port is None else Settings(port=port)
    if paths:
        _require_text(settings, paths)
    settings.prepare()
    if rebuild:  # what it needs is slow to import, and a start is not to wait for that
        from idiolect.daemon.vault.purge import remove_base
        from idiolect.models.base_choice import read_choice, require_source, serving_folder

        require_source(read_choice(settings.base_dir))  # else nothing is left to serve
        process.stop(settings)
        with process.locked(settings):  # nobody starts another one that reads the model meanwhile
            remove_base(settings, serving_folder(settings.base_dir) / "model")
    if new_store:
        from idiolect.daemon.vault.opening import begin_anew

        moved = begin_anew(settings)
        if not terminal.as_json:  # where one object is one command's answer
            for path in moved:
                terminal.say(f"Kept aside: {path}")
    running, fresh = start_service(settings, terminal, port)
    if not paths:
        return _show(terminal, running, fresh=fresh)
    from idiolect.daemon.clients.commandline.commands.first_run import learn_and_show

    return learn_and_show(settings, terminal, running, paths, me or [], budget)


def _require_text(settings: Settings, paths: list[Path]) -> None:
    """Look for something to read before minutes of work on the base model.

    Raises NoSuchPathError, UnreadableError, NothingToReadError.
    """
    from idiolect.daemon.sources.items import ReadReport, Skipped
    from idiolect.daemon.sources.kinds import refuse_nothing
    from idiolect.daemon.sources.reader import Reader

    reader, report, found = Reader(), ReadReport(), False
    try:
        for path in paths:
            for one in reader.find(Path(make_absolute(path)), settings.exclude, most=1):
                if isinstance(one, Skipped):
                    report.skip(one)
                else:
                    found = True
    finally:
        reader.close()
    if not found:
        raise refuse_nothing(report)


def _show(terminal: Terminal, running: Running, *, fresh: bool) -> None:
    did = "Started" if fresh else "Already running"
    said = [f"{did}: {running.socket or running.url} (pid {running.pid})"]
    if running.moved_from is not None:
        said.append(f"{describe_moved(running.moved_from)} `idiolect doctor` says what to do.")
    terminal.print_result(said, {**asdict(running), "fresh": fresh})
