"""Rest of an idle service: a small program takes the process's place, and starts the service on demand.

The model, the knowledge and all libraries take hundreds of megabytes, and a program can't give back what it has
imported. So a service that is idle has the system put this small program in its place (`exec`): the same process,
still holding the profile's lock and the listening socket. A client that connects waits in the socket's queue while
the service is put back. So do files that are saved meanwhile: whatever wakes the service, it looks for them.

Only the standard library is imported here, and watchdog where folders are followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from idiolect.models.hardening import module_command, shield

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watchdog.events import FileSystemEvent

_PIPE_BYTES: Final = 60_000  # what a pipe takes before anybody reads it
_DAY_S: Final = 86_400.0
_DESCRIPTORS: Final = 4096
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)
_WRITTEN: Final = ("created", "modified", "closed", "moved")


@dataclass(frozen=True)
class IdleState:
    """What wakes a resting service, besides a client.

    A change at or below a path of `watch`, where it concerns a folder or a file whose name ends in one of `suffixes`;
    and the end of `wake_in_s` seconds.
    """

    watch: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    wake_in_s: float = _DAY_S
    since: float = field(default_factory=time.time)
    """When the service last looked for changes; in seconds of the clock."""

    @property
    def possible(self) -> bool:
        """Whether it can be handed over."""
        return len(json.dumps(asdict(self))) < _PIPE_BYTES // 2


@dataclass(frozen=True)
class Handover:
    """What the service leaves for itself: descriptors of the lock and the listening socket, the store's key, sessions.

    `running` are the fields of the run file, which stays as it is; `token_ns` is when the token was written under
    which the page's sessions began. `former` are the fields of the base model that served before another was chosen: it
    serves again where that cannot. The program between never reads this.

    The program may be upgraded while it rests: every version writes the first three as they are here, and reads what
    it knows of the others.
    """

    lock: int
    listener: int
    running: dict[str, Any]
    key: str | None = None
    sessions: list[Any] = field(default_factory=list)
    token_ns: int | None = None
    former: dict[str, Any] | None = None

    @classmethod
    def read(cls, pipe: int) -> Handover:
        """What was left in a pipe, by this version of the program or another."""
        from idiolect.daemon.runtime.process import known_fields  # for the service alone, which has it anyway

        with os.fdopen(pipe, encoding="utf-8") as left:
            return cls(**known_fields(cls, json.load(left)))


def begin(rest: IdleState, left: Handover, run_file: Path, arguments: Sequence[str]) -> NoReturn:
    """Rest, in this process; `arguments` start the service again. Raises OSError: it can't be."""
    handed = _pipe(asdict(left))
    plan = {
        "rest": asdict(rest),
        "listener": left.listener,
        "run_file": str(run_file),
        "kept": [left.lock, left.listener, handed],
        "again": [*arguments, "--handed", str(handed)],
    }
    orders = _pipe(plan)
    for descriptor in (left.lock, left.listener, handed, orders):
        os.set_inheritable(descriptor, True)
    hold_signals()
    _become("idiolect.daemon.runtime.resting", str(orders))


def _pipe(content: dict[str, Any]) -> int:
    """The end to read from, of a pipe with this in it."""
    out, into = os.pipe()
    with os.fdopen(into, "w", encoding="utf-8") as pipe:
        json.dump(content, pipe)
    return out


def _become(module: str, *arguments: str) -> NoReturn:
    os.execv(sys.executable, module_command(module, *arguments))  # noqa: S606 (no shell is wanted)


def main(orders: int) -> NoReturn:
    """Wait for what wakes the service, or for its end."""
    shield()
    with os.fdopen(orders, encoding="utf-8") as pipe:
        plan = json.load(pipe)
    rest = _rest(plan["rest"])
    for below, above in pairwise([2, *sorted(plan["kept"]), _DESCRIPTORS]):
        os.closerange(below + 1, above)  # what a library opened without a thought of `exec`

    def leave(_signal: int, _frame: object) -> NoReturn:
        Path(plan["run_file"]).unlink(missing_ok=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    release_signals()
    change_out, change_in = os.pipe()
    os.set_blocking(change_in, False)
    if rest.watch:
        _watch(rest, change_in)
        if changed(rest):  # between the service's last look and now
            os.write(change_in, b"!")
    poll = select.poll()
    poll.register(plan["listener"], select.POLLIN)
    poll.register(change_out, select.POLLIN)
    poll.poll(1000 * rest.wake_in_s)
    hold_signals()
    _become("idiolect.daemon", *plan["again"])


def _rest(plan: dict[str, Any]) -> IdleState:
    return replace(IdleState(**plan), watch=tuple(plan["watch"]), suffixes=tuple(plan["suffixes"]))


def hold_signals() -> None:
    """Let the signals that end the process wait: the next program has handlers for them, once it has begun."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)


def release_signals() -> None:
    """Handle them from now on, those that waited first."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def _watch(rest: IdleState, change_in: int) -> None:
    """Write to the pipe `change_in` when a watched file changes; its threads end with this program."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    class ChangeHandler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            # A folder is modified by whatever is written in it; that has an event of its own.
            if event.event_type not in (("created", "moved") if event.is_directory else _WRITTEN):
                return
            paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
            if any(concerns(rest, path, folder=event.is_directory) for path in paths):
                with contextlib.suppress(BlockingIOError):
                    os.write(change_in, b"!")

    observer = Observer()
    observer.start()  # first: only then does `schedule` itself fail where a path is missing
    for path in map(Path, rest.watch):
        folder = path if path.is_dir() else path.parent
        with contextlib.suppress(OSError):  # not there now: it is looked for whenever the service wakes
            observer.schedule(ChangeHandler(), str(folder), recursive=folder == path)


def changed(rest: IdleState) -> bool:
    """Whether something that concerns the service was written, or put there, since it last looked."""
    for root in rest.watch:
        files = [root] if Path(root).is_file() else []
        for folder, within, names in os.walk(root):
            within[:] = [name for name in within if not name.startswith(".")]
            files += [
                path for name in names if concerns(rest, path := os.path.join(folder, name), folder=False)
            ]
        for file in files:
            with contextlib.suppress(OSError):  # it is gone
                if os.stat(file).st_ctime >= rest.since:
                    return True
    return False


def concerns(rest: IdleState, path: str, *, folder: bool) -> bool:
    """Whether a change at a path is one that the service would look at; it decides itself what it reads."""
    if path in rest.watch:
        return True
    for root in rest.watch:
        if path.startswith(root + os.sep):
            hidden = any(part.startswith(".") for part in path[len(root) + 1 :].split(os.sep))
            if not hidden and (folder or path.lower().endswith(rest.suffixes)):
                return True
    return False


if __name__ == "__main__":
    main(int(sys.argv[1]))
