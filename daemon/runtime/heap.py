"""Memory that the process holds and does not need: limited and given back (glibc on Linux only)."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
from collections.abc import Mapping
from pathlib import Path

HUGE_PAGES = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
"""The variable, and its value, by which glibc 2.35 asks for pages of 2 MB where a process takes much memory."""

_M_ARENA_MAX = -8  # <malloc.h>
_ARENAS = 2
_ELSEWHERE = (AttributeError, OSError)  # another C library


def with_huge_pages(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that asks for large pages, unless the user has set something of the kind.

    A pass reads a hundred megabytes of weights. With pages of 4 KB a tenth of its time goes into finding them.
    """
    return dict([HUGE_PAGES]) | dict(environment)


def keep_little() -> None:
    """Let many threads share few heaps, each of which keeps some of what was freed in it; before there are threads."""
    with contextlib.suppress(*_ELSEWHERE):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def spare_collector() -> None:
    """Have the garbage collector pass over what is loaded now: to look through it stops all threads for 50 ms."""
    gc.collect()
    gc.freeze()


def give_back_memory() -> None:
    """Return to the system what has been freed, and the base model's weights as far as they are mapped.

    glibc keeps tens of megabytes of what is freed. onnxruntime has packed most of the mapped weights into memory of its
    own; a page that it reads again comes from the system's cache.
    """
    with contextlib.suppress(*_ELSEWHERE):
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        for mapping in Path("/proc/self/maps").read_text("utf-8").splitlines():
            if mapping.endswith(".onnx.data"):
                start, end = (int(address, 16) for address in mapping.split()[0].split("-"))
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
