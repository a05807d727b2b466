"""Fields left a moment ago: whoever returns goes on there; otherwise their text is learned, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from idiolect.daemon.clients.keyboard.field import Field
from idiolect.daemon.clients.keyboard.field_authorship import FieldAuthorship, WrittenText

#: The name that IBus gives a field's input context, and the field.
Place: TypeAlias = tuple[str, "Field"]

#: A menu, another window: the focus often goes there only to come back.
_SETTLE_S: Final = 15.0
#: Fields of which it is remembered what was written there last.
_ENDS: Final = 20


class LeftFields:
    """For one event loop."""

    def __init__(self, learn: Callable[[Sequence[WrittenText], Field], None]) -> None:
        """`learn` takes what was written."""
        self._learn = learn
        self._ends: dict[Place, str] = {}
        self._left: dict[Place, tuple[FieldAuthorship, asyncio.TimerHandle]] = {}

    def leave(self, place: Place, written: FieldAuthorship) -> None:
        """A field is left."""
        self._settle(place)  # an earlier stay, which was not gone on with
        later = asyncio.get_running_loop().call_later(_SETTLE_S, self._settle, place)
        self._left[place] = (written, later)
        if not place[1].has_own_context:  # whoever returns may be in another field of the program
            self._settle(place)

    def begin(self, place: Place) -> FieldAuthorship:
        """A field has the focus: what was written there goes on, if it was left only now."""
        return self.take_up(place) or FieldAuthorship(self._ends.get(place, ""))

    def take_up(self, place: Place) -> FieldAuthorship | None:
        """What was written in a field that was left only now."""
        found = self._left.pop(place, None)
        if found is None:
            return None
        found[1].cancel()
        return found[0]

    def _settle(self, place: Place) -> None:
        if (written := self.take_up(place)) is not None:
            self._learn(written.entries(), place[1])
            self._ends.pop(place, None)
            self._ends[place] = written.end
            for old in list(self._ends)[:-_ENDS]:
                del self._ends[old]

    def finish(self) -> None:
        """What was written anywhere is learned now."""
        for place in list(self._left):
            self._settle(place)

    def discard(self) -> None:
        """Nothing of it is to be learned after all."""
        for _, later in self._left.values():
            later.cancel()
        self._left.clear()
        self._ends.clear()
