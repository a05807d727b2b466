"""Commands by which users see what is known of them, and take hold of it: audit, learned, lock, rekey, purge.

What they print is made in `accounts.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idiolect.daemon.arguments import AsJson, confirm, text_of, time_of

if TYPE_CHECKING:
    from idiolect.daemon.accounts import Accounts
    from idiolect.daemon.client import Client

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands to the command line, in the group `panel`."""

    def add(example: str, command: object) -> None:
        app.command(rich_help_panel=panel, epilog=f"Example: {example}")(command)  # type: ignore[type-var]

    add("idiolect audit; idiolect audit --since 2026-01-01 --json", audit)
    add('idiolect learned; idiolect learned --forget "kind regards"', learned)


def _client() -> Client:
    from idiolect.daemon.client import Client
    from idiolect.daemon.settings import Settings

    return Client(Settings())


def _accounts() -> Accounts:
    from idiolect.daemon.accounts import Accounts

    return Accounts()


def audit(
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this time on (2026-01-31).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was taken, when and from where, what was redacted, which adapter saw what, and what happened."""
    with _client() as client:
        _accounts().audit(client.get("/v1/audit", since=time_of(since) or ""), as_json=as_json)


def learned(
    contains: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Only words and phrases that contain this; - reads it from stdin."
        ),
    ] = "",
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1, max=10_000)] = 40,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="PHRASE", help="Forget every entry with these whole words; - reads them from stdin."
        ),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show the words and phrases that set you apart: what you use more than general English does."""
    accounts = _accounts()
    with _client() as client:
        if forget is None:
            asked = {"limit": limit, "contains": text_of(contains).strip()}
            accounts.learned(client.post("/v1/learned", asked, patient=True)["words"], as_json=as_json)
            return
        body = {"phrase": text_of(forget).strip()}
        receipt = client.post("/v1/forget", {**body, "dry_run": True}, patient=True)
        if receipt["entries"]:
            if not yes:
                confirm(accounts.forgetting(receipt))
            receipt = client.post("/v1/forget", body, patient=True)
    accounts.forgotten({**receipt, "dry_run": False}, as_json=as_json)
