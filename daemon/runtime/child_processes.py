"""Child processes for long work: one at a time, text in over stdin, events out, ended with the service."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

import psutil

from idiolect.adapters.training.child import give_way, leave_processors_to_others
from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.daemon.runtime.pipes import pipe
from idiolect.daemon.settings import child_environment
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import module_command

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = logging.getLogger("idiolect.children")

_WIND_UP_S = 8.0  # for a step of training and the checkpoint after it
_STOP_S = 5.0
_NICENESS = (
    5  # of work that somebody waits for: a quarter of a processor beside a busy program, the rest of it alone
)
#: What a child says of an error that nobody caught: its kind and place.
_WHERE = re.compile(r"\w+(?: at [\w.]+:\d+ in [\w<>]+)?")


class TrainingBusyError(IdiolectError, code="training-busy", exit_code=ExitCode.TRAINING, http_status=409):
    """A training round or an evaluation is running already."""


@dataclass(frozen=True)
class ChildWork:
    """A kind of work.

    ``name`` is what sentences call it ("a training round"), ``module`` the program that does it, ``failed`` what is
    raised where it ends without a result, ``known`` the errors of its own that keep their class.
    """

    name: str
    module: str
    failed: type[IdiolectError]
    known: tuple[type[IdiolectError], ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


class ChildProcesses:
    """Runs the child processes of one service, one at a time. Calls may come from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # holds all that follows
        self._child: subprocess.Popen[bytes] | None = None
        self._heard = False  # the child's first event has come: it reads what it is told from then on
        self._suspended_at: float | None = None
        self._unsent_s = 0.0
        self._stopping = False
        self._waited_for = True
        self.doing: str | None = None
        """The name of the work that is under way, or None."""
        self.cancelled: str | None = None
        """Why the work that is under way, or the last one, was ended, if it was."""
        self._cancelled_as: type[IdiolectError] | None = None

    @contextlib.contextmanager
    def claim(self, work: ChildWork, *, waited_for: bool = True) -> Iterator[None]:
        """Keep other work off for as long as this takes. Raises TrainingBusyError.

        Work that nobody waits for (`waited_for`) runs only while nothing else wants the processor.
        """
        with self._changed:
            if self.doing is not None:
                raise TrainingBusyError(
                    f"{self.doing.capitalize()} is running already. Wait until it is over, then ask again."
                )
            self.doing = work.name
            self._waited_for = waited_for
            self.cancelled = "the service was stopped" if self._stopping else None
            self._cancelled_as = None
        try:
            yield
        finally:
            with self._changed:
                self.doing = None
                self._changed.notify_all()

    def follow(
        self, work: ChildWork, order: DataclassInstance, entries: Iterable[object], count: int
    ) -> Iterator[dict[str, Any]]:
        """Start the process, hand it its order and ``count`` entries (JSON values), and yield its events.

        Raises:
            IdiolectError: ``work.failed`` where the process fails, is ended or breaks off, one of ``work.known``, or
                what :meth:`cancel` was given.
        """
        # In a process group of its own: were the service killed while the child is suspended, the system would
        # end the child (POSIX: a group that becomes orphaned with stopped members is hung up).
        child = subprocess.Popen(
            module_command(work.module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(work.environment),
            process_group=0,
        )
        # Before it has begun a thread: each has a class and a priority of its own, and begins with its parent's.
        if self._waited_for:
            give_way(child.pid, _NICENESS)
        else:
            leave_processors_to_others(child.pid)
        orders, events, errors = pipe(child.stdin), pipe(child.stdout), _Tail(pipe(child.stderr))
        with self._changed:
            self._child, self._heard, self._suspended_at, self._unsent_s = child, False, None, 0.0
            if self.cancelled is not None:
                child.kill()
        ended = False
        try:
            _send(orders, order, entries, count)
            for line in events:
                if not line.endswith(b"\n"):  # it was killed while it wrote
                    break
                if not self._heard:
                    with self._changed:
                        self._heard = True
                        self._send_suspensions()
                event = json.loads(line)
                if event["event"] == "stopped":
                    break
                if event["event"] == "error":
                    kinds = {kind.code: kind for kind in work.known}
                    raise kinds.get(event["code"], work.failed)(event["message"])
                ended = event["event"] == "result"
                yield event
            if ended:
                return
            if self.cancelled is not None:
                raise (self._cancelled_as or work.failed)(
                    f"{work.name.capitalize()} was ended: {self.cancelled}. Ask again when you like."
                )
            if child.wait() != 0:
                log.error("%s: the process ended with %s: %s", work.name, child.returncode, errors.last())
            raise work.failed(
                f"{work.name.capitalize()} ended without a result. The log says more; ask again."
            )
        finally:
            with self._changed:
                self._child = None
            child.kill()
            child.wait()
            for end in (orders, events):
                with contextlib.suppress(BrokenPipeError):
                    end.close()
            errors.close()

    def cancel(self, why: str, error: type[IdiolectError] | None = None) -> None:
        """End the work that is under way, if any; nothing of it is kept. Whoever follows it gets an ``error``."""
        with self._changed:
            if self.doing is not None:
                self.cancelled, self._cancelled_as = why, error
            if self._child is not None:
                self._child.kill()

    def wind_up(self, why: str) -> None:
        """Let the work that is under way, if any, end soon, with what it can go on from later as its last events."""
        with self._changed:
            if self.doing is not None:
                self.cancelled = why
            if self._child is not None:
                self._go_on()
                if self._heard:
                    self._send(stop=True)
                else:
                    self._child.kill()

    def stop(self) -> None:
        """End what is under way and let nothing else come to a result; returns once its end is noted."""
        self._stopping = True
        self.end("the service was stopped")

    def end(self, why: str) -> None:
        """End what is under way, if need be without what it can go on from; returns once its end is noted."""
        self.wind_up(why)
        if not self.has_ended(_WIND_UP_S):
            self.cancel(why)
            self.has_ended(_STOP_S)

    def has_ended(self, within_s: float) -> bool:
        """Wait until no work is under way any more, and return whether that came within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.doing is None, within_s)

    # Waiting

    def suspend(self) -> None:
        """Let the work that is under way stand still, at once."""
        with self._changed:
            # One that was told to end must run to do so.
            if self._child is not None and self._suspended_at is None and self.cancelled is None:
                with contextlib.suppress(psutil.Error):  # it has just ended
                    psutil.Process(self._child.pid).suspend()
                    self._suspended_at = time.monotonic()

    def go_on(self) -> None:
        """Let it go on where it stood still."""
        with self._changed:
            self._go_on()

    def processor_s(self) -> float | None:
        """The processor time that the child has used so far; None where there is none."""
        child = self._child
        with contextlib.suppress(psutil.Error):
            if child is not None:
                times = psutil.Process(child.pid).cpu_times()
                return float(times.user + times.system)
        return None

    def _go_on(self) -> None:
        if self._child is None or self._suspended_at is None:
            return
        self._unsent_s += time.monotonic() - self._suspended_at
        self._suspended_at = None
        if self._heard:  # told before it goes on, so that it never counts the time
            self._send_suspensions()
        with contextlib.suppress(psutil.Error):
            psutil.Process(self._child.pid).resume()

    def _send_suspensions(self) -> None:
        if self._unsent_s:
            self._send(suspended_s=self._unsent_s)
            self._unsent_s = 0.0

    def _send(self, **what: object) -> None:
        """Send the child a line. It reads at once: nothing else is in the pipe since its first event."""
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.write(json.dumps(what).encode() + b"\n")
                self._child.stdin.flush()


def _send(stdin: IO[bytes], order: DataclassInstance, entries: Iterable[object], count: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # then it has said why
        stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        stdin.write(f"{count}\n".encode())
        for entry in entries:
            stdin.write(json.dumps(entry).encode() + b"\n")
        stdin.flush()
    give_back_memory()  # all of the text has just passed through this process


class _Tail:
    """Keeps the last lines of the child's stderr, which is where libraries complain."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, name="stderr", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._pipe:
            self._lines = [*self._lines[-1:], line.decode("utf-8", "replace").strip()]

    def last(self) -> str:
        """The last line, if it says no more than what went wrong and where: other words might quote the text."""
        self._thread.join(timeout=2)
        last = self._lines[-1] if self._lines else ""
        return last if _WHERE.fullmatch(last) else "no word"

    def close(self) -> None:
        self._thread.join(timeout=2)
        self._pipe.close()
