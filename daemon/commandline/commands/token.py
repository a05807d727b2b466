"""The command `idiolect token`: show where a token for another program is, and replace it."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.endpoint import tokens
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings

EXAMPLE = "idiolect token --scope suggest; idiolect token --scope suggest --rotate"


class ScopeName(enum.StrEnum):
    """What a token is good for."""

    suggest = "suggest"
    learn = "learn"
    admin = "admin"


def run(
    scope: Annotated[
        ScopeName,
        typer.Option(
            help="suggest: ask for suggestions; learn: also send what was written, pause, and ask for the status; "
            "admin: everything."
        ),
    ] = ScopeName.admin,
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="Make another one first; the one before is worth nothing from now on."),
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the token itself, not where it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the file with the token that another program needs to ask the service; --scope limits what it may do."""
    settings = (find_profile() if rotate else Settings()).prepare()
    chosen = Scope[scope.upper()]
    made, path = tokens.make(settings, chosen, anew=rotate), str(tokens.path_of(settings, chosen))
    shown = made if show else None
    Terminal().print_result(
        shown or path, {"scope": scope, "path": path, "token": shown}, as_json=as_json, whole=True
    )
