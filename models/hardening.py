"""Makes a process of the program safe: private files, memory that nobody reads, and no stranger's modules."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the program, by its dotted name.

    With -P no folder in the current directory is taken for a library of the same name.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def shield() -> None:
    """Keep other users out of the files that this process makes, and everybody out of its memory.

    Files get mode 0600 and folders 0700, whatever umask the user has. A crash leaves no core file. The
    process is also not dumpable: no core goes to a crash reporter either, and the user's other programs, unless they
    are root's, can neither trace it nor read its memory and environment. A program that this one starts has neither
    protection until it calls this itself.
    """
    os.umask(0o077)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
