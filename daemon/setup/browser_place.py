"""Setting up browsers: the program that each starts for the extension (native messaging), and its manifest."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.daemon.browser.manifests import Browser, browsers, manifest
from idiolect.daemon.settings import Settings
from idiolect.daemon.setup import own_files
from idiolect.daemon.setup.place import Change, Place, SetupRefusedError, Target

_MAIN: Final = "from idiolect.daemon.commandline.command_table import main; main()"
#: A browser names a program and no arguments, so that these are in a file.
_HEAD: Final = (
    "#!/bin/sh\n# Written by `idiolect browser install`: what a browser starts for its extension.\n"
)
_PROGRAM: Final = f"""{_HEAD}\
export IDIOLECT_HOME={{home}}
exec {{python}} -P -c {{main}} browser host "$@"
"""


@dataclass(frozen=True)
class BrowserState:
    """How the program stands with one browser that is there.

    `installed` says whether there is a manifest of ours, `current` whether it is what would be written now. `limit`
    says what the browser's sandbox does not allow, and `works` is false where that is all.
    """

    browser: str
    path: str
    installed: bool
    current: bool
    works: bool
    limit: str | None


class Browsers(Place):
    """The browsers that are there, each of which may start what its extension asks."""

    name, title = "browser", "Web pages"
    first = (
        "Write the extension with `idiolect browser build`, load it (Chromium: chrome://extensions, Load unpacked; "
        "Firefox: about:debugging, Load Temporary Add-on), and click its button on a page that you write in."
    )
    missing = "Start Chromium, Chrome, Brave, Edge or Firefox once, then `idiolect setup browser`"
    by_hand = "Each browser needs the extension, too: `idiolect browser build` says how to load it"

    def found(self, target: Target) -> str | None:
        """The browsers that have been started once."""
        return ", ".join(state.browser for state in self._able(target)) or None

    def installed(self, target: Target) -> bool:
        """Whether every one of them is connected."""
        states = self._able(target)
        return bool(states) and all(state.installed for state in states)

    def changes(self, target: Target) -> list[Change]:
        """The program that they start, and their manifests. Raises SetupRefusedError."""
        return [Change(str(path), data.decode()) for path, data in self._files(target).items()]

    def install(self, target: Target) -> None:
        """Write the program, and a manifest for each browser. Raises SetupRefusedError, OSError."""
        target.settings.prepare()
        for path, data in self._files(target).items():
            own_files.write(path, data)
        target.settings.browser_host_path.chmod(0o700)

    def remove(self, target: Target) -> list[str]:
        """Remove the program and the manifests that name it. Raises OSError."""
        settings = target.settings
        ours = dict.fromkeys(browser.path for browser in browsers() if _names(browser.path, settings))
        program = settings.browser_host_path
        return own_files.remove([*ours, *([program] if _read(program).startswith(_HEAD.encode()) else [])])

    def states(self, target: Target) -> list[BrowserState]:
        """How each browser stands that is there, or that has a manifest of ours."""
        states = [(_state(target.settings, browser), browser) for browser in browsers()]
        return [
            state
            for state, browser in states
            if browser.present or (state.installed and browser.limit is None)
        ]

    def _able(self, target: Target) -> list[BrowserState]:
        return [state for state in self.states(target) if state.works]

    def _files(self, target: Target) -> dict[Path, bytes]:
        there = [browser for browser in browsers() if browser.present]
        if not there:
            raise SetupRefusedError(
                "No browser has been started yet. Start Chromium, Chrome, Brave, Edge or Firefox once, "
                "then run `idiolect browser install` again."
            )
        program = target.settings.browser_host_path
        manifests = {browser.path: manifest(browser, program) for browser in there if browser.works}
        return {program: _program(target.settings), **manifests}


def _state(settings: Settings, browser: Browser) -> BrowserState:
    program = settings.browser_host_path
    installed = _names(browser.path, settings)
    current = (
        installed
        and _read(browser.path) == manifest(browser, program)
        and _read(program) == _program(settings)
    )
    return BrowserState(browser.name, str(browser.path), installed, current, browser.works, browser.limit)


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
