"""The service as a systemd user unit: installed, started, removed.

It is made for one profile and the Python that runs this. What the unit allows is as little as the service needs;
`docs/start.md` says which of it a user's systemd can enforce.
"""

from __future__ import annotations

import getpass
import hashlib
import re
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from idiolect.daemon.profile_paths import default_home
from idiolect.daemon.runtime import package, process
from idiolect.daemon.runtime.heap import HUGE_PAGES
from idiolect.daemon.runtime.start_progress import StartProgress
from idiolect.daemon.settings import manager_socket
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import module_command

if TYPE_CHECKING:
    from idiolect.daemon.settings import Settings

_MANAGER_S: Final = 30.0
_LINGER: Final = Path("/var/lib/systemd/linger")

#: What runs it, hardened. PrivateNetwork would cut it off from its clients, which come over loopback;
#: MemoryDenyWriteExecute from the library that trains, which writes machine code; ProcSubset from the machine's load.
_UNIT: Final = """\
# Written by `idiolect setup service`; it is written anew there. Changes belong in `systemctl --user edit {name}`.
[Unit]
Description=idiolect: text prediction that learns from its user, on this machine
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
Environment={huge_pages}
ExecStart={command}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={already_running}
TimeoutStartSec=120
TimeoutStopSec=30
KillMode=mixed
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
InaccessiblePaths=-%h/.ssh -%h/.gnupg
PrivateTmp=yes
PrivateUsers=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
IPAddressAllow=localhost
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private

[Install]
WantedBy=default.target
"""


class ServiceManagerError(
    IdiolectError, code="service-manager", exit_code=ExitCode.NOT_RUNNING, http_status=500
):
    """The user's systemd is not there, or refused."""


@dataclass(frozen=True)
class Installed:
    """How the profile's service stands with the desktop.

    `path` is its description; `current` whether that is what would be written now; `active` and `enabled` what the
    manager says; `lingers` whether it outlives the log-out.
    """

    path: str
    installed: bool
    current: bool
    active: bool
    enabled: bool
    lingers: bool


class Desktop:
    """The profile's service among those of the user."""

    def __init__(self, settings: Settings, writable: Sequence[Path] = ()) -> None:
        """`writable` are further folders that the service may write to, for exports; by default what it has now."""
        self._settings = settings
        own = settings.home == default_home()
        self.name = (
            "idiolect" if own else f"idiolect-{hashlib.sha256(str(settings.home).encode()).hexdigest()[:8]}"
        )
        self._own_path = platformdirs.user_config_path() / "systemd" / "user" / f"{self.name}.service"
        self._packaged = package.serves(settings.home)
        self.path = package.UNIT if self._packaged and not self._own_path.exists() else self._own_path
        self._writable = tuple(writable) or self._given()

    def _given(self) -> tuple[Path, ...]:
        """The folders that the unit which is there allows, besides the profile's."""
        try:
            found = re.search(r"^ReadWritePaths=(.*)$", self.path.read_text("utf-8"), re.MULTILINE)
        except (OSError, UnicodeDecodeError):
            return ()
        paths = re.findall(r'"((?:[^"\\]|\\.)*)"', found[1]) if found else []
        return tuple(Path(re.sub(r"\\(.)|%(%)", r"\1\2", path).removeprefix("-")) for path in paths[1:])

    def text(self) -> bytes:
        """What describes the service to what runs it."""
        if self._packaged:
            return packaged_text()
        # Behind a hyphen a folder may be missing: another drive's, or one that is yet to be made.
        writable = [_quoted(str(self._settings.home)), *(_quoted(f"-{path}") for path in self._writable)]
        return _describe(self.name, ["--home", str(self._settings.home)], writable)

    def install(self) -> None:
        """Describe the service, start it, and have it started at each log-in. Raises ServiceManagerError."""
        self._manager()
        process.stop(self._settings)
        if self._packaged:
            self._own_path.unlink(missing_ok=True)
            self.path = package.UNIT
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(self.path, self.text())
        self._ask("daemon-reload")
        self._ask("enable", self.path.name)
        self._ask("restart", self.path.name, limit_s=None)

    def uninstall(self) -> bool:
        """End the service and start it no more; whether it was installed. What it knows stays."""
        if not self.path.exists():
            return False
        self._manager()
        self._ask("disable", "--now", self.path.name)
        self._own_path.unlink(missing_ok=True)
        self._ask("daemon-reload")
        return True

    def start(self) -> bool:
        """Start the service if it is installed; returns once it answers. Whether it is installed."""
        if not self.path.exists() or not self.has_manager():
            return False
        self._ask("start", self.path.name, limit_s=None)
        return True

    def state(self) -> Installed:
        """How things stand."""
        there = self.path.exists()
        return Installed(
            path=str(self.path),
            installed=there,
            current=there and self.path.read_bytes() == self.text(),
            active=there and self._says("is-active"),
            enabled=there and self._says("is-enabled"),
            lingers=(_LINGER / getpass.getuser()).exists(),
        )

    def has_manager(self) -> bool:
        """Whether a systemd runs for this user."""
        return _run(["systemctl", "--user", "show-environment"]) is None

    def _says(self, what: str) -> bool:
        return _run(["systemctl", "--user", "--quiet", what, self.path.name]) is None

    def _manager(self) -> None:
        if not self.has_manager():
            raise ServiceManagerError(
                "No systemd runs for this user. Start the service with `idiolect start`, and have whatever starts your "
                "programs at log-in run that."
            )

    def _ask(self, *words: str, limit_s: float | None = _MANAGER_S) -> None:
        """Ask the manager for something, for a start without a limit: it has its own, which the service puts off."""
        command = ["systemctl", "--user", *words]
        said = _run(command, limit_s)
        if said is not None:
            raise ServiceManagerError(
                f"`{' '.join(command)}` failed: {said}. `idiolect doctor` looks for the reason; the service's log is "
                f"{self._settings.log_path}."
            )


def packaged_text() -> bytes:
    """What describes the service of every user to systemd, for the usual profile of each."""
    return _describe("idiolect", [], ["-%h/.local/share/idiolect"])


def _describe(name: str, arguments: Sequence[str], writable: Sequence[str]) -> bytes:
    return _UNIT.format(
        name=name,
        huge_pages="=".join(HUGE_PAGES),
        command=" ".join(
            _quoted(word, dollars=True) for word in module_command("idiolect.daemon", *arguments)
        ),
        writable=" ".join(writable),
        already_running=process.AlreadyRunningError.exit_code,
    ).encode()


def _run(command: list[str], limit_s: float | None = _MANAGER_S) -> str | None:
    """None where it succeeds, else what it says about why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return (
        None
        if done.returncode == 0
        else (done.stderr.strip().splitlines() or ["no reason given"])[0].rstrip(".")
    )


def _quoted(word: str, *, dollars: bool = False) -> str:
    """A word as systemd reads it (systemd.syntax, systemd.unit)."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{word.replace("$", "$$") if dollars else word}"'


def notify_ready() -> None:
    """Tell a systemd that started this process and waits for it that the service answers."""
    _notify(b"READY=1")


def notify_progress() -> None:
    """Tell a systemd that started this process and waits for it to wait as long again."""
    _notify(f"EXTEND_TIMEOUT_USEC={process.START_DEADLINE_S * 1e6:.0f}".encode())


def _notify(state: bytes) -> None:
    """Tell a systemd that waits for this process how it stands (sd_notify(3))."""
    if address := manager_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(state, "\0" + address[1:] if address.startswith("@") else address)


def start(
    settings: Settings, port: int | None = None, show: Callable[[StartProgress], None] | None = None
) -> tuple[process.Running, bool]:
    """Start the service, as that of the desktop where it is installed, and whether it was not there before.

    With a `port` it is one of its own, since that of the desktop has what its description says. `show` is called
    with each report of a long start.
    """
    if port is None and process.holder(settings) is None:
        there = Desktop(settings).start()
        running, fresh = process.start(settings, show=show)  # finds it running
        return running, fresh or there
    return process.start(settings, flags=() if port is None else ("--port", str(port)), show=show)
