"""Processes of the program that are forked from an interpreter that has imported their modules once.

A service spends four fifths of its start on its imports, a command nearly all of its time, and a short round most of it
on torch: some hundred are started by the tests.
:func:`install` has :class:`subprocess.Popen` fork those that are started as the program starts them, or by `python -c`
with a code that runs the command line. Each has its own descriptors, environment, folder and session, as after an
`exec`. Where the environment holds something that Python reads at its start, which the interpreter at hand has behind
it, a new one is started as ever; so for what a fork cannot do.

What the system tells of a forked process's arguments and environment (`/proc`) is the other interpreter's, and its own
interpreter is not taken apart at its end: what is about these needs a new one, as `bin/idiolect` is, or one with
`pass_fds`.
"""

import atexit
import contextlib
import inspect
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Any, ClassVar

import psutil

#: What is imported before anything is forked. No more of the commands than all have: tests change what others import.
_IMPORTED = {
    "service": (
        "daemon.service",
        "daemon.endpoint.server",
        "daemon.endpoint.connection_limits",
        "models.session",
    ),
    "command": (
        "daemon.clients.link",
        "daemon.clients.commandline.terminal",
        "daemon.storage.store",
        "models.build",
    ),
    "round": (
        "adapters.evaluation.mistyping",
        "adapters.training.finetune",
        "adapters.training.gate",
        "models.session",
    ),
    "reader": ("daemon.sources.reader_child",),
}
#: Which interpreter forks a module that is started as `python -P -m` does.
_MODULES = {
    "idiolect.daemon": "service",
    "idiolect.adapters.training.round": "round",
    "idiolect.adapters.evaluation.run": "round",
    "idiolect.daemon.sources.reader_child": "reader",
}
_COMMAND_LINE = "command_table"
_LIMIT = 1 << 18  # bytes of an order
#: A process with this in its environment is a new one, with a parent, arguments and an environment of its own.
NEW = {"PYTHON_NEW_PROCESS": "1"}
_folder: Path | None = None
_starting = threading.Lock()
_Popen = subprocess.Popen


def install() -> None:
    """From now on :class:`subprocess.Popen` forks them."""
    subprocess.Popen = Forked


def running(module: str) -> list[psutil.Process]:
    """The processes with this module that this one has had forked and that have not ended."""
    of_module = [child for child in Forked.started if module in child.args and child.poll() is None]
    return [psutil.Process(child.pid) for child in of_module]


def _start_servers() -> Path:
    """Start the interpreters that fork, which end with this process; the folder of their sockets."""
    folder = Path(tempfile.mkdtemp(prefix="idiolect-forks-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | _READ
    servers = [
        _Popen(
            [sys.executable, "-P", __file__, kind, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl+C ends the tests, whose fixtures still need commands to stop services
        )
        for kind in _IMPORTED
    ]
    for server in servers:
        atexit.register(server.communicate)
        server.stdout.readline()
    return folder


def _kind(command: Any, given: dict[str, Any]) -> str | None:
    """Which interpreter forks this command, if one can."""
    if not isinstance(command, list) or command[:1] != [sys.executable]:
        return None
    unusual = ("preexec_fn", "pass_fds", "shell", "creationflags", "startupinfo")
    environment = os.environ if given["env"] is None else given["env"]
    read = {name: value for name, value in environment.items() if name.startswith("PYTHON")}
    if any(given[name] for name in unusual) or read != _READ:
        return None
    if command[1:3] == ["-P", "-m"]:
        return _MODULES.get(command[3])
    if command[-1] == "lsp":  # by asyncio, which waits for its children in another way
        return None
    return "command" if command[1:2] == ["-c"] and _COMMAND_LINE in command[2] else None


_READ = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}


class Forked(subprocess.Popen):
    """A process that is forked if it can be; its parent is a keeper, which tells how it ended."""

    _keeper: socket.socket | None = None
    started: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def _execute_child(self, *arguments: Any) -> None:
        global _folder
        given = inspect.signature(super()._execute_child).bind(*arguments).arguments
        kind = _kind(given["args"], given)
        if kind is None:
            super()._execute_child(*arguments)
            return
        with _starting:
            _folder = _folder or _start_servers()
        mask = os.umask(0)
        os.umask(mask)
        order = {
            "words": [*map(os.fsdecode, given["args"][1:])],
            "environment": dict(os.environ if given["env"] is None else given["env"]),
            "folder": str(given["cwd"] or Path.cwd()),
            "session": bool(given["start_new_session"]),
            "group": given.get("process_group", -1),
            "mask": mask,
        }
        ends = [given["p2cread"], given["c2pwrite"], given["errwrite"]]
        self._keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        weakref.finalize(
            self, self._keeper.close
        ).atexit = False  # it is asked once more when it is collected
        self._keeper.connect(str(_folder / kind))
        socket.send_fds(
            self._keeper,
            [json.dumps(order).encode()],
            [standard if end == -1 else end for standard, end in enumerate(ends)],
        )
        self.pid = int(self._keeper.recv(64))
        self._child_created = True
        self.started.add(self)
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[name] for name in pipes))

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        return super()._internal_poll(*given, **named) if self._keeper is None else self._ended(0)

    def _wait(self, timeout: float | None) -> int | None:
        if self._keeper is None:
            return super()._wait(timeout=timeout)
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            told = select.poll()
            told.register(self._keeper, select.POLLIN)
            if told.poll(None if timeout is None else 1000 * timeout):
                self.returncode = int(self._keeper.recv(64, socket.MSG_PEEK))  # other threads may ask, too
        return self.returncode


# --- the interpreter that forks ----------------------------------------------------------------------


def _serve(kind: str) -> None:
    for name in _IMPORTED[kind]:
        __import__(f"idiolect.{name}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(_folder / kind))
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _keep(client)
        client.close()
    shutil.rmtree(_folder, ignore_errors=True)  # who started this has ended, perhaps killed


def _keep(client: socket.socket) -> None:
    """Fork what is asked for, and tell its number and how it ended; returns in what was forked only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, ends, _, _ = socket.recv_fds(client, _LIMIT, 3)
    order = json.loads(data)
    child = os.fork()
    if child == 0:
        client.close()
        _become(order, ends)
    if order["group"] != -1:  # here, too, so that the group is there once the number is told
        with contextlib.suppress(OSError):
            os.setpgid(child, order["group"])
    for end in {0, 1, *ends}:
        os.close(end)
    with contextlib.suppress(OSError):  # who asked may have gone
        client.send(str(child).encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        client.send(str(code).encode())
    os._exit(0)


def _become(order: dict[str, Any], ends: list[int]) -> None:
    """Be the process that was asked for, to its end."""
    for standard, end in enumerate(ends):
        os.dup2(end, standard)
        os.close(end)
    if order["session"]:
        os.setsid()
    if order["group"] != -1:
        os.setpgid(0, order["group"])
    os.umask(order["mask"])
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    words = order["words"]
    try:
        if words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            exec(words[1], {"__name__": "__main__"})
        else:
            sys.argv = words[2:]
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
    except SystemExit as left:
        if isinstance(left.code, str):
            raise
        # What an interpreter does at its end, but for taking apart what all of them share.
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(left.code or 0)
    sys.exit()


if __name__ == "__main__":
    _folder = Path(sys.argv[2])
    subprocess.Popen = Forked
    _serve(sys.argv[1])
