"""The shape of every installer: is the program here, is it set up, install, remove, and what is left to do by hand."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from idiolect.daemon.settings import Settings
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError


def write_own(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. A link stays a link, and a file keeps its mode. Raises OSError."""
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(real, data)
    real.chmod(mode)


def remove_own(paths: Iterable[Path]) -> list[str]:
    """Remove files that exist; return their paths. Raises OSError."""
    there = [path for path in paths if path.exists()]
    for path in there:
        path.unlink()
    return [str(path) for path in there]


class SetupRefusedError(IdiolectError, code="setup-refused", exit_code=ExitCode.CONFLICT, http_status=409):
    """A place cannot be set up: its program is missing, or its configuration has to be changed by hand."""


@dataclass(frozen=True)
class Target:
    """What a place is connected to: this installation, the profile of `settings`, and the user's choices.

    `learn` says whether the keyboard learns (None: as before). The service may write to the folders `writable` (none:
    as before). An extension is written to the folder `into` instead of its usual place.
    """

    settings: Settings
    learn: bool | None = None
    writable: tuple[Path, ...] = ()
    into: Path | None = None

    @property
    def command(self) -> tuple[str, ...]:
        """The language server: a program with an absolute path, and its argument."""
        program = Path(sys.executable).with_name("idiolect")
        return (str(program), "lsp")


@dataclass(frozen=True)
class Change:
    """One change that `install` makes: the file or the list that changes, and the lines that come there."""

    where: str
    lines: str


@dataclass(frozen=True)
class Step:
    """What is left to do once a place is set up, where a command does it.

    `title` is what a button calls it, `change` what it changes, and `done` the sentence once it is done.
    """

    title: str
    change: Change
    command: tuple[str, ...]
    done: str


class Place(ABC):
    """A program that you type in. A new place is a class like this, and a row in `places.PLACES`.

    Attributes:
        name: what it is called on the command line.
        title: what it is called on a screen.
        first: what to type there first, in a sentence.
        missing: what to do where its program is not found.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    first: ClassVar[str]
    missing: ClassVar[str | None] = None

    @abstractmethod
    def found(self, target: Target) -> str | None:
        """Where or which its program is; None where it is not installed."""

    @abstractmethod
    def installed(self, target: Target) -> bool:
        """Whether it is set up, for this profile or another."""

    def works(self, target: Target) -> bool:
        """Whether all that setting up can see is as it should be."""
        return self.installed(target)

    def is_of_profile(self, target: Target) -> bool:
        """Whether it is set up for the profile of `target`."""
        return self.installed(target)

    @abstractmethod
    def changes(self, target: Target) -> list[Change]:
        """What `install` would change. Raises SetupRefusedError."""

    @abstractmethod
    def install(self, target: Target) -> list[str]:
        """Set it up, or anew; what was done, in sentences. Raises SetupRefusedError, OSError."""

    @abstractmethod
    def remove(self, target: Target) -> list[str]:
        """Take all of that back; what was done, in sentences, none where it was not set up. Raises as `install`."""

    def step(self, target: Target) -> Step | None:  # noqa: ARG002 (few places have one)
        """What a command does of what `next_step` says; None where no command does it, or more is left to do first."""
        return None

    def next_step(self, target: Target) -> str | None:
        """What to do for it next, None where nothing is; what is to be typed stands in backquotes."""
        if self.installed(target):
            return None
        return self.missing if self.found(target) is None else f"`idiolect setup {self.name}`"
