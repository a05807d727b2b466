"""The command `idiolect add`: read files and folders once, or lines of JSON from stdin."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer

from idiolect.daemon.clients.commandline.arguments import Me, confirm, make_absolute, parse_path
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, plain
from idiolect.daemon.clients.commandline.interrupts import explain_interrupt
from idiolect.daemon.clients.commandline.progress import follow_import
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import NotAnsweringError, ServiceClient
from idiolect.daemon.sources.documents import parsed
from idiolect.daemon.sources.items import ReadReport, Skipped
from idiolect.daemon.sources.kinds import kind_of
from idiolect.daemon.text.typed_text import MAX_TEXT_CHARS
from idiolect.models.errors import IdiolectError

EXAMPLE = "idiolect add ~/notes ~/src/project/.git; idiolect add chat.txt --me 'Name in the chat'; idiolect add --find"

#: The service's reason for not storing a text that it has.
_KNOWN: Final = "duplicate"
_MAX_PEOPLE: Final = 20
#: A folder with more files is read only where the user says so; they are counted for so long.
_MANY_FILES: Final = 100_000
_COUNTING_S: Final = 5.0
_BROKEN_OFF: Final = (
    "The reading broke off. What was read until then is kept: the same command again reads the rest, and "
    "`idiolect audit` shows what came from where."
)


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=parse_path,
            metavar="PATH…",
            help="Files, folders, mailboxes, exported chats, .git folders for their commit messages; - for JSON lines.",
        ),
    ] = None,
    me: Me = None,
    find: Annotated[
        bool,
        typer.Option(
            "--find",
            help="Look what mail, notes, documents and commits are on this machine, or below PATH, and ask for each.",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask, however much there is to read."),
    ] = False,
) -> None:
    """Read notes, mail, chats or commit messages once; asks first where that is very much."""
    terminal = Terminal()
    paths = paths or []
    if find:
        if me or len(paths) > 1:
            raise typer.BadParameter("--find takes one folder, or none, and no --me")
        from idiolect.daemon.clients.commandline.commands.found_sources import find_and_read

        return find_and_read(next(iter(paths), None), yes=yes, terminal=terminal)
    if not paths:
        raise typer.BadParameter("name a PATH, or look what there is with --find")
    if me is None and len(paths) == 1:
        me = _ask_who_writes(terminal, paths[0])
    with connect() as client:
        if not yes:
            _ask_where_very_much(paths)
        if paths == [Path("-")]:
            with explain_break(terminal):
                report = _send_lines(client, sys.stdin)
        else:
            report = read_paths(client, terminal, paths, me or [])
        return show_import(terminal, report)


def _ask_where_very_much(paths: list[Path]) -> None:
    for path in paths:
        if path != Path("-") and (much := describe_very_much(Path(make_absolute(path)))) is not None:
            confirm(f"{path} {much}. Read all of it? What others wrote there would be learned as yours.")


def describe_very_much(path: Path, many: int = _MANY_FILES) -> str | None:
    """Say what makes a folder very much to read: a home folder, or more than `many` files; None where it is not."""
    real = Path(os.path.realpath(path))
    if Path.home().is_relative_to(real):
        return "is your home folder" if real == Path.home() else "holds your home folder"
    count, until_s = 0, time.monotonic() + _COUNTING_S
    for _, folders, files in os.walk(real):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += len(files)
        if count > many:
            return f"holds more than {many:,} files"
        if time.monotonic() > until_s:
            return f"holds more files than can be counted in {_COUNTING_S:.0f} seconds ({count:,} until then)"
    return None


def read_paths(client: ServiceClient, terminal: Terminal, paths: list[Path], me: list[str]) -> dict[str, Any]:
    """Have the service read paths, with its progress shown; `me` is how the user is called there.

    Returns the import's report.
    """
    body = {"paths": [make_absolute(path) for path in paths], "me": me}
    with explain_break(terminal):
        return follow_import(terminal, client.stream("/v1/import", body))


@contextlib.contextmanager
def explain_break(terminal: Terminal) -> Iterator[None]:
    """Say what is kept where Ctrl-C or the end of the service breaks an import off."""
    with explain_interrupt(lambda: terminal.note(_BROKEN_OFF)):
        try:
            yield
        except NotAnsweringError:
            terminal.note(_BROKEN_OFF)
            raise


def show_import(terminal: Terminal, report: dict[str, Any]) -> None:
    """Show what was read, and what was skipped and why."""
    if terminal.as_json:
        return terminal.print_json(report)
    read = [counted(report["files"], "file"), counted(report["entries"], "new entry", "new entries")]
    terminal.say(f"Read {', '.join(read)}, {counted(report['words'], 'word')}.")
    if report["skipped"]:
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report["skipped"].items()))
        terminal.say(f"Skipped: {why}.")
    if report["redactions"]:
        terminal.say(
            f"Left out: {counted(report['redactions'], 'secret')} such as passwords and card numbers."
        )
    for note in report["notes"]:
        terminal.say(f"  {note}")
    if report["more_notes"]:
        terminal.say(f"  … and {report['more_notes']:,} more like these")
    return None


def _send_lines(client: ServiceClient, lines: TextIO) -> dict[str, Any]:
    """Send lines of JSON (`text`, perhaps `ts`) to the service one by one; return an import's report."""
    if isinstance(lines, io.TextIOWrapper):
        lines.reconfigure(encoding="utf-8", errors="ignore")  # JSON is that, whatever the terminal's language
    report = ReadReport(files=1)
    for line in lines:
        if not line.strip():
            continue
        text, at, problem = parsed(line)
        if problem is not None:
            report.skip(Skipped(Path("-"), problem))
        if text is None:
            continue
        if len(text) > MAX_TEXT_CHARS:
            report.skip(Skipped(Path("-"), "lines too long"))
            continue
        answer = client.post(
            "/v1/history", {"text": text, "source": "stdin", "at": None if at is None else at.isoformat()}
        )
        report.redactions += answer["redactions"]
        if answer["stored"]:
            report.entries += 1
            report.words += len(text.split())
        elif answer["reason"] == _KNOWN:
            report.skip_known()
        else:
            why: str = answer["reason"]
            report.skip(Skipped(Path("-"), why))
    return asdict(report)


def _ask_who_writes(terminal: Terminal, path: Path) -> list[str]:
    """Ask which of several people in a source the user is, where nothing tells; return the names they choose.

    Returns no names where nothing has to be asked, or where nobody is there to be asked.
    """
    try:
        kind = kind_of(Path(make_absolute(path)))
        if kind is None or kind.guess is None or kind.people is None or kind.guess(path):
            return []
        people = kind.people(path)
    except (IdiolectError, OSError):
        return []  # the service says what is wrong with it
    if not people or not sys.stdin.isatty():
        return []
    terminal.say(f"{path} has text of several people:")
    for place, (name, count) in enumerate(list(people)[:_MAX_PEOPLE], start=1):
        terminal.say(f"{place:>4}  {plain(name)} ({count:,})")
    chosen = typer.prompt(
        "Which of them are you? (numbers, or * for everybody)", default="", show_default=False
    )
    if chosen.strip() == "*":
        return ["*"]
    places = [int(part) for part in chosen.replace(",", " ").split() if part.isdigit()]
    return [people[place - 1][0] for place in places if 0 < place <= len(people)]
