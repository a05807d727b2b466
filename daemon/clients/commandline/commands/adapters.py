"""The command `idiolect adapters`: what training rounds made, and what was decided on each."""

from __future__ import annotations

from typing import Any

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import minute, number
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect adapters"


def run() -> None:
    """List the adapters that training made: which it began from, the verdict, and which one is used."""
    terminal = Terminal()
    with connect() as client:
        rows = client.get("/v1/adapters")["adapters"]
    if terminal.as_json:
        return terminal.print_json(rows)
    if not rows:
        return terminal.say("No adapter yet; `idiolect train --wait` makes one.")
    return terminal.show_table(
        ("id", "parent", "made", "status", "perplexity", "why"),
        map(_make_row, rows),
        right=("id", "parent", "perplexity"),
    )


def _make_row(row: dict[str, Any]) -> tuple[str, ...]:
    parent = "base" if row["parent"] is None else str(row["parent"])
    status = row["status"] if row["kept"] else f"{row['status']}, weights dropped"
    perplexity = number(row["metrics"].get("both", {}).get("perplexity"), 2)
    return str(row["id"]), parent, minute(str(row["created_at"])), status, perplexity, row["reason"]
