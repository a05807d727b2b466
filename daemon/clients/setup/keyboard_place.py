"""Setting up the keyboard: it becomes one of this user's input methods in IBus, without root."""

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
from idiolect.daemon.clients.keyboard.learning_choice import LearningChoice
from idiolect.daemon.clients.setup import own_files
from idiolect.daemon.clients.setup.place import Change, Place, SetupRefusedError, Target
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

    `ibus` is IBus's version, None where it is not installed. `written`: the component is there; `current`: as it would
    be written now. `runs`: IBus runs in this session; `known`: it lists the keyboard. `listed`: the keyboard is among
    the input sources; `active`: it is the one in use. `learns` is what the user chose. `mend` says what to do next,
    None where all is well.
    """

    ibus: str | None
    written: bool
    current: bool
    runs: bool
    known: bool
    listed: bool
    active: bool
    learns: bool
    mend: str | None


class Keyboard(Place):
    """The input method for every program of the desktop."""

    name, title = "keyboard", "Every program of the desktop"
    first = (
        "Choose idiolect among your input sources (Super+Space in GNOME, `ibus engine idiolect` elsewhere), and type "
        "in any program. `idiolect setup keyboard --learn` or `--no-learn` says whether it learns what you write."
    )
    missing = "Install IBus (the package is called ibus), then `idiolect setup keyboard`"

    @override
    def found(self, target: Target) -> str | None:
        """IBus, and its version."""
        version = _version()
        return None if version is None else f"IBus {_dotted(version)}"

    @override
    def installed(self, target: Target) -> bool:
        """Whether the component is there by which IBus knows the keyboard."""
        return component.path().exists()

    def changes(self, target: Target) -> list[Change]:
        """The component and its variable, and the entry among the input sources. Raises SetupRefusedError."""
        files = [Change(str(path), text.decode()) for path, text in _files(target.settings).items()]
        return [*files, Change("your input sources", "idiolect, as the last one\n")]

    @override
    def works(self, target: Target) -> bool:
        """Whether each link of the chain holds, up to the keyboard that is in use."""
        return self.installed(target) and self.state(target).mend is None

    @override
    def is_of_profile(self, target: Target) -> bool:
        """Whether the component starts the keyboard of this profile."""
        return self.installed(target) and component.is_of(target.settings)

    def install(self, target: Target) -> list[str]:
        """Make it one of this user's input methods; it learns as its user chose. Raises SetupRefusedError."""
        system, settings = _system_folder(), target.settings.prepare()
        choice = LearningChoice(settings)
        if target.learn is not None:
            choice.set(learn=target.learn)
        for path, content in _files(settings).items():
            own_files.write(path, content)
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
        learns = "It suggests and learns." if choice.learn else "It suggests only, and learns nothing."
        return [*done, *(f"Added to {name}." for name in input_sources.change(add=True)), learns]

    @override
    def remove(self, target: Target) -> list[str]:
        """Take it out of this user's input methods; what was done, in sentences. What was learned stays."""
        done = [f"Taken out of {name}." for name in input_sources.change(add=False)]
        gone = own_files.remove([component.path(), component.environment_path()])
        if gone and shutil.which("ibus"):
            _run("ibus", "write-cache")
            if _address():
                _restart(known=False)
        return [*done, *(f"Removed {path}." for path in gone)]

    @override
    def next_step(self, target: Target) -> str | None:
        """What to do next, from the first link of the chain to the last."""
        return self.state(target).mend if self.installed(target) else super().next_step(target)

    def state(self, target: Target) -> KeyboardState:
        """How the keyboard stands; this changes nothing."""
        ibus, settings = _version(), target.settings
        written = component.path().exists()
        runs = ibus is not None and bool(_address())
        known = runs and _known()
        found = KeyboardState(
            ibus=None if ibus is None else _dotted(ibus),
            written=written,
            current=written and component.path().read_bytes() == _component(settings),
            runs=runs,
            known=known,
            listed=input_sources.listed(),
            active=known and (_run("ibus", "engine") or "").strip() == ENGINE,
            learns=LearningChoice(settings).learn,
            mend=None,
        )
        return replace(found, mend=_mend(found, ibus))


def _component(settings: Settings) -> bytes:
    return component.xml(settings, *input_sources.gnome_layout())


def _files(settings: Settings) -> dict[Path, bytes]:
    """The component, and the variable by which IBus finds it. Raises SetupRefusedError."""
    return {
        component.path(): _component(settings),
        component.environment_path(): component.environment(_system_folder()),
    }


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def _mend(found: KeyboardState, ibus: Sequence[int] | None) -> str | None:
    if ibus is None:
        return "Install IBus: the package is called ibus."
    if tuple(ibus) < _OLDEST:
        return _too_old(ibus)
    if not found.written:
        return _AGAIN
    if not found.current:
        return f"It was written for another version, place or layout. {_AGAIN}"
    if not found.runs:
        return "IBus does not run in this session. Log in again; docs/keyboard.md says what your desktop needs for it."
    if not found.known:
        return f"IBus does not list it. {_AGAIN}"
    if not found.active:
        how = "Super+Space" if "GNOME" in desktop_name() else f"`ibus engine {ENGINE}`, or IBus's indicator"
        return f"It is not in use. Choose idiolect: {how}."
    modules = input_modules()
    if modules and "ibus" not in " ".join(modules.values()) and "GNOME" not in desktop_name():
        which = ", ".join(f"{name}={value}" for name, value in modules.items())
        return f"Programs are told to use another input method ({which}). Run `im-config -n ibus` and log in again."
    return None


def _system_folder() -> Path:
    """Where IBus has its own components. Raises SetupRefusedError."""
    found = _version()
    program = shutil.which("ibus-daemon") or shutil.which("ibus")
    if found is None or program is None:
        raise SetupRefusedError("IBus is not installed. Install the package ibus, then try again.")
    if found < _OLDEST:
        raise SetupRefusedError(_too_old(found))
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
