"""The command `forget`: what it would take, the question, and the receipt."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson, confirm, text_of, time_of

NOT_REACHED = (
    "the files that the text came from",
    "exports, backups and copies of the profile",
    "swap space and snapshots of the file system",
)
"""Where forgotten text may still be: nothing of this is in the program's hands."""


def forget(
    text: Annotated[
        str | None, typer.Option(help="Entries that contain this; - reads it from stdin.")
    ] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", help="The entry with this number.", min=1)] = None,
    source: Annotated[str | None, typer.Option(help="Entries from this source.")] = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Entries from this application.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this time on (2026-01-31).")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    receipts: Annotated[
        bool, typer.Option("--receipts", help="List what was forgotten so far, and forget nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget text, and drop every adapter that learned from it; all given conditions must hold."""
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.settings import Settings

    given = {
        "text": None if text is None else text_of(text),
        "ids": ids or None,
        "source": source,
        "app": app_name,
        "since": time_of(since),
        "until": time_of(until),
    }
    if receipts and (dry_run or yes or any(value is not None for value in given.values())):
        raise typer.BadParameter("--receipts only lists: leave the conditions out")
    view = View()
    with Client(Settings()) as client:
        if receipts:
            return view.receipts(client.get("/v1/receipts")["receipts"], as_json=as_json)
        receipt = client.post("/v1/forget", {**given, "dry_run": True}, patient=True)
        if not dry_run and receipt["entries"]:
            if not yes:
                confirm(view.forgetting(receipt))
            receipt = client.post("/v1/forget", given, patient=True)
    told = {**receipt, "dry_run": dry_run, "not_reached": list(NOT_REACHED)}
    return view.forgotten(told, as_json=as_json)
