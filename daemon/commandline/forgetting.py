"""The command `forget`; and how every command that forgets asks before it does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, Expect, confirm, text_of, time_of
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.forgetview import ForgetView

_LOOKS: Final = 3  # at what it takes, where that goes on changing between the look and the forgetting


class CountNeededError(IdiolectError):
    """So much would be forgotten that it takes more than `--yes`."""

    code: ClassVar[str] = "count-needed"
    exit_code: ClassVar[int] = 122
    http_status: ClassVar[int] = 422


@dataclass(frozen=True)
class Consent:
    """How far the user has agreed: `yes`: not to be asked; `expect`: to so many entries; `dry_run`: to nothing."""

    yes: bool
    expect: int | None
    dry_run: bool = False


def carry_out(
    client: Client,
    address: str,
    body: dict[str, Any],
    consent: Consent,
    view: ForgetView,
    question: Callable[[dict[str, Any]], str],
    *,
    even_if_empty: bool = False,
) -> dict[str, Any]:
    """Forget what `address` takes with `body`, once the user has agreed to it; the service's answer.

    The service is always told how many entries it is to be. Where that is none, it is asked for nothing more, but
    `even_if_empty`: then the request does something besides. Raises CountNeededError, and what the service refuses.
    """
    from idiolect.daemon.runtime.process import RelayedError

    sure = {} if consent.expect is None else {"expect": consent.expect}
    for look in range(_LOOKS):
        would = client.post(address, {**body, **sure, "dry_run": True}, patient=True)
        if consent.dry_run or not (would["entries"] or even_if_empty):
            return would
        if not look:
            _ask(would, consent, view, question)
        try:
            return client.post(address, {**body, "expect": would["entries"]}, patient=True)
        except RelayedError as error:
            # Who agreed beforehand to whatever it is agrees to what has come since; who was told a number does not.
            again = consent.yes and consent.expect is None and not would["large"]
            if error.relayed_code != "other-count" or not again or look + 1 == _LOOKS:
                raise
    raise AssertionError


def _ask(
    would: dict[str, Any], consent: Consent, view: ForgetView, question: Callable[[dict[str, Any]], str]
) -> None:
    entries = would["entries"]
    if would["large"] and consent.expect is None:
        if consent.yes:
            view.repeat(entries)
            raise CountNeededError(
                f"This would take {entries:,} of all {would['total']:,} entries, more than a tenth: for so much --yes "
                f"is not enough. Nothing was forgotten. If all of it is meant, add --expect {entries}, as above."
            )
        if not sys.stdin.isatty():
            raise typer.BadParameter(
                f"nobody is there to ask: add --yes and, if all {entries} entries are meant, --expect {entries}"
            )
        if typer.prompt(question(would), default="", show_default=False).strip() != str(entries):
            raise typer.Abort
    elif not consent.yes:
        confirm(question(would))


def forget_text(
    client: Client, conditions: dict[str, Any], consent: Consent, view: ForgetView, *, as_json: bool
) -> None:
    """Forget what meets conditions, show the receipt, and ask whether what is nearly the same shall go, too."""
    receipt = carry_out(client, "/v1/forget", conditions, consent, view, view.forgetting)
    view.forgotten(receipt, dry_run=consent.dry_run, as_json=as_json)
    quiet = as_json or consent.yes or consent.dry_run or not sys.stdin.isatty()
    while not quiet and receipt["near"]:
        these = {"phrases": [one["text"] for one in receipt["near"]]}
        try:
            receipt = carry_out(client, "/v1/forget", these, Consent(False, None), view, view.these_too)
        except typer.Abort:  # these are kept; what was asked for is done
            return
        view.forgotten(receipt, dry_run=False, as_json=False)
        quiet = not receipt["entries"]


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
    expect: Expect = None,
    receipts: Annotated[
        bool, typer.Option("--receipts", help="List what was forgotten so far, and forget nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget text, and drop every adapter that learned from it; all given conditions must hold."""
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.forgetview import ForgetView
    from idiolect.daemon.settings import Settings

    given = {
        "text": None if text is None else text_of(text),
        "ids": ids or None,
        "source": source,
        "app": app_name,
        "since": time_of(since),
        "until": time_of(until),
    }
    conditions = any(value is not None for value in given.values())
    if receipts and (dry_run or yes or expect is not None or conditions):
        raise typer.BadParameter("--receipts only lists: leave the conditions out")
    view = ForgetView()
    with Client(Settings()) as client:
        if receipts:
            return view.receipts(client.get("/v1/receipts")["receipts"], as_json=as_json)
        return forget_text(client, given, Consent(yes, expect, dry_run), view, as_json=as_json)
