"""The program whose window has the focus, for programs that IBus has no name for.

X names its windows; under Wayland no program can ask, and in GNOME IBus calls every program `gnome-shell`. Programs of
GTK say on AT-SPI, the bus for screen readers, which of their windows is active.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from jeepney import DBusAddress

from idiolect.daemon.clients.keyboard.bus import DAEMON, Bus, NoInputBusError

_ANSWER_S: Final = 2.0
_SESSION: Final = "SESSION"  # as jeepney calls the bus of that name
_LAUNCHER: Final = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
_ROOT: Final = "/org/a11y/atspi/accessible/root"  # of each program
_REGISTRY: Final = ("org.a11y.atspi.Registry", _ROOT)
_ACCESSIBLE: Final = "org.a11y.atspi.Accessible"
_ACTIVE: Final = 1 << 1  # of the states of a window


async def find_focused_program() -> str:
    """Return the class or name of the program with the focus, such as "XTerm"; "" if it cannot be known."""
    return await _of_x() or await _of_accessible()


async def _of_x() -> str:
    found = re.search(
        r"0x[0-9a-f]+", await _run("-root", "-f", "_NET_ACTIVE_WINDOW", "0x", "_NET_ACTIVE_WINDOW")
    )
    if found is None:
        return ""
    names = re.findall(r'"([^"]*)"', await _run("-id", found[0], "WM_CLASS"))
    return names[-1] if names else ""


async def _run(*words: str) -> str:
    try:
        asked = await asyncio.create_subprocess_exec(
            "xprop", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await asyncio.wait_for(asked.communicate(), _ANSWER_S)
    except (OSError, TimeoutError):
        return ""
    return said.decode(errors="replace")


async def accessible_address() -> str:
    """Return the address of the bus for screen readers; "" if none runs. Raises NoInputBusError without a session."""
    async with _open(_SESSION) as session:
        # A bus that was started for this would have no programs on it.
        if await session.call(DAEMON, "NameHasOwner", "s", (_LAUNCHER.bus_name,)) != (True,):
            return ""
        found = await session.call(_LAUNCHER, "GetAddress")
    return str(found[0]) if found else ""


async def _of_accessible() -> str:
    """Return the name of the one program with an active window, from the bus for screen readers."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            if not (address := await accessible_address()):
                return ""
            async with _open(address) as bus:
                programs = await _children(bus, _REGISTRY)
                names = await asyncio.gather(*(_name_if_active(bus, program) for program in programs))
    except (NoInputBusError, TimeoutError, LookupError, TypeError):  # no bus, or none that answers
        return ""
    found = [name for name in names if name]
    return found[0] if len(found) == 1 else ""


@asynccontextmanager
async def _open(address: str) -> AsyncIterator[Bus]:
    bus = await Bus.open(address)
    serving = asyncio.ensure_future(bus.serve(lambda _message: None))
    try:
        yield bus
    finally:
        serving.cancel()
        bus.close()


async def _name_if_active(bus: Bus, program: tuple[str, str]) -> str:
    """Return the name of a program with an active window; "" if none is active, or it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_S / 2):
            for window in await _children(bus, program):
                states = await _ask(bus, window, "GetState")
                if states and states[0][0] & _ACTIVE:
                    return await _name(bus, program)
    except TimeoutError:
        pass
    return ""


async def _children(bus: Bus, one: tuple[str, str]) -> list[tuple[str, str]]:
    found = await _ask(bus, one, "GetChildren")
    return found[0] if found else []


async def program_names(bus: Bus, name: str) -> list[str]:
    """Return the known names of a program on this bus: its own name for itself, and its process's name."""
    told, process = await asyncio.gather(
        _name(bus, (name, _ROOT)), bus.call(DAEMON, "GetConnectionUnixProcessID", "s", (name,))
    )
    try:
        comm = Path(f"/proc/{process[0]}/comm").read_text("utf-8", "replace").strip() if process else ""
    except OSError:  # it has ended, or is another user's
        comm = ""
    return [one for one in (told, comm) if one]


async def _name(bus: Bus, one: tuple[str, str]) -> str:
    where = DBusAddress(one[1], one[0], "org.freedesktop.DBus.Properties")
    found = await bus.call(where, "Get", "ss", (_ACCESSIBLE, "Name"))
    return str(found[0][1]) if found else ""


async def _ask(bus: Bus, one: tuple[str, str], what: str) -> Any:
    return await bus.call(DBusAddress(one[1], one[0], _ACCESSIBLE), what)
