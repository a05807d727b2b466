"""The command `idiolect words`: words that are never, or always, suggested or corrected."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import parse_path, read_text
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.formatting import counted, plain
from idiolect.daemon.clients.commandline.output_files import writing
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.commandline.word_list_files import WordList, read_word_list
from idiolect.daemon.clients.link import ServiceClient
from idiolect.models import durable

EXAMPLE = 'idiolect words never "fyi"; idiolect words mine "Zorvelin"; idiolect words correct "hte" "the"'

_MOST_ADDED: Final = 10_000  # words and phrases in one request
_MEANINGS: Final = {
    "never": "is never suggested",
    "mine": "is suggested, however rare",
    "never_correct": "is never corrected",
    "always_correct": "is always corrected",
}


GROUP = typer.Typer(
    help="Say which words are never suggested, which are yours, and what is corrected; what was learned stays as it is."
)

_Text = Annotated[
    str, typer.Argument(metavar="TEXT", help="The word or phrase, in any case; - reads it from stdin.")
]


@GROUP.command("list")
def list_rules() -> None:
    """Show what was said."""
    terminal = Terminal()
    with connect() as client:
        rules = client.get("/v1/words")["rules"]
    terminal.print_result(lambda: _list(terminal, rules), rules)


@GROUP.command()
def never(text: _Text) -> None:
    """Suggest it no more."""
    _change("add", {"text": read_text(text), "kind": "never"})


@GROUP.command()
def mine(text: _Text) -> None:
    """Suggest it although it is rare."""
    _change("add", {"text": read_text(text), "kind": "mine"})


@GROUP.command()
def correct(
    text: _Text,
    replacement: Annotated[
        str, typer.Argument(metavar="REPLACEMENT", help="What it is corrected to; - reads it from stdin.")
    ],
) -> None:
    """Always put REPLACEMENT in its place."""
    given, put = read_text(text), read_text(replacement)
    _change("add", {"text": given, "kind": "always_correct", "replacement": put})


@GROUP.command("never-correct")
def never_correct(text: _Text) -> None:
    """Leave it as it is: it is no mistake."""
    _change("add", {"text": read_text(text), "kind": "never_correct"})


@GROUP.command()
def remove(text: _Text) -> None:
    """Take back what was said of it."""
    _change("remove", {"text": read_text(text)})


@GROUP.command()
def undo() -> None:
    """Take the last change back."""
    _change("undo", {})


@GROUP.command("import")
def import_words(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A plain list, hunspell's or LibreOffice's .dic, or espanso's matches (.yml); - reads stdin.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be added.")] = False,
) -> None:
    """Make the words and phrases of FILE yours."""
    read = read_word_list(file)
    with connect() as client:
        added, left_out = _add_own(client, read, dry_run=dry_run)
    facts = {"added": added, "left_out": left_out, "dry_run": dry_run}
    said = [plain(text) for text in added] if dry_run else []
    said.append(f"{'Would be' if dry_run else 'Now'} yours: {len(added):,}.")
    said += [f"Left out, {reason}: {count:,}." for reason, count in left_out.items()]
    if added and not dry_run:
        said.append("Undo: idiolect words undo")
    Terminal().print_result(said, facts)


@GROUP.command("export")
def export_words(
    file: Annotated[
        Path | None, typer.Argument(parser=parse_path, metavar="FILE", help="Where to; else it is printed.")
    ] = None,
) -> None:
    """Write the words that you wrote, and how often, as a plain list. It is not encrypted."""
    if file is not None and file.exists():
        raise typer.BadParameter(f"{file} is there already: name another file")
    with connect() as client:
        words = client.get("/v1/words/export")["words"]
    text = "".join(f"{plain(word['text'])}\t{word['count']}\n" for word in words)
    if file is None:
        return Terminal().print_result(lambda: typer.echo(text, nl=False), words)
    with writing(file, "Name another file."):
        durable.write(file, text.encode())
    said = f"{counted(len(words), 'word')} written; whoever can read the file can read them."
    return Terminal().print_result(said, {"path": str(file), "words": len(words)})


def _add_own(client: ServiceClient, read: WordList, *, dry_run: bool) -> tuple[list[str], Counter[str]]:
    """Make words of a list the user's own in one change; return those that became it, and what was left out."""
    texts, left_out = read.texts, Counter(read.left_out)

    def send(some: list[str], *, dry: bool) -> list[str]:
        answer = client.post("/v1/words/import", {"texts": some, "dry_run": dry}, patient=True)
        left_out.update(answer["left_out"])
        return list(answer["added"])

    if len(texts) > _MOST_ADDED:
        rest, texts = texts, []
        while rest and len(texts) < _MOST_ADDED:
            texts += send(rest[:_MOST_ADDED], dry=True)
            rest = rest[_MOST_ADDED:]
        left_out[f"after the first {_MOST_ADDED:,} new ones"] = len(rest) + max(0, len(texts) - _MOST_ADDED)
    return send(texts[:_MOST_ADDED], dry=dry_run) if texts else [], +left_out


def _change(how: str, body: dict[str, str]) -> None:
    with connect() as client:
        change = client.post(f"/v1/words/{how}", body)
    said = [*_describe(change), *(() if how == "undo" else ["Undo: idiolect words undo"])]
    Terminal().print_result(said, change)


def _list(terminal: Terminal, rules: list[dict[str, Any]]) -> None:
    if not rules:
        return terminal.say('No word was decided about yet: idiolect words never "fyi"')
    return terminal.show_table(
        ("word or phrase", "it", "said by"),
        (
            (plain(rule["text"]), _meaning(rule), "you" if rule["source"] == "hand" else "learned")
            for rule in rules
        ),
    )


def _describe(change: dict[str, Any]) -> list[str]:
    """Return what holds now and what no longer does."""
    gone = [f"No longer: “{plain(rule['text'])}” {_meaning(rule)}." for rule in change["removed"]]
    new = [f"“{plain(rule['text'])}” {_meaning(rule)}." for rule in change["added"]]
    return [*gone, *new] or ["That was so already."]


def _meaning(rule: dict[str, Any]) -> str:
    meaning = _MEANINGS[rule["kind"]]
    return f"{meaning} to “{plain(rule['replacement'])}”" if rule["replacement"] else meaning
