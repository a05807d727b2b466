"""Runs long work in a process of its own: text comes in on stdin, events go out as JSON lines.

The parent writes a line of JSON with the request, a line with the number of entries, and a line of JSON for each
entry. It keeps the pipe open: the process ends when it closes. The process writes nothing but events and keeps nothing.

While it works, the parent may send lines for :class:`ParentMessages`: that the process was suspended, or is to stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import psutil

from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

Emit = Callable[[dict[str, Any]], None]
"""Sends one event; for the thread that works."""


class StoppedError(Exception):
    """The parent asked the process to stop, and it has sent what it leaves behind."""


@dataclass
class ParentMessages:
    """The parent's messages while the process works; one thread takes them in, and others read them.

    A line ``{"suspended_s": 12.5}`` says how long the process was suspended; ``{"stop": true}`` asks it to stop soon.
    Work that can leave a checkpoint does so and raises StoppedError. Work that reads no messages gives none to
    :func:`work`, and ends at once when it is asked to stop.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    suspended_s: float = 0.0

    def handle(self, line: dict[str, Any]) -> None:
        """Take in one line."""
        self.suspended_s += line.get("suspended_s", 0.0)
        if line.get("stop"):
            self.stop.set()


def work(
    do: Callable[[dict[str, Any], list[Any], Emit], None],
    out_of_memory: str,
    messages: ParentMessages | None = None,
) -> int:
    """Read the request and the entries, let ``do`` work on them, and return the exit status.

    ``out_of_memory`` is the message to the user when memory runs out; ``messages`` takes the parent's, if the work
    reads any.
    """
    shield()
    _outlive_nobody()
    sys.excepthook = lambda _kind, error, _trace: _report_place(error)
    threading.excepthook = lambda args: _report_place(args.exc_value)
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not end up among the JSON lines

    def emit(event: dict[str, Any]) -> None:
        out.write(json.dumps(event) + "\n")

    lines = orders(0)
    try:
        request = json.loads(next(lines))
        entries = [json.loads(next(lines)) for _ in range(int(next(lines)))]
        threading.Thread(target=_listen, args=(lines, messages), daemon=True).start()
        do(request, entries, emit)
    except StoppedError:
        emit({"event": "stopped"})
    except IdiolectError as error:
        emit({"event": "error", "code": error.code, "message": str(error)})
        return error.exit_code
    except MemoryError:
        emit({"event": "error", "code": "out-of-memory", "message": out_of_memory})
        return 1
    return 0


def _report_place(error: BaseException | None) -> None:
    """Write the kind and the place of an error to stderr for the log, without its message, which may quote the user."""
    if error is not None:
        [*_, last] = traceback.extract_tb(error.__traceback__, limit=-1) or [None]
        where = f" at {os.path.basename(last.filename)}:{last.lineno} in {last.name}" if last else ""
        os.write(2, f"{type(error).__name__}{where}\n".encode())


def _outlive_nobody() -> None:
    """Have this process woken when its parent dies while it is suspended: it then finds its input closed."""
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)


def give_way(pid: int | None = None, niceness: int = 19) -> None:
    """Lower the priority of a process for processor and disk, of this one by default, as far as the system lets it."""
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        psutil.Process(pid).nice(niceness)
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        psutil.Process(pid).ionice(psutil.IOPRIO_CLASS_IDLE)


def leave_processors_to_others(pid: int) -> None:
    """Run a process only while nothing else wants the processor. The kernel does not let it out of this class again."""
    give_way(pid)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def orders(fd: int) -> Iterator[bytearray]:
    """Yield lines until the other end closes. Not through sys.stdin, whose lock would be held at interpreter exit."""
    held = bytearray()
    while chunk := os.read(fd, 1 << 16):
        held += chunk
        if b"\n" in chunk:
            *lines, held = held.split(b"\n")
            yield from lines


def _listen(lines: Iterator[bytearray], messages: ParentMessages | None) -> NoReturn:
    """Handle messages, and exit with the parent, which holds the other end of stdin open as long as it lives."""
    for line in lines:
        if messages is None:
            break
        messages.handle(json.loads(line))
    os._exit(0)
