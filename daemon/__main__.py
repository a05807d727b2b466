"""The service process: `python -m idiolect.daemon [--home FOLDER] [--port N]`, lock to last answer.

Where nobody asks for anything it rests (`resting.py`), and comes back with `--handed`, the pipe that holds what it
left.

Its first and only line on stdout tells whoever started it how that went, as JSON: `{"running": {...}}` once
it answers, or `{"error": {"code", "message", "exit_code"}}`. Everything else goes to the log.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from idiolect.daemon.endpoint.page_sessions import Sessions
from idiolect.daemon.profile_paths import default_home
from idiolect.daemon.runtime import listen_address, process, tokens
from idiolect.daemon.runtime.heap import keep_little, spare_collector
from idiolect.daemon.runtime.log import open_log
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.runtime.resting import Handover, IdleState, begin, release_signals
from idiolect.daemon.runtime.service_unit import notify_progress, notify_ready
from idiolect.daemon.runtime.start_progress import StartReport
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.marker import refuse_lost
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import shield

if TYPE_CHECKING:
    from idiolect.daemon.clients.setup.places import Connections
    from idiolect.daemon.service import Service
    from idiolect.models.base_choice import Choice

#: How long a thread may hold Python's lock while another waits for it. With the usual 5 ms, a keystroke often waits as
#: long for a computation that nobody has asked for yet.
_SWITCH_S: Final = 5e-4

log = logging.getLogger("idiolect")


def main() -> int:
    """Serve one profile until SIGTERM; returns the exit code."""
    shield()
    sys.setswitchinterval(_SWITCH_S)
    keep_little()
    options = argparse.ArgumentParser(prog="python -m idiolect.daemon")
    options.add_argument("--home", type=Path, default=default_home())
    options.add_argument("--port", type=int)
    options.add_argument("--handed", type=int)
    given = {name: value for name, value in vars(options.parse_args()).items() if value is not None}
    handed = given.pop("handed", None)
    say = _only_line() if handed is None else _nothing
    try:
        settings = Settings(**given).prepare()
        open_log(settings.log_path)
        left = None if handed is None else Handover.read(handed)
        again = [f"--{name}={value}" for name, value in given.items()]
        with process.locked(settings, held=None if left is None else left.lock) as lock:
            _serve(settings, say, lock, left, again)
    except IdiolectError as error:
        return _fail(error, say)
    except OSError as error:
        failed = process.StartError(f"The service cannot run in {given['home']}: {error.strerror}.")
        return _fail(refusal(error, given["home"]) or failed, say)
    except Exception:
        log.exception("the service failed")
        return ExitCode.UNEXPECTED
    return 0


def _connections(settings: Settings) -> Connections:
    from idiolect.daemon.clients.setup.place import Target  # few ask for it, and it knows all browsers
    from idiolect.daemon.clients.setup.places import Connections

    return Connections(Target(settings))


def _fail(error: IdiolectError, say: Callable[[dict[str, Any]], None]) -> int:
    log.error("%s: %s", error.code, error)
    say({"error": {"code": error.code, "message": str(error), "exit_code": error.exit_code}})
    return error.exit_code


def _serve(
    settings: Settings,
    say: Callable[[dict[str, Any]], None],
    lock: int,
    left: Handover | None,
    again: Sequence[str],
) -> None:
    """Serve a profile whose lock is held: anew, or from what a resting service `left`; `again` starts it once more."""
    # An end that is asked for while the model loads, too, lets go of everything in order.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    # An update puts another program in this one's place, and says so by a signal.
    replaced = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: replaced.set())
    if left is None:
        sock, running = listen_address.listen(settings)
    else:
        release_signals()
        sock = socket.socket(fileno=left.listener)
        running = replace(process.Running.of(left.running), version=version("idiolect"))
    listener = os.dup(sock.fileno())  # the server closes its own
    # Another version has another page, and its sessions end.
    go_on = left is not None and left.running == asdict(running)
    same_token = left is not None and left.token_ns == _written_ns(settings.token_path)
    sessions = Sessions(left=left.sessions if left is not None and go_on and same_token else ())
    for scope in tokens.SCOPES:
        tokens.make(settings, scope)
    with contextlib.ExitStack() as announced:
        # While the lock is held: who starts the next service as soon as it is free must find the port free.
        announced.callback(os.close, listener)

        report = StartReport(settings.run_dir, notify_progress)
        announced.callback(report.end)

        def ready() -> None:
            report.end()
            announced.enter_context(process.announced(settings, running))
            log.info("answering at %s", running.socket or running.url)
            if running.moved_from is not None:
                log.warning(
                    "another program uses port %d, where clients may expect the service", running.moved_from
                )
            say({"running": asdict(running)})
            notify_ready()

        rest: IdleState | None = None
        with contextlib.ExitStack() as opened:
            key: str | None = None
            former: Choice | None = None
            may_rest: Callable[[], IdleState | None] = IdleState
            refuse_lost(settings)
            service: Service | None = None
            if not settings.locked:
                service = opened.enter_context(contextlib.closing(_open(settings, left, report)))
            # These imports are slow, so they come after the errors of a taken port or a second start.
            from idiolect.daemon.endpoint import connection_limits, server

            connection_limits.allow_many()
            if service is None:
                app = server.create_locked_app(running=running, settings=settings)
            else:
                app = server.create_app(
                    service,
                    running=running,
                    settings=settings,
                    sessions=sessions,
                    places=lambda: _connections(settings),
                )
                key, may_rest = service.store.key, service.rest

            def idle(seconds: float) -> bool:
                nonlocal rest, former
                former = None if service is None else service.base_change.former
                if replaced.is_set() or former is not None:
                    rest = IdleState(wake_in_s=0)
                elif 0 < settings.rest_after_s <= seconds:
                    rest = may_rest()
                return rest is not None

            server.make_server(app, ready, idle).run(sockets=[sock])
        if rest is not None:
            log.info("resting")
            token_ns = _written_ns(settings.token_path)
            app.state.tokens.refresh()  # a token that was changed while nobody asked has ended its sessions
            before = None if former is None else asdict(former)
            left = Handover(lock, listener, asdict(running), key, sessions.leave(), token_ns, before)
            begin(rest, left, process.run_file(settings), again)


def _open(settings: Settings, left: Handover | None, report: StartReport) -> Service:
    """The profile's service. Where a base model that was just chosen cannot serve, the one before serves again."""
    key = None if left is None else left.key
    try:
        return _load(settings, key, report)
    except (IdiolectError, OSError) as error:
        if left is None or left.former is None:
            raise
        from idiolect.daemon.serving.base_change import say_why
        from idiolect.models.base_choice import Choice, read_choice, write_choice

        chosen, former = read_choice(settings.base_dir), Choice(**left.former)
        log.error("%s cannot serve, and %s serves again: %s", chosen.name, former.name, say_why(error))
        write_choice(settings.base_dir, former)
        service = _load(settings, key, report)
        service.base_change.refuse(chosen, say_why(error))
        return service


def _load(settings: Settings, key: str | None, report: StartReport) -> Service:
    """The profile's service. Its graph is loaded beside what is imported, which takes as long."""
    from idiolect.models.base_choice import serving_folder
    from idiolect.models.build import find_base
    from idiolect.models.session import load_beside

    base = find_base(serving_folder(settings.base_dir))
    loading = load_beside(base.graph, base.config, threads=settings.threads)
    from idiolect.daemon.service import Service

    spare_collector()
    return Service(settings, key, loading, report)


def _written_ns(path: Path) -> int | None:
    """When a file was written."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return None


def _leave(_signal: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second signal must not cut the orderly end short
    log.info("asked to end")
    raise SystemExit(0)


def _only_line() -> Callable[[dict[str, Any]], None]:
    """A function that writes the one line to stdout; what others print there goes to the log from now on."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        if not out.closed:
            with contextlib.suppress(BrokenPipeError), out:
                out.write(json.dumps(line) + "\n")

    return say


def _nothing(_line: dict[str, Any]) -> None:
    """Print nothing: the service that rested has answered whoever started it."""


if __name__ == "__main__":
    sys.exit(main())
