"""`idiolect add --find`: find text on this machine, and read what the user says yes to."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from idiolect.daemon.clients.commandline.arguments import make_absolute
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.commands.add import read_paths
from idiolect.daemon.clients.commandline.formatting import plain
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.source_discovery import FoundSource
from idiolect.models.errors import IdiolectError


def find_and_read(path: Path | None, *, yes: bool, terminal: Terminal) -> None:
    """Look what there is to read below `path` or the user's home, and read what they say yes to."""
    settings = Settings()
    found = _find(terminal, path, settings.exclude)
    if not found or not (yes or (sys.stdin.isatty() and not terminal.as_json)):
        return _show_places(terminal, found)
    with connect(settings) as client:
        return _read_wanted(client, terminal, found, yes=yes)


def _find(terminal: Terminal, path: Path | None, exclude: tuple[str, ...]) -> list[FoundSource]:
    from idiolect.daemon.sources.reader import Reader  # slow to import, and the list does without

    home = Path(make_absolute(path)) if path is not None else Path.home()
    if not home.is_dir():
        raise typer.BadParameter(f"there is no folder {home}: --find looks below one")
    with terminal.waiting("Looking" if terminal.as_json else f"Looking below {home}"):
        reader = Reader()
        try:
            return list(reader.places(home, exclude))
        finally:
            reader.close()


def _read_wanted(client: ServiceClient, terminal: Terminal, found: list[FoundSource], *, yes: bool) -> None:
    """Read the places that the user says yes to."""
    reports = {}
    failed: list[IdiolectError] = []
    for place in found:
        if yes or typer.confirm(plain(_make_question(place)), default=True):
            try:
                report = read_paths(client, terminal, [place.path], list(place.me))
            except IdiolectError as error:  # of this place: the others are read all the same
                failed.append(error)
                terminal.note(plain(f"{place.path}: {error}"))
                continue
            reports[str(place.path)] = report
            if not terminal.as_json:
                terminal.say(f"{place.path}: {report['entries']:,} new entries, {report['words']:,} words.")
    if terminal.as_json:
        _show_places(terminal, found, reports=reports)
    if failed:
        raise typer.Exit(getattr(failed[0], "relayed_exit_code", failed[0].exit_code))


def _show_places(
    terminal: Terminal,
    found: list[FoundSource],
    *,
    reports: dict[str, dict[str, Any]] | None = None,
) -> None:
    """List what there is to read; as JSON, with the report on each that was read."""
    if terminal.as_json:
        rows = [{**asdict(place), "path": str(place.path)} for place in found]
        return terminal.print_json([{**row, "report": (reports or {}).get(row["path"])} for row in rows])
    if not found:
        return terminal.say(
            "Nothing was found. `idiolect add PATH` reads what you name; docs/files.md says what."
        )
    terminal.show_table(
        ("what", "size", "yours by", "where"),
        (
            (place.says, _describe_size(place), plain(", ".join(place.me)), plain(str(place.path)))
            for place in found
        ),
        right=("size",),
    )
    return terminal.say("Nothing was read. Call it in a terminal to be asked for each, or add --yes.")


def _make_question(place: FoundSource) -> str:
    by = f", yours by {', '.join(place.me)}" if place.me else ""
    return plain(f"Read {place.says}, {_describe_size(place)}{by}: {place.path}?")


def _describe_size(place: FoundSource) -> str:
    megabytes = place.size_bytes / 1e6
    return f"{megabytes:,.0f} MB" if megabytes >= 1 else f"{math.ceil(1e3 * megabytes)} KB"
