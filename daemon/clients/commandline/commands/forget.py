"""The command `idiolect forget`: delete text, and every adapter that learned from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from idiolect.daemon.clients.commandline.arguments import (
    Expect,
    Since,
    Yes,
    make_absolute,
    parse_path,
    parse_time,
    read_text,
)
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.forget_dialog import (
    Consent,
    ask_and_forget,
    ask_to_go_on,
    describe_rounds,
    forget_text,
)
from idiolect.daemon.clients.commandline.formatting import minute, plain
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient

EXAMPLE = 'idiolect forget --text "project x" --dry-run; idiolect forget --read-from ~/notes'


def run(
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Entries that contain this; - reads it from stdin.")
    ] = None,
    ids: Annotated[
        list[int] | None, typer.Option("--id", metavar="ID", help="The entry with this number.", min=1)
    ] = None,
    phrase: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Entries with these whole words; - reads them from stdin."),
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Entries from this source.")] = None,
    read_from: Annotated[
        Path | None,
        typer.Option(
            "--read-from",
            parser=parse_path,
            metavar="PATH",
            help="All that this file or folder brought, as `idiolect audit` lists it; it is followed no longer.",
        ),
    ] = None,
    app_name: Annotated[
        str | None, typer.Option("--app", metavar="NAME", help="Entries from this application.")
    ] = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    yes: Yes = False,
    expect: Expect = None,
    receipts: Annotated[
        bool, typer.Option("--receipts", help="List what was forgotten so far, and forget nothing.")
    ] = False,
) -> None:
    """Forget text, and drop every adapter that learned from it; all given conditions must hold."""
    given = {
        "text": None if text is None else read_text(text),
        "phrase": None if phrase is None else read_text(phrase),
        "ids": ids or None,
        "source": source,
        "app": app_name,
        "since": parse_time(since),
        "until": parse_time(until),
    }
    conditions = any(value is not None for value in given.values())
    if read_from is not None and conditions:
        raise typer.BadParameter("--read-from stands alone: leave the other conditions out")
    conditions = conditions or read_from is not None
    if receipts and (dry_run or yes or expect is not None or conditions):
        raise typer.BadParameter("--receipts only lists: leave the conditions out")
    terminal = Terminal()
    with connect() as client:
        if receipts:
            return _show_receipts(terminal, client.get("/v1/receipts")["receipts"])
        consent = Consent(yes, expect, dry_run)
        if read_from is not None:
            return _forget_read(client, terminal, read_from, consent)
        return forget_text(client, given, consent, terminal)


def _forget_read(client: ServiceClient, terminal: Terminal, path: Path, consent: Consent) -> None:
    # A path that brought nothing may be followed, and stands in the list.
    receipt = ask_and_forget(
        client,
        "/v1/sources/remove",
        {"path": make_absolute(path)},
        consent,
        lambda would: _ask_about_read(path, would),
        even_if_empty=True,
    )
    did = "Would forget" if consent.dry_run else "Removed, and forgot"
    adapters = len(receipt["adapters_dropped"])
    terminal.print_result(
        [
            f"{did} {receipt['entries']:,} entries of {path}; adapters: {adapters}.",
            *describe_rounds(receipt),
        ],
        {**receipt, "dry_run": consent.dry_run},
    )


def _ask_about_read(path: Path, would: dict[str, Any]) -> str:
    dropped = would["adapters_dropped"]
    also = f", and drop {len(dropped)} adapter(s) that learned from them" if dropped else ""
    return plain(
        f"This forgets the {would['entries']:,} entries that {path} brought{also}. {ask_to_go_on(would)}"
    )


def _show_receipts(terminal: Terminal, rows: list[dict[str, Any]]) -> None:
    """List what was forgotten: when, by what, how much, which adapters fell, and what served then."""
    if terminal.as_json:
        return terminal.print_json(rows)
    if not rows:
        return terminal.say("Nothing was forgotten yet.")
    terminal.show_table(
        ("receipt", "when", "by", "entries", "adapters", "then served"),
        map(_make_row, rows),
        right=("receipt", "entries"),
    )
    return None


def _make_row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(row["id"]),
        minute(str(row["at"])),
        ", ".join(row["conditions"]),
        f"{row['entries']:,}",
        ", ".join(str(stone["id"]) for stone in row["adapters"]) or "none",
        "base" if row["active"] is None else str(row["active"]),
    )
