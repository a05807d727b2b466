"""The desktop's input sources: adds the keyboard to the lists of GNOME and IBus, and removes it."""

from __future__ import annotations

import ast
import subprocess
from typing import Any, Final

from idiolect.daemon.clients.keyboard.component import ENGINE
from idiolect.daemon.settings import desktop_name

_GNOME: Final = ("org.gnome.desktop.input-sources", "sources")
_IBUS: Final = ("org.freedesktop.ibus.general", "preload-engines")
_OURS: Final = ("ibus", ENGINE)
_ANSWER_S: Final = 10.0
#: The desktops that read GNOME's list. Other desktops may have the list on their disk, and never read it.
_GNOMES: Final = ("GNOME", "Unity", "Pantheon", "Budgie")


def gnome_layout() -> tuple[str, str]:
    """Return layout and variant of the first source that is a layout; "default" if GNOME has none."""
    for kind, name in _read(_GNOME) or []:
        if kind == "xkb":
            layout, _, variant = name.partition("+")
            return layout, variant
    return "default", ""


def listed() -> bool:
    """Return whether the keyboard stands in a list."""
    return _OURS in (_read(_GNOME) or []) or ENGINE in (_read(_IBUS) or [])


def change(*, add: bool) -> list[str]:
    """Add the keyboard to the end of each list that this desktop reads, or remove it. Return the changed lists."""
    done = []
    for name, where, entry in (
        ("GNOME's input sources", _GNOME, _OURS),
        ("IBus's input methods", _IBUS, ENGINE),
    ):
        if add and where is _GNOME and not _reads_gnomes():
            continue
        before = _read(where)
        if before is None or (entry in before) == add:
            continue
        after = [*before, entry] if add else [one for one in before if one != entry]
        _run("set", *where, repr(after) if after else f"@{'a(ss)' if where is _GNOME else 'as'} []")
        if _read(where) == after:  # without a session, `gsettings` reports success and keeps nothing
            done.append(name)
    return done


def _reads_gnomes() -> bool:
    """Return whether this desktop reads GNOME's list; true for a desktop without a name."""
    name = desktop_name()
    return not name or any(gnome in name for gnome in _GNOMES)


def _read(where: tuple[str, str]) -> list[Any] | None:
    """Return a list of GSettings; None if there is none."""
    said = _run("get", *where)
    if said is None:
        return None
    try:
        return list(ast.literal_eval(said.strip().removeprefix("@a(ss) ").removeprefix("@as ")))
    except (ValueError, SyntaxError):
        return None


def _run(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["gsettings", *words], capture_output=True, text=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
