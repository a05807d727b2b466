"""A place that can be set up, and what it is set up for: this installation and one profile."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import platformdirs

from idiolect.daemon.profile_paths import default_home
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idiolect.daemon.settings import Settings


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
class Step:
    """What setting up does: the file or the thing that changes, and the lines that come there."""

    where: str
    lines: str


class Place(Protocol):
    """Something that one types in. A new place is a class like this, and a row in `places.PLACES`."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def first(self) -> str:
        """What to type there first, in a sentence."""

    @property
    def asks_by(self) -> str:
        """How it asks the service, for the check: "lsp", or "none" where there is nothing to try."""

    def found(self, target: Target) -> str | None:
        """Where its program is; None where it is not installed."""

    def done(self, target: Target) -> bool:
        """Whether it is set up."""

    def steps(self, target: Target) -> Sequence[Step]:
        """What `install` would do. Raises SetupRefusedError."""

    def install(self, target: Target) -> None:
        """Set it up, or anew. Raises SetupRefusedError, OSError."""

    def remove(self, target: Target) -> bool:
        """Take all of that back; False where there was nothing. Raises SetupRefusedError, OSError."""
