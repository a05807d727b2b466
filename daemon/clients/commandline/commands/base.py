"""The command `idiolect base`: which base models there are, what each costs, and which one serves."""

from __future__ import annotations

import math
import pydoc
import sys
from collections.abc import Sequence
from typing import Annotated, Any, get_args

import typer

from idiolect.daemon.clients.commandline.formatting import plain_lines
from idiolect.daemon.clients.commandline.service_process import build_base, service_ended
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import process, service_unit
from idiolect.daemon.settings import Language, Settings, locale_languages
from idiolect.daemon.vault.marker import claim, refuse_lost
from idiolect.daemon.vault.purge import remove_base
from idiolect.models.base_choice import (
    BaseInUseError,
    Choice,
    TermsNotAcceptedError,
    UnknownBaseError,
    accept_terms,
    base_folder,
    fetch_terms,
    find_built_bases,
    has_accepted_terms,
    list_base_names,
    read_choice,
    read_terms,
    resolve_base,
    write_choice,
)
from idiolect.models.base_speed import Speed, speed_of
from idiolect.models.build import BasePaths
from idiolect.models.errors import DamagedModelError, IdiolectError
from idiolect.models.known_bases import DEFAULT, KnownBase, bases_by_name, missing_bytes, terms_of

EXAMPLE = "idiolect base; idiolect base use gemma3-270m; idiolect base use smollm2-135m"

GROUP = typer.Typer(
    help="Choose the base model: the language model that your text is learned on top of. The default knows English; "
    "gemma3-270m knows more languages, has terms of its own, and takes more memory. Each has its own "
    "adapters, and what you wrote is kept once: `use` goes from one to another and back."
)


@GROUP.command("list")
def list_bases() -> None:
    """List the base models, what each costs, and which one serves."""
    settings, terminal = Settings(), Terminal()
    try:
        serving = read_choice(settings.base_dir).name
    except DamagedModelError as error:  # what there is to choose from is told all the same
        terminal.note(str(error))
        serving = None
    with terminal.waiting("Measuring"):
        rows = _rows(settings, serving)
    terminal.print_result(lambda: _show(terminal, rows), rows)


@GROUP.command()
def use(
    base: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="A name of the list, or a GGUF of the Llama or Gemma family."
        ),
    ],
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms of the base model without being asked.")
    ] = False,
) -> None:
    """Fetch and build a base model where it is not here yet, and serve it; the one before stays."""
    settings, terminal = Settings().prepare(), Terminal()
    refuse_lost(settings)
    claim(settings)
    choice = resolve_base(settings.base_dir, base)
    if choice.known is not None and choice.name not in find_built_bases(settings.base_dir):
        _agree(settings, terminal, choice.known, accepted=accept_terms)
    languages, certain = _languages(settings, terminal)
    build_base(settings, terminal, choice, languages if certain else ())
    made = find_built_bases(settings.base_dir)[choice.name]
    if choice.known is None and (terms := terms_of(made.source_sha256, made.config)) is not None:
        terminal.note(f"{choice.name} is of Gemma's family. {terms.notice}, and so is what is made from it.")
    speed = _speed(settings, made)
    if certain and made.languages and (others := [one for one in languages if one not in made.languages]):
        terminal.note(
            f"{choice.name} was made for {', '.join(made.languages)}: text in {', '.join(others)} takes more tokens. "
            f"To have it made for all, let another one serve, run `idiolect base remove {choice.name}`, and this again."
        )
    former = _chosen_or_default(settings)  # only now: minutes have gone by
    if chosen_now := choice.name != former.name or choice.sha256 != former.sha256:
        _switch(settings, terminal, choice, former)
    elif choice.gguf is not None:
        write_choice(settings.base_dir, choice)  # its file may be elsewhere now
    runs = process.holder(settings) is not None
    how = (
        "serves from the next `idiolect start` on"
        if not runs
        else "serves now"
        if chosen_now
        else "serves already"
    )
    facts = {"base": choice.name, "former": former.name, "token_ms": speed and speed.token_ms}
    said = [f"{choice.name} {how}{_describe(speed)}."]
    if chosen_now:
        said += [
            f"What you wrote is known to it at once. Its adapters are its own (`idiolect adapters`); those of "
            f"{former.name} wait for that one to come back.",
            f"Undo: idiolect base use {former.name}",
        ]
    terminal.print_result(said, facts)


@GROUP.command()
def remove(base: Annotated[str, typer.Argument(metavar="NAME", help="A name of the list.")]) -> None:
    """Remove a base model's files, unless it serves. Its adapters stay in the store, for when it comes back."""
    settings, terminal = Settings(), Terminal()
    if base not in list_base_names(settings.base_dir):
        raise UnknownBaseError(
            f"Nothing of a base model {base} is here. `idiolect base` lists those that are."
        )
    if base == read_choice(settings.base_dir).name:
        raise BaseInUseError(
            f"{base} serves, so it stays. Have another one serve first: `idiolect base use NAME`."
        )
    place = base_folder(settings.base_dir, base)
    size_bytes = remove_base(settings, place / "model" if base == DEFAULT.name else place)
    said = (
        f"Removed {base}: {size_bytes / 1e6:,.0f} MB are free again.",
        f"`idiolect base use {base}` fetches and builds it again.",
    )
    terminal.print_result(said, {"base": base, "bytes": size_bytes})


def _languages(settings: Settings, terminal: Terminal) -> tuple[Sequence[str], bool]:
    """Return the languages that the user writes, and whether that is certain: chosen, or found in much text."""
    if process.holder(settings) is None:
        known = settings.languages
        return (known, True) if known else _ask_languages(settings, terminal, locale_languages(), None)
    try:
        with ServiceClient(settings) as client:
            now = client.get("/v1/status")
            if now.get("languages_certain"):
                return now["languages"], True
            return _ask_languages(settings, terminal, now["languages"], client)
    except IdiolectError:  # a locked one tells none
        return (), False


def _ask_languages(
    settings: Settings, terminal: Terminal, found: Sequence[str], client: ServiceClient | None
) -> tuple[Sequence[str], bool]:
    """Ask which languages the user writes, where somebody is there, and have the service know it.

    Returns what was `found`, and that it is not certain, where nobody is.
    """
    if not sys.stdin.isatty():
        return (found if client else settings.languages), False
    known = get_args(Language)
    while True:
        answer = typer.prompt(
            f"Which languages do you write, the most written first? ({' '.join(known)})",
            default=" ".join(found),
        )
        languages = list(dict.fromkeys(answer.replace(",", " ").lower().split()))
        if languages and set(languages) <= set(known):
            break
        terminal.say(f"Name some of these with spaces between: {' '.join(known)}.")
    if client is not None:
        client.post("/v1/switches", {"languages": languages})
    elif languages != list(locale_languages()):
        terminal.note(f"Once it runs: idiolect switch languages {' '.join(languages)}")
    return languages, True


def _chosen_or_default(settings: Settings) -> Choice:
    """Return what serves; the default where that cannot be read, so that choosing anew mends it."""
    try:
        return read_choice(settings.base_dir)
    except DamagedModelError:
        return Choice(DEFAULT.name, "")


def _agree(settings: Settings, terminal: Terminal, known: KnownBase, *, accepted: bool) -> None:
    """Show the terms of a base model, and return once they are accepted. Raises TermsNotAcceptedError."""
    if has_accepted_terms(settings.base_dir, known):
        return
    with terminal.waiting(f"Fetching the terms of {known.title}"):
        document = fetch_terms(settings.base_dir, known)
    if known.terms is None or document is None:
        return
    if accepted:
        accept_terms(settings.base_dir, known)
        terminal.note(f"{known.terms.title}: accepted. Their text is in {document}")
        return
    if not sys.stdin.isatty():
        raise TermsNotAcceptedError(
            f"{known.title} comes under the {known.terms.title}, and nobody is there to ask. Read them in {document}, "
            "and if you accept them, give --accept-terms. Nothing was changed."
        )
    terminal.say(
        f"{known.title} is not open: the {known.terms.title} restrict what it may be used for, and hold for what is "
        "made from it, such as adapters that are trained on it, and for those to whom you give these."
    )
    terminal.show_whole(f"Their text: {document} and {known.terms.address}")
    terminal.say("It follows now; where it is longer than the screen, the key q goes on to the question.")
    pydoc.pager(plain_lines(read_terms(document)))
    megabytes = f"{known.download_bytes / 1e6:,.0f} MB are fetched"
    if not typer.confirm(f"Do you accept them ({megabytes})?"):
        raise TermsNotAcceptedError(
            f"The {known.terms.title} were not accepted, so {known.title} was not fetched. Nothing was changed."
        )
    accept_terms(settings.base_dir, known)


def _switch(settings: Settings, terminal: Terminal, choice: Choice, former: Choice) -> None:
    """Have another base model serve. Where the service cannot start with it, the former one serves again."""
    chosen = False
    # All token ids are written anew, once into the log and once into the store.
    room_bytes = settings.store_path.stat().st_size if settings.store_path.exists() else 0
    try:
        with service_ended(settings, terminal, room_bytes):
            write_choice(settings.base_dir, choice)
            chosen = True
    except (IdiolectError, OSError):
        if chosen:
            write_choice(settings.base_dir, former)
            service_unit.start(settings)
        raise
    except KeyboardInterrupt:
        terminal.note(
            "If the service is not running now, `idiolect start` starts it with one of the two base models."
        )
        raise


def _speed(settings: Settings, base: BasePaths) -> Speed | None:
    return speed_of(base, settings.threads)


def _describe(speed: Speed | None) -> str:
    return (
        ""
        if speed is None
        else f": a token takes {speed.token_ms:.1f} ms here, and the model {speed.memory_mb:,} MB of memory"
    )


def _rows(settings: Settings, serving: str | None) -> list[dict[str, Any]]:
    """Return what is told of each base model that is known or built."""
    there = find_built_bases(settings.base_dir)
    rows = []
    for name in dict.fromkeys([*bases_by_name(), *there]):
        known, base = bases_by_name().get(name), there.get(name)
        speed = None if base is None else _speed(settings, base)
        memory_mb = speed.memory_mb if speed else known and known.memory_mb
        rows.append(
            {
                "name": name,
                "serves": name == serving,
                "built": base is not None,
                "download_mb": known and round(known.download_bytes / 1e6),
                "missing_mb": _missing_mb(settings, known) if known and base is None else None,
                "memory_mb": memory_mb,
                "token_ms": speed and speed.token_ms,
                "languages": list(known.languages) if known else None,
                "made_for": list(base.languages) if base else None,
                "licence": known and known.licence,
            }
        )
    return rows


def _missing_mb(settings: Settings, known: KnownBase) -> int:
    """Return what is left to fetch of a base model that is known, in megabytes, a begun one as a whole one."""
    return math.ceil(missing_bytes(base_folder(settings.base_dir, known.name), known) / 1e6)


def _show(terminal: Terminal, rows: list[dict[str, Any]]) -> None:
    terminal.show_facts((row["name"], _describe_row(row)) for row in rows)
    terminal.say(
        "`idiolect base use NAME` has another one serve, and `idiolect base use PATH` a GGUF of your own."
    )


def _describe_row(row: dict[str, Any]) -> str:
    if row["serves"] or row["built"]:
        state = "serves" if row["serves"] else "built"
    else:
        state = f"{row['missing_mb']:,} MB to fetch" if row["missing_mb"] else "fetched, not built yet"
    costs = [f"{row['memory_mb']:,} MB of memory"] if row["memory_mb"] else []
    costs += [f"{row['token_ms']:.1f} ms a token here"] if row["token_ms"] else []
    about = [f"languages: {' '.join(row['languages'])}"] if row["languages"] else []
    about += [f"made for {' '.join(row['made_for'])} alone"] if row["made_for"] else []
    about += [f"licence: {row['licence']}"] if row["licence"] else []
    return "; ".join([", ".join([state, *costs]), *about])
