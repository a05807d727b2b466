"""Options that several commands share, and parsers for paths, times, durations and texts.

What cannot be meant raises typer.BadParameter, which is shown in one sentence with exit code 2.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from idiolect.daemon.clients.commandline.formatting import plain_lines
from idiolect.models.regular_files import open_regular

_MIN_PASSPHRASE_CHARS: Final = 8
_MAX_DIGITS: Final = 19  # of a number that the store can hold
_MAX_S: Final = 10 * 365 * 86400  # what the service takes
_UNITS_S: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?", re.ASCII)


def parse_path(given: str | Path) -> Path:
    """Return a path as it was typed. Raises typer.BadParameter for an empty or too long path."""
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


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
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
    typer.Option("--budget", metavar="SECONDS", help="Longest time for the round.", min=1, max=_MAX_S),
]
Expect = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Only if it takes so many entries; above a tenth of all, --yes needs it.", min=0
    ),
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From this time on (2026-01-31).")]
PassphraseFile = Annotated[
    str | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Take the passphrase from this file's first line (-: from stdin) instead of asking for it.",
    ),
]


def make_absolute(path: Path) -> str:
    """Return a path as the service understands it, which runs in another folder."""
    return str(Path(os.path.expanduser(path)).absolute())


def parse_adapter(given: str) -> int | None:
    """Return an adapter's number, None for `base`. Raises typer.BadParameter."""
    if given == "base":
        return None
    if not (given.isascii() and given.isdigit() and len(given) < _MAX_DIGITS and int(given)):
        raise typer.BadParameter("give the number of an adapter (`idiolect adapters` lists them) or `base`")
    return int(given)


def parse_duration(given: str) -> int:
    """Return a duration such as 1h30m in seconds. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(given)
    seconds = sum(int(part[:-1]) * _UNITS_S[part[-1]] for part in (found.groups() if found else ()) if part)
    if found is not None and given and not seconds:
        raise typer.BadParameter("give a duration longer than 0 seconds")
    if not seconds:
        raise typer.BadParameter("a duration looks like 30m, 2h, 1d or 1h30m")
    if seconds > _MAX_S:
        raise typer.BadParameter(f"give a duration of {_MAX_S // _UNITS_S['d']:,}d at the most")
    return seconds


def parse_time(given: str | None) -> str | None:
    """Return a time (ISO 8601) with its zone, by default this machine's. Raises typer.BadParameter."""
    from datetime import datetime

    try:
        return None if given is None else datetime.fromisoformat(given).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter("a time looks like 2026-01-31 or 2026-01-31T09:30") from None


def read_text(given: str) -> str:
    """Return a text or, for `-`, stdin without its last line end. Raises typer.BadParameter."""
    if given != "-":
        return given
    try:
        text = sys.stdin.read().removesuffix("\n")
        text.encode()
    except UnicodeError:
        raise typer.BadParameter("what stands on stdin is not text in UTF-8") from None
    return text


def read_text_file(given: str, max_chars: int, advice: str) -> str:
    """Return the text of a file or, for `-`, what stands on stdin.

    Raises typer.BadParameter, for a text of more characters with `advice`.
    """
    name = "what stands on stdin" if given == "-" else given
    max_bytes = 4 * max_chars  # of a text in UTF-8
    try:
        path = None if given == "-" else Path(make_absolute(parse_path(given)))
        with (
            contextlib.nullcontext(sys.stdin.buffer)
            if path is None
            else open_regular(path, follow=True) as file
        ):
            data = file.read(max_bytes + 1)
        text = data.decode() if len(data) <= max_bytes else ""
    except OSError as error:
        raise typer.BadParameter(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = "\0"
    if len(data) > max_bytes or len(text) > max_chars:
        raise typer.BadParameter(f"{name} is longer than {max_chars:,} characters; {advice}")
    if "\0" in text:
        raise typer.BadParameter(f"{name} is not text in UTF-8")
    return text


def confirm(question: str) -> None:
    """Ask a question, and return if the user says yes.

    Raises typer.Abort if they say no, and typer.BadParameter where nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to ask: add --yes")
    typer.confirm(plain_lines(question), abort=True)


def read_passphrase(read_from: str | None, question: str, *, new: bool) -> str:
    """Return a passphrase: typed unseen after `question`, or the first line of the file `read_from` (`-`: stdin).

    A `new` passphrase is typed twice and must not be short. Raises typer.BadParameter.
    """
    if read_from is None:
        from getpass import getpass

        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to type a passphrase: add --passphrase-file")
        given = getpass(question)
        if new and getpass("The same again: ") != given:
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
    if not given or (new and len(given) < _MIN_PASSPHRASE_CHARS):
        raise typer.BadParameter(
            f"a passphrase has {_MIN_PASSPHRASE_CHARS} characters or more; several words are best"
        )
    return given
