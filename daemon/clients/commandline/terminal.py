"""Output to the terminal: sentences, facts, tables and JSON on stdout, notes on stderr; no text is markup."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict
from typing import ClassVar, Final, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from idiolect.daemon.clients.commandline.formatting import plain_lines

#: What a line is not broken within: a word, and a command in backquotes that is not long. With the spaces behind it.
_WHOLE: Final = re.compile(r"(?:`[^`\n]{1,60}`|[^ ])+ *")

#: In the last column of a table, such as a path, a word that is longer than this many columns is broken.
_FOLDED: Final = 20


class Terminal:
    """Prints what a command has to show.

    Sentences are wrapped at the width of the terminal, at 80 columns where nothing says how wide it is. A command in
    backquotes, a path and an address are never broken, and what is there to be copied has `show_whole`.

    Attributes:
        as_json: whether the command of this process was asked for JSON, with `--json`.
    """

    as_json: ClassVar[bool] = False

    def __init__(self) -> None:
        """Print to stdout and stderr as they are now."""
        self._out = Console(highlight=False)
        self.errors = Console(stderr=True, highlight=False)

    def say(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """Print a sentence on stdout; a part is its text, or its text and a style such as "dim".

        Nothing is written below its first `indent` columns.
        """
        _print_wrapped(self._out, _text(*parts), indent)

    def show_whole(self, *parts: str | tuple[str, str]) -> None:
        """Print a line on stdout that is never wrapped, so that it can be copied: a path, a link, a command."""
        self._out.print(_text(*parts), soft_wrap=True)

    def note(self, sentence: str) -> None:
        """Print a sentence on stderr: what the user should know, but a program that reads the result should not get."""
        _print_wrapped(self.errors, _text(sentence), 0)

    def print_json(self, content: object) -> None:
        """Print `content`, in which dataclasses are objects, as JSON on stdout."""
        written = json.dumps(content, indent=2, ensure_ascii=False, default=asdict)
        sys.stdout.write(written if written.isprintable() else "".join(map(_escaped, written)))
        sys.stdout.write("\n")

    def print_result(
        self, said: str | Iterable[str] | Callable[[], None], facts: object, *, whole: bool = False
    ) -> None:
        """Print sentences or, as JSON, the facts that they are made of.

        `said` may be a function that prints the result. `whole`: a path, which is never wrapped.
        """
        if self.as_json:
            self.print_json(facts)
        elif callable(said):
            said()
        else:
            for sentence in (said,) if isinstance(said, str) else said:
                (self.show_whole if whole else self.say)(sentence)

    def show_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Print pairs of a name and a value, which goes on below itself where it is long."""
        pairs = tuple(facts)
        width = max(len(name) for name, _ in pairs) + 2
        for name, value in pairs:
            self.say((name.ljust(width), "dim"), value, indent=width)

    def show_table(
        self, columns: Iterable[str], rows: Iterable[Iterable[str]], *, right: Collection[str] = ()
    ) -> None:
        """Print a table, or each row as a list where the terminal is too narrow for whole words.

        `right` names the columns that are set flush right.
        """
        names, cells = tuple(columns), [list(map(plain_lines, row)) for row in rows]
        least = [_longest_word([name, *(row[at] for row in cells)]) for at, name in enumerate(names)]
        least[-1] = min(least[-1], _FOLDED)
        if sum(least) + 3 * len(least) > self._out.width:
            for row in cells:
                self.show_facts((name, cell) for name, cell in zip(names, row, strict=True) if cell)
                self.say("")
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name, width in zip(names, least, strict=True):
            justify: Literal["left", "right"] = "right" if name in right else "left"
            table.add_column(name, min_width=width, justify=justify, overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        self._out.print(table)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show that something is under way, where somebody watches; call the yielded function with what it is now."""
        if not self.errors.is_terminal:
            yield lambda _now: None
            return
        with self.errors.status(_text(f"{what} …")) as status:
            yield lambda now: status.update(_text(f"{now} …"))


def _longest_word(texts: Iterable[str]) -> int:
    """Return the width of the longest word of some texts."""
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def _text(*parts: str | tuple[str, str]) -> Text:
    """A text without control characters: no part of it, be it a file's name, moves the cursor or changes colours."""
    return Text.assemble(
        *(plain_lines(part) if isinstance(part, str) else (plain_lines(part[0]), *part[1:]) for part in parts)
    )


def _escaped(char: str) -> str:
    """A character in a JSON text, escaped where a terminal would obey it."""
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]


def _print_wrapped(console: Console, text: Text, indent: int) -> None:
    """Print a text with its lines broken at the console's width; nothing stands below its first `indent` columns."""
    for line in text.split("\n", allow_blank=True):
        column = begin = len(line.plain) - len(line.plain.lstrip(" "))
        breaks = list[int]()
        for word in _WHOLE.finditer(line.plain):
            if word.start() > begin and column + cell_len(word[0].rstrip()) > console.width:
                breaks.append(word.start())
                column = indent
            column += cell_len(word[0])
        for number, part in enumerate(line.divide(breaks)):
            part.rstrip()
            console.print(Text(" " * indent if number else "") + part, soft_wrap=True)
