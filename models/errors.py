"""The one error base class; every error says what happened and what to do next."""

from __future__ import annotations

from typing import ClassVar


class IdiolectError(Exception):
    """Base of all errors shown to a user: a sentence for a person, a code for a program.

    Subclasses live beside the code that raises them and set the three class attributes. The
    message never contains user text.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class UnsupportedModelError(IdiolectError):
    """The given GGUF is not a model that this program can run."""

    code: ClassVar[str] = "unsupported-model"
    exit_code: ClassVar[int] = 14
    http_status: ClassVar[int] = 500


class DamagedModelError(IdiolectError):
    """The base model's files are incomplete or changed."""

    code: ClassVar[str] = "damaged-model"
    exit_code: ClassVar[int] = 15
    http_status: ClassVar[int] = 503
