"""What the documents say that the program knows better: commands, settings, errors and folders.

cog calls these functions from the documents and writes down what they return. Nothing here depends on
the machine it runs on: defaults that differ by machine are words. `measurements.py` does the same with figures.
"""

from __future__ import annotations

import ast
import json
import re
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

    from idiolect.daemon.clients.commandline.command_table import COMMANDS, app, load

    parts = [
        f"## {group}\n\n" + "\n".join(line for name in names for line in _lines(name, load(name)))
        for group, names in COMMANDS.items()
    ]
    return "\n\n".join([*parts, "## All commands\n\n" + _line("", get_command(app))])


def _lines(name: str, command: Any) -> list[str]:
    below = getattr(command, "commands", None)
    if below is None:
        return [_line(f" {name}", command)]
    inner = [_line(f" {name} {word}", one) for word, one in below.items()]
    return [f"- `idiolect {name}`: {_first_sentence(command.help)}", *(f"  {line}" for line in inner)]


def _line(name: str, command: Any) -> str:
    usage = [f"idiolect{name}"]
    for param in command.params:
        if param.param_type_name == "argument":
            usage.append(_placeholder(param) if param.required else f"[{_placeholder(param)}]")
        elif param.name != "as_json":
            value = "" if param.is_flag else f" {_placeholder(param)}"
            usage.append(f"[{max(param.opts, key=len)}{value}]")
    return f"- `{' '.join(usage)}`: {_first_sentence(command.help)}"


def _placeholder(param: Any) -> str:
    return str(param.metavar or max(param.opts, key=len).lstrip("-").upper())


# --- redaction ---------------------------------------------------------------------------------------


def redaction() -> str:
    """How many secrets are found in sentences that the rules' writers had not read, measured here and now."""
    bench = runpy.run_path(str(ROOT / "tests" / "bench" / "redaction.py"))
    return str(bench["people"]())


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


def terminals() -> str:
    """The globs of applications that are not learned from unless the user allows it."""
    from idiolect.daemon.text.secret_apps import TERMINALS

    return _listed(TERMINALS)


def _listed(globs: Sequence[str]) -> str:
    return "\n".join(["```text", *textwrap.wrap("  ".join(globs), 100, break_on_hyphens=False), "```"])


# --- scopes ---------------------------------------------------------------------------------------------


def scopes() -> str:
    """What each scope is good for, apart from what smaller ones are good for."""
    from idiolect.daemon.endpoint import server
    from idiolect.daemon.runtime.process import Running
    from idiolect.daemon.runtime.tokens import Scope
    from idiolect.daemon.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        running = Running(0, "http://127.0.0.1:1", 1, None, "")
        app = server.create_app(mock.MagicMock(), running=running, settings=Settings(home=Path(home)))
    rows = ["| scope | token file | addresses, besides those above |", "|---|---|---|"]
    for scope in (Scope.SUGGEST, Scope.LEARN):
        fitting = [route for route in app.answered if route.scope is scope]
        paths = ", ".join(f"`{path}`" for path in sorted(route.path for route in fitting))
        name = scope.name.lower()
        rows.append(f"| `{name}` | `run/token-{name}` | {paths} |")
    return "\n".join([*rows, "| `admin` | `run/token` | all others |"])


# --- errors ------------------------------------------------------------------------------------------


def errors() -> str:
    """The codes of all error classes, by HTTP status."""
    by_status: dict[int, list[str]] = {}
    for code, status in sorted(_errors()):
        by_status.setdefault(status, []).append(f"`{code}`")
    rows = ["| HTTP status | codes |", "|---|---|"]
    return "\n".join(
        [*rows, *(f"| {status} | {', '.join(by_status[status])} |" for status in sorted(by_status))]
    )


def _errors() -> list[tuple[str, int]]:
    # Read from the source: importing every module would load torch, too.
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                values = {
                    given.arg: given.value.value
                    for given in node.keywords
                    if isinstance(given.value, ast.Constant)
                }
                if "code" in values:
                    found.append((str(values["code"]), int(str(values["http_status"]))))
    return found


# --- modules -----------------------------------------------------------------------------------------


def sources() -> list[Path]:
    """The modules of the three packages, in order of name."""
    folders = [
        folder for package in PACKAGES for folder in (ROOT / package, *sorted((ROOT / package).rglob("*/")))
    ]
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]


def rooms() -> str:
    """Every folder with the first sentence of its docstring."""
    lines = []
    for path in sources():
        if path.name == "__init__.py":
            docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            lines.append(f"- `{path.parent.relative_to(ROOT)}/`: {_first_sentence(docstring)}")
    return "\n".join(lines)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) ", " ".join(text.split()))[0]
