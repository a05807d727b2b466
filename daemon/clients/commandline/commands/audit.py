"""The command `idiolect audit`: a report of what was stored, left out, learned and forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import Since, parse_time
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, duration, minute, number, plain
from idiolect.daemon.clients.commandline.progress import follow_phases
from idiolect.daemon.clients.commandline.terminal import Terminal

EXAMPLE = "idiolect audit; idiolect audit --secrets; idiolect audit --show keyboard"

_MAX_DAYS: Final = 14
_MAX_EVENTS: Final = 20
_SHOWN: Final = 20  # texts of a source, where no number is asked for
_FIGURES: Final = ("entries", "words", "redactions")


def run(
    since: Since = None,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Read what is stored again, and list what looks like a secret now."),
    ] = False,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help='Read the newest texts of a source, such as "keyboard", each with the command that forgets it.',
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="With --show: how many texts.", min=1, max=1000)
    ] = None,
) -> None:
    """Show what was taken, when and from where, what was redacted, which adapter saw what, and what happened."""
    terminal = Terminal()
    if limit is not None and show is None:
        raise typer.BadParameter("--limit is for --show")
    if show is not None:
        if secrets or since is not None:
            raise typer.BadParameter("--show stands alone: leave --secrets and --since out")
        with connect() as client:
            texts = client.post("/v1/audit/texts", {"source": show, "limit": limit or _SHOWN})["texts"]
        return terminal.print_result(lambda: _show_texts(terminal, show, texts), texts)
    with connect() as client:
        if secrets:
            events = client.stream("/v1/audit/secrets", {"since": parse_time(since)})
            found = follow_phases(terminal, "Looking for secrets", events)
        else:
            found = client.get("/v1/audit", since=parse_time(since) or "")
            found |= client.get("/v1/sources")
    print_found = _show_secrets if secrets else _show
    return terminal.print_result(lambda: print_found(terminal, found), found)


def _show_texts(terminal: Terminal, source: str, texts: list[dict[str, Any]]) -> None:
    """Show texts of a source, the newest last, each below its number and the time when it was written."""
    for entry in reversed(texts):
        where = f" · {plain(entry['app'])}" if entry["app"] else ""
        terminal.say((f"{entry['id']}  {minute(entry['at'])}{where}", "dim"))
        terminal.say(entry["text"])
    if texts:
        return terminal.say(f"`idiolect forget --id {texts[0]['id']}` forgets the last of these.")
    return terminal.say(
        f"No text of the source “{plain(source)}” is kept. `idiolect audit` lists the sources."
    )


def _show(terminal: Terminal, found: dict[str, Any]) -> None:
    _show_taken(terminal, found["taken"])
    if found["redacted"]:
        left_out = sum(row["redactions"] for row in found["taken"])
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in found["redacted"].items())
        terminal.say(f"{counted(left_out, 'secret')} left out before anything was stored.")
        terminal.say(
            f"Placeholders in stored text, by kind: {kinds}. Where they are more than the secrets, some stood in your "
            "text already."
        )
    if found["sources"]:
        terminal.say("Files, folders and programs' data that were read:")
        terminal.show_table(
            ("kind", "entries", "words", "read", "yours by", "where"),
            map(_make_source_row, found["sources"]),
            right=("entries", "words"),
        )
    for path in found["watches"]:
        terminal.say(f"Followed: {plain(path)}")
    if found["seen"]:
        terminal.say("Entries that each adapter learned from (one made from another also knows the other's):")
        terminal.show_table(
            ("adapter", "source", "entries learned", "written from", "to"),
            map(_make_row, found["seen"]),
            right=("adapter", "entries learned"),
        )
    if found["events"]:
        terminal.say("What happened:")
        for event in found["events"][-_MAX_EVENTS:]:
            terminal.say(f"  {minute(event['at'])}  {_describe_event(event)}", indent=20)
    if len(found["events"]) > _MAX_EVENTS:
        terminal.say(f"  … and {len(found['events']) - _MAX_EVENTS:,} before these: --json shows them.")


def _show_secrets(terminal: Terminal, looked: dict[str, Any]) -> None:
    """List the entries that hold what looks like a secret, each with the command that forgets it; never text."""
    read = f"{counted(looked['entries'], 'entry', 'entries')} ({counted(looked['words'], 'word')})"
    found = looked["found"]
    if not found:
        terminal.say(f"Read again {read}: nothing in them looks like a secret by the rules of this version.")
        return
    terminal.say(f"Read again {read}: in {number(len(found))} something looks like a secret.")
    terminal.show_table(("written", "source", "looks like", "forget it with"), map(_make_secret_row, found))
    terminal.say(
        "It may be none. Of what you keep, nothing typed seldom is offered behind words such as “password”."
    )


def _make_secret_row(entry: dict[str, Any]) -> tuple[str, ...]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in entry["kinds"].items())
    source = " · ".join(plain(entry[name]) for name in ("source", "app") if entry[name])
    return minute(entry["at"]), source, kinds, f"idiolect forget --id {entry['id']}"


def _show_taken(terminal: Terminal, taken: list[dict[str, Any]]) -> None:
    if not taken:
        terminal.say("Nothing was taken.")
        return
    terminal.say("Taken, by source:")
    _show_sums(terminal, _sum_by(taken, ("source", "app")))
    days = _sum_by(taken, ("day",))
    few = len(days) <= _MAX_DAYS
    terminal.say("By day (UTC):" if few else f"The last {_MAX_DAYS} of {len(days):,} days (UTC):")
    _show_sums(terminal, days[-_MAX_DAYS:])


def _show_sums(terminal: Terminal, sums: list[tuple[str, Counter[str]]]) -> None:
    rows = ((label, *(number(counts[name]) for name in _FIGURES)) for label, counts in sums)
    terminal.show_table(("", *_FIGURES), rows, right=_FIGURES)


def _sum_by(rows: Iterable[dict[str, Any]], names: tuple[str, ...]) -> list[tuple[str, Counter[str]]]:
    """Sum the figures of rows that have the same values under `names`; each sum with these values as its label."""
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        label = " · ".join(plain(row[name]) for name in names if row[name])
        sums.setdefault(label, Counter()).update({name: row[name] for name in _FIGURES})
    return list(sums.items())


def _make_source_row(row: dict[str, Any]) -> tuple[str, ...]:
    """Return what a source was, what it brought, when it was read, by which names it is the user's, and where."""
    figures = number(row["entries"]), number(row["words"])
    return row["kind"], *figures, str(row["read_at"])[:10], plain(", ".join(row["me"])), plain(row["path"])


def _make_row(row: dict[str, Any]) -> tuple[str, ...]:
    first, last = (str(row[end])[:10] for end in ("first", "last"))
    entries = f"{number(row['entries'])} of {number(row['stored'])}"
    return str(row["adapter"]), plain(row["source"]), entries, first, last


def _describe_event(event: dict[str, Any]) -> str:
    match event:
        case {"kind": "pause", "detail": {"seconds": for_s}}:
            return f"paused for {duration(for_s)}"
        case {"kind": "pause"}:
            return "paused until resumed"
        case {"kind": "resume"}:
            return "learning resumed"
        case {"kind": "forget", "detail": {"entries": entries, "adapters": adapters}}:
            return f"forgot {counted(entries, 'entry', 'entries')}, dropped {counted(adapters, 'adapter')}"
        case {"kind": "expired", "detail": {"entries": entries}}:
            return f"let go of the oldest text: {counted(entries, 'entry', 'entries')}"
        case {"kind": "adapter damaged", "detail": {"adapter": adapter}}:
            return f"adapter {adapter} was found damaged"
        case {"kind": "backup", "detail": {"path": path}}:
            return plain(f"backed up to {path}")
        case {"kind": "export", "detail": {"what": what, **rest}}:
            return plain(f"exported {what}" + (f" of adapter {rest['adapter']}" if "adapter" in rest else ""))
    return plain(str(event["kind"]))
