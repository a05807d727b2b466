"""What the documents say that the program knows better: commands, settings, errors and folders.

cog calls these functions from the documents and writes down what they return. Nothing here depends on
the machine it runs on: defaults that differ by machine are words. `measurements.py` does the same with figures.
"""

from __future__ import annotations

import ast
import json
import runpy
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "adapters", "daemon")

#: Defaults that are another on each machine.
_BY_MACHINE = {
    "home": "the platform's folder for user data",
    "threads": "2, or 1 where there is one core",
}


# --- the command line --------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its arguments and options, in the groups that `idiolect --help` shows."""
    from typer.main import get_command

    from idiolect.daemon.commandline.command_table import COMMANDS, app, load

    parts = [
        f"## {group}\n\n" + "\n\n".join(_command(name, load(name)) for name in names)
        for group, names in COMMANDS.items()
    ]
    return "\n\n".join([*parts, "## All commands\n\n" + _options(get_command(app))])


def _command(name: str, command: Any) -> str:
    if (below := getattr(command, "commands", None)) is None:
        usage, listed = _usage(name, command), _parameters(command)
    else:
        usage, listed = name, []
        for number, (word, one) in enumerate(below.items()):
            meant = " (meant where none is named)" if number == 0 else ""
            listed.append(f"- `{_usage(f'{name} {word}', one)}`: {one.help}{meant}")
            listed += [f"  {line}" for line in _parameters(one)]
    usage = f"idiolect {usage}"
    example = (command.epilog or "").partition("Example: ")[2].split("; ")
    return "\n\n".join(
        part
        for part in (
            f"### `{usage}`",
            " ".join(command.help.split()),
            "\n".join(listed),
            "\n".join(["```sh", *example, "```"]) if example[0] else "",
        )
        if part
    )


def _usage(name: str, command: Any) -> str:
    return " ".join([name, *(_shown(one) for one in command.params if one.param_type_name == "argument")])


def _parameters(command: Any) -> list[str]:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    listed = [f"- `{_placeholder(argument)}`: {argument.help}" for argument in arguments]
    return listed + [line for line in _options(command).splitlines() if line]


def _placeholder(param: Any) -> str:
    return str(param.metavar or max(param.opts, key=len).lstrip("-").upper())


def _shown(argument: Any) -> str:
    return _placeholder(argument) if argument.required else f"[{_placeholder(argument)}]"


def _options(command: Any) -> str:
    lines = []
    for param in command.params:
        if param.param_type_name == "option":
            value = "" if param.is_flag else f" {_placeholder(param)}"
            names = ", ".join(f"`{name}{value}`" for name in sorted(param.opts, key=len, reverse=True))
            lines.append(f"- {names}: {param.help}")
    return "\n".join(lines)


# --- redaction ---------------------------------------------------------------------------------------


def redaction() -> str:
    """How much of the labelled sets is redacted and how much kept, measured here and now."""
    bench = runpy.run_path(str(ROOT / "tests" / "bench" / "redaction.py"))
    return "\n\n".join((bench["people"](), bench["table"](), bench["forms_table"]()))


# --- reasons -----------------------------------------------------------------------------------------


def reasons() -> str:
    """Every reason for which something is not shown or learned: what is missing, why, and what to do."""
    from idiolect.adapters.prediction.reasons import Reason

    rows = ["| reason | not there | why | what to do |", "|---|---|---|---|"]
    rows += [f"| `{reason.value}` | {reason.hides} | {reason.why} | {reason.remedy} |" for reason in Reason]
    return "\n".join(rows)


# --- settings ----------------------------------------------------------------------------------------


def settings() -> str:
    """Every setting: its name, its default, what it sets and which values are allowed."""
    from idiolect.daemon.settings import Settings

    rows = ["| setting | default | what it sets |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = _BY_MACHINE.get(name) or _toml(field.default)
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(rows)


def _toml(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{json.dumps(value)}`"


def never_read() -> str:
    """The globs of paths that are never read."""
    from idiolect.daemon.settings import NEVER_READ

    return _listed(NEVER_READ)


def never_heard() -> str:
    """The programs that are never listened to, how they are told, and where that was found."""
    from idiolect.daemon.secret_apps import ALL

    rows = ["| programs | patterns | found in |", "|---|---|---|"]
    for kind, apps in ALL.items():
        rows.append(f"| **{kind}** | | |")
        for app in apps:
            patterns = ", ".join(f"`{pattern}`" for pattern in app.patterns)
            rows.append(f"| {app.name} | {patterns} | {app.source} |")
    return "\n".join(rows)


def terminals() -> str:
    """The globs of applications that are not learned from unless the user allows it."""
    from idiolect.daemon.secret_apps import TERMINALS

    return _listed(TERMINALS)


def _listed(globs: Sequence[str]) -> str:
    return "\n".join(["```text", *textwrap.wrap("  ".join(globs), 100, break_on_hyphens=False), "```"])


# --- scopes ---------------------------------------------------------------------------------------------


def scopes() -> str:
    """What each scope is good for, apart from what smaller ones are good for."""
    from idiolect.daemon.endpoint import server
    from idiolect.daemon.endpoint.tokens import Scope
    from idiolect.daemon.runtime.process import Running
    from idiolect.daemon.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        running = Running(0, "http://127.0.0.1:1", 1, None, "")
        app = server.create_app(mock.MagicMock(), running=running, settings=Settings(home=Path(home)))
    rows = ["| scope | token file | addresses, besides those above |", "|---|---|---|"]
    for scope in (Scope.SUGGEST, Scope.LEARN):
        fitting = [route for route in app.answered if route.scope is scope]
        told = [route.path for route in fitting if route.include_in_schema or route.name == "openapi"]
        paths = ", ".join(f"`{path}`" for path in sorted(told))
        name = scope.name.lower()
        rows.append(f"| `{name}` | `run/token-{name}` | {paths} |")
    return "\n".join([*rows, "| `admin` | `run/token` | all others |"])


# --- errors ------------------------------------------------------------------------------------------


def errors() -> str:
    """Every error class: exit code, code, HTTP status, and what it means."""
    rows = ["| exit code | code | HTTP status | what has happened |", "|---|---|---|---|"]
    rows += [
        f"| {exit_code} | `{code}` | {status} | {meaning} |"
        for exit_code, code, status, meaning in sorted(_errors())
    ]
    return "\n".join(rows)


def _errors() -> list[tuple[int, str, int, str]]:
    # Read from the source: importing every module would load torch, too.
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                values = {
                    part.target.id: ast.literal_eval(part.value)
                    for part in node.body
                    if isinstance(part, ast.AnnAssign)
                    and isinstance(part.target, ast.Name)
                    and part.target.id in ("code", "exit_code", "http_status")
                    and part.value is not None
                }
                if len(values) == 3 and node.name != "IdiolectError":
                    meaning = _first_paragraph(node)
                    found.append((values["exit_code"], values["code"], values["http_status"], meaning))
    return found


# --- modules -----------------------------------------------------------------------------------------


def sources() -> list[Path]:
    """The modules of the three packages, in order of name."""
    folders = [
        folder for package in PACKAGES for folder in (ROOT / package, *sorted((ROOT / package).rglob("*/")))
    ]
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]


def rooms() -> str:
    """Every folder with its docstring: what comes in, what goes out, and what only it may do."""
    lines = []
    for path in sources():
        if path.name == "__init__.py":
            sentences = " ".join((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split())
            lines.append(f"- `{path.parent.relative_to(ROOT)}/`: {sentences}")
    return "\n".join(lines)


def _first_paragraph(node: ast.Module | ast.ClassDef) -> str:
    return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
