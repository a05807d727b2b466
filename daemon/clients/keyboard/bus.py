"""The connection to IBus over D-Bus: messages are handled and sent in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageFlag,
    MessageType,
    new_error,
    new_method_call,
    new_signal,
)
from jeepney.io.asyncio import DBusConnection, open_dbus_connection
from jeepney.wrappers import new_method_return

from idiolect.models.errors import ExitCode, IdiolectError

_ANSWER_S: Final = 10.0
_PROGRAM: Final = "ibus"
DAEMON: Final = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


class NoInputBusError(IdiolectError, code="no-ibus", exit_code=ExitCode.NOT_RUNNING, http_status=503):
    """IBus does not run in this session, or does not answer."""


async def find_address() -> str:
    """Return the address of IBus in this session. Raises NoInputBusError."""
    try:
        asked = await asyncio.create_subprocess_exec(
            _PROGRAM, "address", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await asyncio.wait_for(asked.communicate(), _ANSWER_S)
    except (OSError, TimeoutError):
        said = b""
    address = said.decode(errors="replace").strip()
    if not address.startswith("unix:"):
        raise NoInputBusError(
            "IBus does not run in this session. Log in to your desktop with IBus as its input method, or run "
            "`ibus-daemon -drx`."
        )
    return address


class Bus:
    """IBus's own message bus."""

    def __init__(self, connection: DBusConnection) -> None:
        """Over a connection that is open."""
        self._connection = connection
        self._replies: dict[int, asyncio.Future[Message]] = {}

    @classmethod
    async def open(cls, address: str) -> Bus:
        """Connect. Raises NoInputBusError."""
        try:
            return cls(await open_dbus_connection(address))
        except (OSError, EOFError, RuntimeError, ValueError):
            raise NoInputBusError("IBus does not answer. Restart it with `ibus restart`.") from None

    async def serve(self, handle: Callable[[Message], None]) -> None:
        """Hand every call and signal to `handle`, until IBus ends the connection."""
        while True:
            try:
                message = await self._connection.receive()
            except (EOFError, ConnectionError):
                return
            header = message.header
            if header.message_type in (MessageType.method_return, MessageType.error):
                waiting = self._replies.pop(header.fields.get(HeaderFields.reply_serial, 0), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            else:
                handle(message)

    def emit(
        self, path: str, interface: str, name: str, signature: str = "", body: tuple[Any, ...] = ()
    ) -> None:
        """Send a signal."""
        self._send(new_signal(DBusAddress(path, interface=interface), name, signature or None, body))

    def reply(self, call: Message, signature: str = "", body: tuple[Any, ...] = ()) -> None:
        """Answer a call, if its sender expects an answer."""
        if not call.header.flags & MessageFlag.no_reply_expected:
            self._send(new_method_return(call, signature or None, body))

    def refuse(self, call: Message) -> None:
        """Answer a call with an error."""
        if not call.header.flags & MessageFlag.no_reply_expected:
            self._send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    async def call(
        self, where: DBusAddress, name: str, signature: str = "", body: tuple[Any, ...] = ()
    ) -> Any:
        """Call a method while :meth:`serve` runs. Return its results; None if it fails or is not answered."""
        message = new_method_call(where, name, signature or None, body)
        serial = next(self._connection.outgoing_serial)
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[serial] = waiting
        self._connection.writer.write(message.serialise(serial))
        try:
            answer = await asyncio.wait_for(waiting, _ANSWER_S)
        except TimeoutError:
            self._replies.pop(serial, None)
            return None
        return answer.body if answer.header.message_type is MessageType.method_return else None

    def _send(self, message: Message) -> None:
        # Written at once, so that no other task's message comes between two that belong together.
        self._connection.writer.write(message.serialise(next(self._connection.outgoing_serial)))

    def close(self) -> None:
        """End the connection."""
        self._connection.writer.close()
