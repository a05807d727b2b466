"""What the command line shows of what is known of the user: accounts of what was taken, learned, removed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from idiolect.daemon.commandline.forgetview import ForgetView
from idiolect.daemon.commandline.tables import number, plain, ruled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.table import Table

    from idiolect.daemon.profile.purge import Purged
    from idiolect.daemon.settings import Settings

_DAYS = 14
_EVENTS = 20
_FOLDERS = 10
_USED = ("uses", "entries", "× general English")


class Accounts(ForgetView):
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

    def locked(self, *, with_passphrase: bool, as_json: bool) -> None:
        """Say that the profile is locked, and against whom."""
        if as_json:
            return self._json({"locked": True, "passphrase": with_passphrase})
        self._say("Locked: no key, text or adapter is in memory. `idiolect unlock` ends that.")
        if with_passphrase:
            self._say(
                "The key is encrypted with your passphrase. If you lose it, nobody can read the store again."
            )
        else:
            self._say("Whoever can run commands as you can unlock it; --passphrase keeps them out, too.")
        return None

    def unlocked(self, *, was_locked: bool, as_json: bool) -> None:
        """Say that the profile is unlocked."""
        if as_json:
            return self._json({"locked": False, "was_locked": was_locked})
        return self._say("Unlocked." if was_locked else "It was not locked.")

    def rekeyed(self, origin: str, settings: Settings, *, as_json: bool) -> None:
        """Say where the new key is."""
        if as_json:
            self._json({"key": origin, "path": None if origin == "keyring" else str(settings.key_path)})
        else:
            where = "the system's keyring" if origin == "keyring" else str(settings.key_path)
            self._say(f"The store has a new key, which is in {where}; the old one is deleted.")
        self._err.print("Copies of the profile from before need the old key, which is gone from here.")

    def contents(self, home: Path, held: dict[str, int]) -> None:
        """List what is in the profile's folder, with its size."""
        self._say(f"{home}:")
        for name, size in held.items():
            self._say(f"  {size / 1e6:>9,.1f} MB  {plain(name)}")

    def purged(self, home: Path, done: Purged, *, as_json: bool) -> None:
        """Say what was removed, what is left, and what was out of reach."""
        if as_json:
            return self._json({"home": str(home), **asdict(done)})
        names = ", ".join(done.removed)
        size = sum(done.removed.values()) / 1e6
        self._say(
            f"Removed {names} ({size:,.1f} MB) and the key." if names else "There was nothing to remove."
        )
        if done.left:
            self._say(f"Left in {home}, since it is not the program's: {', '.join(map(plain, done.left))}.")
        else:
            self._say(f"{home} is gone. Nothing of it was found in the file system or the keyring.")
        self._say(
            "Out of reach: backups and other copies of the profile, what was exported, the files that the text came "
            "from, and what the disk keeps of deleted files (snapshots, worn blocks). The store is encrypted there; a "
            "key that was in a file may be there, too."
        )
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
