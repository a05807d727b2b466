"""What the command line shows of forgetting: the question before it, what it took, and the receipts."""

from __future__ import annotations

import shlex
import sys
from typing import Any, Final

from rich.text import Text

from idiolect.daemon.commandline import tables
from idiolect.daemon.commandline.tables import plain
from idiolect.daemon.commandline.view import View, counted

NOT_REACHED: Final = (
    "the files that the text came from",
    "exports, backups and copies of the profile",
    "swap space and snapshots of the file system",
)
"""Where forgotten text may still be: nothing of this is in the program's hands."""


class ForgetView(View):
    """The terminal, for forgetting."""

    def forgetting(self, receipt: dict[str, Any]) -> str:
        """The question before forgetting; where it is much, it asks for the number."""
        then = f" Then {_serving(receipt)} serves." if receipt["adapters_dropped"] else ""
        return f"{_taken(receipt, 'This forgets')}.{then} {how_to_agree(receipt)}"

    def repeat(self, entries: int) -> None:
        """Show the command as it was given, with the number that it needs."""
        given = sys.argv[1:]
        # Behind `--` an option would be none; right behind the command's name it is one in any case.
        place = [word.startswith("-") for word in given].index(False) + 1 if "--" in given else len(given)
        command = ["idiolect", *given[:place], "--expect", str(entries), *given[place:]]
        self._err.print(Text(plain(shlex.join(command))), soft_wrap=True)

    def forgotten(self, receipt: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
        """Say what was forgotten, or what would be; JSON names what is not reached, too."""
        if as_json:
            return self._json({**receipt, "dry_run": dry_run, "not_reached": list(NOT_REACHED)})
        if not receipt["entries"]:
            self._say("Nothing matches.")
            return self._remains(receipt)
        self._say(f"{_taken(receipt, 'Would forget' if dry_run else 'Forgot')}.")
        if receipt["adapters_dropped"]:
            self._say(f"{'Then serving' if dry_run else 'Serving'} {_serving(receipt)}.")
        if receipt["round_queued"]:
            self._say("A training round without the text is queued; `idiolect status` says when it starts.")
        if receipt["backups"]:
            self._say(
                f"Backups that hold it: {', '.join(receipt['backups'])}. Make new ones and delete these."
            )
        self._say(f"Not reached: {'; '.join(NOT_REACHED)}.")
        if receipt["receipt"] is not None:
            self._say(f"Receipt {receipt['receipt']}; `idiolect forget --receipts` lists them.")
        return self._remains(receipt)

    def _remains(self, receipt: dict[str, Any]) -> None:
        """Say what is left in other entries, and what is still suggested."""
        if near := receipt["near"]:
            forms = ", ".join(
                f"“{plain(one['text'])}” ({counted(one['entries'], 'entry', 'entries')})" for one in near
            )
            self._say(f"Nearly the same is left: {forms}.")
            self._say('`idiolect learned --forget "…"` forgets the entries that one of these is in.')
        if not receipt["near_complete"]:
            self._say("Not all entries were looked at for what is nearly the same: there may be more.")
        still = receipt["still_suggested"]
        if still:
            self._say(
                f"Still suggested: {', '.join(map(plain, still))}. {plain(receipt['still_suggested_why'] or '')}"
            )
        if not receipt["still_suggested_complete"]:
            self._say("Not all of it could be tried in time: it may still be suggested in other places.")
        elif still is not None and not still:
            self._say("It is suggested no more.")

    def these_too(self, would: dict[str, Any]) -> str:
        """The question whether to forget what is nearly the same, too."""
        return f"Forget these, too? {_taken(would, 'That takes')}. {how_to_agree(would)}"

    def receipts(self, rows: list[dict[str, Any]], *, as_json: bool) -> None:
        """List what was forgotten."""
        if as_json:
            return self._json(rows)
        if not rows:
            return self._say("Nothing was forgotten yet.")
        self._out.print(tables.receipts(rows))
        return None


def how_to_agree(receipt: dict[str, Any]) -> str:
    """The end of a question before forgetting: whether to go on, or to type the number where it is much."""
    if not receipt["large"]:
        return "Go on?"
    return f"That is more than a tenth of all {receipt['total']:,} entries. To go on, type how many entries it takes"


def _taken(receipt: dict[str, Any], verb: str) -> str:
    dropped = receipt["adapters_dropped"]
    names = ", ".join(map(str, dropped))
    also = f" and {counted(len(dropped), 'adapter')} that learned from it ({names})" if dropped else ""
    entries = counted(receipt["entries"], "entry", "entries")
    return f"{verb} {entries} of {counted(receipt['tokens'], 'token')}{also}"


def _serving(receipt: dict[str, Any]) -> str:
    return "the base model alone" if receipt["active"] is None else f"adapter {receipt['active']}"
