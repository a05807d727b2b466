"""The command `idiolect man`: print a manual page, made from the help of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = "idiolect man > idiolect.1"

_FILES = (
    ("config.toml", "The settings; docs/settings.md lists them."),
    ("store.db", "All text and everything learned from it, encrypted."),
    ("store.key", "The key to it, where no keyring holds it."),
    ("run/token", "The token that a client shows."),
    ("log/idiolect.log", "The log, without a word of yours."),
)
_STATUS = (
    ("0", "It did what was asked."),
    ("2", "The command line was not understood."),
    ("69", "doctor has found something that is wrong."),
    ("others", "Each kind of error has a number of its own, and a sentence that says what to do."),
)


def run(context: typer.Context) -> None:
    """Print the manual page; `idiolect man | man -l -` shows it."""
    from importlib.metadata import version

    typer.echo(make_page(context.find_root().command, version("idiolect")), nl=False)


def make_page(whole: Any, version: str) -> str:
    """Return the manual page (man(7)) of a command line, as typer has built it, for a version of the program."""
    return "".join(f"{line}\n" for line in _write_page(whole, version))


def _write_page(whole: Any, version: str) -> Iterator[str]:
    summary, *description = [part for part in _strip_markup(whole.help).split("\n\n") if part]
    yield f'.TH IDIOLECT 1 "" "idiolect {version}" "User Commands"'
    yield from (".SH NAME", f"idiolect \\- {_escape(summary[0].lower() + summary[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B idiolect", ".I COMMAND", "[options] [arguments]")
    yield from (".SH DESCRIPTION", *map(_escape, description))
    yield ".SH OPTIONS"
    yield from _write_options(whole)
    yield ".SH COMMANDS"
    groups: dict[str, list[tuple[str, Any]]] = {}
    for name, command in whole.commands.items():
        below = getattr(command, "commands", {})
        named = [(name, command), *((f"{name} {word}", one) for word, one in below.items())]
        groups.setdefault(str(command.rich_help_panel), []).extend(named)
    for group, commands in groups.items():
        yield f".SS {_escape(group)}"
        for name, command in commands:
            yield from _write_command(name, command)
    yield from (".SH ENVIRONMENT", ".TP", ".B IDIOLECT_HOME", "The folder that everything is kept in.")
    yield from (
        ".TP",
        ".BI IDIOLECT_ SETTING",
        "Any setting, in capital letters, instead of that of config.toml.",
    )
    yield from (".SH FILES", "In the profile's folder, which idiolect status shows:")
    yield from _write_list(_FILES)
    yield ".SH EXIT STATUS"
    yield from _write_list(_STATUS)


def _write_command(name: str, command: Any) -> Iterator[str]:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    shown = [_placeholder(one) if one.required else f"[{_placeholder(one)}]" for one in arguments]
    yield from (
        ".TP",
        f".B {_escape(' '.join([name, *shown]))}",
        _escape(" ".join(_strip_markup(command.help).split())),
    )
    yield ".RS"
    yield from _write_list((_placeholder(one), _strip_markup(one.help or "")) for one in arguments)
    yield from _write_options(command)
    if command.epilog:
        yield from (".PP", _escape(_strip_markup(command.epilog)))
    yield ".RE"


def _write_options(command: Any) -> Iterator[str]:
    for param in command.params:
        if param.param_type_name == "option" and not param.hidden:
            value = "" if param.is_flag else f" {_placeholder(param)}"
            names = ", ".join(sorted(param.opts, key=len))
            yield from _write_list([(names + value, _strip_markup(param.help or ""))])


def _write_list(rows: Any) -> Iterator[str]:
    for term, meaning in rows:
        yield from (".TP", f".B {_escape(term)}", _escape(meaning))


def _placeholder(param: Any) -> str:
    return str(param.metavar or max(param.opts, key=len).lstrip("-").upper())


def _strip_markup(marked: str) -> str:
    """Return a help text without its markup."""
    from rich.text import Text

    return Text.from_markup(marked).plain


def _escape(line: str) -> str:
    """Return a line of text as roff wants it."""
    line = line.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("\n", " ")
    return f"\\&{line}" if line.startswith((".", "'")) else line
