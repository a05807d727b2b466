"""Keys that a fast hand hits too late or once too often, and whose they are then: the program's, or nobody's."""

from __future__ import annotations

from typing import Final

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.keys import Key

#: Nobody reads grey text within this time after a letter, or after it appears.
_UNREAD_S: Final = 0.15
#: The key that took something, pressed again within this time, is a slip: in a form it would lead to the next field.
_TOO_MANY_S: Final = 0.3
#: A key within this time after the words went was meant for them.
_CLOSED_S: Final = 1.0
_NEVER: Final = float("-inf")


class SlippedKeys:
    """Tells slips of the keys that take something, by the time of what came before them in one field."""

    def __init__(self, clock: Clock) -> None:
        """Nothing came yet."""
        self._clock = clock
        self._typed_s = self._took_s = self._grey_s = self._closed_s = _NEVER

    def note_letter(self) -> None:
        """Note that a key typed a character."""
        self._typed_s = self._clock.now_s

    def note_taken(self) -> None:
        """Note that the key took grey text."""
        self._took_s = self._clock.now_s

    def note_grey(self) -> None:
        """Note that grey text appeared."""
        self._grey_s = self._clock.now_s

    def note_closed(self) -> None:
        """Note that words went."""
        self._closed_s = self._clock.now_s

    def begin_key(self) -> bool:
        """Begin the next key. Return whether the key before took grey text only a moment ago."""
        took_s, self._took_s = self._took_s, _NEVER
        return self._clock.now_s - took_s < _TOO_MANY_S

    def is_unread(self, key: Key) -> bool:
        """Return whether the grey text, or the letter before it, is too new to have been read.

        Then a key that programs use is theirs.
        """
        return key.is_programs and self._clock.now_s - max(self._typed_s, self._grey_s) < _UNREAD_S

    @property
    def words_just_went(self) -> bool:
        """Whether words went a moment ago, so that a key may have been meant for them."""
        return self._clock.now_s - self._closed_s < _CLOSED_S
