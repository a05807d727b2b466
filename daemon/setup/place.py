"""The shape of every installer: is the program here, is it set up, install, remove, and what is left to do by hand."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import platformdirs

from idiolect.daemon.profile_paths import default_home
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup import own_files
from idiolect.models.errors import IdiolectError


class SetupRefusedError(IdiolectError):
    """A place cannot be set up: its program is missing, or its configuration has to be changed by hand."""

    code: ClassVar[str] = "setup-refused"
    exit_code: ClassVar[int] = 103
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class Target:
    """What places are pointed to: this installation, and the profile of `settings`; and where their files are."""

    settings: Settings
    home: Path
    config: Path

    @classmethod
    def of(cls, settings: Settings) -> Target:
        """The user's own folders."""
        return cls(settings, Path.home(), platformdirs.user_config_path())

    @property
    def command(self) -> tuple[str, ...]:
        """The language server: a program with an absolute path, and its argument."""
        program = Path(sys.executable).with_name("idiolect")
        return (str(program), "lsp")

    @property
    def environment(self) -> dict[str, str]:
        """What has to be in the server's environment: the profile, where it is not the usual one."""
        return {} if self.settings.home == default_home() else {"IDIOLECT_HOME": str(self.settings.home)}


@dataclass(frozen=True)
class Change:
    """One change that `install` makes: the file or the list that changes, and the lines that come there."""

    where: str
    lines: str


class Place(ABC):
    """A program that you type in. A new place is a class like this, and a row in `places.PLACES`.

    Attributes:
        name: what it is called on the command line.
        title: what it is called on a screen.
        first: what to type there first, in a sentence.
        asks_by: how it asks the service, for the check: "lsp", or "none" where there is nothing to try.
        missing: what to do where its program is not found.
        by_hand: what is left to do by hand once it is set up.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    first: ClassVar[str]
    asks_by: ClassVar[str] = "none"
    missing: ClassVar[str | None] = None
    by_hand: ClassVar[str | None] = None

    @abstractmethod
    def found(self, target: Target) -> str | None:
        """Where or which its program is; None where it is not installed."""

    @abstractmethod
    def installed(self, target: Target) -> bool:
        """Whether it is set up."""

    @abstractmethod
    def changes(self, target: Target) -> list[Change]:
        """What `install` would change. Raises SetupRefusedError."""

    @abstractmethod
    def install(self, target: Target) -> None:
        """Set it up, or anew. Raises SetupRefusedError, OSError."""

    @abstractmethod
    def remove(self, target: Target) -> list[str]:
        """Take all of that back; what was taken back, nothing where it was not set up. Raises as `install`."""

    def next_step(self, target: Target) -> str | None:
        """What to do for it next, None where nothing is; what is to be typed stands in backquotes."""
        if self.installed(target):
            return self.by_hand
        return self.missing if self.found(target) is None else f"`idiolect setup {self.name}`"


class LinesPlace(Place):
    """A place that reads lines in a configuration file; `comment` begins a line that it does not read."""

    comment: ClassVar[str] = "#"

    @abstractmethod
    def path(self, target: Target) -> Path:
        """The configuration file."""

    @abstractmethod
    def lines(self, target: Target) -> str:
        """The lines that belong there."""

    def installed(self, target: Target) -> bool:
        """Whether the lines are there."""
        return own_files.has_lines(self.path(target))

    def changes(self, target: Target) -> list[Change]:
        """The lines."""
        return [Change(str(self.path(target)), self.lines(target))]

    def install(self, target: Target) -> None:
        """Write the lines. Raises SetupRefusedError, OSError."""
        self.changes(target)  # may refuse
        own_files.put_lines(self.path(target), self.lines(target), self.comment)

    def remove(self, target: Target) -> list[str]:
        """Take the lines out."""
        return own_files.take_out_lines(self.path(target))
