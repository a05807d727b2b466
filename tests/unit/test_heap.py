"""What the C library keeps of memory that threads have freed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, threading
from idiolect.daemon import heap
{first}
barrier = threading.Barrier(8)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def use():
    barrier.wait()
    libc.malloc(1000)
    barrier.wait()
threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
heap.give_back_memory()
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
"""

KEPT = """
import psutil
from idiolect.daemon import heap
{first}
bytearray(30 << 20)  # from now on the C library, left to itself, takes blocks up to this size from its heaps
texts, between = [], []
for _ in range(100):
    texts.append(bytearray(1 << 20))
    texts[-1][::4096] = b"x" * 256  # each page of it
    between.append(bytes(2000))
before = psutil.Process().memory_info().rss
del texts
print((before - psutil.Process().memory_info().rss) >> 20)
"""
PLACES = """
import ctypes
from idiolect.daemon import heap
heap.keep_little()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
heap = next(line for line in open("/proc/self/maps") if "[heap]" in line).split("-")[0]
for size in (800 << 10, 2 << 20):
    place = libc.malloc(size)
    line = next(line for line in open("/proc/self/maps") if place < int(line.split()[0].split("-")[1], 16))
    print("[heap]" in line)
"""
_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")


def said(program: str, first: str) -> bytes:
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MALLOC_") and name != "GLIBC_TUNABLES"
    }
    command = [sys.executable, "-c", program.format(first=first)]
    return subprocess.run(command, env=ours, capture_output=True, check=True).stdout


@_GLIBC
def test_threads_share_few_heaps() -> None:
    few, many = (said(HEAPS, first).count(b"<heap nr=") for first in ("heap.keep_little()", ""))
    assert few <= 2 < many


@_GLIBC
def test_what_comes_and_goes_has_its_place_in_the_heap_and_large_blocks_have_not() -> None:
    assert said(PLACES, "").split() == [b"True", b"False"]


@_GLIBC
def test_large_blocks_leave_no_holes_that_are_kept() -> None:
    assert int(said(KEPT, "heap.keep_little()")) > 90 > 10 > int(said(KEPT, ""))
