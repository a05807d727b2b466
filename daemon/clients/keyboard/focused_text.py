"""The text of the focused field, from the bus for screen readers (AT-SPI).

Most programs report to an input method only the cursor's line or a few words, without the text that a reply quotes
further up. Programs of GTK report the whole field to screen readers, where their bus runs.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from jeepney import DBusAddress, HeaderFields, Message

from idiolect.daemon.clients.keyboard.bus import DAEMON, Bus, NoInputBusError
from idiolect.daemon.clients.keyboard.focused_window import accessible_address, program_names
from idiolect.daemon.session.text_before_cursor import MAX_CHARS

_ANSWER_S: Final = 0.5
_NO_BUS_S: Final = 60.0  # until the bus is looked for again, which takes a connection
_EVENT: Final = "object:state-changed:focused"
_MATCH: Final = "type='signal',interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='focused'"
_REGISTRY: Final = DBusAddress(
    "/org/a11y/atspi/registry", "org.a11y.atspi.Registry", "org.a11y.atspi.Registry"
)
_TEXT: Final = "org.a11y.atspi.Text"
_ACCESSIBLE: Final = "org.a11y.atspi.Accessible"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_PASSWORD: Final = 40  # of the roles
#: IBus and AT-SPI may be so many typed characters apart.
_LATE_CHARS: Final = 3
#: Characters at the end of a line that are compared, and the least: one word ends lines of other fields, too.
_LIKE_CHARS: Final = 24
_LEAST_CHARS: Final = 6


class FocusedText:
    """Knows the focused field, once the focus has moved since it began to listen."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self._bus: Bus | None = None
        self.focused: tuple[str, str] | None = (
            None  # the program's name on the bus, and the field's path there
        )
        self.listening: asyncio.Task[None] | None = None
        self._ended_s = float("-inf")

    def listen(self) -> None:
        """Follow the focus, unless that is done already or no such bus ran within the last minute."""
        now_s = asyncio.get_running_loop().time()
        if self.listening is None and now_s - self._ended_s > _NO_BUS_S:
            self.listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        try:
            if address := await accessible_address():
                self._bus = await Bus.open(address)
                asking = asyncio.gather(
                    self._bus.call(DAEMON, "AddMatch", "s", (_MATCH,)),
                    self._bus.call(_REGISTRY, "RegisterEvent", "sass", (_EVENT, [], "")),
                )
                await self._bus.serve(self._on_focus)
                asking.cancel()
        except (NoInputBusError, TimeoutError, LookupError, TypeError):  # no bus, or none that answers
            pass
        finally:
            self._ended_s = asyncio.get_running_loop().time()
            if self._bus is not None:
                self._bus.close()
            self._bus = self.focused = self.listening = None

    def _on_focus(self, signal: Message) -> None:
        fields, body = signal.header.fields, signal.body
        if body[:1] == ("focused",) and len(body) > 1:
            one = (fields[HeaderFields.sender], fields[HeaderFields.path])
            self.focused = one if body[1] else None if one == self.focused else self.focused

    async def read_around(self, line: str, app: str | None) -> tuple[str, str] | None:
        """Return the text before the cursor and behind it; None if it cannot be known.

        `line`, IBus's line before the cursor, tells the field from others. `app` is the program typed into, None if it
        is not known.
        """
        if self._bus is None or self.focused is None:
            return None
        bus, (name, path) = self._bus, self.focused
        call = bus.call
        own, text = DBusAddress(path, name, _PROPERTIES), DBusAddress(path, name, _TEXT)
        try:
            async with asyncio.timeout(_ANSWER_S):
                if await call(DBusAddress(path, name, _ACCESSIBLE), "GetRole") in (None, (_PASSWORD,)):
                    return None
                if app is not None and not _is_called(app, await program_names(bus, name)):
                    return None
                asked = (call(own, "Get", "ss", (_TEXT, of)) for of in ("CaretOffset", "CharacterCount"))
                ((_, caret),), ((_, size),) = await asyncio.gather(*asked)
                start = max(caret - MAX_CHARS, 0)
                (found,) = await call(text, "GetText", "ii", (start, min(caret + MAX_CHARS, size)))
        except (TimeoutError, TypeError, ValueError):  # no answer, or another kind of answer
            return None
        before, behind = found[: caret - start], found[caret - start :]
        return (before, behind) if _is_same(before.rpartition("\n")[2], line) else None


def _is_called(app: str, names: list[str]) -> bool:
    """Return whether one of a program's names may be IBus's name for it, or no name is known."""
    wanted, *known = (re.sub(r"\W", "", name).lower() for name in (app, *names))
    return not any(known) or any(one in wanted or wanted in one for one in known if one)


def _is_same(one: str, other: str) -> bool:
    """Return whether two lines end alike; one may be some keys late, or without its beginning.

    Lines of fewer than `_LEAST_CHARS` characters must be equal.
    """
    if max(len(one), len(other)) < _LEAST_CHARS:
        return bool(one.strip()) and one == other
    return any(
        _ends(one[: max(len(one) - late, 0)], other) or _ends(one, other[: max(len(other) - late, 0)])
        for late in range(_LATE_CHARS + 1)
    )


def _ends(line: str, end: str) -> bool:
    return len(end.strip()) >= _LEAST_CHARS and line.endswith(end[-_LIKE_CHARS:])
