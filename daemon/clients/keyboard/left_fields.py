"""Fields that were left a moment ago: a user who comes back goes on there; otherwise the text is learned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from idiolect.daemon.clients.keyboard.field import Field
from idiolect.daemon.clients.keyboard.field_authorship import FieldAuthorship, WrittenText

#: The name that IBus gives a field's input context, and the field.
Place: TypeAlias = tuple[str, "Field"]

_RETURN_S: Final = 15.0  # the focus often goes to a menu or another window only to come back
_ENDS_KEPT: Final = 20


class LeftFields:
    """For one event loop."""

    def __init__(self, learn: Callable[[Sequence[WrittenText], Field], None]) -> None:
        """`learn` takes the texts of a field."""
        self._learn = learn
        self._ends: dict[Place, str] = {}  # the end of each field's last text, of the newest fields
        self._left: dict[Place, tuple[FieldAuthorship, asyncio.TimerHandle]] = {}

    def leave(self, place: Place, written: FieldAuthorship) -> None:
        """Keep the text of a field that is left, and learn it later."""
        self._learn_text(place)  # of an earlier stay
        later = asyncio.get_running_loop().call_later(_RETURN_S, self._learn_text, place)
        self._left[place] = (written, later)
        if not place[1].has_own_context:  # a user who comes back may be in another field
            self._learn_text(place)

    def begin(self, place: Place) -> FieldAuthorship:
        """Return the text of a field that has the focus: the text of the last stay, or a new one."""
        return self.take_up(place) or FieldAuthorship(self._ends.get(place, ""))

    def take_up(self, place: Place) -> FieldAuthorship | None:
        """Return the text of a field that was left a moment ago, and learn it no more."""
        found = self._left.pop(place, None)
        if found is None:
            return None
        found[1].cancel()
        return found[0]

    def _learn_text(self, place: Place) -> None:
        if (written := self.take_up(place)) is not None:
            self._learn(written.entries(), place[1])
            self._ends.pop(place, None)
            self._ends[place] = written.end
            for old in list(self._ends)[:-_ENDS_KEPT]:
                del self._ends[old]

    def finish(self) -> None:
        """Learn all texts now."""
        for place in list(self._left):
            self._learn_text(place)

    def discard(self) -> None:
        """Learn none of the texts."""
        for _, later in self._left.values():
            later.cancel()
        self._left.clear()
        self._ends.clear()
