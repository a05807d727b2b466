"""What the C library keeps of memory that threads have freed."""

import os
import platform
import subprocess
import sys

import pytest

from idiolect.daemon.runtime.heap import with_huge_pages

HEAPS = """
import ctypes, threading
from idiolect.daemon.runtime import heap
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


def heaps(first):
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
    }
    command = [sys.executable, "-c", HEAPS.format(first=first)]
    out = subprocess.run(command, env=ours, capture_output=True, check=True)
    return out.stdout.count(b"<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_share_few_heaps():
    assert heaps("heap.keep_little()") <= 2 < heaps("")


def test_large_pages_are_asked_for_unless_the_user_has_said_otherwise():
    assert with_huge_pages({"HOME": "/x"}) == {"HOME": "/x", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    assert with_huge_pages({"GLIBC_TUNABLES": "a=b"}) == {"GLIBC_TUNABLES": "a=b"}
