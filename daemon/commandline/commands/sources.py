"""The command `idiolect sources`: find text on this machine, list what was read, and remove a source."""

from __future__ import annotations

import enum
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from idiolect.daemon.commandline.arguments import AsJson, Expect, Yes, make_absolute, parse_path
from idiolect.daemon.commandline.client import ServiceClient, connect
from idiolect.daemon.commandline.commands.add import read_paths
from idiolect.daemon.commandline.forget_dialog import Consent, ask_and_forget, ask_to_go_on
from idiolect.daemon.commandline.formatting import plain
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.ingest.source_discovery import FoundSource
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

EXAMPLE = "idiolect sources; idiolect sources --only mail --yes; idiolect sources remove ~/notes"


class Sort(enum.StrEnum):
    """Which sources."""

    MAIL = "mail"
    NOTES = "notes"
    GIT = "git"


GROUP = typer.Typer(help="Find mail, notes, and commits on this machine, and read those that you say yes to.")


@GROUP.command()
def find(
    path: Annotated[
        Path | None,
        typer.Argument(parser=parse_path, metavar="PATH", help="Where to look (default: your home)."),
    ] = None,
    only: Annotated[list[Sort] | None, typer.Option(help="Look for these only.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look what there is to read, and ask for each."""
    terminal, settings = Terminal(), Settings()
    found = _find(terminal, path, settings.exclude, only, quiet=as_json)
    if not found or not (yes or (sys.stdin.isatty() and not as_json)):
        return _show_places(terminal, found, as_json=as_json)
    with connect(settings) as client:
        return _read_wanted(client, terminal, found, yes=yes, as_json=as_json)


@GROUP.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """Show what was read, and what it brought."""
    with connect() as client:
        _show_sources(Terminal(), client.get("/v1/sources")["sources"], as_json=as_json)


@GROUP.command()
def remove(
    path: Annotated[
        Path,
        typer.Argument(
            parser=parse_path, metavar="PATH", help="The source, as `idiolect sources list` shows it."
        ),
    ],
    yes: Yes = False,
    expect: Expect = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget all that a source brought."""
    with connect() as client:
        _remove(client, Terminal(), path, Consent(yes, expect, dry_run), as_json=as_json)


def _find(
    terminal: Terminal, path: Path | None, exclude: tuple[str, ...], only: list[Sort] | None, *, quiet: bool
) -> list[FoundSource]:
    from idiolect.daemon.ingest.reader import Reader  # slow to import, and the list does without

    home = Path(make_absolute(path)) if path is not None else Path.home()
    with terminal.waiting("Looking" if quiet else f"Looking below {home}"):
        reader = Reader()
        try:
            return [place for place in reader.places(home, exclude) if not only or place.sort in only]
        finally:
            reader.close()


def _read_wanted(
    client: ServiceClient, terminal: Terminal, found: list[FoundSource], *, yes: bool, as_json: bool
) -> None:
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
            if not as_json:
                terminal.say(f"{place.path}: {report['entries']:,} new entries, {report['words']:,} words.")
    if as_json:
        _show_places(terminal, found, as_json=True, reports=reports)
    if failed:
        raise typer.Exit(getattr(failed[0], "relayed_exit_code", failed[0].exit_code))


def _remove(
    client: ServiceClient, terminal: Terminal, path: Path, consent: Consent, *, as_json: bool
) -> None:
    # One that brought nothing may be followed, and stands in the list.
    receipt = ask_and_forget(
        client,
        "/v1/sources/remove",
        {"path": make_absolute(path)},
        consent,
        lambda would: _ask_about_source(path, would),
        even_if_empty=True,
    )
    did = "Would forget" if consent.dry_run else "Removed, and forgot"
    adapters = len(receipt["adapters_dropped"])
    terminal.print_result(
        f"{did} {receipt['entries']:,} entries of {path}; adapters: {adapters}.",
        {**receipt, "dry_run": consent.dry_run},
        as_json=as_json,
    )


def _ask_about_source(path: Path, would: dict[str, Any]) -> str:
    dropped = would["adapters_dropped"]
    also = f", and drop {len(dropped)} adapter(s) that learned from them" if dropped else ""
    return plain(
        f"This forgets the {would['entries']:,} entries that {path} brought{also}. {ask_to_go_on(would)}"
    )


def _show_places(
    terminal: Terminal,
    found: list[FoundSource],
    *,
    as_json: bool,
    reports: dict[str, dict[str, Any]] | None = None,
) -> None:
    """List what there is to read; as JSON, with the report on each that was read."""
    if as_json:
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


def _show_sources(terminal: Terminal, rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """List what was read, and what each source brought."""
    if as_json:
        return terminal.print_json(rows)
    if not rows:
        return terminal.say("Nothing was read yet; `idiolect sources` looks what there is.")
    return terminal.show_table(
        ("kind", "entries", "words", "read", "yours by", "where"),
        (
            (
                row["kind"],
                f"{row['entries']:,}",
                f"{row['words']:,}",
                str(row["read_at"])[:10],
                plain(", ".join(row["me"])),
                plain(row["path"]),
            )
            for row in rows
        ),
        right=("entries", "words"),
    )


def _make_question(place: FoundSource) -> str:
    by = f", yours by {', '.join(place.me)}" if place.me else ""
    return plain(f"Read {place.says}, {_describe_size(place)}{by}: {place.path}?")


def _describe_size(place: FoundSource) -> str:
    megabytes = place.size_bytes / 1e6
    return f"{megabytes:,.0f} MB" if megabytes >= 1 else f"{math.ceil(1e3 * megabytes)} KB"
