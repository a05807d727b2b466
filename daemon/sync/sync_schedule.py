"""When the shared folder is read and written: at the system's notices, and some time after something was learned."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from contextlib import suppress
from typing import Final

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from idiolect.daemon.profile.events import Decided, Forgotten, Learned
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.sync.folder import SUFFIX
from idiolect.daemon.sync.sharing import Sync
from idiolect.models.errors import IdiolectError, code_of

log = logging.getLogger("idiolect.sync")

_EVERY_S: Final = 60.0  # from what is learned to the writing of it
_QUIET_S: Final = 0.3  # after a notice: a synchroniser brings several files
_LONGEST_NOTICE_S: Final = 10.0
_POLL_S: Final = 60.0  # a drive of the network sends no notices, and elsewhere some are lost
_RETRY_S: Final = 5.0
_LONGEST_RETRY_S: Final = 300.0
_STOP_S: Final = 10.0
_NEVER: Final = float("inf")
#: Folders that are watched, at most: the shared one, and the subfolders of devices.
_MAX_WATCHED: Final = 65
#: What devices write: files, and subfolders.
_OURS: Final = re.compile(rf"{re.escape(SUFFIX)}$|^[0-9a-f]{{16}}$")
_CHANGES: Final = ("created", "modified", "closed", "moved", "deleted")


class SyncSchedule(FileSystemEventHandler):
    """Follows the shared folder, from `start` to `stop`, in a thread that begins when a folder is shared.

    Its methods are safe in any thread. What is learned is written after `every_s` seconds, with all that comes until
    then.
    """

    def __init__(self, sync: Sync, profile: Profile, every_s: float = _EVERY_S) -> None:
        self._sync = sync
        profile.events.subscribe(Learned, lambda _: self.send_soon())
        profile.events.subscribe(Decided, lambda _: self.send_soon())
        profile.events.subscribe(Forgotten, lambda _: self.send_soon(at_once=True))
        self._every_s = every_s
        self._wake = threading.Condition(threading.RLock())
        self._read_at = self._send_at = self._poll_at = _NEVER
        self._notice_s = _QUIET_S  # from a notice to the reading; longer where notices bring nothing
        self._retry_s = _RETRY_S
        self._busy = self._stopping = self._failed = False
        self._observer: BaseObserver | None = None
        self._observed: dict[str, int] = {}  # the folders that are watched, and which each is
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read and write at once, and follow the folder from now on, if a folder is shared."""
        if self._sync.path is not None:
            self._schedule(read_in_s=0, send_in_s=0)
            with self._wake:
                if self._thread is None and not self._stopping:
                    self._thread = threading.Thread(target=self._work, name="sync", daemon=True)
                    self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not written yet is written after the next start."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_S)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(_STOP_S)

    def send_soon(self, *, at_once: bool = False) -> None:
        """Write what was learned, decided or forgotten, with what comes in the next seconds unless `at_once`."""
        if self._sync.path is not None:
            self._schedule(send_in_s=0 if at_once else self._every_s)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Read soon, where files arrive that this device did not write."""
        names = [os.path.basename(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        if event.event_type in _CHANGES and any(
            _OURS.search(name) and name != self._sync.device for name in names
        ):
            self._schedule(read_in_s=self._notice_s)

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be read or written now; a folder that is away is looked for all the same."""
        with self._wake:
            return not self._busy and (
                self._sync.path is None or (self._send_at == _NEVER and self._read_at == _NEVER)
            )

    def _schedule(self, read_in_s: float = _NEVER, send_in_s: float = _NEVER) -> None:
        now = time.monotonic()
        with self._wake:
            self._read_at = min(self._read_at, now + read_in_s)
            self._send_at = min(self._send_at, now + send_in_s)
            self._wake.notify_all()

    def _work(self) -> None:
        while not self._stopping:
            with self._wake:
                now, due = time.monotonic(), min(self._read_at, self._send_at, self._poll_at)
                if self._sync.path is None or now < due:
                    self._wake.wait(None if due == _NEVER or self._sync.path is None else due - now)
                    continue
                send = now >= self._send_at or self._failed
                self._read_at, self._busy = _NEVER, True
                self._send_at = _NEVER if send else self._send_at
            try:
                self._observe()
                new = self._sync.cycle(send=send)
                # Notices of nothing, however many a drive sends, are followed more and more seldom.
                self._notice_s = _QUIET_S if new else min(2 * self._notice_s, _LONGEST_NOTICE_S)
                self._failed, self._retry_s = False, _RETRY_S
                poll_in_s = _POLL_S
            except Exception as error:  # noqa: BLE001 (whatever it is, the next files may be read)
                if not self._stopping:
                    log.warning("the shared folder was not read or written, and will be: %s", code_of(error))
                self._failed, poll_in_s = True, self._retry_s
                self._retry_s = min(2 * self._retry_s, _LONGEST_RETRY_S)
            finally:
                with self._wake:
                    self._busy = False
                    self._poll_at = time.monotonic() + poll_in_s

    def _observe(self) -> None:
        """Watch the folders that are there now; where the system can watch no more, they are polled alone."""
        wanted = self._wanted()
        if wanted == self._observed:
            return
        self._unobserve()
        if not wanted or self._stopping:
            return
        if self._observer is None:  # one for good: each costs threads, and is tried again and again
            self._observer = Observer()
            self._observer.start()
        try:
            for path in wanted:
                self._observer.schedule(self, path)
        except OSError:  # the system can watch no more
            self._unobserve()
        else:
            self._observed = wanted

    def _wanted(self) -> dict[str, int]:
        """The folders to watch, each with its number on the disk."""
        wanted = {}
        with suppress(IdiolectError, OSError):
            for path in self._sync.folders()[:_MAX_WATCHED]:
                wanted[path] = os.stat(path).st_ino
        return wanted

    def _unobserve(self) -> None:
        self._observed = {}
        if self._observer is not None:
            self._observer.unschedule_all()
