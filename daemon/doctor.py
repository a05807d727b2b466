"""What `idiolect doctor` checks, with or without a running service. It reads and never changes anything."""

from __future__ import annotations

import platform
import shutil
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psutil

from idiolect.daemon import process
from idiolect.daemon.commandline.client import Client
from idiolect.daemon.endpoint.tokens import SCOPES, path_of
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from pathlib import Path

_ROOM_BYTES = 1_000_000_000
_MEMORY_BYTES = 1_600_000_000


@dataclass(frozen=True)
class Finding:
    """One check: is it fine, worth knowing or wrong; what was found; how to mend it."""

    check: str
    level: Literal["ok", "note", "wrong"]
    found: str
    mend: str | None = None


def examine() -> list[Finding]:
    """All findings, in the order in which they build on each other."""
    findings = [_python(), _memory()]
    try:
        settings = Settings()
    except IdiolectError as error:
        return [*findings, Finding("settings", "wrong", str(error))]
    findings.append(
        Finding("settings", "ok", str(settings.config_path if settings.config_path.exists() else "defaults"))
    )
    if not settings.home.exists():
        return [
            *findings,
            Finding("profile", "note", f"{settings.home} does not exist yet", "Run `idiolect start`."),
        ]
    findings += [_private("profile", settings.home), _room(settings), _base(settings)]
    return [*findings, *_service(settings), *_files(settings), *_key(settings)]


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("Python", "ok", found)


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    found = f"{free / 1e9:.1f} GB free"
    if free < _MEMORY_BYTES:
        return Finding(
            "memory", "note", found, "A training round needs up to 1.6 GB: close other programs first."
        )
    return Finding("memory", "ok", found)


def _room(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _ROOM_BYTES:
        return Finding("disk", "wrong", found, f"Make room on the disk that holds {settings.home}.")
    return Finding("disk", "ok", found)


def _base(settings: Settings) -> Finding:
    from idiolect.models.build import MissingModelError, find_base

    try:
        base = find_base(settings.base_dir, verify=True)
    except MissingModelError as error:
        return Finding("base model", "note", str(error))
    except IdiolectError as error:
        return Finding("base model", "wrong", str(error))
    return Finding("base model", "ok", f"{base.name} in {base.folder}")


def _service(settings: Settings) -> list[Finding]:
    if process.holder(settings) is None:
        return [Finding("service", "note", "not running", "Run `idiolect start`.")]
    try:
        with Client(settings) as client:
            now = client.get("/v1/status", timeout_s=15)
            running = client.running
    except IdiolectError as error:
        return [Finding("service", "wrong", str(error))]
    findings = [Finding("service", "ok", f"answers at {running.socket or running.url} (pid {running.pid})")]
    if now.get("damaged"):
        serves = "the base model alone" if now["adapter"] is None else f"adapter {now['adapter']}"
        mend = "Run `idiolect train --wait` for another, or `idiolect restore` with a backup; check the disk, too."
        which = ", ".join(map(str, now["damaged"]))
        findings.append(Finding("adapters", "wrong", f"damaged: {which}; {serves} serves instead", mend))
    return findings


def _key(settings: Settings) -> list[Finding]:
    if settings.locked_path.exists():
        return [Finding("key", "note", "the profile is locked", "Run `idiolect unlock`.")]
    if settings.key_path.exists():
        mend = (
            "Whoever can read that file can read the store; a system keyring would guard it better. Where there is "
            "one, `idiolect rekey` moves the key there."
        )
        return [Finding("key", "note", f"in {settings.key_path}", mend)]
    return [Finding("key", "ok", "in the system's keyring")] if settings.store_path.exists() else []


def _files(settings: Settings) -> list[Finding]:
    tokens = {path.name: path for path in (path_of(settings, scope) for scope in reversed(SCOPES))}
    names = {"store": settings.store_path, **tokens, "log": settings.log_path}
    return [_private(name, path) for name, path in names.items() if path.exists()]


def _private(check: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        return Finding(check, "wrong", f"{path} is open to other users", f"Run `chmod go-rwx {path}`.")
    return Finding(check, "ok", str(path))
