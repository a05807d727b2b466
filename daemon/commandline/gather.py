"""The command `idiolect sources`: what there is to read on this machine, what was read, and taking a source back."""

from __future__ import annotations

import enum
import io
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from idiolect.daemon.commandline.arguments import AsJson, Expect, absolute, path_of
from idiolect.daemon.commandline.forgetting import Consent, carry_out
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.sourceview import SourceView
    from idiolect.daemon.ingest.source_discovery import Place


_KNOWN: Final = "duplicate"


class Action(enum.StrEnum):
    """What to do with sources."""

    FIND = "find"
    LIST = "list"
    REMOVE = "remove"


class Sort(enum.StrEnum):
    """Which sources."""

    MAIL = "mail"
    NOTES = "notes"
    GIT = "git"
    SHELL = "shell"


def sources(
    action: Annotated[
        Action,
        typer.Argument(
            help="find: look what there is to read, and ask for each; list: what was read, and what it brought; "
            "remove: forget all that a source brought."
        ),
    ] = Action.FIND,
    path: Annotated[
        Path | None,
        typer.Argument(
            parser=path_of,
            metavar="PATH",
            help="For remove: the source. For find: where to look [default: your home].",
        ),
    ] = None,
    only: Annotated[list[Sort] | None, typer.Option(help="Look for these only.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; find leaves out shells then.")
    ] = False,
    expect: Expect = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With remove: only say what it would take.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find mail, notes, commits and histories on this machine, and read those that you say yes to."""
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.settings import Settings

    settings = Settings()
    view = _view()
    if action is Action.FIND:
        found = _find(view, path, settings.exclude, only, quiet=as_json)
        if not found or not (yes or (sys.stdin.isatty() and not as_json)):
            view.places(found, as_json=as_json)
            return
        with Client(settings) as client:
            _read_wanted(client, view, found, yes=yes, as_json=as_json, named=only or [])
    elif action is Action.LIST:
        with Client(settings) as client:
            view.sources(client.get("/v1/sources")["sources"], as_json=as_json)
    else:
        if path is None:
            raise typer.BadParameter("name the source to remove (`idiolect sources list` shows them)")
        with Client(settings) as client:
            _remove(client, view, path, Consent(yes, expect, dry_run), as_json=as_json)


def _view() -> SourceView:
    from idiolect.daemon.commandline.sourceview import SourceView

    return SourceView()


def _find(
    view: SourceView, path: Path | None, exclude: tuple[str, ...], only: list[Sort] | None, *, quiet: bool
) -> list[Place]:
    from idiolect.daemon.ingest.source_discovery import places

    home = Path(absolute([path])[0]) if path is not None else Path.home()
    found = []
    with view.searching(home, quiet=quiet):
        for place in places(home, exclude):
            if not only or place.sort in [wanted.value for wanted in only]:
                found.append(place)
    return found


def _read_wanted(
    client: Client, view: SourceView, found: list[Place], *, yes: bool, as_json: bool, named: list[Sort]
) -> None:
    reports = {}
    failed: list[IdiolectError] = []
    for place in found:
        shell = place.sort == Sort.SHELL
        if (
            (not shell or Sort.SHELL in named)
            if yes
            else typer.confirm(view.question(place), default=not shell)
        ):
            body = {"paths": [str(place.path)], "me": list(place.me)}
            try:
                report = view.follow_import(client.stream("/v1/import", body))
            except IdiolectError as error:  # of this place: the others are read all the same
                failed.append(error)
                view.not_read(place, error)
                continue
            reports[str(place.path)] = report
            if not as_json:
                view.read(place, report)
    if as_json:
        view.places(found, as_json=True, reports=reports)
    if failed:
        raise typer.Exit(getattr(failed[0], "relayed_exit_code", failed[0].exit_code))


def _remove(client: Client, view: SourceView, path: Path, consent: Consent, *, as_json: bool) -> None:
    body = {"path": absolute([path])[0]}
    # One that brought nothing may be followed, and stands in the list.
    receipt = carry_out(
        client,
        "/v1/sources/remove",
        body,
        consent,
        view,
        lambda would: view.removing(path, would),
        even_if_empty=True,
    )
    view.removed(path, {**receipt, "dry_run": consent.dry_run}, as_json=as_json)


def lines_of(lines: TextIO, client: Client) -> dict[str, Any]:
    """Send lines of JSON (`text`, perhaps `ts`) to the service one by one; the import's report."""
    from idiolect.daemon.endpoint.shapes import MAX_TEXT_CHARS
    from idiolect.daemon.sources.documents import parsed
    from idiolect.daemon.sources.readers import ReadReport, Skipped

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
        told = client.post(
            "/v1/history", {"text": text, "source": "stdin", "at": None if at is None else at.isoformat()}
        )
        report.redactions += told["redactions"]
        if told["stored"]:
            report.entries += 1
            report.words += len(text.split())
        elif told["reason"] == _KNOWN:
            report.skip_known()
        else:
            why: str = told["reason"]
            report.skip(Skipped(Path("-"), why))
    return asdict(report)


def whose(path: Path) -> list[str]:
    """The names that the user gives for themselves in a source of several people's, where nothing tells who they are.

    None where nothing has to be asked, or where nobody is there to be asked.
    """
    from idiolect.daemon.sources.table import kind_of

    try:
        kind = kind_of(Path(absolute([path])[0]))
        if kind is None or kind.guess is None or kind.people is None or kind.guess(path):
            return []
        people = kind.people(path)
    except (IdiolectError, OSError):
        return []  # the service says what is wrong with it
    if not people or not sys.stdin.isatty():
        return []
    view = _view()
    view.people(path, people)
    chosen = typer.prompt(
        "Which of them are you? (numbers, or * for everybody)", default="", show_default=False
    )
    if chosen.strip() == "*":
        return ["*"]
    numbers = [int(part) for part in chosen.replace(",", " ").split() if part.isdigit()]
    return [people[number - 1][0] for number in numbers if 0 < number <= len(people)]
