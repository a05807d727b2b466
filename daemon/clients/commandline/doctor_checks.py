"""The checks of `idiolect doctor`, with or without a running service. They read and never change anything."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import psutil

from idiolect.daemon.clients.commandline.formatting import BRING_BACK, counted, describe_held_back
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.listen_address import who_has
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.runtime.service_unit import Desktop
from idiolect.daemon.runtime.tokens import SCOPES, path_of
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.marker import standing
from idiolect.models.errors import IdiolectError
from idiolect.models.regular_files import read_small

_MIN_DISK_BYTES = 1_000_000_000
_MIN_MEMORY_BYTES = 1_600_000_000
_SWAPS = Path("/proc/swaps")
_DEVICES = Path("/sys/block")
_ENOUGH_WATCHES = 524_288
_DAMAGE_ADVICE = "Keep a copy of the profile and check the disk."
_WATCHES_FILE = Path("/proc/sys/fs/inotify/max_user_watches")


@dataclass(frozen=True)
class Finding:
    """One result: whether it is fine, worth knowing or wrong; what was found; what to do about it."""

    check: str
    level: Literal["ok", "note", "wrong"]
    found: str
    mend: str | None = None


def examine() -> list[Finding]:
    """Run all checks, in the order in which they build on each other, and return what they found."""
    findings = [_check_python(), _check_memory()]
    try:
        settings = Settings()
    except IdiolectError as error:
        mend = "Mend that and run `idiolect doctor` again: the rest can only be looked at then."
        return [*findings, Finding("settings", "wrong", str(error), mend)]
    findings.append(
        Finding("settings", "ok", str(settings.config_path if settings.config_path.exists() else "defaults"))
    )
    for check, look in _CHECKS.items():
        try:
            findings += look(settings)
        except OSError as error:  # a disk that fails or lets nobody in is what to tell of
            refused = refusal(error, settings.home)
            findings.append(
                Finding(
                    check,
                    "wrong",
                    f"cannot be looked at ({error.strerror})" if refused is None else str(refused),
                )
            )
        if not os.path.exists(settings.home):
            break
    return [*findings, *check_swap()]


def _check_profile(settings: Settings) -> list[Finding]:
    home = settings.home
    if not home.exists():
        return [Finding("profile", "note", f"{home} does not exist yet", "Run `idiolect start`.")]
    try:
        settings.require_writable()
    except IdiolectError as error:
        return [_check_mode("profile", home), Finding("profile", "wrong", str(error))]
    return [_check_mode("profile", home)]


def _check_python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("Python", "ok", found)


def _check_memory() -> Finding:
    free = psutil.virtual_memory().available
    found = f"{free / 1e9:.1f} GB free"
    if free < _MIN_MEMORY_BYTES:
        return Finding(
            "memory", "note", found, "A training round needs up to 1.6 GB: close other programs first."
        )
    return Finding("memory", "ok", found)


def _check_disk(settings: Settings) -> list[Finding]:
    free = shutil.disk_usage(settings.home).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _MIN_DISK_BYTES:
        findings = [Finding("disk", "wrong", found, f"Make room on the disk that holds {settings.home}.")]
    else:
        findings = [Finding("disk", "ok", found)]
    if former := settings.former_store_paths:
        size_bytes = sum(path.stat().st_size for path in former)
        found = f"{counted(len(former), 'store')} that a restore replaced: {size_bytes / 1e6:,.1f} MB"
        mend = f"Delete what you no longer need: {', '.join(map(str, former))}"
        findings.append(Finding("disk", "note", found, mend))
    return findings


def _check_base(settings: Settings) -> list[Finding]:
    from idiolect.models.base_choice import name_of, serving_folder
    from idiolect.models.build import MissingModelError, find_base

    try:
        base = find_base(serving_folder(settings.base_dir), verify=True)
    except MissingModelError as error:
        return [Finding("base model", "note", str(error))]
    except IdiolectError as error:
        return [Finding("base model", "wrong", str(error))]
    return [Finding("base model", "ok", f"{name_of(base)} in {base.folder}")]


def _check_service(settings: Settings) -> list[Finding]:
    if process.holder(settings) is None:
        return [Finding("service", "note", "not running", "Run `idiolect start`.")]
    try:
        with ServiceClient(settings) as client:
            now = client.get("/v1/status", timeout_s=15)
            sharing = client.get("/v1/sync", timeout_s=15)["sharing"]
            running = client.running
    except IdiolectError as error:
        return [Finding("service", "wrong", str(error))]
    findings = [Finding("service", "ok", f"answers at {running.socket or running.url} (pid {running.pid})")]
    if running.version != (installed := version("idiolect")):
        which = f"version {running.version or 'unknown'} runs, {installed} is installed"
        findings.append(Finding("version", "note", which, "Run `idiolect stop`, then `idiolect start`."))
    if running.moved_from is not None:
        which = (
            f"another program uses port {running.moved_from}; the service answers at {running.url} instead"
        )
        mend = (
            f"Programs that were given the old address show that one their token. `{who_has(running.moved_from)}` "
            "shows which it is (with sudo also another user's); once it is gone, `idiolect stop` and `idiolect start` "
            "go back there. If you do not trust it, give those programs another token: `idiolect status "
            "--token admin --rotate`."
        )
        findings.append(Finding("port", "wrong", which, mend))
    if now.get("damaged"):
        serves = "the base model alone" if now["adapter"] is None else f"adapter {now['adapter']}"
        mend = "Run `idiolect train --wait` for another, or `idiolect restore` with a backup; check the disk, too."
        which = ", ".join(map(str, now["damaged"]))
        findings.append(Finding("adapters", "wrong", f"damaged: {which}; {serves} serves instead", mend))
    if now["grey_text"]["held_back"]:
        findings.append(Finding("grey text", "note", describe_held_back(now["grey_text"]), BRING_BACK))
    if sharing is not None:
        findings.append(_check_sharing(sharing))
    gone = [path for path in now.get("watches", []) if not Path(path).exists()]
    if gone:
        mend = "It is read once it is there again; `idiolect watch --remove` ends that."
        findings += [Finding("watched", "note", f"{path} is not there", mend) for path in gone]
    return [*findings, *check_watch_limit([Path(path) for path in now.get("watches", [])])]


def _check_sharing(sharing: dict[str, Any]) -> Finding:
    """Look at the shared folder as the service last found it."""
    if sharing["problem"] is not None:
        return Finding("shared folder", "wrong", sharing["problem"])
    waiting = sum(device["waiting"] for device in sharing["devices"])
    others = len(sharing["devices"]) - 1
    found = f"{sharing['folder']}, with {others} other {'device' if others == 1 else 'devices'}"
    if waiting:
        mend = "Look whether the synchroniser and idiolect run on all devices: a damaged file is written again there."
        missing = f"{found}; {counted(waiting, 'file has', 'files have')} not arrived whole"
        return Finding("shared folder", "note", missing, mend)
    return Finding("shared folder", "ok", found)


def check_watch_limit(watched: list[Path], watches_file: Path = _WATCHES_FILE) -> list[Finding]:
    """Compare the followed folders with how many the system tells of changes in; other programs need some, too."""
    try:
        most = int(watches_file.read_text())
    except (OSError, ValueError):  # another system
        return []
    enough = most // 2  # and no more are counted
    roots = [path for path in watched if not {*watched} & {*path.parents}]
    folders = sum(1 for path in roots for _ in islice(os.walk(path), enough + 1))
    if folders <= enough:
        return []
    found = f"more than {enough:,} folders, and the system tells all programs together of changes in {most:,}"
    mend = (
        f"`sudo sysctl fs.inotify.max_user_watches={max(4 * most, _ENOUGH_WATCHES)}` allows more; until then some "
        "changes are seen only minutes later."
    )
    return [Finding("watched", "note", found, mend)]


def _check_store_file(settings: Settings) -> list[Finding]:
    """Check that the store is there, as far as can be said without its key."""
    now = standing(settings)
    return [] if now.mend is None else [Finding("store", "wrong", f"the store is {now.state}", now.mend)]


def _check_store(settings: Settings) -> list[Finding]:
    """Check that the key file opens the store, and read all of it. A keyring is not asked: it might ask the user."""
    from idiolect.daemon.vault.marker import ways_back
    from idiolect.daemon.vault.opening import health_of

    if process.holder(settings) is not None or standing(settings).state != "there":
        return []
    mend = f"Put the right key file there. {ways_back(settings)}"
    try:
        key = read_small(settings.key_path).decode("ascii").strip()
    except FileNotFoundError:
        return []
    except ValueError:
        return [Finding("key", "wrong", f"{settings.key_path} does not hold a key", mend)]
    except OSError as error:
        return [_describe_unreadable("key", settings.key_path, error)]
    try:
        health = health_of(settings.store_path, key)
        if health == "other key":
            return [Finding("store", "wrong", "the key in the key file does not open the store", mend)]
        if health == "sound":
            return [Finding("store", "ok", "all of it was read and is sound")]
        if process.holder(settings) is not None:  # one started meanwhile
            return []
    except OSError as error:
        return [_describe_unreadable("store", settings.store_path, error)]
    except IdiolectError as error:
        # Another program holds it, or its folder is closed: its sentence says what to do.
        return [Finding("store", "wrong", "the store cannot be opened", str(error))]
    return [
        Finding("store", "wrong", "a part of the store is damaged", f"{_DAMAGE_ADVICE} {ways_back(settings)}")
    ]


def _describe_unreadable(check: str, path: Path, error: OSError) -> Finding:
    """Return the finding on a file that this user may not open, or that the disk does not give."""
    found = f"{path} cannot be read: {error.strerror}"
    if isinstance(error, PermissionError):
        mend = f"Run `chmod u+rw {path}`; where it belongs to another user, run idiolect as that one."
        return Finding(check, "wrong", found, mend)
    return Finding(check, "wrong", found, "Check the disk.")


def _check_desktop(settings: Settings) -> list[Finding]:
    state = Desktop(settings).state()
    if not state.installed:
        mend = "`idiolect setup service` has the desktop start it at each log-in."
        return [Finding("desktop", "note", "the service is started by hand", mend)]
    again = "Run `idiolect setup service` again."
    if not state.current:
        return [Finding("desktop", "wrong", f"{state.path} is of another version or place", again)]
    if not state.enabled:
        return [Finding("desktop", "note", f"{state.path} does not start at log-in", again)]
    if not state.active and process.holder(settings) is not None:
        mend = "Run `idiolect stop`, then `idiolect start`."
        return [Finding("desktop", "note", f"the service runs, but not as {state.path}", mend)]
    if state.lingers is False:
        mend = "`loginctl enable-linger` lets the service go on when you log out, if you want that."
        return [Finding("desktop", "ok", f"{state.path}; it ends when you log out", mend)]
    return [Finding("desktop", "ok", state.path)]


def check_keyboard(settings: Settings) -> list[Finding]:
    """Check each link between a key and the keyboard, where that is installed."""
    from idiolect.daemon.clients.setup.keyboard_place import Keyboard
    from idiolect.daemon.clients.setup.place import Target

    if not Keyboard().installed(Target(settings)):
        return []
    state = Keyboard().state(Target(settings))
    if state.mend is None:
        learns = "suggests and learns" if state.learns else "suggests only"
        return [Finding("keyboard", "ok", f"in use with {state.framework}; it {learns}")]
    links = {
        "IBus is installed": state.framework is not None,
        "what it wrote is as it should be": state.current,
        "IBus runs": state.runs,
        f"{state.framework} lists the keyboard": state.known,
        "the keyboard is among the input sources": state.listed,
        "the keyboard is in use": state.active,
    }
    broken = next((link for link, holds in links.items() if not holds), "the keyboard is what programs use")
    return [Finding("keyboard", "note", f"it does not hold that {broken}", state.mend)]


def check_swap(swaps: Path = _SWAPS, devices: Path = _DEVICES) -> list[Finding]:
    """Check that what is swapped out of memory, the user's text too, is not written as it stands."""
    try:
        areas = [line.split()[0] for line in swaps.read_text().splitlines()[1:]]
    except OSError:  # another system
        return []
    plain = [area for area in areas if not _is_safe_swap(Path(area).name, devices)]
    if not plain:
        return [Finding("swap", "ok", "none, in memory or encrypted")]
    mend = "Memory that is swapped out can be read there later. Use zram or an encrypted swap, or none."
    return [Finding("swap", "note", f"{', '.join(plain)} is not known to be encrypted", mend)]


def _is_safe_swap(name: str, devices: Path) -> bool:
    """Return True if what is swapped to this device stays in memory or is encrypted on its way."""
    try:
        uuid = (devices / name / "dm" / "uuid").read_text()
    except OSError:
        return name.startswith("zram")
    return uuid.startswith("CRYPT-")


def _check_key(settings: Settings) -> list[Finding]:
    if settings.locked:
        return [Finding("key", "note", "the profile is locked", "Run `idiolect unlock`.")]
    if settings.key_path.exists():
        if (open_ := _check_key_mode(settings)) is not None:
            return [open_]
        mend = (
            "Whoever can read that file can read the store; a system keyring would guard it better. Where there is "
            "one, `idiolect lock --passphrase` and then `idiolect unlock` move the key there."
        )
        return [Finding("key", "note", f"in {settings.key_path}", mend)]
    return [Finding("key", "ok", "in the system's keyring")] if settings.store_path.exists() else []


def _check_key_mode(settings: Settings) -> Finding | None:
    """Return a finding if other users could read the key file, and may have by now."""
    path = settings.key_path
    if not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return None
    found = f"the key file {path} is open to other users"
    return Finding(
        "key",
        "wrong",
        found,
        f"Run `chmod go-rwx {path}`. It may have been read: `idiolect backup`, `idiolect purge` and `idiolect restore` "
        "give the store a new key.",
    )


def find_warnings(settings: Settings) -> list[str]:
    """Return sentences that `idiolect status` shows, too: on a key that others can read."""
    if not settings.key_path.exists() or (found := _check_key_mode(settings)) is None:
        return []
    return [f"{found.found[0].upper()}{found.found[1:]}. {found.mend}"]


def _check_files(settings: Settings) -> list[Finding]:
    tokens = {path.name: path for path in (path_of(settings, scope) for scope in reversed(SCOPES))}
    names = {"store": settings.store_path, **tokens, "log": settings.log_path}
    return [_check_mode(name, path) for name, path in names.items() if path.exists()]


def _check_mode(check: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(check, "wrong", f"{path} is open to other users", f"Run `chmod go-rwx {path}`.")
    return Finding(check, "ok", str(path))


#: The checks of a profile, in the order in which they build on each other.
_CHECKS: Final[dict[str, Callable[[Settings], list[Finding]]]] = {
    "profile": _check_profile,
    "disk": _check_disk,
    "base model": _check_base,
    "service": _check_service,
    "files": _check_files,
    "key": _check_key,
    "store file": _check_store_file,
    "store": _check_store,
    "desktop": _check_desktop,
    "keyboard": check_keyboard,
}
