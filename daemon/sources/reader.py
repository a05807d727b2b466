"""Reading files of other people's making: they are found and read in child processes (`reader_child.py`).

What comes back are items, cleaned, and notes of what was skipped. A child that takes too long over one file is ended,
the file is skipped with a note, and what comes after it is read by a new child.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psutil

from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.runtime.pipes import pipe
from idiolect.daemon.settings import child_environment
from idiolect.daemon.sources.items import BEYOND_LIMIT, FoundFile, GitError, Item, Skipped, UnreadableError
from idiolect.daemon.sources.reader_messages import Found, unpacked
from idiolect.daemon.sources.source_discovery import FoundSource
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import module_command

_log = logging.getLogger("idiolect.reading")

_KNOWN_ERRORS: Final = {kind.code: kind for kind in (NoSuchPathError, UnreadableError, GitError)}
_LONGEST_LINE_BYTES: Final = 32 << 20
_CUT: Final = "what came before was read. Cut it into smaller files"
_CRASHES: Final = tuple(
    -getattr(signal, name) for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE")
)
_LOOK_EVERY_S: Final = 0.25
#: A child needs no threads, which would reserve memory, and no pages of 2 MB, which the service asks for.
_SMALL: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=0",
}


class ReaderEndedError(IdiolectError, code="reader-ended", exit_code=ExitCode.BAD_INPUT, http_status=503):
    """The process that reads files was ended, or ended by itself, before it was done."""


@dataclass(frozen=True)
class Limits:
    """What reading one file, or looking through one folder, may take.

    `quiet_cpu_s` of processor time, or `quiet_s` by the clock, may pass before something comes of it; `whole_cpu_s` of
    processor time may all of it take. `memory_bytes` is for the process, `keep_s` how long one that is idle is kept.
    """

    quiet_cpu_s: float = 20.0
    quiet_s: float = 300.0
    whole_cpu_s: float = 1800.0
    memory_bytes: int = 512 << 20
    keep_s: float = 20.0


@dataclass(frozen=True)
class SourceAtPath:
    """What is at a path: the name of its kind; of a repository, its newest commit and who would commit there."""

    kind: str | None
    newest: str | None = None
    me: tuple[str, ...] = ()


class _Broken(Exception):  # noqa: N818 (it never leaves this module)
    """A child that did not come to the end of an order.

    It says why, whether another one could, and whether it took with it what it had found and not told of yet.
    """

    def __init__(self, why: str, *, again: bool, untold: bool = False) -> None:
        super().__init__(why)
        self.again = again
        self.untold = untold


class Reader:
    """Finds and reads files in child processes. Calls may come from any thread; each has a child of its own."""

    def __init__(self, limits: Limits | None = None) -> None:
        """No child is started before there is something to read."""
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._closed = False

    def find(
        self, path: Path, exclude: Sequence[str], *, most: int | None = None, within_s: float | None = None
    ) -> Iterator[FoundFile | Skipped]:
        """The documents at a path, as `file_discovery.find` gives them; those that it skips are counted together.

        It ends after `most` of them, and after `within_s`. Raises NoSuchPathError, UnreadableError.
        """
        order = {
            "do": "find",
            "path": str(path),
            "exclude": list(exclude),
            "most": most,
            "within_s": within_s,
        }
        for found in self._stream(order, path):
            if isinstance(found, FoundFile | Skipped):
                yield found

    def look(self, path: Path) -> SourceAtPath:
        """What is at a path. Raises NoSuchPathError, UnreadableError, GitError."""
        value = self._value({"do": "look", "path": str(path)}, f"{path} cannot be read")
        return SourceAtPath(value["kind"], value.get("newest"), tuple(value.get("me", ())))

    def pieces(
        self,
        path: Path,
        kind: str,
        me: Sequence[str],
        *,
        since: str | None = None,
        raw: bool = False,
        most: int | None = None,
    ) -> Iterator[Item | Skipped]:
        """What a source of this kind holds of the user's, cleaned; with `raw` also as it stands there.

        `since` is the id of a commit, of a repository; no more than `most` are looked for. Where a limit ends it, a
        note that says so is the last. Raises NoSuchPathError, UnreadableError, GitError.
        """
        wanted = {"kind": kind, "me": list(me), "since": since, "raw": raw, "most": most}
        order = {"do": "pieces", "path": str(path), **wanted}
        for found in self._stream(order, path):
            if isinstance(found, Item | Skipped):
                yield found

    def places(self, home: Path, exclude: Sequence[str]) -> Iterator[FoundSource]:
        """What below a folder holds text of the user's, as `source_discovery.places` gives it."""
        for found in self._stream({"do": "places", "path": str(home), "exclude": list(exclude)}, home):
            if not isinstance(found, Item | Skipped | FoundFile):
                yield found

    def clean(self, text: str, before: str) -> tuple[str, int]:
        """What `cleaning.cleaned` makes of a text. Raises ReaderEndedError."""
        [cleaned] = self.clean_all([(text, before)])
        return cleaned

    def clean_all(self, texts: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
        """What `clean` gives of each of some texts, each with what stood before it."""
        order = {"do": "clean", "texts": texts}
        kept = self._value(order, "The text cannot be searched for secrets, so it was not kept")
        return [(text, redactions) for text, redactions in kept]

    def secrets(self, texts: Sequence[str]) -> list[dict[str, int]]:
        """How many secrets of each kind are found in each text.

        Raises ReaderEndedError.
        """
        order = {"do": "secrets", "texts": texts}
        found: list[dict[str, int]] = self._value(order, "Not all text can be searched for secrets")
        return found

    def close(self) -> None:
        """End all children; what they were at is not read to its end."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.kill("the service was stopped")
        for child in idle:
            child.end()

    def _stream(self, order: dict[str, Any], path: Path) -> Iterator[Found]:
        done, each = 0, False
        for last in (False, True):
            try:
                with self._child() as child:
                    for answer in child.answers({**order, "from": done, "each": each}):
                        yield from map(unpacked, answer["found"])
                        done = answer["upto"]
                return
            except _Broken as broken:
                if self._closed:
                    raise ReaderEndedError("The service is ending, so no more is read.") from None
                # Another one goes to the same place, and tells of each thing on the way at once.
                each = broken.untold
                if last or not (broken.again or each):
                    yield Skipped(path, BEYOND_LIMIT, f"{path.name or path}: {broken}")
                    return

    def _value(self, order: dict[str, Any], failed: str) -> Any:
        tried = False
        while True:
            try:
                with self._child() as child:
                    for _ in child.answers(order):
                        pass
                    return child.value
            except _Broken as broken:
                if self._closed or tried or not broken.again:
                    kind = UnreadableError if order["do"] == "look" else ReaderEndedError
                    raise kind(f"{failed}: {broken}.") from None
                tried = True

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child for one order. It goes on to the next only if it came to the end of this one."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is not None and not child.claim():
            child.end()
            child = None
        try:
            child = child or _Child(self._limits, self._let_go)
        except OSError as error:
            raise ReaderEndedError(
                f"The process that reads files cannot be started: {error.strerror}. Close other programs, then try "
                "again."
            ) from None
        with self._lock:
            self._busy.add(child)
            if self._closed:
                child.kill("the service was stopped")
        try:
            yield child
        finally:
            with self._lock:
                self._busy.discard(child)
                keep = child.rest() and not self._closed and not self._idle
                if keep:
                    self._idle.append(child)
            if not keep:
                child.end()

    def _let_go(self, child: _Child) -> bool:
        """Keep an idle child no longer; False where it has just been given work."""
        with self._lock:
            if idle := child in self._idle:
                self._idle.remove(child)
            return idle


class _Child:
    """One child process, and a thread that ends it where it takes too long."""

    def __init__(self, limits: Limits, let_go: Callable[[_Child], bool]) -> None:
        """`let_go` is asked before an idle one ends."""
        self._limits = limits
        self._let_go = let_go
        # In a process group of its own, which is ended as a whole.
        self._process = subprocess.Popen(
            module_command("idiolect.daemon.sources.reader_child", str(limits.memory_bytes)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(_SMALL),
            process_group=0,
        )
        self._usage = psutil.Process(self._process.pid)
        self._state = threading.Condition()
        self._why = ""  # it was ended
        self._by_limit = self._untold = False
        self._is_ready = False  # what its start takes counts against no limit of a file
        self._idle_since: float | None = None
        self._begun_cpu_s = self._heard_cpu_s = 0.0
        self._awaited_s: float | None = None  # since when somebody waits for it
        self.value: Any = None
        """What the last order came to."""
        self._whole = False
        threading.Thread(target=self._watch, name="reader", daemon=True).start()

    def answers(self, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give it an order, and yield its batches. Raises _Broken, and the errors that a reader raises."""
        orders, answers = pipe(self._process.stdin), pipe(self._process.stdout)
        self._whole = False
        self._begun_cpu_s = self._cpu_s()
        with contextlib.suppress(OSError):
            orders.write(json.dumps(order).encode() + b"\n")
            orders.flush()
        while (line := self._await(answers)).endswith(b"\n"):
            answer = json.loads(line)
            if "ready" in answer:
                self._begun_cpu_s, self._is_ready = self._cpu_s(), True
                continue
            if "found" in answer:
                yield answer
                continue
            if "memory" in answer:
                raise _Broken(
                    f"it takes more than {self._limits.memory_bytes >> 20} MB of memory to read; {_CUT}",
                    again=False,
                )
            self._whole = True
            if "broken" in answer:
                _log.warning("a file was not read to its end: %s", answer["broken"])
                raise _Broken("it is damaged; what came before was read", again=False)
            if "error" in answer:
                code, message = answer["error"]
                raise _KNOWN_ERRORS.get(code, UnreadableError)(message)
            self.value = answer["end"]
            return
        self.kill("the process that reads it was ended; what came before was read")
        if self._process.wait() in _CRASHES:  # libraries in C seldom look whether there is memory
            raise _Broken(
                f"it is damaged, or takes more than {self._limits.memory_bytes >> 20} MB of memory to read; {_CUT}",
                again=False,
                untold=True,
            )
        raise _Broken(self._why, again=not self._by_limit, untold=self._untold)

    def claim(self) -> bool:
        """Take one that rests; False where it has ended."""
        with self._state:
            self._idle_since = None
            return not self._why and self._process.poll() is None

    def rest(self) -> bool:
        """Wait for another order; False where it can't."""
        with self._state:
            self._idle_since = time.monotonic()
            return self._whole and not self._why

    def kill(self, why: str) -> None:
        """End it, with all that it has started: whoever waits for it hears why."""
        with self._state:
            self._why = self._why or why
            self._state.notify_all()
            with contextlib.suppress(OSError):
                if self._process.returncode is None:
                    os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End it; nobody waits for it."""
        self.kill("it was not needed any more")
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                pipe(end).close()

    def _await(self, answers: IO[bytes]) -> bytes:
        self._heard_cpu_s, self._awaited_s = self._cpu_s(), time.monotonic()
        try:
            return answers.readline(_LONGEST_LINE_BYTES)
        finally:
            self._awaited_s = None

    def _cpu_s(self) -> float:
        with contextlib.suppress(psutil.Error):
            times = self._usage.cpu_times()
            return float(times.user + times.system + times.children_user + times.children_system)
        return 0.0

    def _limit(self, which: str) -> None:
        self._by_limit = True
        self.kill(which)

    def _sleeps(self) -> bool:
        with contextlib.suppress(psutil.Error):
            return self._usage.status() != psutil.STATUS_RUNNING
        return False

    def _watch(self) -> None:
        limits = self._limits
        asleep_s, looked_s = 0.0, time.monotonic()  # it waits for something else than a processor
        while True:
            with self._state:
                self._state.wait(_LOOK_EVERY_S)
                if self._why or self._process.poll() is not None:
                    return
                idle = self._idle_since
            now, used, awaited = time.monotonic(), self._cpu_s(), self._awaited_s
            asleep_s = asleep_s + now - looked_s if awaited and awaited < looked_s and self._sleeps() else 0.0
            looked_s = now
            if idle is not None:
                if now > idle + limits.keep_s and self._let_go(self):
                    self.end()
            elif awaited is None:
                continue
            elif self._is_ready and used > self._heard_cpu_s + limits.quiet_cpu_s:
                self._untold = True
                self._limit(f"nothing came of {limits.quiet_cpu_s:.0f} seconds of reading; {_CUT}")
            elif asleep_s > limits.quiet_s:
                self._limit(f"nothing came of it for {limits.quiet_s:.0f} seconds; is its drive there?")
            elif used > self._begun_cpu_s + limits.whole_cpu_s:
                self._limit(f"it takes more than {limits.whole_cpu_s:.0f} seconds to read; {_CUT}")
