"""Memory that the C library and Python keep free: limited, given back, and overwritten (glibc on Linux only)."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
from collections.abc import Mapping

from idiolect.adapters.steps import Steps, finish

HUGE_PAGES = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
"""The variable, and its value, by which glibc 2.35 asks for pages of 2 MB where a process takes much memory."""

_M_ARENA_MAX = -8  # <malloc.h>
_ARENAS = 2
_BYTES_OVERHEAD = sys.getsizeof(b"")
_PYTHON_BLOCKS = range(48, 513, 16)  # bytes; text takes at least so many
_PYTHON_BYTES = 2 << 20  # of each of these sizes, more than is free in it
_NUMPY_BLOCKS, _NUMPY_KEPT = 1024, 7  # bytes of the blocks that numpy keeps, and how many of each size
_HEAP_BLOCKS = (
    8176,
    4080,
    2032,
    *range(1040, 24, -16),
)  # bytes; what is larger are pages, which are given back
_HEAP_TAKEN = 1024  # of each of these sizes
_JOIN_S = 0.005
_ELSEWHERE = (AttributeError, OSError, TypeError)  # another C library, and (the last) Windows


def with_huge_pages(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that asks for large pages, unless the user has set something of the kind.

    A pass reads a hundred megabytes of weights. With pages of 4 KB a tenth of its time goes into finding them.
    """
    return dict([HUGE_PAGES]) | dict(environment)


def keep_little() -> None:
    """Let many threads share few heaps, each of which keeps some of what was freed in it; before there are threads."""
    with contextlib.suppress(*_ELSEWHERE):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back_memory() -> None:
    """Return to the system what has been freed; glibc keeps tens of megabytes of it otherwise."""
    with contextlib.suppress(*_ELSEWHERE):
        ctypes.CDLL(None).malloc_trim(0)


def overwrite_free_blocks() -> Steps[None]:
    """Overwrite what was freed and not yet taken again: of Python, of numpy, and of the heaps that threads share.

    What Python copies of a text is freed and not cleared, and stays until something else takes its place.
    """
    import numpy as np  # for the service alone: the command line imports this module, too

    gc.collect()
    yield
    for size in _PYTHON_BLOCKS:
        filled = [bytes(size - _BYTES_OVERHEAD) for _ in range(_PYTHON_BYTES // size)]
        yield
        del filled
    arrays = [np.zeros(size, np.uint8) for size in range(1, _NUMPY_BLOCKS) for _ in range(_NUMPY_KEPT)]
    del arrays
    give_back_memory()  # whole pages
    yield
    # The event loop, which reads requests, has another heap than the calling thread; one of two threads gets it.
    for _ in range(_ARENAS):
        thread = threading.Thread(target=finish, args=(_overwrite_heap(),), name="heap", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_JOIN_S)
            yield
    for _ in range(2):  # what one round gives back is cut otherwise in the next
        yield from _overwrite_heap()


def _overwrite_heap() -> Steps[None]:
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    taken = list[int | None]()
    try:
        for size in _HEAP_BLOCKS:
            for _ in range(_HEAP_TAKEN):
                block = library.malloc(size)
                if block is not None:
                    ctypes.memset(block, 0, size)
                    taken.append(block)
            yield
    finally:
        for block in taken:
            library.free(ctypes.c_void_p(block))
    give_back_memory()
