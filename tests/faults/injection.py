"""Faults at every write: SQLCipher's own way to the file system, counted, and failing where it is told to.

The library keeps the functions that open, write and delete files in a table (its VFS). In this process they are
wrapped, through the library's C interface; what Python itself does to files is seen by an audit hook. Each write, sync,
truncation, creation, renaming and deletion is a step. A fault happens at one step; the database's pages, its log and
its locks are the real ones.
"""

import ctypes as C
import datetime
import errno
import importlib
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

FULL, BUSY = 13, 5
IO_ERRORS = {"write": 778, "sync": 1034, "truncate": 1546, "delete": 2570}
_RESERVED = 2  # SQLite's lock levels: from here on, one writes
_EXCLUSIVE = 8  # of a lock in shared memory
_LOCKING = 2

#: What can happen at a step, and what it is called in the table.
FAULTS = {
    "kill": "kill -9",
    "torn": "a write torn in half, then kill -9",
    "power": "power cut: unsynced writes lost",
    "power some": "power cut: some unsynced writes lost",
    "power after": "power cut once success was reported",
    "full": "disk full from then on",
    "io": "one I/O error",
    "locked": "locked by another process from then on",
    "visited": "another process opens and writes",
    "clock back": "clock set back 400 days",
    "clock forward": "clock set forward 400 days",
}
ENDS_PROCESS = {"kill", "torn", "power", "power some"}

_P = C.c_void_p
_OPEN = C.CFUNCTYPE(C.c_int, _P, _P, _P, C.c_int, _P)
_DELETE = C.CFUNCTYPE(C.c_int, _P, C.c_char_p, C.c_int)
_SLEEP = C.CFUNCTYPE(C.c_int, _P, C.c_int)
_MOVE = C.CFUNCTYPE(C.c_int, _P, _P, C.c_int, C.c_longlong)  # read and write
_TRUNCATE = C.CFUNCTYPE(C.c_int, _P, C.c_longlong)
_SYNC = C.CFUNCTYPE(C.c_int, _P, C.c_int)  # and lock
_SIZE = C.CFUNCTYPE(C.c_int, _P, C.POINTER(C.c_longlong))
_SHM_LOCK = C.CFUNCTYPE(C.c_int, _P, C.c_int, C.c_int, C.c_int)


class _Vfs(C.Structure):
    _fields_ = [
        ("iVersion", C.c_int),
        ("szOsFile", C.c_int),
        ("mxPathname", C.c_int),
        ("pNext", _P),
        ("zName", C.c_char_p),
        ("pAppData", _P),
        ("xOpen", _OPEN),
        ("xDelete", _DELETE),
        ("xAccess", _P),
        ("xFullPathname", _P),
        ("xDlOpen", _P),
        ("xDlError", _P),
        ("xDlSym", _P),
        ("xDlClose", _P),
        ("xRandomness", _P),
        ("xSleep", _SLEEP),
    ]


class _Methods(C.Structure):
    _fields_ = [
        ("iVersion", C.c_int),
        ("xClose", _P),
        ("xRead", _MOVE),
        ("xWrite", _MOVE),
        ("xTruncate", _TRUNCATE),
        ("xSync", _SYNC),
        ("xFileSize", _SIZE),
        ("xLock", _SYNC),
        ("xUnlock", _P),
        ("xCheckReservedLock", _P),
        ("xFileControl", _P),
        ("xSectorSize", _P),
        ("xDeviceCharacteristics", _P),
        ("xShmMap", _P),
        ("xShmLock", _SHM_LOCK),
        ("xShmBarrier", _P),
        ("xShmUnmap", _P),
        ("xFetch", _P),
        ("xUnfetch", _P),
    ]


@dataclass
class _Unsynced:
    """What a file held where something was written that is not yet sure to be on the disk."""

    path: str
    offset: int
    old: bytes
    size: int


@dataclass
class Injector:
    """Counts steps, and lets `fault` happen at step `at` (from 1). Unarmed, it does nothing."""

    fault: str | None = None
    at: int = 0
    visit: Callable[[], None] | None = None
    """Lets another process use the store, and returns when it has."""
    steps: int = 0
    writes: int = 0
    locks: int = 0
    happened: bool = False
    _armed: bool = False
    _folder: str = ""
    _unsynced: list[_Unsynced] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _tables: dict[int, _Methods] = field(default_factory=dict)
    _keep: list[object] = field(default_factory=list)

    def arm(self, folder, fault, at, visit=None):
        """Count what is done in `folder` from now on."""
        self.fault, self.at, self.visit, self._folder, self._armed = fault, at, visit, str(folder), True

    def clear(self):
        """The fault is over: there is room again, nobody else holds the lock."""
        self.fault = None

    # --- what happens at a step ---

    def step(self, kind, torn=None):
        """Count one step of this kind; "full" or "io" where it is to fail."""
        if not self._armed:
            return None
        self.steps += 1
        self.writes += torn is not None
        here = self.writes if self.fault == "torn" else self.steps
        if self.fault in (None, "power after") or here < self.at or (self.fault == "torn" and torn is None):
            return None
        first, self.happened = not self.happened, True
        if self.fault == "full":
            return None if kind in ("delete", "sync", "truncate") else "full"
        if not first:
            return None
        if self.fault == "io":
            return "io"
        if torn is not None and self.fault == "torn":
            torn()
        if self.fault.startswith("power"):
            self.lose(some=self.fault == "power some")
        if self.fault in ENDS_PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "visited" and self.visit is not None:
            self.visit()
        return None

    def locked(self):
        """Whether another process holds the lock that is asked for."""
        if not self._armed:
            return False
        self.locks += 1
        if self.fault == "locked" and self.locks >= self.at:
            self.happened = True
            return True
        return False

    def shift(self):
        """How wrong the clock is now."""
        days = {"clock back": -400, "clock forward": 400}.get(self.fault or "", 0)
        return datetime.timedelta(days=days if self.happened else 0)

    def lose(self, *, some=False):
        """Take back writes that were not yet synced: all of them, or a part that the step's number chooses."""
        chance = random.Random(self.at)
        for lost in reversed(self._unsynced):
            if (some and chance.random() < 0.5) or not os.path.exists(lost.path):
                continue
            with open(lost.path, "r+b") as file:
                file.seek(lost.offset)
                file.write(lost.old)
                if not some:
                    file.truncate(lost.size)

    # --- SQLCipher's files ---

    def install(self):
        """Wrap the library's functions and the clock in this process, for good."""
        library = C.CDLL(importlib.import_module("sqlcipher3._sqlite3").__file__)
        library.sqlite3_initialize()
        library.sqlite3_vfs_find.restype = C.POINTER(_Vfs)
        vfs = library.sqlite3_vfs_find(None).contents
        real_open = _OPEN(C.cast(vfs.xOpen, _P).value)
        real_delete = _DELETE(C.cast(vfs.xDelete, _P).value)

        def opened(pointer, name, file, flags, out):
            status = real_open(pointer, name, file, flags, out)
            place = C.cast(file, C.POINTER(_P))
            if status == 0 and place[0] and name:
                original = place[0]
                if original not in self._tables:
                    self._tables[original] = self._wrapped(original)
                self._names[file] = os.fsdecode(C.string_at(name))
                place[0] = C.addressof(self._tables[original])
            return int(status)

        def deleted(pointer, name, sync):
            wrong = self.step("delete")
            return IO_ERRORS["delete"] if wrong == "io" else int(real_delete(pointer, name, sync))

        vfs.xOpen, vfs.xDelete = _OPEN(opened), _DELETE(deleted)
        vfs.xSleep = _SLEEP(lambda _vfs, microseconds: microseconds)  # who waits for a lock waits in no time
        self._keep += [vfs, vfs.xOpen, vfs.xDelete, vfs.xSleep, real_open, real_delete]
        self._python()
        self._clock()

    def _wrapped(self, original):
        real = C.cast(original, C.POINTER(_Methods)).contents
        table = _Methods.from_buffer_copy(real)

        def size_of(file):
            size = C.c_longlong()
            real.xFileSize(file, C.byref(size))
            return size.value

        def remember(file, offset, amount):
            if self._armed:
                old = C.create_string_buffer(amount)
                real.xRead(file, C.cast(old, _P), amount, offset)
                self._unsynced.append(_Unsynced(self._names[file], offset, old.raw, size_of(file)))

        def write(file, data, amount, offset):
            wrong = self.step("write", lambda: real.xWrite(file, data, amount // 2, offset))
            if wrong is not None:
                return FULL if wrong == "full" else IO_ERRORS["write"]
            remember(file, offset, amount)
            return int(real.xWrite(file, data, amount, offset))

        def truncate(file, size):
            if self.step("truncate") is not None:
                return IO_ERRORS["truncate"]
            if (now := size_of(file)) > size:
                remember(file, size, now - size)
            return int(real.xTruncate(file, size))

        def sync(file, flags):
            if self.step("sync") is not None:
                return IO_ERRORS["sync"]
            self._synced(self._names[file])
            return int(real.xSync(file, flags))

        def lock(file, level):
            return BUSY if level >= _RESERVED and self.locked() else int(real.xLock(file, level))

        def shm_lock(file, offset, count, flags):
            if flags & _EXCLUSIVE and flags & _LOCKING and self.locked():
                return BUSY
            return int(real.xShmLock(file, offset, count, flags))

        table.xWrite, table.xTruncate, table.xSync = _MOVE(write), _TRUNCATE(truncate), _SYNC(sync)
        table.xLock = _SYNC(lock)
        if real.xShmLock:
            table.xShmLock = _SHM_LOCK(shm_lock)
        self._keep += [table, real, table.xWrite, table.xTruncate, table.xSync, table.xLock, table.xShmLock]
        return table

    # --- Python's files, and the clock ---

    def _synced(self, path):
        self._unsynced = [write for write in self._unsynced if write.path != path]

    def _python(self):
        def fail(kind):
            wrong = self.step(kind)
            if wrong is not None:
                code = errno.ENOSPC if wrong == "full" else errno.EIO
                raise OSError(code, os.strerror(code))

        def hear(event, given):
            if not self._armed or not event.startswith(("os.", "open")):
                return
            if event == "os.remove" and self._ours(given[0]):
                fail("delete")
            elif event in ("os.rename", "os.link") and self._ours(given[0]):
                fail("rename")
                if event == "os.rename":
                    for write in self._unsynced:
                        write.path = str(given[1]) if write.path == str(given[0]) else write.path
            elif (
                event == "open"
                and isinstance(given[2], int)
                and given[2] & os.O_CREAT
                and self._new(given[0])
            ):
                fail("create")

        sys.addaudithook(hear)
        fsync = os.fsync

        def synced(handle):
            fail("sync")
            fsync(handle)
            done = os.fstat(handle)
            for path in {write.path for write in self._unsynced}:
                if os.path.exists(path) and os.path.samestat(os.stat(path), done):
                    self._synced(path)

        os.fsync = synced

    def _ours(self, path):
        return (
            isinstance(path, str | os.PathLike)
            and str(path).startswith(self._folder)
            and os.path.lexists(path)
        )

    def _new(self, path):
        return (
            isinstance(path, str | os.PathLike)
            and str(path).startswith(self._folder)
            and not os.path.lexists(path)
        )

    def _clock(self):
        injector, real = self, datetime.datetime

        class Shifted(real):
            @classmethod
            def now(cls, zone=None):
                return real.now(zone) + injector.shift()

        for name, module in [*sys.modules.items()]:
            if name.startswith("idiolect.daemon") and getattr(module, "datetime", None) is real:
                module.datetime = Shifted
