"""Writing files that the user asks a command for, such as a browser's extension."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from idiolect.models.errors import ExitCode, IdiolectError


class UnwritableError(IdiolectError, code="unwritable", exit_code=ExitCode.NO_ROOM, http_status=500):
    """A file that the user wants cannot be written there."""


@contextlib.contextmanager
def writing(path: Path, advice: str) -> Iterator[None]:
    """Raise UnwritableError where the block cannot write `path`; `advice` is a sentence on what to do then."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(f"{path} cannot be written: {error.strerror}. {advice}") from None
