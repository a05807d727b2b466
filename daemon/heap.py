"""How much memory the C library keeps beside what is in use; on other systems than Linux with glibc nothing changes."""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # <malloc.h>
_ARENAS = 2
# Bytes from which on a block that finds no room in a heap is mapped by itself, and so leaves no hole there: keys and
# values of a text that is set aside; not what comes and goes with each key: distributions, and arrays over all words.
_APART = 1 << 20
_TRIM = 16 << 20  # bytes that may be free at a heap's end
_ELSEWHERE = (AttributeError, OSError, TypeError)  # another C library, and (the last) Windows


def keep_little() -> None:
    """Keep large blocks out of the heaps, and let many threads share few of them: each keeps some of what was freed in
    it. To be called before there are threads.
    """
    with contextlib.suppress(*_ELSEWHERE):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _APART)
        mallopt(_M_TRIM_THRESHOLD, _TRIM)


def give_back_memory() -> None:
    """Return to the system what has been freed; glibc keeps tens of megabytes of it otherwise."""
    with contextlib.suppress(*_ELSEWHERE):
        ctypes.CDLL(None).malloc_trim(0)
