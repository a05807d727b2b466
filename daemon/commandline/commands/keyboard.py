"""The command `idiolect keyboard`: install, remove and show the input method for IBus."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.client import find_profile
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup.keyboard_place import Keyboard, KeyboardState
from idiolect.daemon.setup.place import Target

EXAMPLE = "idiolect keyboard install --learn; idiolect keyboard status; idiolect keyboard remove"


GROUP = typer.Typer(
    help="Suggest words and grey text in every program of the desktop, as an input method of IBus."
)


@GROUP.command()
def status(as_json: AsJson = False) -> None:
    """Show how it stands."""
    _print_state(Settings(), [], as_json=as_json)


@GROUP.command("install")
def add(
    learn: Annotated[
        bool | None,
        typer.Option(
            "--learn/--no-learn",
            help="Whether what you write with it is learned; without either you are asked.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make it one of your input methods."""
    settings, learns = Settings(), _ask(learn, as_json=as_json)
    _print_state(settings, Keyboard().install_and_say(Target.of(settings), learn=learns), as_json=as_json)


@GROUP.command()
def remove(as_json: AsJson = False) -> None:
    """Take it out of your input methods."""
    settings = find_profile()
    done = Keyboard().remove(Target.of(settings)) or ["It was not installed."]
    _print_state(settings, done, as_json=as_json, also=False)


def _print_state(settings: Settings, done: list[str], *, as_json: bool, also: bool = True) -> None:
    """Tell what was done, and `also` how it stands."""
    found = Keyboard().state(Target.of(settings))
    said = [*done, *(_describe(found) if also else ())]
    Terminal().print_result(said, {**asdict(found), "done": done}, as_json=as_json)


def _ask(learn: bool | None, *, as_json: bool) -> bool | None:
    """What the user says about learning; None leaves it as it is, where nobody can be asked."""
    if learn is not None or as_json or not sys.stdin.isatty():
        return learn
    return typer.confirm(
        "Shall it learn what you write with it? Never in password fields, terminals or private windows",
        default=False,
    )


def _describe(found: KeyboardState) -> list[str]:
    if not found.written:
        return [f"Not installed. {found.mend}"]
    learns = (
        "It suggests and learns." if found.learns else "It suggests only: it learns nothing that you write."
    )
    if found.mend is not None:
        return [found.mend, learns]
    return ["Installed, and in use.", learns]
