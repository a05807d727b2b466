"""The command `idiolect keyboard`: suggestions in every program of the desktop, as an input method of IBus."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.deferred import find_profile, load_settings, open_terminal

if TYPE_CHECKING:
    from idiolect.daemon.keyboard.install import Standing

EXAMPLE = "idiolect keyboard install --learn; idiolect keyboard status; idiolect keyboard remove"


class Action(enum.StrEnum):
    """What to do about the keyboard."""

    status = "status"
    install = "install"
    remove = "remove"


def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="install: make it one of your input methods; remove: take it out again; status: how it stands."
        ),
    ] = Action.status,
    learn: Annotated[
        bool | None,
        typer.Option(
            "--learn/--no-learn",
            help="With install: whether what you write with it is learned; without either you are asked.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suggest words and ghost text in every program of the desktop, as an input method of IBus."""
    from dataclasses import asdict

    from idiolect.daemon.keyboard import install

    if learn is not None and action is not Action.install:
        raise typer.BadParameter("--learn and --no-learn are for install")
    terminal = open_terminal()
    settings = find_profile() if action is Action.remove else load_settings()
    done: list[str] = []
    if action is Action.install:
        done = install.install(settings, learn=_ask(learn, as_json=as_json))
    elif action is Action.remove:
        done = install.remove() or ["It was not installed."]
    found = install.standing(settings)
    if as_json:
        return terminal.print_json({**asdict(found), "done": done})
    for line in done if action is Action.remove else [*done, *_describe(found)]:
        terminal.say(line)
    return None


def _ask(learn: bool | None, *, as_json: bool) -> bool | None:
    """What the user says about learning; None leaves it as it is, where nobody can be asked."""
    import sys

    if learn is not None or as_json or not sys.stdin.isatty():
        return learn
    return typer.confirm(
        "Shall it learn what you write with it? Never in password fields, terminals or private windows",
        default=False,
    )


def _describe(found: Standing) -> list[str]:
    if not found.written:
        return [f"Not installed. {found.mend}"]
    learns = (
        "It suggests and learns." if found.learns else "It suggests only: it learns nothing that you write."
    )
    if found.mend is not None:
        return [found.mend, learns]
    return ["Installed, and in use.", learns]
