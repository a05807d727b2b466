"""The table of all commands, and how an error of a command is shown.

A command is a file in `commands/` with an EXAMPLE and a function `run`, whose docstring is the command's help. A
command with sub-commands has a `GROUP` instead; its first sub-command runs where none is named. `idiolect --help` shows
the table alone: a command is imported when it is called.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from idiolect.daemon.clients.commandline.formatting import plain, plain_lines
from idiolect.daemon.clients.commandline.interrupts import is_interrupt
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import shield

#: The commands in the groups and the order of `idiolect --help`.
COMMANDS: Final = {
    "The service": {
        "start": "Start the service in the background; with PATH, read and learn.",
        "stop": "End the service; what it learned is kept.",
        "status": "Show what it knows, serves and does.",
        "doctor": "Check the installation, and say how to mend what is wrong.",
        "setup": "Connect the programs that you type in, or take that back.",
        "lsp": "Speak the Language Server Protocol with an editor.",
    },
    "Learning": {
        "add": "Read notes, mail, chats or commit messages once.",
        "watch": "Read a folder, and go on learning what you write there.",
        "train": "Learn your style now: train an adapter.",
        "pause": "Learn nothing for a while; suggestions go on.",
        "sync": "Share what is learned with your other devices.",
    },
    "Using it": {
        "open": "Open the page to try it, and to see and steer what it learns.",
        "suggest": "Show how it would complete a text.",
        "switch": "Switch corrections, how much is shown, and your keys.",
        "quiet": "Show no suggestions anywhere for a while; learning goes on.",
        "apps": "Say in which applications it is off or only suggests.",
        "words": "Say which words are never suggested, yours, or corrected.",
    },
    "What it has learned": {
        "audit": "Show what was taken, left out, learned and forgotten.",
        "forget": "Forget text, and every adapter that learned from it.",
        "eval": "Measure what it saves on text that it has not learned.",
        "trial": "Find out whether suggestions make you type faster.",
        "adapters": "List the adapters that training made.",
        "use": "Use another adapter, or the base model alone.",
        "base": "Choose the base model: the language model to learn on.",
        "export": "Write an adapter, or everything, for other programs.",
    },
    "Keeping it": {
        "backup": "Write all that was learned to one encrypted file.",
        "restore": "Make a backup the profile's store.",
        "lock": "Let go of key, text and adapter, until `idiolect unlock`.",
        "unlock": "Let the service have its key again.",
        "purge": "Delete everything: text, adapters, key, log, settings.",
    },
}


#: Commands that other programs run, and `--help` does not list.
HIDDEN: Final = frozenset(("lsp",))
_HELP: Final = ("-h", "--help")


def _with_bare_flags(params: list[Any]) -> list[Any]:
    """Have `--help` show a flag as `--json`: from typer 0.29 on it would be `--json <bool>`."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _choose_json(ctx: typer.Context, wanted: bool) -> None:
    """Have this one command print JSON."""
    from idiolect.daemon.clients.commandline.terminal import Terminal

    Terminal.as_json = wanted
    ctx.call_on_close(lambda: setattr(Terminal, "as_json", False))


_AsJson = typer.Option("--json", callback=_choose_json, expose_value=False, help="Print JSON.")
_JSON: Final = typer.Typer(add_completion=False)


@_JSON.command()
def _take_json(as_json: Annotated[bool, _AsJson] = False) -> None:
    """Have the option that all commands take: typer builds it."""


class _Command(TyperCommand):
    def __init__(self, name: str | None, **given: Any) -> None:
        super().__init__(name, **given)
        if name not in HIDDEN:
            self.params += typer.main.get_command(_JSON).params

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_bare_flags(super().get_params(ctx))


@contextlib.contextmanager
def _printable_usage() -> Iterator[None]:
    """Reword typer's messages about an argument, and take control characters out of them."""
    try:
        yield
    except Exception as error:
        if isinstance(
            message := getattr(error, "message", None), str
        ):  # of typer's own errors, whose base has no name
            vars(error)["message"] = _reword(message)
        raise


#: Patterns of typer's messages about a wrong value, and what the program says instead.
_SENTENCES: Final = (
    (re.compile("Value error, "), ""),
    (re.compile("Input should be a valid integer.*"), "give a whole number"),
    (re.compile("Input should be a valid number.*"), "give a number"),
    (re.compile("Input should be greater than or equal to (.*)"), r"give a number from \1 on"),
    (re.compile("Input should be less than or equal to (.*)"), r"give a number up to \1"),
)


def _reword(message: str) -> str:
    """Return a message about an argument in plain words, with the nearest value that the argument takes."""
    for pattern, said in _SENTENCES:
        message = pattern.sub(said, message)
    wrong = re.fullmatch(r"'(.*)' is not one of ([^?]*)", message)
    if wrong is None:
        return plain(message)
    from idiolect.daemon.settings_file import did_you_mean

    return plain(message) + did_you_mean(wrong[1], re.findall(r"'([^']+)'", wrong[2]))


class _Group(TyperGroup):
    """Commands, or sub-commands, of which the first runs where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and args[0] in (*self.commands, *_HELP)
        bare = not named and (not args or args[0].startswith("-"))
        if ctx.parent is not None and bare and not ctx.resilient_parsing:  # as a shell's completion parses
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def make_context(self, *given: Any, **named: Any) -> Any:
        with _printable_usage():
            return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:
        with _printable_usage():
            return super().invoke(ctx)

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_bare_flags(super().get_params(ctx))


class _Root(_Group):
    """The table, which holds what `--help` shows of a command, and imports the command when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if name is None else load(name), rest


app = typer.Typer(
    name="idiolect",
    cls=_Root,
    help="Learns how you write and completes your sentences, on this machine alone.\n\n"
    "Begin with [bold]start[/], show it your writing with [bold]add[/] or [bold]watch[/], "
    "and let it learn your style with [bold]train[/]. What you wrote, and all that was learned from it, "
    "stays in one folder ([bold]IDIOLECT_HOME[/] moves it); [bold]forget[/] takes any of it back.",
    epilog="A first run: idiolect start ~/notes",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": [*_HELP]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"idiolect {version('idiolect')}")
        raise typer.Exit


@app.callback()
def _take_common_options(
    _shown: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Set what all commands have in common."""


def load(name: str) -> Any:
    """Import a command of the table, and return it as typer builds it."""
    command = import_module(f"idiolect.daemon.clients.commandline.commands.{name.replace('-', '_')}")
    built, epilog = typer.Typer(rich_markup_mode="rich"), f"Example: {command.EXAMPLE}"
    if hasattr(command, "GROUP"):
        for one in command.GROUP.registered_commands:
            one.cls = _Command
        built.add_typer(command.GROUP, name=name, cls=_Group, epilog=epilog)
    else:
        built.command(name, cls=_Command, epilog=epilog)(command.run)
    return typer.main.get_group(built).commands[name]


def _row() -> None:
    """Stand in the table for a command that is not imported yet."""


for _group, _names in COMMANDS.items():
    for _name, _summary in _names.items():
        app.command(_name, help=_summary, rich_help_panel=_group, hidden=_name in HIDDEN)(_row)


def main() -> NoReturn:
    """Run the command line and exit: one sentence and a distinct exit code for whatever goes wrong."""
    shield()
    if not all(map(_is_text, sys.argv)):
        _fail("An argument holds bytes that are not text in UTF-8. Give it in UTF-8.", ExitCode.USAGE)
    try:
        app()
    except IdiolectError as error:
        _fail(str(error), getattr(error, "relayed_exit_code", error.exit_code))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (the last resort; it is logged)
        if is_interrupt(error):
            sys.exit(ExitCode.INTERRUPTED)
        if (refused := _find_refusal(error)) is not None:
            _fail(str(refused), refused.exit_code)
        _fail(_log_unexpected(error), ExitCode.UNEXPECTED)
    sys.exit(0)


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:  # bytes that Python could not decode
        return False
    return True


def _find_refusal(error: Exception) -> IdiolectError | None:
    """Return what the operating system refused, if that is what the error is about."""
    from idiolect.daemon.runtime.os_errors import refusal
    from idiolect.daemon.settings import Settings

    try:
        return refusal(error, Settings().home)
    except IdiolectError as unreadable:  # the settings
        return unreadable if isinstance(error, OSError) else None
    except Exception:  # noqa: BLE001 (the first error is the one to tell of)
        return None


def _fail(message: str, exit_code: int) -> NoReturn:
    said = f"idiolect: {plain_lines(message)}"
    if sys.stderr.isatty():
        from idiolect.daemon.clients.commandline.terminal import Terminal

        Terminal().note(said)  # its lines broken at the terminal's width
    else:
        sys.stderr.write(f"{said}\n")
    sys.exit(exit_code)


def _log_unexpected(error: Exception) -> str:
    """Log a mistake in the program and its places, without a word of the user's; return a sentence about it."""
    import logging

    from idiolect.daemon.runtime.log import open_log
    from idiolect.daemon.settings import Settings

    with contextlib.suppress(Exception):  # this is the last that can be done
        path = Settings().prepare().log_path
        open_log(path)
        logging.getLogger("idiolect.cli").error("a command failed", exc_info=error)
        return f"Something unexpected went wrong ({type(error).__name__}). Where it was is in {path}."
    return f"Something unexpected went wrong ({type(error).__name__}), and the log cannot be written."
