"""The keyboard's process, which ibus-daemon starts: `python -m idiolect.daemon.clients.keyboard.serve [--home FOLDER]`.

It makes an engine whenever IBus wants one, and ends with IBus. The addon of Fcitx starts it with `--fcitx VERSION`, and
with a socket to Fcitx as its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

from jeepney import HeaderFields, Message

from idiolect.daemon.clients.keyboard.bus import DAEMON, Bus, find_address
from idiolect.daemon.clients.keyboard.component import BUS_NAME
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.fcitx_door import FcitxDoor
from idiolect.daemon.clients.keyboard.ibus_door import IbusDoor
from idiolect.daemon.clients.service_link import open_client_log
from idiolect.daemon.profile_paths import default_home
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield

_FACTORY: Final = "/org/freedesktop/IBus/Factory"
_ENGINES: Final = "/org/freedesktop/IBus/Engine/idiolect"

log = logging.getLogger("idiolect.keyboard")


class Factory:
    """Makes engines, and hands each engine its calls."""

    def __init__(self, bus: Bus, session: DesktopSession) -> None:
        self._bus = bus
        self._session = session
        self._doors: dict[str, IbusDoor] = {}
        self._made = 0

    def handle(self, message: Message) -> None:
        """Answer a call. A call that fails is refused, and IBus gives its key to the program."""
        try:
            self._handle(message)
        except Exception as error:
            log.error("a call of IBus failed", exc_info=error)
            self._bus.refuse(message)

    def _handle(self, message: Message) -> None:
        fields: dict[Any, Any] = message.header.fields
        path, name = fields.get(HeaderFields.path, ""), fields.get(HeaderFields.member)
        if path == _FACTORY and name == "CreateEngine":
            self._made += 1
            path = f"{_ENGINES}/{self._made}"
            self._doors[path] = IbusDoor(self._bus, path, self._session)
            return self._bus.reply(message, "o", (path,))
        door = self._doors.get(path)
        if door is None:
            return self._bus.refuse(message)
        door.handle(message)
        if name == "Destroy":
            del self._doors[path]
        return None


def _log_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error in the event loop, without its message: that may quote the user."""
    log.error("a callback of the event loop failed", exc_info=context.get("exception"))


async def serve(settings: Settings, *, fcitx: str | None) -> None:
    """Be the keyboard until IBus or Fcitx ends, or SIGTERM; `fcitx` is its addon's version. Raises NoInputBusError."""
    bus = None if fcitx is not None else await Bus.open(await find_address())
    session = DesktopSession(settings)
    session.start()
    asyncio.get_running_loop().set_exception_handler(_log_error)
    if bus is None:
        end = socket.socket(fileno=sys.stdin.fileno())
        serving = asyncio.ensure_future(FcitxDoor(end, session, fcitx or "").serve())
    else:
        serving = asyncio.ensure_future(bus.serve(Factory(bus, session).handle))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    if bus is not None:
        await bus.call(DAEMON, "RequestName", "su", (BUS_NAME, 0))
    try:
        await serving
    except asyncio.CancelledError:
        pass
    finally:
        await session.finish()
        if bus is not None:
            bus.close()


def main() -> None:
    """Serve the session; errors go to the profile's log."""
    shield()
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, default=default_home())
    parser.add_argument("--fcitx", metavar="VERSION")
    arguments = parser.parse_args()
    settings = Settings(home=arguments.home).prepare()
    open_client_log(settings)
    try:
        asyncio.run(serve(settings, fcitx=arguments.fcitx))
    except (IdiolectError, OSError) as error:
        log.error("the keyboard cannot run: %s", error)


if __name__ == "__main__":
    main()
