"""The address that the service listens on: a loopback port that stays the same, or a Unix socket."""

from __future__ import annotations

import errno
import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from idiolect.daemon.runtime.process import Running
from idiolect.daemon.settings import Settings
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_small

_HOST: Final = "127.0.0.1"


class ListenError(IdiolectError, code="cannot-listen", exit_code=ExitCode.NOT_RUNNING, http_status=500):
    """The address cannot be listened on: the port is taken or not allowed, or the path is too long."""

    def __init__(self, message: str, *, taken: bool = False) -> None:
        """With `taken`, another program listens there."""
        super().__init__(message)
        self.taken = taken


def listen(settings: Settings) -> tuple[socket.socket, Running]:
    """Bind and listen where the settings say. The caller holds the lock. Raises ListenError.

    A port that was set is had, or it is an error: what was set elsewhere as well would show its token to whoever has
    it. Without a set port it is the one last used, so that what was configured elsewhere stays right. Where another
    program has that, it is another port meanwhile, the same as the last time if it is free, and the run file says so.
    Where the system refuses it for another reason, as a port that is kept for the system, it is another one for good.
    Returns the socket and what the run file will say.
    """
    if settings.unix_socket:
        return _listen_unix(settings.socket_path), _running("http://localhost", path=settings.socket_path)
    remembered, meanwhile = settings.run_dir / "port", settings.run_dir / "port-meanwhile"
    wanted = settings.port or _port_in(remembered)
    moved_from = None
    try:
        sock = _listen_tcp(wanted)
    except ListenError as error:
        if settings.port:
            raise
        moved_from = wanted if error.taken else None
        sock = _listen_instead(_port_in(meanwhile))
    port: int = sock.getsockname()[1]
    durable.write(meanwhile if moved_from else remembered, str(port).encode())
    url = f"http://{_HOST}:{port}"
    return sock, _running(url, port=port, moved_from=moved_from)


def who_has(port: int) -> str:
    """The command that shows which program listens at a port; that of another user it shows to root alone."""
    return f"ss -ltnp sport = :{port}"


def _listen_instead(port: int) -> socket.socket:
    try:
        return _listen_tcp(port)
    except ListenError:
        return _listen_tcp(0)


def _port_in(path: Path) -> int:
    try:
        port = int(read_small(path))
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 1 << 16 else 0


def _running(
    url: str, *, port: int | None = None, path: Path | None = None, moved_from: int | None = None
) -> Running:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    where = str(path) if path else None
    return Running(os.getpid(), url, port, where, now, version("idiolect"), moved_from)


def _listen_tcp(port: int) -> socket.socket:
    # The protocol is named because asyncio turns off Nagle's algorithm only where it is: without that, each
    # answer on a kept connection waits 40 ms for the client's acknowledgement of its header.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((_HOST, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        why = "another program uses it" if taken else error.strerror
        raise ListenError(
            f"Port {port} on {_HOST} cannot be listened on: {why}. `{who_has(port)}` shows which program has it (with "
            "sudo also another user's). End that one, choose another port with `idiolect start --port N`, or leave the "
            "port unset to get a free one.",
            taken=taken,
        ) from None
    return sock


def _listen_unix(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise ListenError(
            f"The socket {path} cannot be listened on: {error.strerror or error}. "
            "Use a profile folder with a shorter path, or set unix_socket to false."
        ) from None
    return sock
