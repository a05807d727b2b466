"""The service's process: one for each profile, with its lock, run file, start in the background and stop.

The lock is the kernel's, so it is gone the moment its holder is, however that one ended: a run file
that a killed service left behind is believed only while the lock is held by the process it names.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from idiolect.daemon.profile_paths import ProfilePaths
from idiolect.daemon.runtime.heap import with_huge_pages
from idiolect.daemon.runtime.pipes import pipe
from idiolect.daemon.runtime.start_progress import TOLD_EVERY_S, Patience, StartProgress
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import module_command
from idiolect.models.regular_files import open_regular, read_small

START_DEADLINE_S = 120.0
"""How long a service that starts may tell of no progress."""
STOP_DEADLINE_S = 20.0
_POLL_S = 0.02
_PID_BYTES = 20  # more than any has
_RUN_FILE_BYTES = 64 << 10


class AlreadyRunningError(
    IdiolectError, code="already-running", exit_code=ExitCode.CONFLICT, http_status=409
):
    """Another service holds the profile's lock."""


class BaseBeingMadeError(IdiolectError, code="base-being-made", exit_code=ExitCode.CONFLICT, http_status=409):
    """Another command fetches or builds a base model."""


class StartError(IdiolectError, code="start-failed", exit_code=ExitCode.NOT_RUNNING, http_status=500):
    """The service ended, or stayed silent, before it answered."""


class StopError(IdiolectError, code="stop-failed", exit_code=ExitCode.NOT_RUNNING, http_status=500):
    """The service did not end when asked to."""


class UnauthorizedError(IdiolectError, code="unauthorized", exit_code=ExitCode.NOT_RUNNING, http_status=401):
    """The bearer token is missing, wrong or cannot be read."""


class RelayedError(IdiolectError):
    """An error that the service reported about itself: its own code and exit code, carried over."""

    def __init__(self, error: dict[str, Any]) -> None:
        """From an error's JSON: `code`, `message`, `exit_code`."""
        super().__init__(str(error.get("message", "The service reported an error without a message.")))
        self.relayed_code = str(error.get("code", self.code))
        self.relayed_exit_code = int(error.get("exit_code", self.exit_code))


@dataclass(frozen=True)
class Running:
    """A running service, as its run file tells. `socket` is the path of its Unix socket, if it has one.

    `version` is that of the program which began it; empty where that did not tell. `moved_from` is the port at which it
    would be, had not another program taken that.
    """

    pid: int
    url: str
    port: int | None
    socket: str | None
    started_at: str
    version: str = ""
    moved_from: int | None = None

    @classmethod
    def of(cls, written: dict[str, Any]) -> Running:
        """A service as any version of the program described it. Raises TypeError: a field is missing."""
        return cls(**known_fields(cls, written))


def known_fields(kind: type, written: dict[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass that another version of the program has written, perhaps among others."""
    return {field.name: written[field.name] for field in fields(kind) if field.name in written}


# --- the lock ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(settings: ProfilePaths, *, patience_s: float = 1.0, held: int | None = None) -> Iterator[int]:
    """Be the one service of the profile while the block runs. Yields the lock's file descriptor.

    Whoever looks whether the lock is held takes it for an instant, hence the patience. `held` is the descriptor of a
    lock that this process holds already. Raises AlreadyRunningError.
    """
    if held is not None:
        with os.fdopen(held, "r+", encoding="ascii") as file:
            os.set_inheritable(held, False)
            yield held
            _sign(file, "")
            return
    with _open_lock(settings.lock_path) as file:
        deadline = time.monotonic() + patience_s
        while not _try_lock(file):
            if time.monotonic() >= deadline:
                file.seek(0)
                who = f" (pid {pid})" if (pid := file.read().strip()).isdigit() else ""
                raise AlreadyRunningError(
                    f"A service{who} already runs for the profile {settings.home}. "
                    "Use it, or end it with `idiolect stop`."
                )
            time.sleep(_POLL_S)
        run_file(settings).unlink(missing_ok=True)
        _sign(file, str(os.getpid()))
        yield file.fileno()
        _sign(file, "")


@contextlib.contextmanager
def making_base(settings: ProfilePaths) -> Iterator[None]:
    """Be the one process that fetches or builds a base model while the block runs. Raises BaseBeingMadeError."""
    with _open_lock(settings.base_lock_path) as file:
        if not _try_lock(file):
            file.seek(0)
            raise BaseBeingMadeError(
                f"Another command (pid {file.read().strip()}) is fetching or building a base model for the profile "
                f"{settings.home}. Wait until it is done, and start again."
            )
        _sign(file, str(os.getpid()))
        yield


def holder(settings: ProfilePaths) -> int | None:
    """The pid of the service that holds the profile's lock; None where none runs."""
    if not settings.lock_path.exists():
        return None
    deadline = time.monotonic() + 1.0
    while True:
        with _looked_at(settings.lock_path) as file:
            if _try_lock(file):
                return None
            file.seek(0)
            text = file.read().strip()
        if text.isdigit():
            return int(text)
        # Held without a pid: its holder has only just taken it, or looks as we do.
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)


def _sign(file: IO[str], pid: str) -> None:
    """Say in the lock who holds it.

    It is written over what stands there, which takes no more room; without any, on a full disk, nobody is told, and the
    lock holds all the same.
    """
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    try:
        os.write(file.fileno(), pid.ljust(_PID_BYTES).encode())
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def _open_lock(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii")


def _looked_at(path: Path) -> IO[str]:
    """The lock, to see who holds it: that takes no writing, so it can be seen on a disk that is read-only, too."""
    try:
        return _open_lock(path)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        return path.open(encoding="ascii")


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- the run file and the token ---------------------------------------------------------


def find(settings: ProfilePaths) -> Running | None:
    """The profile's service, if one runs and is ready; what a dead one left behind counts for nothing."""
    pid = holder(settings)
    if pid is None:
        return None
    try:
        with open_regular(run_file(settings)) as file:
            owner = os.fstat(file.fileno()).st_uid
            running = Running.of(json.loads(file.read(_RUN_FILE_BYTES)))
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    if os.geteuid() not in (owner, 0):
        return None  # whoever wrote it wants to be taken for the service
    return running if running.pid == pid else None


def lives(settings: ProfilePaths, running: Running) -> bool:
    """Whether a service that was found is still there, and has been in between."""
    now = find(settings)
    return now is not None and (now.pid, now.started_at) == (running.pid, running.started_at)


@contextlib.contextmanager
def announced(settings: ProfilePaths, running: Running) -> Iterator[None]:
    """Keep the run file of this process while the block runs; the caller holds the lock."""
    durable.write(run_file(settings), json.dumps(asdict(running)).encode())
    try:
        yield
    finally:
        run_file(settings).unlink(missing_ok=True)


def read_token(settings: ProfilePaths) -> str:
    """The token that a client shows. Raises UnauthorizedError."""
    try:
        return read_small(settings.token_path).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise UnauthorizedError(
            f"The token file {settings.token_path} cannot be read. `idiolect status --token admin` makes it again."
        ) from None


def run_file(settings: ProfilePaths) -> Path:
    """Where a service that is ready says how it is reached."""
    return settings.run_dir / "service.json"


# --- start and stop ----------------------------------------------------------------------------------


def start(
    settings: ProfilePaths,
    *,
    flags: Sequence[str] = (),
    deadline_s: float = START_DEADLINE_S,
    show: Callable[[StartProgress], None] | None = None,
) -> tuple[Running, bool]:
    """Start the profile's service in the background and return once it answers.

    `flags` go to `python -m idiolect.daemon`. It is given up once it has reported no progress for `deadline_s`; `show`
    is called with each report. Returns the service and whether this call started it.
    Raises RelayedError (the service's own words about why it cannot run) and StartError.
    """
    patience = Patience(settings.run_dir, deadline_s, show)
    while patience.left_s() > 0:
        if holder(settings) is None:
            running = _launch(settings, flags, patience)
            if running is not None:
                return running, True
        elif (running := find(settings)) is not None:
            return running, False
        else:  # it is being started by another, or is about to end
            time.sleep(_POLL_S)
    raise StartError(
        f"A service holds the profile {settings.home} but does not get ready. Run `idiolect stop`, then "
        f"`idiolect start`. Its log is {settings.log_path}."
    )


def stop(settings: ProfilePaths, *, deadline_s: float = STOP_DEADLINE_S) -> int | None:
    """End the profile's service and wait until it has; returns its pid, None where none ran.

    Raises StopError.
    """
    pid = holder(settings)
    if pid is None:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return pid
    except PermissionError:
        raise StopError(
            f"The service (pid {pid}) belongs to another user. Ask that user to run `idiolect stop`."
        ) from None
    deadline = time.monotonic() + deadline_s
    while holder(settings) == pid:
        if time.monotonic() >= deadline:
            raise StopError(
                f"The service (pid {pid}) has not ended within {deadline_s:.0f} seconds. "
                f"End it with `kill -9 {pid}`: what it has stored stays whole."
            )
        time.sleep(_POLL_S)
    return pid


def _launch(settings: ProfilePaths, flags: Sequence[str], patience: Patience) -> Running | None:
    """A new service, once it answers; None if another was quicker."""
    child = _spawn(settings, flags)
    try:
        line = _first_line(child, patience)
    except BaseException:
        child.terminate()
        raise
    if "running" in line:
        return Running.of(line["running"])
    if "error" not in line:
        raise StartError(f"The service ended before it answered. Where it was is in {settings.log_path}.")
    if line["error"]["code"] == AlreadyRunningError.code:
        return None
    raise RelayedError(line["error"])


def _spawn(settings: ProfilePaths, flags: Sequence[str]) -> subprocess.Popen[str]:
    command = module_command("idiolect.daemon", "--home", str(settings.home), *flags)
    log = os.open(settings.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=settings.home,
            env=with_huge_pages(os.environ),
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    finally:
        os.close(log)


def _first_line(child: subprocess.Popen[str], patience: Patience) -> dict[str, Any]:
    """What the service says about its start, `{}` if it ended without a word. Raises StartError."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def follow() -> None:
        with pipe(child.stdout) as said:
            lines.put(said.readline())
        child.wait()  # so that a long-lived caller does not keep the dead service as a zombie

    threading.Thread(target=follow, daemon=True).start()
    while (left_s := patience.left_s()) > 0:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=min(left_s, TOLD_EVERY_S))
            try:
                answer: dict[str, Any] = json.loads(line)
            except ValueError:
                return {}
            return answer
    raise StartError(
        "The service did not answer in time and was ended. Run `idiolect start` again; "
        "if that fails too, `idiolect doctor` looks for the reason."
    )
