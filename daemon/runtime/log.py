"""The log file of the service: events and errors, without a word of the user's."""

from __future__ import annotations

import copy
import logging
import logging.handlers
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from typing_extensions import override

_MAX_BYTES = 2_000_000


class PlainFormatter(logging.Formatter):
    """Log lines whose tracebacks hold types and places only: an exception's message may quote the user."""

    def __init__(self) -> None:
        """Lines of time, process, level, part of the program and message."""
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, never with a traceback that another handler has already written out."""
        record = copy.copy(record)
        record.exc_text = None
        return super().format(record)

    @override
    def formatException(self, ei: Any) -> str:
        """The exception and what led to it, without a word of their messages."""
        return places(ei[1]) if ei[1] is not None else ""


class _Handler(logging.handlers.RotatingFileHandler):
    """Where there is no room for a line it is left out: that is no reason to fail, or to show anybody a traceback."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on."""


def places(error: BaseException) -> str:
    """An exception as lines of `type at file:line in function`, its causes first."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [places(before), "then:"] if before is not None else []
    lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
    lines += [
        f"  at {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__, limit=-20)
    ]
    return "\n".join(lines)


def open_log(path: Path) -> None:
    """Send everything that this process logs, and every error nobody caught, to the profile's log.

    The log is turned over at 2 MB; one older piece is kept.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    handler = _Handler(path, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    log = logging.getLogger("idiolect")

    def uncaught(error: BaseException | None) -> None:
        log.error("uncaught", exc_info=error)

    sys.excepthook = lambda _kind, error, _trace: uncaught(error)
    threading.excepthook = lambda args: uncaught(args.exc_value)
    sys.unraisablehook = lambda args: uncaught(args.exc_value)
