"""Starting the service for a command, and keeping it stopped while a command works on the profile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Final

import psutil

from idiolect.daemon.clients.commandline.interrupts import explain_interrupt
from idiolect.daemon.clients.commandline.progress import show_base_build
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.runtime import process, service_unit
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.runtime.start_progress import StartProgress
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.marker import claim, refuse_lost
from idiolect.models import durable
from idiolect.models.base_choice import Choice, find_whole_base, make_base, read_choice, serving_folder
from idiolect.models.errors import IdiolectError

#: What a start writes besides the log: lock, run file, port, and what SQLite puts beside the store.
_START_BYTES: Final = 2**20
#: What to say where Ctrl-C ends the work on the base model, by what it had come to.
_BROKEN_OFF: Final = {
    "fetch": "The base model is not fetched. The same command again fetches what is missing of it.",
    "build": "The base model is fetched, but not built. The same command again builds it.",
}
#: What a service is at that takes long to start.
_STARTING: Final = {
    "encode": "your text is encoded for the base model",
    "learn": "all that you wrote is learned",
}
#: More than a locked profile's mark and a key take.
MARK_BYTES: Final = 2**16


def start_service(settings: Settings, terminal: Terminal, port: int | None = None) -> tuple[Running, bool]:
    """Start the service unless it runs, once the base model is there and whole.

    `port` is where it is to listen, by default the port it had last. Returns the service and whether it was started
    now. Raises IdiolectError with what keeps it from answering.
    """
    if process.holder(settings) is not None:
        return _launch(settings, terminal, port)
    refuse_lost(settings)  # before minutes of work on the base model
    claim(settings)  # so that a purge takes what a start leaves that does not come to its end
    if is_base_built(settings):
        # Importing what asks the service takes a while, and reading all of the base model: both go on beside the start.
        with ThreadPoolExecutor(max_workers=1) as beside:
            beside.submit(import_module, "idiolect.daemon.clients.commandline.client")
            whole = beside.submit(find_whole_base, settings.base_dir)
            try:
                found = _launch(settings, terminal, port)
            except IdiolectError:  # also where the service was killed, or is another program's to start
                if whole.result():
                    raise
            else:
                if whole.result():
                    return found
                process.stop(settings)
    build_base(settings, terminal)
    return _launch(settings, terminal, port)


def is_base_built(settings: Settings) -> bool:
    """Return whether the base model that serves was built; whether it is whole is not looked at."""
    return (serving_folder(settings.base_dir) / "model" / "manifest.json").exists()


def build_base(
    settings: Settings, terminal: Terminal, choice: Choice | None = None, languages: Sequence[str] = ()
) -> None:
    """Fetch and build a base model, by default the one that serves, unless it is there; its progress is shown.

    Of a large vocabulary the tokens of the user's `languages` are kept, or those of seven where none are known. Ctrl-C
    says what is kept of it. Raises BaseBeingMadeError before anything is fetched.
    """
    choice = choice or read_choice(settings.base_dir)
    if find_whole_base(settings.base_dir, choice) is not None:
        return
    phase = "fetch"
    with (
        process.making_base(settings),
        explain_interrupt(lambda: terminal.note(_BROKEN_OFF[phase])),
        show_base_build(terminal) as show,
    ):

        def progress(now: str, done: float) -> None:
            nonlocal phase
            phase = now
            show(now, done)

        make_base(settings.base_dir, choice, progress, languages or settings.languages)


def _launch(settings: Settings, terminal: Terminal, port: int | None) -> tuple[Running, bool]:
    with _starting(settings, terminal, port) as (running, fresh):
        # Only now: the service starts meanwhile.
        from idiolect.daemon.clients.link import PROMPT_S, ServiceClient

        with ServiceClient(settings) as client:
            client.get("/healthz", timeout_s=PROMPT_S)
    return running, fresh


@contextlib.contextmanager
def _starting(
    settings: Settings, terminal: Terminal, port: int | None = None
) -> Iterator[tuple[Running, bool]]:
    """Start the service and show how far it has come, also for the block."""
    with terminal.waiting("Starting the service") as show:

        def tell(progress: StartProgress) -> None:
            phase, done = progress
            share = "" if done is None else f": {done:.0%}"
            show(f"Starting the service: {_STARTING[phase]}{share}")

        yield service_unit.start(settings, port, tell)


def end_service(settings: Settings) -> bool:
    """End the service, and wait until its process and what it held are gone. Returns whether it ran.

    Raises StopError if the process does not end.
    """
    pid = process.holder(settings)
    if pid is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        service = psutil.Process(pid)
        process.stop(settings)
        try:
            service.wait(process.STOP_DEADLINE_S)
        except psutil.TimeoutExpired:
            raise process.StopError(
                f"The service (pid {pid}) has let go of the profile but does not end. End it with `kill -9 {pid}`."
            ) from None
    return True


@contextlib.contextmanager
def service_ended(settings: Settings, terminal: Terminal, room_bytes: int) -> Iterator[None]:
    """End the service, keep others from starting one for the block, and then start it again if it ran.

    The block finds `room_bytes` of room on the disk, and the start what it needs: where there is not so much, OSError
    is raised before anything was ended.
    """
    settings.prepare()
    with (
        durable.reserved(settings.run_dir, _START_BYTES) as let_start,
        durable.reserved(settings.run_dir, room_bytes) as let_work,
    ):
        ran = end_service(settings)
        let_work()
        try:
            with process.locked(settings):
                yield
        finally:
            let_start()
            if ran:
                with _starting(settings, terminal):
                    pass
