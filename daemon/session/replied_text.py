"""The text that is answered in one field."""

from __future__ import annotations

from typing import Final

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.text.replies import Reply, split

_READ_EVERY_S: Final = 1.0


class FieldAnswering:
    """The text that is answered in one field, until the field is left.

    `sees`: whether the service uses it here, by its last answer; None before that.
    """

    def __init__(self, clock: Clock, sees: bool | None = None) -> None:
        """Begin with an unread field."""
        self.sees = sees
        self.around: tuple[str, str] | None = None  # before and behind the cursor, as it was read
        self.texts: tuple[str, ...] = ()  # what is answered, as the field's door has read it
        self._clock = clock
        self._read_s = float("-inf")

    def complete(self, reply: Reply) -> Reply:
        """Return the program's reply with the answered text of the whole field, if the field was read.

        A program that reports a few words before the cursor may report the end of a quotation, without its mark.
        """
        if self.texts and reply.prefix is not None:
            return Reply(reply.prefix, lambda: self.texts)
        if self.around is None or reply.prefix is None:
            return reply
        texts = tuple(split(*self.around).texts())
        above, _, line = reply.prefix.rpartition("\n")
        is_theirs = above.strip() != "" and any(above.strip() in text for text in texts)
        return Reply(line if is_theirs else reply.prefix, lambda: texts)

    def is_due(self) -> bool:
        """Return whether the field is to be read for the next question: at most once a second."""
        due = self._clock.now_s - self._read_s > _READ_EVERY_S
        self._read_s = self._clock.now_s if due else self._read_s
        return due
