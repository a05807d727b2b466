"""The table of all commands, and how an error of a command is shown.

A command is a file in `commands/` with an EXAMPLE and a function `run`, whose docstring is the command's help. One with
sub-commands has a `GROUP` of them instead; the first is meant where none is named. What is slow to import is imported
when a command runs, so that `idiolect --help` is there at once.
"""

from __future__ import annotations

import contextlib
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from idiolect.daemon.commandline.deferred import load_settings, open_terminal
from idiolect.daemon.commandline.exit_codes import EXIT_INTERRUPTED, EXIT_UNEXPECTED, EXIT_USAGE
from idiolect.daemon.commandline.formatting import plain, plain_lines
from idiolect.daemon.commandline.interrupts import is_interrupt
from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The commands in the groups and the order of `idiolect --help`; `shell-init` is in `commands/shell_init.py`.
COMMANDS: Final = {
    "The service": ("start", "stop", "status", "service", "setup", "welcome"),
    "Care": (
        "doctor",
        "man",
        "forget",
        "audit",
        "lock",
        "unlock",
        "rekey",
        "purge",
        "learned",
        "base",
        "token",
        "backup",
        "restore",
    ),
    "Learning": ("add", "sources", "watch", "train", "pause", "resume", "apps", "words", "sync"),
    "Using it": (
        "suggest",
        "switch",
        "open",
        "report",
        "eval",
        "trial",
        "adapters",
        "use",
        "export",
        "keyboard",
        "lsp",
        "shell-init",
        "vscode",
        "browser",
    ),
}


_HELP: Final = ("-h", "--help")


def _with_bare_flags(params: list[Any]) -> list[Any]:
    """Have `--help` show a flag as `--json`: from typer 0.29 on it would be `--json <bool>`."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _with_bare_flags(super().get_params(ctx))


@contextlib.contextmanager
def _printable_usage() -> Iterator[None]:
    """Let what is said about an argument, which may be any file's name, move no cursor."""
    try:
        yield
    except Exception as error:
        if isinstance(
            message := getattr(error, "message", None), str
        ):  # of typer's own errors, whose base has no name
            vars(error)["message"] = _reword(message)
        raise


#: What typer says of a value that is wrong, in the words of a library that it uses; and what it says here.
_SENTENCES: Final = (
    (re.compile("Value error, "), ""),
    (re.compile("Input should be a valid integer.*"), "give a whole number"),
    (re.compile("Input should be greater than or equal to (.*)"), r"give a number from \1 on"),
    (re.compile("Input should be less than or equal to (.*)"), r"give a number up to \1"),
)


def _reword(message: str) -> str:
    """Return what is said of an argument in plain words, with the nearest of the values that it takes."""
    for pattern, said in _SENTENCES:
        message = pattern.sub(said, message)
    wrong = re.fullmatch(r"'(.*)' is not one of ([^?]*)", message)
    if wrong is None:
        return plain(message)
    from idiolect.daemon.settings_file import did_you_mean

    return plain(message) + did_you_mean(wrong[1], re.findall(r"'([^']+)'", wrong[2]))


class _Group(TyperGroup):
    """Commands, or the sub-commands of one, of which the first is meant where none is named.

    Where a word is no sub-command, the one called `otherwise` is meant.
    """

    otherwise: str | None = None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.parent is not None and (not args or (args[0].startswith("-") and args[0] not in _HELP)):
            args = [next(iter(self.commands)), *args]
        elif self.otherwise is not None and args[0] not in self.commands and args[0] not in _HELP:
            args = [self.otherwise, *args]
        return super().parse_args(ctx, args)

    def make_context(self, *given: Any, **named: Any) -> Any:
        with _printable_usage():
            return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:
        with _printable_usage():
            return super().invoke(ctx)

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_bare_flags(super().get_params(ctx))


app = typer.Typer(
    name="idiolect",
    cls=_Group,
    help="Learns how you write and completes your sentences, on this machine alone.\n\n"
    "Begin with [bold]start[/], show it your writing with [bold]add[/] or [bold]watch[/], "
    "and let it learn your style with [bold]train[/]. What you wrote, and all that was learned from it, "
    "stays in one folder ([bold]IDIOLECT_HOME[/] moves it); [bold]forget[/] takes any of it back.",
    epilog="A first run: idiolect welcome ~/notes",
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


def _add_commands() -> None:
    """Add the commands of the table to the command line.

    They are imported by name: the commands use the modules of this folder, and none of these uses a command.
    """
    for group, names in COMMANDS.items():
        for name in names:
            command = import_module(f"idiolect.daemon.commandline.commands.{name.replace('-', '_')}")
            epilog = f"Example: {command.EXAMPLE}"
            if hasattr(command, "GROUP"):
                for one in command.GROUP.registered_commands:
                    _evaluate(one.callback)
                    one.cls = _Command
                kind = type("_Group", (_Group,), {"otherwise": getattr(command, "OTHERWISE", None)})
                app.add_typer(command.GROUP, name=name, cls=kind, rich_help_panel=group, epilog=epilog)
            else:
                _evaluate(command.run)
                app.command(name, cls=_Command, rich_help_panel=group, epilog=epilog)(command.run)


def _evaluate(run: Any) -> None:
    """Evaluate a function's annotations once: typer evaluates those that are strings four times."""
    run.__annotations__ = get_type_hints(run, include_extras=True)


def every_command() -> Iterator[tuple[str, Any]]:
    """Yield each command that does something, sub-commands too, with its words, such as "apps undo"."""
    whole: Any = typer.main.get_command(app)
    for name, command in whole.commands.items():
        if isinstance(command, _Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())
        else:
            yield name, command


_add_commands()


def main() -> NoReturn:
    """Run the command line and exit: one sentence and a distinct exit code for whatever goes wrong."""
    shield()
    if not all(map(_is_text, sys.argv)):
        _fail("An argument holds bytes that are not text in UTF-8. Give it in UTF-8.", EXIT_USAGE)
    try:
        app()
    except IdiolectError as error:
        _fail(str(error), getattr(error, "relayed_exit_code", error.exit_code))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (the last resort; it is logged)
        if is_interrupt(error):
            sys.exit(EXIT_INTERRUPTED)
        if (refused := _find_refusal(error)) is not None:
            _fail(str(refused), refused.exit_code)
        _fail(_log_unexpected(error), EXIT_UNEXPECTED)
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

    try:
        return refusal(error, load_settings().home)
    except IdiolectError as unreadable:  # the settings
        return unreadable if isinstance(error, OSError) else None
    except Exception:  # noqa: BLE001 (the first error is the one to tell of)
        return None


def _fail(message: str, exit_code: int) -> NoReturn:
    said = f"idiolect: {plain_lines(message)}"
    if sys.stderr.isatty():
        open_terminal().note(said)  # its lines broken at the terminal's width
    else:
        sys.stderr.write(f"{said}\n")
    sys.exit(exit_code)


def _log_unexpected(error: Exception) -> str:
    """Log a mistake in the program and its places, without a word of the user's; return a sentence about it."""
    import logging

    from idiolect.daemon.runtime.log import open_log

    with contextlib.suppress(Exception):  # this is the last that can be done
        path = load_settings().prepare().log_path
        open_log(path)
        logging.getLogger("idiolect.cli").error("a command failed", exc_info=error)
        return f"Something unexpected went wrong ({type(error).__name__}). Where it was is in {path}."
    return f"Something unexpected went wrong ({type(error).__name__}), and the log cannot be written."
