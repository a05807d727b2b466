"""Fields that were left a moment ago: a user who comes back goes on there; otherwise the text is learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.field import Field
from idiolect.daemon.session.field_authorship import FieldAuthorship, WrittenText

#: The name that a door gives a field's input context, and the field.
Place: TypeAlias = tuple[str, "Field"]

_RETURN_S: Final = 15.0  # the focus often goes to a menu or another window only to come back
_SAVED_S: Final = 5.0  # an editor that saves by itself saves half words
_ENDS_KEPT: Final = 20


class LeftFields:
    """The fields that were left, the oldest first."""

    def __init__(self, clock: Clock, learn: Callable[[Sequence[WrittenText], Field], None]) -> None:
        """`learn` takes the texts of a field."""
        self._clock = clock
        self._learn = learn
        self._ends: dict[Place, str] = {}  # the end of each field's last text, of the newest fields
        self._left: dict[Place, tuple[FieldAuthorship, float]] = {}  # with when it is learned

    @property
    def due_s(self) -> float:
        """When the next text is to be learned; infinity if there is none."""
        return min((due_s for _, due_s in self._left.values()), default=float("inf"))

    def leave(self, place: Place, written: FieldAuthorship) -> None:
        """Keep the text of a field that is left, and learn it later."""
        self._learn_text(place)  # of an earlier stay
        self._left[place] = (written, self._clock.now_s + _RETURN_S)
        if not place[1].has_own_context:  # a user who comes back may be in another field
            self._learn_text(place)

    def save(self, place: Place, written: FieldAuthorship) -> None:
        """Keep the text of a document as it was saved, in place of an earlier save, and learn it later."""
        self._left[place] = (written, self._clock.now_s + _SAVED_S)

    def learn_now(self, place: Place) -> None:
        """Learn a text that waits."""
        self._learn_text(place)

    def begin(self, place: Place) -> FieldAuthorship:
        """Return the text of a field that has the focus: the text of the last stay, or a new one."""
        return self.take_up(place) or FieldAuthorship(self._clock, self._ends.get(place, ""))

    def take_up(self, place: Place) -> FieldAuthorship | None:
        """Return the text of a field that was left a moment ago, and learn it no more."""
        found = self._left.pop(place, None)
        return None if found is None else found[0]

    def learn_due(self, until_s: float) -> None:
        """Learn the texts that are due by a time."""
        for place in [place for place, (_, due_s) in self._left.items() if due_s <= until_s]:
            self._learn_text(place)

    def _learn_text(self, place: Place) -> None:
        if (written := self.take_up(place)) is not None:
            self._learn(written.entries(), place[1])
            self._ends.pop(place, None)
            self._ends[place] = written.end
            for old in list(self._ends)[:-_ENDS_KEPT]:
                del self._ends[old]

    def discard(self) -> None:
        """Learn none of the texts."""
        self._left.clear()
        self._ends.clear()
