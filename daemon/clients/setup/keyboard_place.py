"""Setting up the keyboard: it becomes one of this user's input methods in Fcitx or IBus, without root."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from typing_extensions import override

from idiolect.daemon.clients.keyboard import component, input_sources
from idiolect.daemon.clients.keyboard.component import ENGINE
from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.clients.setup import fcitx
from idiolect.daemon.clients.setup.place import (
    Change,
    Place,
    SetupRefusedError,
    Step,
    Target,
    remove_own,
    write_own,
)
from idiolect.daemon.runtime import package
from idiolect.daemon.settings import Settings, child_environment, desktop_name, input_modules

#: The first version that says which program has the focus.
_OLDEST: Final = (1, 5, 27)
_ANSWER_S: Final = 20.0
_RESTART_S: Final = 15.0
_POLL_S: Final = 0.1
_AGAIN: Final = "Run `idiolect setup keyboard`."


@dataclass(frozen=True)
class KeyboardState:
    """How the keyboard stands, from the first link of the chain to the last.

    `framework` is Fcitx, where it runs, or IBus, with its version; None: neither is installed. `written`: its file is
    there by which it knows the keyboard; `current`: as it would be written now. `runs`: it runs in this session;
    `known`: it lists the keyboard. `listed`: the keyboard is among the input methods; `active`: it is the one in use.
    `learns` is what the user chose. `mend` says what to do next, None where all is well; `step` is the part of it that
    a command does.
    """

    framework: str | None
    written: bool
    current: bool
    runs: bool
    known: bool
    listed: bool
    active: bool
    learns: bool
    mend: str | None
    step: Step | None = None


class Keyboard(Place):
    """The input method for every program of the desktop."""

    name, title = "keyboard", "Every program of the desktop"
    first = (
        "Choose idiolect among your input sources (Super+Space in GNOME, Ctrl+Space with Fcitx, IBus's menu in the "
        "panel elsewhere), and type in any program."
    )
    missing = "Install IBus: the package is called ibus. Or start Fcitx 5."

    @override
    def found(self, target: Target) -> str | None:
        """Fcitx, where it runs, or IBus, and its version."""
        if fcitx.runs():
            return f"Fcitx {fcitx.version()}"
        version = _version()
        return None if version is None else f"IBus {_dotted(version)}"

    @override
    def installed(self, target: Target) -> bool:
        """Whether the file is there by which Fcitx or IBus knows the keyboard."""
        return package.serves(target.settings.home) or _path().exists()

    def changes(self, target: Target) -> list[Change]:
        """The files that are written, and the entry among the input sources. Raises SetupRefusedError."""
        written = {} if package.serves(target.settings.home) else _files(target.settings)
        files = [Change(str(path), text.decode()) for path, text in written.items()]
        return [*files, Change("your input sources", "idiolect, as the last one\n")]

    @override
    def works(self, target: Target) -> bool:
        """Whether each link of the chain holds, up to the keyboard that is in use."""
        return self.installed(target) and self.state(target).mend is None

    @override
    def is_of_profile(self, target: Target) -> bool:
        """Whether it starts the keyboard of this profile."""
        is_of = fcitx.is_current if fcitx.runs() else component.is_of
        return package.serves(target.settings.home) or (self.installed(target) and is_of(target.settings))

    def install(self, target: Target) -> list[str]:
        """Make it one of this user's input methods; it learns as its user chose. Raises SetupRefusedError."""
        settings = target.settings.prepare()
        choice = LearningChoice(settings)
        if target.learn is not None:
            choice.set(learn=target.learn)
        done = fcitx.install(settings) if fcitx.runs() else _install_in_ibus(settings)
        learns = "It suggests and learns." if choice.learn else "It suggests only, and learns nothing."
        return [*done, learns]

    @override
    def remove(self, target: Target) -> list[str]:
        """Take it out of this user's input methods; what was done, in sentences. What was learned stays."""
        done = [f"Taken out of {name}." for name in input_sources.change(add=False)]
        gone = remove_own([component.path(), component.environment_path()])
        if gone and shutil.which("ibus"):
            _run("ibus", "write-cache")
            if _address():
                _restart(known=False)
        return [*done, *(f"Removed {path}." for path in [*gone, *fcitx.remove()])]

    @override
    def next_step(self, target: Target) -> str | None:
        """What to do next, from the first link of the chain to the last."""
        return self.state(target).mend if self.installed(target) else super().next_step(target)

    @override
    def step(self, target: Target) -> Step | None:
        """To use it, or to have programs ask IBus or Fcitx."""
        return self.state(target).step if self.installed(target) else None

    def state(self, target: Target) -> KeyboardState:
        """How the keyboard stands; this changes nothing."""
        ibus, settings = _version(), target.settings
        if fcitx.runs():
            found = KeyboardState(
                framework=f"Fcitx {fcitx.version()}",
                written=self.installed(target),
                current=fcitx.is_current(settings),
                runs=True,
                known=fcitx.is_known(),
                listed=fcitx.is_listed(),
                active=fcitx.is_listed(),  # each program has its own in use
                learns=LearningChoice(settings).learn,
                mend=None,
            )
            return _with_mend(found)
        own = component.path().exists()
        packaged = package.serves(settings.home)
        runs = ibus is not None and bool(_address())
        known = runs and _known()
        found = KeyboardState(
            framework=None if ibus is None else f"IBus {_dotted(ibus)}",
            written=packaged or own,
            current=packaged != own and (packaged or component.path().read_bytes() == _component(settings)),
            runs=runs,
            known=known,
            listed=input_sources.listed(),
            active=known and (_run("ibus", "engine") or "").strip() == ENGINE,
            learns=LearningChoice(settings).learn,
            mend=None,
        )
        return replace(found, mend=_too_old(ibus)) if ibus and ibus < _OLDEST else _with_mend(found)


def _install_in_ibus(settings: Settings) -> list[str]:
    """Make it one of this user's input methods in IBus. Raises SetupRefusedError."""
    if package.serves(settings.home):
        done = [f"Removed {path}." for path in remove_own([component.path(), component.environment_path()])]
    else:
        system = _system_folder()
        for path, content in _files(settings).items():
            write_own(path, content)
        done = [f"Wrote {component.path()}."]
        _write_cache(system)
    if _run("ibus", "engine") is not None or _address():
        _restart(known=True)
        if not _known():
            raise SetupRefusedError(
                "IBus does not read this user's input methods here. Give it the keyboard as root: "
                f"`sudo ln -s {component.path()} {system}/ && sudo ibus write-cache --system`, then log in again."
            )
        done.append("IBus knows it, and was restarted for that.")
    return [*done, *(f"Added to {name}." for name in input_sources.change(add=True))]


def _path() -> Path:
    """The file by which the keyboard is known where it is to run."""
    return fcitx.path() if fcitx.runs() else component.path()


def _component(settings: Settings) -> bytes:
    return component.xml(settings, *input_sources.gnome_layout())


def _files(settings: Settings) -> dict[Path, bytes]:
    """The addon's files, or the component and the variable by which IBus finds it. Raises SetupRefusedError."""
    if fcitx.runs():
        return fcitx.files(settings)
    return {
        component.path(): _component(settings),
        component.environment_path(): component.environment(_system_folder()),
    }


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def _with_mend(found: KeyboardState) -> KeyboardState:
    """Say of a keyboard what to do next."""
    if found.framework is None:
        return replace(found, mend=Keyboard.missing)
    framework, gnome = found.framework.split()[0], "GNOME" in desktop_name()
    if not found.written:
        return replace(found, mend=_AGAIN)
    if not found.current:
        return replace(found, mend=f"It was written for another version, place or layout. {_AGAIN}")
    if not found.runs:
        why = "IBus does not run in this session. Log in again; docs/keyboard.md says what your desktop needs for it."
        return replace(found, mend=why)
    if not found.known or (framework == "Fcitx" and not found.listed):
        return replace(found, mend=f"{framework} does not list it. {_AGAIN}")
    if gnome and not found.listed:
        return replace(found, mend=f"It is not among your input sources. {_AGAIN}")
    if not found.active and gnome:
        return replace(found, mend="It is not in use. Choose idiolect: Super+Space.")
    if not found.active:
        why = f"It is not in use. Choose idiolect: IBus's menu in the panel, or `ibus engine {ENGINE}`."
        change = Change("the keyboard in use", f"{ENGINE}\n")
        return replace(
            found, mend=why, step=Step("Use it now …", change, ("ibus", "engine", ENGINE), "It is in use.")
        )
    return found if gnome else _with_modules(found, {"IBus": "ibus", "Fcitx": "fcitx5"}[framework])


def _with_modules(found: KeyboardState, name: str) -> KeyboardState:
    """Say what to do where programs are told to use another input method than that of this `name`."""
    modules = input_modules()
    if not modules or name[:5] in " ".join(modules.values()):
        return found
    which = f"another input method ({', '.join(f'{one}={value}' for one, value in modules.items())})"
    chosen = Path.home() / ".xinputrc"
    if chosen.is_file() and f"run_im {name}" in chosen.read_text("utf-8", errors="replace"):
        return replace(found, mend=f"Log out and in again: until then programs use {which}.")
    why = (
        f"Programs are told to use {which}. Choose {name} in the program Input Method, or run `im-config -n {name}`, "
        "and log in again."
    )
    if shutil.which("im-config") is None:
        return replace(found, mend=why)
    change = Change(str(chosen), f"run_im {name}\n")
    done = f"Programs use {name} once you have logged out and in again."
    return replace(found, mend=why, step=Step("Have them use it …", change, ("im-config", "-n", name), done))


def _system_folder() -> Path:
    """Where IBus has its own components. Raises SetupRefusedError."""
    found = _version()
    program = shutil.which("ibus-daemon") or shutil.which("ibus")
    if found is None or program is None:
        raise SetupRefusedError("IBus is not installed. Install the package ibus, then try again.")
    if found < _OLDEST:
        raise SetupRefusedError(_too_old(found))
    if package.COMPONENT.exists():
        raise SetupRefusedError(
            "IBus has the keyboard of the package idiolect, and takes no second one. Use that with `/usr/bin/idiolect "
            "setup keyboard`, or remove the package first."
        )
    return Path(program).resolve().parent.parent / "share" / "ibus" / "component"


def _too_old(found: Sequence[int]) -> str:
    return f"IBus {_dotted(found)} is too old: update it to {_dotted(_OLDEST)} or newer."


def _version() -> tuple[int, ...] | None:
    if shutil.which("ibus") is None:
        return None
    numbers = re.search(r"(\d+)\.(\d+)\.(\d+)", _run("ibus", "version") or "")
    return tuple(map(int, numbers.groups())) if numbers else None


def _write_cache(system: Path) -> None:
    path = f"{system}:{component.folder()}"
    if _run("ibus", "write-cache", IBUS_COMPONENT_PATH=path) is None:
        raise SetupRefusedError("`ibus write-cache` failed: IBus's list of input methods cannot be written.")


def _address() -> bool:
    """Whether IBus runs in this session."""
    return (_run("ibus", "address") or "").startswith("unix:") and _run("ibus", "list-engine") is not None


def _known() -> bool:
    return ENGINE in (_run("ibus", "list-engine", "--name-only") or "").split()


def _restart(*, known: bool) -> None:
    """Have IBus read its list anew, and wait until it answers, and lists the keyboard or no longer does."""
    _run("ibus", "restart")
    deadline = time.monotonic() + _RESTART_S
    while (_known() != known or not _address()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _run(*command: str, **environment: str) -> str | None:
    """What a program prints; None where it fails or does not end."""
    try:
        done = subprocess.run(
            command,
            env=child_environment(environment),
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
