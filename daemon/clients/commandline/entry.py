"""The entry point of the program: it handles Ctrl-C and a closed pipe before slow imports begin."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from idiolect.models.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType


def main() -> NoReturn:
    """Run the command line; see `command_table.main`. Where nobody reads its output, it ends without a word."""
    signal.signal(signal.SIGINT, _leave)
    from idiolect.daemon.clients.commandline.command_table import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            run()
        finally:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None and not stream.closed:  # the language server closes its own
                    stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):  # what is still buffered is written at exit
            os.dup2(nowhere, descriptor)
        sys.exit(ExitCode.NO)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End at once: nothing was begun yet."""
    os._exit(ExitCode.INTERRUPTED)
