"""The entry point of the program: it handles Ctrl-C and a closed pipe before slow imports begin."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from idiolect.models.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType

#: Commands that speak a protocol with the program that started them, and see themselves to its going away.
_PROTOCOLS: Final = ("lsp",)


class _Output(io.FileIO):
    """A descriptor whose reader may have gone: then the program ends, in order and without a word."""

    _gone = False

    def write(self, data: Any, /) -> int:
        """Write, or raise SystemExit the first time that nobody reads; later writes go nowhere."""
        if self._gone:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self._gone = True
            raise SystemExit(ExitCode.NO) from None


def main() -> NoReturn:
    """Run the command line; see `cli.main`."""
    signal.signal(signal.SIGINT, _leave)
    if sys.argv[1:2] not in ([name] for name in _PROTOCOLS):
        sys.stdout, sys.stderr = _watched(sys.stdout), _watched(sys.stderr)
    from idiolect.daemon.clients.commandline.command_table import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:  # the language server closes its own
                stream.flush()


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End at once: nothing was begun yet."""
    os._exit(ExitCode.INTERRUPTED)


def _watched(stream: Any) -> Any:
    """The same stream, by way of an `_Output`; one that is closed stays as it is."""
    if stream is None:
        return None
    raw = _Output(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )
