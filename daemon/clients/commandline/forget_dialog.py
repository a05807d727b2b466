"""The dialogue of every command that forgets: it asks, has the service forget, and shows the receipt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import confirm
from idiolect.daemon.clients.commandline.formatting import counted, plain
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.models.errors import ExitCode, IdiolectError

#: How often a command looks at what it would take, where that goes on changing before it is forgotten.
_MAX_LOOKS: Final = 3

NOT_REACHED: Final = (
    "the files that the text came from",
    "exports, backups and copies of the profile",
    "swap space and snapshots of the file system",
)
"""Where forgotten text may still be: nothing of this is in the program's hands."""


class CountNeededError(IdiolectError, code="count-needed", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """So much would be forgotten that it takes more than `--yes`."""


@dataclass(frozen=True)
class Consent:
    """How far the user has agreed: `yes`: not to be asked; `expect`: to so many entries; `dry_run`: to nothing."""

    yes: bool
    expect: int | None
    dry_run: bool = False


def ask_and_forget(
    client: ServiceClient,
    address: str,
    body: dict[str, Any],
    consent: Consent,
    question: Callable[[dict[str, Any]], str],
    *,
    even_if_empty: bool = False,
) -> dict[str, Any]:
    """Forget what `address` takes with `body`, once the user has agreed to it; return the service's answer.

    The service is always told how many entries it is to be. Where that is none, nothing more is sent to it, unless
    `even_if_empty`: the request then does something besides. `question` makes the question from what the service
    would forget. Raises CountNeededError, and RelayedError for what the service refuses.
    """
    from idiolect.daemon.runtime.process import RelayedError

    sure = {} if consent.expect is None else {"expect": consent.expect}
    for look in range(_MAX_LOOKS):
        would = client.post(address, {**body, **sure, "dry_run": True}, patient=True)
        if consent.dry_run or not (would["entries"] or would["words"] or even_if_empty):
            return would
        if not look:
            _ask(would, consent, question)
        try:
            return client.post(address, {**body, "expect": would["entries"]}, patient=True)
        except RelayedError as error:
            # `--yes` also agrees to entries that arrived since; an answer to a question with a number does not.
            again = consent.yes and consent.expect is None and not would["large"]
            if error.relayed_code != "other-count" or not again or look + 1 == _MAX_LOOKS:
                raise
    raise AssertionError


def forget_text(
    client: ServiceClient, conditions: dict[str, Any], consent: Consent, terminal: Terminal
) -> None:
    """Forget the entries that meet `conditions`, show the receipt, and ask whether nearly the same text shall go, too.

    Raises as `ask_and_forget` does.
    """
    receipt = ask_and_forget(client, "/v1/forget", conditions, consent, _ask_about_entries)
    _show_receipt(terminal, receipt, dry_run=consent.dry_run)
    quiet = terminal.as_json or consent.yes or consent.dry_run or not sys.stdin.isatty()
    while not quiet and receipt["near"]:
        phrases = {"phrases": [one["text"] for one in receipt["near"]]}
        try:
            receipt = ask_and_forget(client, "/v1/forget", phrases, Consent(False, None), _ask_about_near)
        except typer.Abort:  # these are kept; what was asked for is done
            return
        _show_receipt(terminal, receipt, dry_run=False)
        quiet = not receipt["entries"]


def ask_to_go_on(would: dict[str, Any]) -> str:
    """Return the end of a question before forgetting: whether to go on, or to type the number where it is much."""
    if not would["large"]:
        return "Go on?"
    return f"That is more than a tenth of all {would['total']:,} entries. To go on, type how many entries it takes"


def _ask(would: dict[str, Any], consent: Consent, question: Callable[[dict[str, Any]], str]) -> None:
    entries = would["entries"]
    if would["large"] and consent.expect is None:
        if consent.yes:
            raise CountNeededError(
                f"This would take {entries:,} of all {would['total']:,} entries, more than a tenth: for so much --yes "
                f"is not enough. Nothing was forgotten. If all of it is meant, add --expect {entries}."
            )
        if not sys.stdin.isatty():
            raise typer.BadParameter(
                f"nobody is there to ask: add --yes and, if all {entries} entries are meant, --expect {entries}"
            )
        if typer.prompt(plain(question(would)), default="", show_default=False).strip() != str(entries):
            raise typer.Abort
    elif not consent.yes:
        confirm(question(would))


def _ask_about_entries(would: dict[str, Any]) -> str:
    then = f" Then {_describe_serving(would)} serves." if would["adapters_dropped"] else ""
    return f"{_describe_taken(would, 'This forgets')}.{then} {ask_to_go_on(would)}"


def _ask_about_near(would: dict[str, Any]) -> str:
    return f"Forget these, too? {_describe_taken(would, 'That takes')}. {ask_to_go_on(would)}"


def _show_receipt(terminal: Terminal, receipt: dict[str, Any], *, dry_run: bool) -> None:
    """Say what was forgotten, or what would be; JSON names what is not reached, too."""
    if terminal.as_json:
        return terminal.print_json({**receipt, "dry_run": dry_run, "not_reached": list(NOT_REACHED)})
    if not receipt["entries"] and not receipt["words"]:
        terminal.say("Nothing matches.")
        return _show_remains(terminal, receipt)
    terminal.say(f"{_describe_taken(receipt, 'Would forget' if dry_run else 'Forgot')}.")
    if receipt["adapters_dropped"]:
        terminal.say(f"{'Then serving' if dry_run else 'Serving'} {_describe_serving(receipt)}.")
        terminal.say("Their training goes with them: the next round goes on from before it saw the text.")
    for sentence in describe_rounds(receipt):
        terminal.say(sentence)
    if receipt["backups"]:
        terminal.say(
            f"Backups that hold it: {', '.join(receipt['backups'])}. Make new ones and delete these."
        )
    terminal.say(f"Not reached: {'; '.join(NOT_REACHED)}.")
    if receipt["receipt"] is not None:
        terminal.say(f"Receipt {receipt['receipt']}; `idiolect forget --receipts` lists them.")
    return _show_remains(terminal, receipt)


def describe_rounds(receipt: dict[str, Any]) -> Iterator[str]:
    """Yield what becomes of training rounds: of the round that ran, and of the next round without the text."""
    if receipt["round_ended"]:
        yield "The training round that ran was ended: it had read the text."
    if receipt["round_ended"] or receipt["round_queued"]:
        yield f"Next round, without the text: {receipt['next_round']}."


def _show_remains(terminal: Terminal, receipt: dict[str, Any]) -> None:
    """Say what is left in other entries."""
    if near := receipt["near"]:
        forms = ", ".join(
            f"“{plain(one['text'])}” ({counted(one['entries'], 'entry', 'entries')})" for one in near
        )
        terminal.say(f"Nearly the same is left: {forms}.")
        terminal.say('`idiolect forget --phrase "…"` forgets the entries that one of these is in.')
    if not receipt["near_complete"]:
        terminal.say("Not all entries were looked at for what is nearly the same: there may be more.")


def _describe_taken(receipt: dict[str, Any], verb: str) -> str:
    dropped = receipt["adapters_dropped"]
    names = ", ".join(map(str, dropped))
    also = f" and {counted(len(dropped), 'adapter')} that learned from it ({names})" if dropped else ""
    entries = counted(receipt["entries"], "entry", "entries")
    rules = counted(receipt["words"], "word or phrase that you decided about", "words that you decided about")
    decided = f", and {rules}" if receipt["words"] else ""
    return f"{verb} {entries}{also}{decided}"


def _describe_serving(receipt: dict[str, Any]) -> str:
    return "the base model alone" if receipt["active"] is None else f"adapter {receipt['active']}"
