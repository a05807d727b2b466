"""Followed folders: what is newly written in their files is read soon after it was saved."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.decisions import FollowPath
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.sources.items import UnreadableError, status
from idiolect.daemon.storage.records import ForgottenMeanwhileError
from idiolect.models.errors import ExitCode, IdiolectError

_EVENTS: Final[list[type[FileSystemEvent]]] = [
    *(FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent),
    *(DirCreatedEvent, DirMovedEvent),  # what is in a folder that appears may have come without a notice
]
#: Files to read in a folder beyond which its user is asked first: some hundred notes are usual, some thousand many.
MANY_FILES: Final = 5000
#: How long files are counted, at the most: whoever asks for `/` is to be answered at once.
COUNTING_S: Final = 3.0

_LONGEST_RETRY_S: Final = 300.0
_STOP_S: Final = 10.0

_log = logging.getLogger(__name__)


class ManyFilesError(IdiolectError, code="many-files", exit_code=ExitCode.CONFLICT, http_status=409):
    """A folder that is to be followed holds very much, or is the home folder, and nobody has confirmed it."""

    def __init__(self, path: Path, found: str) -> None:
        """`found` says what is at `path`."""
        super().__init__(
            f"{path} {found} to read and follow. It is not followed yet: name a folder inside it, or say that "
            "it is meant (`idiolect watch --yes`; over HTTP `confirmed`)."
        )


@dataclass
class _Due:
    """A path to look at (times of the monotonic clock), and whether it was saved off the record."""

    at: float
    latest: float
    off_record: bool
    retry_s: float = 1.0


@dataclass(frozen=True)
class _Observed:
    """A watched path as the system sees it; `watch` is None where it sends no notices."""

    watch: ObservedWatch | None
    file_number: int | None


class Watcher:
    """Follows the store's watched paths, from `start` to `stop`. Its methods are safe in any thread.

    A path is looked at when it has been quiet for `quiet_s`, or has been saved again and again for
    `longest_s`. Notices of the system can get lost (its queue overflows, a network drive sends none), so
    every `rescan_s`, and at the start, all watched paths are compared with what was last read; ten times
    as often where there are no notices. What fails, a full disk for instance, is tried again.
    """

    def __init__(
        self,
        ingest: Ingest,
        profile: Profile,
        *,
        quiet_s: float = 1.5,
        longest_s: float = 30.0,
        rescan_s: float = 600.0,
    ) -> None:
        """Nothing is watched before `start`."""
        self._ingest = ingest
        self._profile = profile
        self._store = profile.store
        self._quiet_s = quiet_s
        self._longest_s = longest_s
        self._rescan_s = rescan_s
        self._observer = Observer()
        self._notices = _Notices(self)
        self._observing = threading.Lock()  # never taken by a notice: the observer sends them under its own
        self._observed: dict[Path, _Observed] = {}
        # Held while it is decided whether a path is followed; taken before `_observing`.
        self._changing = threading.Lock()
        self._adding: Counter[Path] = Counter()  # callers that are about to follow a path
        self._removing: Counter[Path] = Counter()  # callers that are about to end following it
        self._removals: Counter[Path] = Counter()  # how often it was removed
        self._roots: tuple[Path, ...] = ()
        self._wake = threading.Condition()
        self._pending: dict[Path, _Due] = {}
        self._looking = False
        self._stopping = False
        self._next_scan = 0.0
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def start(self) -> None:
        """Follow the watched paths; what was written in them meanwhile is read in the background."""
        # watchdog warns when a folder appears in a folder that has just appeared, and then does it right.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, "watchdog")
        self._observer.start()
        for path in map(Path, self._store.watches.all()):
            self._observe_wanted(path)
        self._thread.start()

    def stop(self, interrupt: Callable[[], None] = lambda: None) -> None:
        """Follow nothing more. What is not read yet is read after the next start.

        `interrupt` ends what is being read.
        """
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        interrupt()
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    @property
    def quiet(self) -> bool:
        """Whether nothing is looked at now, and there is nothing to look at."""
        with self._wake:
            return not self._looking and not self._pending and time.monotonic() < self._next_scan

    @property
    def noticed(self) -> bool:
        """Whether the system tells of every change that there is to look at."""
        with self._observing:
            return all(observed.watch is not None for observed in self._observed.values())

    @contextmanager
    def adding(self, path: Path) -> Iterator[None]:
        """Follow `path` within the block; afterwards for good, or, if the block fails, only if it was followed before.

        A service that is killed within the block does not follow it after the next start. Raises NoSuchPathError,
        UnreadableError, and ForgottenMeanwhileError where it was removed within the block.
        """
        status(path)
        path = real_path(path)
        with self._changing:
            removals = self._removals[path]
            self._adding[path] += 1
            self._observe(path)
        try:
            yield
            with self._changing:
                if self._removals[path] != removals:
                    raise ForgottenMeanwhileError(f"{path} was removed meanwhile, so it is not followed.")
                self._profile.decide(FollowPath(str(path)))
        finally:
            with suppress(IdiolectError), self._changing:
                self._adding[path] -= 1
                if not self._is_wanted(path):
                    self._let_go(path)

    def refuse_very_much(self, path: Path) -> None:
        """Raise ManyFilesError for what nobody follows by intention, unless it is followed already.

        That is what holds the user's home folder, and what has more than `MANY_FILES` to read, or so many others
        that a look at it takes more than `COUNTING_S`. Raises NoSuchPathError, UnreadableError.
        """
        status(path)
        path = real_path(path)
        if str(path) in self._store.watches.all():
            return
        count, whole = self._ingest.count(path, most=MANY_FILES, within_s=COUNTING_S)
        holds_home = _home().is_relative_to(path)
        if whole and not holds_home and count <= MANY_FILES:
            return
        what = "your home folder" if path == _home() else "above your home folder"
        if whole:
            held = f"{count:,} {'file' if count == 1 else 'files'}"
        elif count >= MANY_FILES:
            held = f"more than {count:,} files"
        else:
            held = f"more files than can be counted in {COUNTING_S:.0f} seconds ({count:,} until then)"
        raise ManyFilesError(path, f"is {what}, with {held}" if holds_home else f"holds {held}")

    def remove(self, path: Path) -> bool:
        """Follow `path` no more; False where it was not followed. What it brought stays."""
        path = Path(os.path.realpath(path))
        with self._changing:
            self._removals[path] += 1
            self._let_go(path)
            return self._profile.decide(FollowPath(str(path), follow=False))

    @contextmanager
    def removing(self, path: Path) -> Iterator[None]:
        """Follow `path` no more, if it is followed: for good once the block has ended, and as before if that fails.

        Until then it stays in the store, since one that is full would not take it back.
        """
        path = Path(os.path.realpath(path))
        with self._changing:
            self._removing[path] += 1
            self._let_go(path)
        try:
            yield
            with self._changing:
                self._removals[path] += 1
                self._profile.decide(FollowPath(str(path), follow=False))
        finally:
            with suppress(IdiolectError):
                with self._changing:
                    self._removing[path] -= 1
                self._observe_wanted(path)

    @contextmanager
    def _storing(self, root: Path) -> Iterator[None]:
        """Let text of the watched `root` be stored: `root` is not removed within the block.

        Raises ForgottenMeanwhileError where it is followed no more.
        """
        with self._observing:
            if root not in self._observed:
                raise ForgottenMeanwhileError(f"{root} is followed no more.")
            yield

    def _is_wanted(self, path: Path) -> bool:
        """Whether `path` is to be followed now. `_changing` is held."""
        wanted = self._adding[path] > 0 or str(path) in self._store.watches.all()
        return wanted and not self._removing[path]

    def _observe_wanted(self, path: Path) -> bool:
        """Ask the system for notices about `path` if it is to be followed; whether it is."""
        with self._changing:
            if wanted := self._is_wanted(path):
                self._observe(path)
            return wanted

    def _let_go(self, path: Path) -> None:
        with self._observing:
            self._unobserve(path)
            self._roots = tuple(self._observed)

    def _observe(self, path: Path) -> None:
        """Ask the system for notices about `path`; again, if it is no longer the folder that it was."""
        try:
            number: int | None = path.stat().st_ino
        except OSError:
            number = None
        if self._removing[path]:
            return
        with self._observing:
            now = self._observed.get(path)
            if now is not None and now.watch is not None and now.file_number == number:
                return
            self._unobserve(path)
            watch = None
            if number is not None:
                folder = path if path.is_dir() else path.parent  # a file is replaced when it is saved
                try:
                    watch = self._observer.schedule(
                        self._notices, str(folder), recursive=folder == path, event_filter=_EVENTS
                    )
                except OSError as error:
                    _log.warning("no notices about a watched path: %s", error.strerror)
            self._observed[path] = _Observed(watch, number)
            self._roots = tuple(self._observed)

    def _unobserve(self, path: Path) -> None:
        gone = self._observed.pop(path, None)
        if gone and gone.watch and all(other.watch != gone.watch for other in self._observed.values()):
            self._observer.unschedule(gone.watch)

    def notice(self, path: Path, *, folder: bool = False) -> None:
        """Something happened to a file (or a folder with all in it): look at it when it is quiet."""
        if self._root_of(path, folder=folder) is None:
            return
        off_record = self._ingest.pause.active
        now = time.monotonic()
        with self._wake:
            due = self._pending.setdefault(path, _Due(now, now + self._longest_s, off_record))
            due.at = min(now + self._quiet_s, due.latest)
            due.off_record = due.off_record or off_record
            self._wake.notify_all()

    def _root_of(self, path: Path, *, folder: bool) -> Path | None:
        """The watched path on whose behalf `path` is read; None if it is not to be read."""
        for root in self._roots:
            if path.is_relative_to(root):
                if folder and not self._ingest.excludes(path, root):
                    return root
                if not folder and self._ingest.follows(path, root):
                    return root
        return None

    def _work(self) -> None:
        while not self._stopping:
            with self._wake:
                self._looking = False
                now = time.monotonic()
                ready = [path for path, due in self._pending.items() if due.at <= now]
                jobs = {path: self._pending.pop(path) for path in ready}
                if not jobs and now < self._next_scan:
                    soonest = min([self._next_scan, *(due.at for due in self._pending.values())])
                    self._wake.wait(soonest - now)
                    continue
                self._looking = True
            if not jobs:
                self._scan()
            for path, due in jobs.items():
                self._look(path, due)

    def _look(self, path: Path, due: _Due) -> None:
        if self._stopping:
            return
        try:
            if path.is_dir():
                if self._root_of(path, folder=True) is not None:
                    self._look_into(path, due)
            elif (root := self._root_of(path, folder=False)) is not None:
                storing = partial(self._storing, root)
                self._ingest.update_file(path, root=root, off_record=due.off_record, storing=storing)
        except ForgottenMeanwhileError:
            return  # it is followed no more
        except Exception as error:  # noqa: BLE001 (a watcher that dies of one file misses all others)
            if self._stopping:
                return
            _log.warning("a watched file was not read, and will be tried again: %s", type(error).__name__)
            self._retry(path, due)

    def _look_into(self, folder: Path, due: _Due) -> None:
        """Look at the files at or below `folder` that were saved since they were last read."""
        try:
            for path in self._ingest.changed(folder):
                with self._wake:
                    noticed = self._pending.pop(path, due)
                self._look(path, replace(noticed, off_record=noticed.off_record or due.off_record))
        except (NoSuchPathError, UnreadableError):
            return  # a drive that is not there now, or a folder that came and went

    def _retry(self, path: Path, due: _Due) -> None:
        at = time.monotonic() + due.retry_s
        later = _Due(at, at + self._longest_s, due.off_record, min(2 * due.retry_s, _LONGEST_RETRY_S))
        with self._wake:
            newer = self._pending.setdefault(path, later)
            newer.off_record = newer.off_record or due.off_record

    def _scan(self) -> None:
        """Compare all watched paths with what was last read."""
        now = time.monotonic()
        try:
            for path in map(Path, self._store.watches.all()):
                if self._observe_wanted(path):
                    self._look_into(path, _Due(now, now, off_record=False))
        except Exception as error:  # noqa: BLE001 (as above)
            if not self._stopping:
                _log.warning("the watched folders were not compared: %s", type(error).__name__)
        self._next_scan = time.monotonic() + self._rescan_s / (1 if self.noticed else 10)


def _home() -> Path:
    return Path(os.path.realpath(os.path.expanduser("~")))


class _Notices(FileSystemEventHandler):
    """Passes the system's notices on."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note where something changed: for a move, at both ends."""
        for name in (event.src_path, event.dest_path):
            if name:
                self._watcher.notice(Path(os.fsdecode(name)), folder=event.is_directory)
