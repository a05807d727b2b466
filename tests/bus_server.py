"""A program on a session's bus that answers calls."""

import contextlib
import socket
import threading

from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import new_method_return


class BusServer:
    """Its `names` on the bus; `answer` has what it answers: a signature and its values, None for an error."""

    names = ()

    def __init__(self, address):
        self.bus = open_dbus_connection(address)
        for name in self.names:
            bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
            self.bus.send_and_get_reply(new_method_call(bus, "RequestName", "su", (name, 0)))
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def close(self):
        """End it, whether or not the bus has ended."""
        with contextlib.suppress(OSError):
            self.bus.sock.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self.bus.close()

    def _serve(self):
        while (call := self._received()) is not None:
            if call.header.message_type is MessageType.method_call:
                fields = call.header.fields
                answer = self.answer(fields[HeaderFields.member], fields[HeaderFields.path], call.body)
                self.bus.send(new_method_return(call, *answer) if answer else new_error(call, "test.Failed"))

    def _received(self):
        with contextlib.suppress(OSError, EOFError):
            return self.bus.receive()
        return None
