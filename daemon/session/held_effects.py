"""Effects of a key that wait until the program has caught up with the keys before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from idiolect.daemon.session.effects import InsertText, KeyEffect
from idiolect.daemon.session.events import Event
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor

#: A program inserts a key that was passed on within this time, and reports it within `REPORT_S`.
CATCH_UP_S: Final = 0.04
REPORT_S: Final = 0.15


@dataclass
class HeldEffects:
    """Effects that wait until the program has caught up, or a time; `own` reports are due to these effects."""

    actions: list[KeyEffect]
    own: int
    until_s: float
    events: deque[Event] = field(default_factory=deque)

    def is_certain(self, before: TextBeforeCursor) -> bool:
        """Return whether they may go out: they may delete only text that the program has reported."""
        told = before.reported and before.text is not None and before.ahead <= self.own
        return told or not any(isinstance(one, InsertText) and one.replace for one in self.actions)


def must_wait(actions: Sequence[KeyEffect], ahead: int, *, soon: bool) -> bool:
    """Return whether the program has to catch up first; `soon`: it may not have inserted the last key yet.

    It inserts a key that was passed on behind what it reads meanwhile, so a word could overtake the key. Once the
    program has reported the key, it has inserted it. No text is deleted before all keys (`ahead`) are reported.
    """
    return any(isinstance(one, InsertText) and (soon or (one.replace and ahead)) for one in actions)
