"""Setting up browsers: the extension, the program that each starts for it (native messaging), and its manifest."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from idiolect.daemon.clients.browser.manifests import Browser, browsers, manifest, write_extension
from idiolect.daemon.clients.setup.place import (
    Change,
    Place,
    SetupRefusedError,
    Target,
    remove_own,
    write_own,
)
from idiolect.daemon.runtime import package
from idiolect.daemon.settings import Settings

#: A browser names a program and no arguments, so that these are in a file.
_HEAD: Final = "#!/bin/sh\n# Written by `idiolect setup browser`: what a browser starts for its extension.\n"
_PROGRAM: Final = f"""{_HEAD}\
export IDIOLECT_HOME={{home}}
exec {{python}} -P -m idiolect.daemon.clients.browser "$@"
"""

#: How a browser takes the extension from a folder, one step a line.
_LOAD: Final = """\
Add the extension to {browsers}:
1. Open `chrome://extensions`.
2. Switch on “Developer mode”.
3. Press “Load unpacked”, and choose the folder `{folder}`."""
_LOAD_GECKO: Final = """\
Add the extension to {browsers}, anew each time that it starts:
1. Open `about:debugging#/runtime/this-firefox`.
2. Press “Load Temporary Add-on”, and choose the file `{folder}/manifest.json`."""


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
    first = "Load the extension, and click its button on a page that you write in."
    missing = "Start Chromium, Chrome, Brave, Edge or Firefox once."

    def found(self, target: Target) -> str | None:
        """The browsers that have been started once."""
        return ", ".join(state.browser for state in self._able(target)) or None

    def installed(self, target: Target) -> bool:
        """Whether every one of them is connected."""
        states = self._able(target)
        return bool(states) and all(state.installed for state in states)

    @override
    def works(self, target: Target) -> bool:
        """Whether every one of them is connected to this version of the program."""
        return self.installed(target) and all(state.current for state in self._able(target))

    @override
    def is_of_profile(self, target: Target) -> bool:
        """Whether any browser's manifest names the program of this profile."""
        return any(_names(browser.path, target.settings) for browser in browsers())

    def changes(self, target: Target) -> list[Change]:
        """The program that they start, their manifests, and the extension. Raises SetupRefusedError."""
        files = [Change(str(path), data.decode()) for path, data in self._files(target).items()]
        return files if _is_packaged(target) else [*files, Change(str(_extension(target)), "the extension\n")]

    def install(self, target: Target) -> list[str]:
        """Write the program, a manifest for each browser, and the extension. Raises SetupRefusedError, OSError."""
        settings, files = target.settings.prepare(), self._files(target)
        removed = self.remove(target) if package.serves(settings.home) else []
        for path, data in files.items():
            write_own(path, data)
        if files:
            settings.browser_host_path.chmod(0o700)
        limits = [f"{state.browser}: {state.limit}." for state in self.states(target) if state.limit]
        if not _is_packaged(target):
            _write_extension(_extension(target))
        return [
            *removed,
            *(f"Wrote {path}." for path in files),
            *limits,
            *self._loading(target).splitlines(),
        ]

    def remove(self, target: Target) -> list[str]:
        """Remove the program, the manifests that name it, and the extension in the profile. Raises OSError."""
        settings = target.settings
        ours = dict.fromkeys(browser.path for browser in browsers() if _names(browser.path, settings))
        program = settings.browser_host_path
        gone = remove_own([*ours, *([program] if _read(program).startswith(_HEAD.encode()) else [])])
        if settings.browser_extension_path.is_dir():
            shutil.rmtree(settings.browser_extension_path)
            gone.append(str(settings.browser_extension_path))
        return [f"Removed {path}." for path in gone]

    @override
    def next_step(self, target: Target) -> str | None:
        """What to do next, and what a browser's sandbox does not allow."""
        limits = [f"{state.browser}: {state.limit}" for state in self.states(target) if state.limit]
        if not self.installed(target):
            step = super().next_step(target)
        elif self.works(target):
            return "\n".join([*(f"{limit}." for limit in limits), self._loading(target)])
        else:
            step = "It was written for another version. Run `idiolect setup browser` again"
        return ". ".join([*([step.rstrip(".")] if step else []), *limits]) if limits else step

    def _loading(self, target: Target) -> str:
        """How the browsers that are there load the extension, in lines."""
        folder = package.EXTENSION if _is_packaged(target) else _extension(target) / "extension"
        able = {state.browser for state in self._able(target)}
        there = [browser for browser in browsers() if browser.name in able]
        ways = []
        for load, gecko in ((_LOAD, False), (_LOAD_GECKO, True)):
            if names := [browser.name for browser in there if browser.gecko == gecko]:
                ways.append(load.format(browsers=" and ".join(names), folder=folder))
        return "\n".join(ways)

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
                "then run `idiolect setup browser` again."
            )
        program = target.settings.browser_host_path
        served = package.serves(target.settings.home)
        needing = [browser for browser in there if browser.works and (browser.limit or not served)]
        manifests = {browser.path: manifest(browser, program) for browser in needing}
        return {program: _program(target.settings), **manifests} if manifests or not served else {}


def _extension(target: Target) -> Path:
    return target.into or target.settings.browser_extension_path


def _is_packaged(target: Target) -> bool:
    """Whether the package's extension is the one to load."""
    return target.into is None and package.serves(target.settings.home)


def _write_extension(into: Path) -> None:
    """Write the extension to a folder, and an archive of it. Raises OSError."""
    folder = into / "extension"
    write_extension(folder)
    Path(shutil.make_archive(str(into / "idiolect"), "zip", folder)).replace(into / "idiolect.xpi")


def _state(settings: Settings, browser: Browser) -> BrowserState:
    program = settings.browser_host_path
    if package.serves(settings.home) and browser.limit is None:
        alone = not browser.path.exists()  # a manifest of this user's would come first
        return BrowserState(browser.name, str(browser.path), browser.present, alone, browser.works, None)
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
    parts = {"home": str(settings.home), "python": sys.executable}
    return _PROGRAM.format(**{name: shlex.quote(part) for name, part in parts.items()}).encode()


def _read(path: Path) -> bytes:
    """What is in a file; nothing where there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
