"""The native-messaging host for the browsers that are there: installed, removed, and how it stands."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from idiolect.daemon.browser.manifests import Browser, browsers, manifest
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from pathlib import Path

    from idiolect.daemon.settings import Settings

_MAIN: Final = "from idiolect.daemon.commandline.cli import main; main()"
#: A browser names a program and no arguments, so that these are in a file.
_HEAD: Final = (
    "#!/bin/sh\n# Written by `idiolect browser install`: what a browser starts for its extension.\n"
)
_PROGRAM: Final = f"""{_HEAD}\
export IDIOLECT_HOME={{home}}
exec {{python}} -P -c {{main}} browser host "$@"
"""


class NoBrowserError(IdiolectError):
    """No browser that the program knows has been started by this user."""

    code: ClassVar[str] = "no-browser"
    exit_code: ClassVar[int] = 118
    http_status: ClassVar[int] = 404


class ManifestError(IdiolectError):
    """A browser's folder cannot be written."""

    code: ClassVar[str] = "browser-folder"
    exit_code: ClassVar[int] = 119
    http_status: ClassVar[int] = 500


@dataclass(frozen=True)
class State:
    """How the host stands with one browser that is there.

    `installed` says whether there is a manifest of ours, `current` whether it is what would be written now. `limit`
    says what the browser's sandbox does not allow, and `works` is false where that is all.
    """

    browser: str
    path: str
    installed: bool
    current: bool
    works: bool
    limit: str | None


def status(settings: Settings) -> list[State]:
    """How the host stands with each browser that is there, or that has a manifest of ours."""
    states = [_state(settings, browser) for browser in browsers()]
    return [
        state
        for state, browser in zip(states, browsers(), strict=True)
        if browser.present or (state.installed and browser.limit is None)
    ]


def install(settings: Settings) -> list[State]:
    """Write the program that browsers start, and a manifest for each browser that is there; how all stand then.

    Raises NoBrowserError and ManifestError.
    """
    for path, data in files(settings).items():
        _write(path, data)
    settings.browser_host_path.chmod(0o700)
    return status(settings)


def files(settings: Settings) -> dict[Path, bytes]:
    """What `install` writes: the program, and a manifest for each browser that is there. Raises NoBrowserError."""
    there = [browser for browser in browsers() if browser.present]
    if not there:
        raise NoBrowserError(
            "No browser has been started yet. Start Chromium, Chrome, Brave, Edge or Firefox once, "
            "then run `idiolect browser install` again."
        )
    program = settings.browser_host_path
    manifests = {browser.path: manifest(browser, program) for browser in there if browser.works}
    return {program: _program(settings), **manifests}


def remove(settings: Settings) -> list[str]:
    """Remove the program and the manifests that name it; the files that went. Raises ManifestError."""
    ours = dict.fromkeys(browser.path for browser in browsers() if _names(browser.path, settings))
    program = settings.browser_host_path
    gone = [*ours, *([program] if _read(program).startswith(_HEAD.encode()) else [])]
    for path in gone:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, error) from None
    return [str(path) for path in gone]


def _state(settings: Settings, browser: Browser) -> State:
    program = settings.browser_host_path
    installed = _names(browser.path, settings)
    current = (
        installed
        and _read(browser.path) == manifest(browser, program)
        and _read(program) == _program(settings)
    )
    return State(browser.name, str(browser.path), installed, current, browser.works, browser.limit)


def _names(path: Path, settings: Settings) -> bool:
    """Whether a manifest names this profile's program."""
    with contextlib.suppress(ValueError, AttributeError):
        return bool(json.loads(_read(path)).get("path") == str(settings.browser_host_path))
    return False


def _program(settings: Settings) -> bytes:
    parts = {"home": str(settings.home), "python": sys.executable, "main": _MAIN}
    return _PROGRAM.format(**{name: shlex.quote(part) for name, part in parts.items()}).encode()


def _read(path: Path) -> bytes:
    """What is in a file; nothing where there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write(path, data)
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> ManifestError:
    return ManifestError(
        f"{path} cannot be written: {error.strerror}. Make its folder writable, then run the command again."
    )
