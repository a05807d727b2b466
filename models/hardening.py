"""Makes the files of a process private and its memory unreadable, before it holds the user's text."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


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
