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

    A subclass stands beside the code that raises it, and names its code, exit code and HTTP status in its head. The
    message never contains user text.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    http_status: ClassVar[int] = 500

    def __init_subclass__(
        cls, *, code: str = "", exit_code: ExitCode = ExitCode.UNEXPECTED, http_status: int = 500
    ) -> None:
        """Set the class attributes; a subclass without a code has those of its base."""
        if code:
            cls.code, cls.exit_code, cls.http_status = code, exit_code, http_status


def code_of(error: BaseException) -> str:
    """What a log says of an error, whose message may hold a user's text: its code, or its class."""
    return error.code if isinstance(error, IdiolectError) else type(error).__name__


class UnsupportedModelError(
    IdiolectError, code="unsupported-model", exit_code=ExitCode.BASE, http_status=500
):
    """A GGUF is not a model that this program can run."""


class DamagedModelError(IdiolectError, code="damaged-model", exit_code=ExitCode.BASE, http_status=503):
    """The base model's files are incomplete or changed."""
