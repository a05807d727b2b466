"""The one error base class, and the exit codes of the program; every error says what happened and what to do next."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command ends, by what its caller can do about it; `docs/errors.md` says so in words."""

    DONE = 0
    NO = 1
    USAGE = 2
    BAD_INPUT = 3
    CONFLICT = 4
    STORE = 5
    NO_ROOM = 6
    BASE = 7
    NOT_RUNNING = 8
    TRAINING = 9
    UNEXPECTED = 70
    INTERRUPTED = 130


class IdiolectError(Exception):
    """Base of all errors shown to a user: a sentence for a person, a code for a program.

    Subclasses live beside the code that raises them and set the three class attributes. The
    message never contains user text.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    http_status: ClassVar[int] = 500


class UnsupportedModelError(IdiolectError):
    """A GGUF is not a model that this program can run."""

    code: ClassVar[str] = "unsupported-model"
    exit_code: ClassVar[ExitCode] = ExitCode.BASE
    http_status: ClassVar[int] = 500


class DamagedModelError(IdiolectError):
    """The base model's files are incomplete or changed."""

    code: ClassVar[str] = "damaged-model"
    exit_code: ClassVar[ExitCode] = ExitCode.BASE
    http_status: ClassVar[int] = 503
