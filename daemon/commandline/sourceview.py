"""What `idiolect sources` shows: what there is to read, what was read, and what removing a source takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from idiolect.daemon.commandline.forgetview import ForgetView, how_to_agree
from idiolect.daemon.commandline.tables import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from idiolect.daemon.ingest.source_discovery import Place
    from idiolect.models.errors import IdiolectError

_SHOWN = 20  # people


class SourceView(ForgetView):
    """The terminal, for sources."""

    def searching(self, home: Path, *, quiet: bool) -> AbstractContextManager[None]:
        """Show that places are looked for below `home`."""
        return self.waiting("Looking" if quiet else f"Looking below {home}")

    def places(
        self, found: list[Place], *, as_json: bool, reports: dict[str, dict[str, Any]] | None = None
    ) -> None:
        """List what there is to read; as JSON, with the report on each that was read."""
        if as_json:
            rows = [{**asdict(place), "path": str(place.path)} for place in found]
            return self._json([{**row, "report": (reports or {}).get(row["path"])} for row in rows])
        if not found:
            return self._say(
                "Nothing was found. `idiolect add PATH` reads what you name; docs/sources.md says what."
            )
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("what", "words", "yours by", "where"):
            table.add_column(column, justify="right" if column == "words" else "left", overflow="fold")
        for place in found:
            me = Text(plain(", ".join(place.me)))
            table.add_row(place.says, _words(place), me, Text(plain(str(place.path))))
        self._out.print(table)
        self._say("Nothing was read. Call it in a terminal to be asked for each, or add --yes.")
        return None

    def question(self, place: Place) -> str:
        """What is asked before a place is read."""
        by = f", yours by {', '.join(place.me)}" if place.me else ""
        return plain(f"Read {place.says}, {_words(place)} words{by}: {place.path}?")

    def read(self, place: Place, report: dict[str, Any]) -> None:
        """Say what reading a place brought."""
        self._say(f"{place.path}: {report['entries']:,} new entries, {report['words']:,} words.")

    def not_read(self, place: Place, why: IdiolectError) -> None:
        """Say on stderr what was wrong with a place."""
        self._err.print(Text(plain(f"{place.path}: {why}")), soft_wrap=True)

    def sources(self, rows: list[dict[str, Any]], *, as_json: bool) -> None:
        """List what was read, and what each source brought."""
        if as_json:
            return self._json(rows)
        if not rows:
            return self._say("Nothing was read yet; `idiolect sources` looks what there is.")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("kind", "entries", "words", "read", "yours by", "where"):
            justify = "right" if column in ("entries", "words") else "left"
            table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
        for row in rows:
            figures = (f"{row['entries']:,}", f"{row['words']:,}", str(row["read_at"])[:10])
            me = Text(plain(", ".join(row["me"])))
            table.add_row(row["kind"], *figures, me, Text(plain(row["path"])))
        self._out.print(table)
        return None

    def removing(self, path: Path, receipt: dict[str, Any]) -> str:
        """The question before a source is removed."""
        dropped = receipt["adapters_dropped"]
        also = f", and drop {len(dropped)} adapter(s) that learned from them" if dropped else ""
        return plain(
            f"This forgets the {receipt['entries']:,} entries that {path} brought{also}. {how_to_agree(receipt)}"
        )

    def removed(self, path: Path, receipt: dict[str, Any], *, as_json: bool) -> None:
        """Say what removing a source took, or would take."""
        if as_json:
            return self._json(receipt)
        did = "Would forget" if receipt["dry_run"] else "Removed, and forgot"
        self._say(
            f"{did} {receipt['entries']:,} entries of {path}; adapters: {len(receipt['adapters_dropped'])}."
        )
        return None

    def people(self, path: Path, people: Iterable[tuple[str, int]]) -> None:
        """List who writes in a source, the busiest first, each with a number to choose."""
        self._say(f"{path} has text of several people:")
        for number, (name, count) in enumerate(list(people)[:_SHOWN], start=1):
            self._out.print(Text(f"{number:>4}  {plain(name)} ({count:,})"), soft_wrap=True)


def _words(place: Place) -> str:
    return f"{place.words:,}" if place.exact else f"about {_rounded(place.words):,}"


def _rounded(words: int) -> int:
    """To two digits: an estimate knows no more."""
    unit: int = 10 ** max(0, len(str(words)) - 2)
    return round(words / unit) * unit
