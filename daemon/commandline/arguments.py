"""What a user types: options that several commands share, and how times, durations and texts are read."""

from __future__ import annotations

import contextlib
import enum
import errno
import getpass
import math
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

_LEAST_CHARS = 8  # of a new passphrase
_MOST_DIGITS = 19  # of a number that the store can hold
_UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?", re.ASCII)

_LONGEST_ROUND_S = 10 * 365 * 86400.0  # what the service takes


def path_of(given: str | Path) -> Path:
    """A path as it was typed. Raises typer.BadParameter for one that cannot be meant, such as an empty one."""
    if not str(given).strip():  # as a Path it would be the folder that the command is called in
        raise typer.BadParameter("the path is empty; perhaps a variable that it was to come from is not set")
    try:
        os.lstat(os.path.expanduser(given))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise typer.BadParameter(
                "the path, or a name in it, is longer than the file system takes"
            ) from None
    return Path(given)


def budget_of(given: str | float) -> float:
    """The longest time for a round, in seconds. Raises typer.BadParameter."""
    try:
        budget_s = float(given)
    except ValueError:
        budget_s = math.nan
    if not 1 <= budget_s <= _LONGEST_ROUND_S:  # which no comparison with what is not a number is
        raise typer.BadParameter(f"give seconds, from 1 to {_LONGEST_ROUND_S:.0f}")
    return budget_s


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Paths = Annotated[
    list[Path],
    typer.Argument(
        parser=path_of,
        metavar="PATH…",
        help="Files, folders, mailboxes, exported chats, .git folders for their commit messages; - for JSON lines.",
    ),
]
Me = Annotated[
    list[str] | None,
    typer.Option(
        "--me",
        metavar="NAME",
        help="In mail, chats and commits: your address, or your name as it stands there; * takes everybody's. "
        "Else it is guessed, and shown.",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option("--budget", parser=budget_of, metavar="SECONDS", help="Longest time for the round."),
]
Expect = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Only if it takes so many entries; above a tenth of all, --yes needs it.", min=0
    ),
]
Chars = Annotated[int, typer.Option(help="About how many characters to type.", min=500, max=200_000)]
Seed = Annotated[int, typer.Option(help="Of the draw: another seed types other messages.", min=0)]
Html = Annotated[
    Path | None,
    typer.Option(
        "--html",
        parser=path_of,
        metavar="FILE",
        help="Where to write the page with plots [default: eval.html in the profile; none with --json].",
    ),
]
Days = Annotated[int, typer.Option(help="How many days, today included.", min=1)]


class ExportKind(enum.StrEnum):
    """What an adapter can be written as; or all that is kept."""

    onnx_adapter = "onnx_adapter"
    peft = "peft"
    onnx = "onnx"
    everything = "everything"


def absolute(paths: list[Path]) -> list[str]:
    """The paths as the service understands them, which runs in another folder."""
    return [str(Path(os.path.expanduser(path)).absolute()) for path in paths]


def adapter_of(given: str) -> int | None:
    """An adapter's number, None for `base`. Raises typer.BadParameter."""
    if given == "base":
        return None
    if not (given.isascii() and given.isdigit() and len(given) < _MOST_DIGITS):
        raise typer.BadParameter("give the number of an adapter (`idiolect adapters` lists them) or `base`")
    return int(given)


def text_of(given: str) -> str:
    """The text itself, or for `-` what stands on stdin, the last line's end left out. Raises typer.BadParameter."""
    if given != "-":
        return given
    try:
        text = sys.stdin.read().removesuffix("\n")
        text.encode()
    except UnicodeError:
        raise typer.BadParameter("what stands on stdin is not text in UTF-8") from None
    return text


def time_of(given: str | None) -> str | None:
    """A time for the service, with its zone; one without is this machine's. Raises typer.BadParameter."""
    try:
        return None if given is None else datetime.fromisoformat(given).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter("a time looks like 2026-01-31 or 2026-01-31T09:30") from None


def interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: in the middle of a stream, closing it may raise another one on top."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def confirm(question: str) -> None:
    """Go on only if the user says yes. Raises typer.BadParameter where nobody is there to ask."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to ask: add --yes")
    typer.confirm(question, abort=True)


def passphrase_of(read_from: str | None, question: str, *, new: bool) -> str:
    """A passphrase, typed unseen or from the first line of a file; a `new` one is typed twice. Raises BadParameter."""
    if read_from is None:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to type a passphrase: add --passphrase-file")
        given = getpass.getpass(question)
        if new and getpass.getpass("The same again: ") != given:
            raise typer.BadParameter("these were two different passphrases")
    else:
        try:
            with (
                contextlib.nullcontext(sys.stdin)
                if read_from == "-"
                else Path(read_from).open(encoding="utf-8") as file
            ):
                given = file.readline().rstrip("\r\n")
                given.encode()
        except (OSError, UnicodeError):
            raise typer.BadParameter(f"no passphrase can be read from {read_from}") from None
    if not given or (new and len(given) < _LEAST_CHARS):
        raise typer.BadParameter(
            f"a passphrase has {_LEAST_CHARS} characters or more; several words are best"
        )
    return given


def seconds_of(given: str) -> int:
    """A duration such as 1h30m in seconds. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(given)
    seconds = sum(int(part[:-1]) * _UNITS_S[part[-1]] for part in (found.groups() if found else ()) if part)
    if not seconds:
        raise typer.BadParameter("a duration looks like 30m, 2h, 1d or 1h30m")
    return seconds
