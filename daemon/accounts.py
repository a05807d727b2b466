"""What the command line shows of what is known of the user: accounts of what was taken, learned, removed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.text import Text

from idiolect.daemon.tables import number, plain, ruled
from idiolect.daemon.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

_DAYS = 14
_EVENTS = 20
_FOLDERS = 10
_USED = ("uses", "entries", "× general English")


class Accounts(View):
    """The terminal, for what `custody.py` has to show."""

    def audit(self, found: dict[str, Any], *, as_json: bool) -> None:
        """Show `/v1/audit`: sums of what was taken, the last days, redactions, adapters, events."""
        if as_json:
            return self._json(found)
        taken = found["taken"]
        if not taken:
            self._say("Nothing was taken.")
        else:
            self._say("Taken, by source:")
            self._out.print(_taken(_summed(taken, ("source", "app"))))
            days = _summed(taken, ("day",))
            self._say(
                "By day (UTC):" if len(days) <= _DAYS else f"The last {_DAYS} of {len(days):,} days (UTC):"
            )
            self._out.print(_taken(days[-_DAYS:]))
        if found["redacted"]:
            left_out = ", ".join(f"{count:,} {kind}" for kind, count in found["redacted"].items())
            self._say(f"Left out before anything was stored: {left_out}.")
        if found["files"]:
            self._say(f"Files read, by folder ({found['files']:,} in all):")
            for folder, count in list(found["folders"].items())[:_FOLDERS]:
                self._say(f"  {count:>7,}  {plain(folder)}")
        for path in found["watches"]:
            self._say(f"Followed: {plain(path)}")
        if found["seen"]:
            self._say("Seen by adapters, their ancestors' rounds included:")
            self._out.print(_seen(found["seen"]))
        if found["events"]:
            self._say("What happened:")
            for event in found["events"][-_EVENTS:]:
                self._say(f"  {_minute(event['at'])}  {_told(event)}")
        if len(found["events"]) > _EVENTS:
            self._say(f"  … and {len(found['events']) - _EVENTS:,} before these: --json shows them.")
        return None

    def learned(self, words: list[dict[str, Any]], *, as_json: bool) -> None:
        """List words and phrases, the most characteristic first."""
        if as_json:
            return self._json(words)
        if not words:
            return self._say(
                "Nothing that sets you apart was found. It takes words that you use in several entries."
            )
        table = ruled("word or phrase", *_USED, right=_USED)
        for word in words:
            times = word["times"]
            shown = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
            table.add_row(Text(plain(word["text"])), number(word["count"]), number(word["entries"]), shown)
        self._out.print(table)
        self._say('`idiolect learned --forget "…"` forgets the entries that a word or phrase is in.')
        return None


def _summed(rows: Iterable[dict[str, Any]], names: tuple[str, ...]) -> list[tuple[str, Counter[str]]]:
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        label = " · ".join(plain(row[name]) for name in names if row[name]) or "earlier"
        figures = {name: row[name] for name in ("entries", "words", "redactions")}
        sums.setdefault(label, Counter()).update(figures)
    return list(sums.items())


def _taken(rows: Iterable[tuple[str, Counter[str]]]) -> Table:
    names = ("entries", "words", "redactions")
    table = ruled("", *names, right=names)
    for label, sums in rows:
        table.add_row(Text(label), *(number(sums[name]) for name in names))
    return table


def _seen(rows: Iterable[dict[str, Any]]) -> Table:
    table = ruled("adapter", "source", "entries", "written from", "to", right=("adapter", "entries"))
    for row in rows:
        span = (str(row[end])[:10] for end in ("first", "last"))
        table.add_row(str(row["adapter"]), Text(plain(row["source"])), number(row["entries"]), *span)
    return table


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _told(event: dict[str, Any]) -> str:
    detail = ", ".join(f"{name} {plain(str(value))}" for name, value in event["detail"].items())
    return f"{event['kind']}: {detail}" if detail else str(event["kind"])
