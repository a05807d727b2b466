"""The terminal: sentences, facts, tables and JSON on stdout; notes on stderr. Nothing printed is taken as markup."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


class Terminal:
    """Prints what a command has to show. Lines are never wrapped, so that they can be copied whole."""

    def __init__(self) -> None:
        """Print to stdout and stderr as they are now."""
        self._out = Console(highlight=False)
        self.errors = Console(stderr=True, highlight=False)

    def say(self, *parts: str | tuple[str, str]) -> None:
        """Print a line on stdout; a part is its text, or its text and a style such as "dim"."""
        self._out.print(Text.assemble(*parts), soft_wrap=True)

    def note(self, sentence: str) -> None:
        """Print a line on stderr: what the user should know, but a program that reads the result should not get."""
        self.errors.print(Text(sentence), soft_wrap=True)

    def print_json(self, content: object) -> None:
        """Print `content` as JSON on stdout."""
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def tell(self, sentence: str, facts: dict[str, object], *, as_json: bool) -> None:
        """Print a sentence or, as JSON, the facts that it is made of."""
        if as_json:
            self.print_json(facts)
        else:
            self.say(sentence)

    def show_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Print pairs of a name and a value, a line each."""
        for name, value in facts:
            self.say((f"{name:<9}", "dim"), value)

    def show_table(
        self,
        columns: Iterable[str],
        rows: Iterable[Iterable[str | tuple[str | tuple[str, str], ...]]],
        *,
        right: Collection[str] = (),
        styles: Mapping[str, str] | None = None,
        narrow: bool = False,
    ) -> None:
        """Print a table. A cell is its text, or a tuple of parts as `say` takes them.

        `right` names the columns that are set flush right, `styles` the style of columns. A `narrow` table has no
        space around its cells and breaks none of them.
        """
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        if narrow:
            table.padding = 0
        for name in columns:
            table.add_column(
                name,
                justify="right" if name in right else "left",
                style=(styles or {}).get(name),
                overflow="fold",
                no_wrap=narrow,
            )
        for row in rows:
            table.add_row(*(Text(cell) if isinstance(cell, str) else Text.assemble(*cell) for cell in row))
        self._out.print(table)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something short is under way, where somebody watches."""
        watched = self.errors.is_terminal
        with self.errors.status(f"{what} …") if watched else contextlib.nullcontext():
            yield
