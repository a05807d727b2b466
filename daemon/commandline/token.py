"""The command `idiolect token`: where the token is that another program is to show, and another one in its place."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson


class ScopeName(enum.StrEnum):
    """What a token is good for."""

    suggest = "suggest"
    learn = "learn"
    admin = "admin"


def token(
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
    """Show the file that holds the token for other programs, as small a one as will do."""
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.endpoint import tokens
    from idiolect.daemon.endpoint.scopes import Scope
    from idiolect.daemon.settings import Settings

    settings = Settings().prepare()
    chosen = Scope[scope.upper()]
    made, path = tokens.make(settings, chosen, anew=rotate), tokens.path_of(settings, chosen)
    View().token(scope, path, made if show else None, as_json=as_json)
