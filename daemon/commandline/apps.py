"""The command `idiolect apps`: in which applications it suggests and learns, or only suggests, or neither."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson


class Action(enum.StrEnum):
    """What to do with the rules for applications."""

    list = "list"
    allow = "allow"
    quiet = "quiet"
    exclude = "exclude"
    undo = "undo"


def apps(
    action: Annotated[
        Action,
        typer.Argument(
            help="allow: suggest and learn there; quiet: suggest but learn nothing; exclude: neither; "
            "undo: take the last change back; list: show the rules."
        ),
    ] = Action.list,
    app: Annotated[
        str | None,
        typer.Argument(
            help="An application's name, or a pattern such as *chat*; letter case does not matter."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say in which applications to suggest and learn; password managers are always left alone."""
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.settings import Settings

    names_one = action in (Action.allow, Action.quiet, Action.exclude)
    if names_one != (app is not None):
        raise typer.BadParameter(
            f"{action} {'needs an application' if names_one else 'takes no application'}"
        )
    view = View()
    with Client(Settings()) as client:
        if action is Action.list:
            answer = client.get("/v1/apps")
        elif action is Action.undo:
            answer = client.post("/v1/apps", {"undo": True})
        else:
            answer = client.post("/v1/apps", {"app": app, "rule": action.value})
    view.app_rules(answer["rules"], changed=action is not Action.list, as_json=as_json)
