"""Corrections in one field: offered, made by themselves, and taken back with the next key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import KeyEffect, Made, WordMended
from idiolect.daemon.session.suggest_answer import (
    Offer,
    OfferedWord,
    can_replace,
    mended_words,
    mistyped,
)
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor

_MAX_AFTER: Final = 200  # characters behind a mended word that is put back
LEAD_CHARS: Final = 40  # before a mended word, by which its place is known again
#: If the user has typed on, a correction is made by itself only within this time after its word ended.
_MAKE_WITHIN_S: Final = 1.0


@dataclass
class Ended:
    """A word that ended at the end of `prefix`, and the characters typed since; `word` is its sure correction."""

    prefix: str
    at_s: float
    typed_after: str = ""
    word: OfferedWord | None = None


class FieldCorrections:
    """Corrections delete text, so there are none unless the text before the cursor is certain.

    Args:
        kept: words whose correction was taken back here, in small letters.
        mends: sure corrections may be made by themselves here.
    """

    def __init__(self, before: TextBeforeCursor, clock: Clock, kept: set[str], *, mends: bool) -> None:
        """Begin in a field with an unknown text."""
        self._before, self._clock = before, clock
        self._kept = kept
        self._mends = mends
        self._undeleted: str | None = None  # the text before the cursor if the program did not delete
        self.program_deletes = True
        self._ended: list[Ended] = []  # the oldest first
        self.made: Made | None = None  # with the last key

    @property
    def possible(self) -> bool:
        """Whether the program reports its text, and deletes when asked."""
        return self._before.reported and self.program_deletes

    @property
    def certain(self) -> bool:
        """Whether the program has reported all typed characters, so that the right ones are deleted."""
        return self.possible and self._before.text is not None and not self._before.ahead

    def report(self, before: str) -> None:
        """Take the program's report of the text before the cursor."""
        if self._undeleted is not None and before.endswith(self._undeleted):
            self.program_deletes, self._undeleted = False, None
        elif self.certain:
            self._undeleted = None

    def allowed(self, offer: Offer) -> Offer:
        """Return an offer without corrections that are not to be made."""
        words = tuple(
            word
            for word in offer.words
            if not word.replace or (self.possible and not self._keeps(offer.removed(word), word.text))
        )
        meant = offer.ghost.word if offer.ghost is not None else None
        is_grey = meant is None or (self._mends and meant in words)
        return replace(offer, words=words, ghost=offer.ghost if is_grey else None)

    # Corrections that are made by themselves

    def word_ended(self, prefix: str) -> None:
        """Note that a typed character ended a word; the service is asked for its correction."""
        self._ended.append(Ended(prefix, self._clock.now_s))

    def typed(self, char: str) -> None:
        """Note a character behind the ended words."""
        for ended in self._ended:
            ended.typed_after += char

    def leave_ended(self) -> None:
        """Leave the ended words as they stand: another key than a character came."""
        self._ended.clear()

    def answered(self, offer: Offer) -> None:
        """Take the service's correction of an ended word."""
        word = next((word for word in offer.words if word.apply and self._mends), None)
        for ended in self._ended:
            if ended.prefix == offer.prefix:
                ended.word = word

    def take_due(self) -> tuple[OfferedWord, Made] | None:
        """Return the next correction to make, if its word and the characters since certainly stand there."""
        since_s = self._clock.now_s - _MAKE_WITHIN_S
        self._ended = [ended for ended in self._ended if ended.at_s > since_s or not ended.typed_after]
        text = self._before.text
        due = next((ended for ended in self._ended if ended.word and not self._may_be_all(ended)), None)
        if due is None or due.word is None or text is None or not self.certain:
            return None
        self._ended.remove(due)
        removed = due.prefix[len(due.prefix) - due.word.replace :]
        stood = removed + due.typed_after
        stands = text.endswith(stood) and can_replace(text, len(stood))
        put = due.word.text
        before_last = " " in mistyped(removed)
        hardly_moves = due.at_s > since_s and abs(len(put) - len(removed)) <= 1  # what is read by then
        if not stands or (before_last and not (hardly_moves and self._before.is_typed(stood))):
            return self.take_due()
        lead = due.prefix[: len(due.prefix) - due.word.replace]
        return due.word, Made(removed, put, lead[-LEAD_CHARS:], due.typed_after)

    def _may_be_all(self, ended: Ended) -> bool:
        """Return whether a word may be all that belongs into its field, such as a name or a search."""
        alone = not self._before.many_lines and len(ended.prefix.split()) == 1
        return alone and not any(map(str.isalnum, ended.typed_after))

    def _keeps(self, removed: str, put: str) -> bool:
        return mended_words(removed, put)[0].casefold() in self._kept

    def keep(self, made: Made) -> list[KeyEffect]:
        """Correct a word no more, since its correction was taken back."""
        self._kept.add(made.word.casefold())
        return [made.taken_back(), WordMended(None)]

    def stands(self, made: Made) -> bool:
        """Return whether a mended word is sure to stand right before the cursor."""
        text = self._before.text
        return self.certain and text is not None and text.endswith(made.put + made.typed_after)

    def find_mended(self, made: Made, told: str | None) -> Made | None:
        """Return a mended word with all that stands behind it; None unless it stands close before the cursor.

        `told` is the text before the cursor as the program has reported it just now, where that is certain.
        """
        text = told or (self._before.text if self.certain else None) or ""
        is_first = len(made.lead) < LEAD_CHARS  # nothing stood before its lead
        before, found, after = (text.partition if is_first else text.rpartition)(made.lead + made.put)
        if is_first and before[-1:].isalnum():
            return None  # within another word: "the " in "breathe in"
        is_close = len(after) <= _MAX_AFTER and can_replace(text, len(made.put + after))
        return replace(made, typed_after=after) if found and is_close else None

    def replaces(self, put: str) -> None:
        """Note that characters before the cursor are about to be replaced by `put`."""
        self._undeleted = (self._before.text or "") + put
