"""The manual page, from the commands themselves."""

from __future__ import annotations

import re
from typing import Any

from typer.main import get_command

from idiolect.daemon.clients.commandline.command_table import COMMANDS, app, load

HEAD = """\
.TH IDIOLECT 1 "{date}" "idiolect {version}" "User Commands"
.SH NAME
idiolect \\- learn how its one user writes, and complete what they type
.SH SYNOPSIS
.B idiolect
.I COMMAND
.RI [ OPTION ]...
.RI [ ARGUMENT ]...
.SH DESCRIPTION
idiolect learns how you write, and completes your words and sentences while you type.
It runs on your own machine, keeps what it learns in one encrypted file there, and sends none of it anywhere.
.B idiolect open
shows it in a browser, and
.B idiolect setup
connects the programs that you type in.
"""
FILES = """\
.SH FILES
.TP
.I ~/.local/share/idiolect
The profile: all that was learned, encrypted, the settings in config.toml, and the log.
.B IDIOLECT_HOME
names another folder.
"""


def manual(version: str, date: str) -> str:
    """Return the page, in the language of man(7)."""
    parts = [HEAD.format(version=version, date=date)]
    for group, names in COMMANDS.items():
        parts.append(f".SH {group.upper()}\n")
        for name in names:
            command = load(name)
            parts += [_section(f"idiolect {name}", command)]
            parts += [_section(f"idiolect {name} {word}", one) for word, one in _below(command).items()]
    options = "".join(map(_parameter, get_command(app).params))
    return "".join([*parts, f".SH OPTIONS\n{options}", FILES])


def _below(command: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(command, "commands", {})
    return found


def _section(usage: str, command: Any) -> str:
    return f".SS {_safe(usage)}\n{_safe(command.help)}\n{''.join(map(_parameter, command.params))}"


def _parameter(param: Any) -> str:
    if param.param_type_name == "argument":
        name = param.metavar or param.name.upper()
    else:
        value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
        name = ", ".join([*param.opts, *param.secondary_opts]) + value
    return f".TP\n.B {_safe(name)}\n{_safe(getattr(param, 'help', None) or 'See above.')}\n"


def _safe(text: str) -> str:
    """Return text as man(7) reads it: hyphens that can be copied, no line that begins as a request."""
    text = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)
