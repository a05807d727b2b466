"""Corrections in one field: which are offered or made, and what the next key can take back."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from idiolect.daemon.clients.keyboard.key_outcomes import SuggestionOutcome
from idiolect.daemon.clients.keyboard.suggest_answer import Offer, OfferedWord, can_replace, mistyped
from idiolect.daemon.clients.keyboard.text_before_cursor import TextBeforeCursor

#: Once its user has typed on, a correction is made by itself only so soon after the key that ended its word.
_MAKE_WITHIN_S: Final = 1.0


@dataclass
class Ended:
    """A word that ended at the end of `prefix`, when, and the characters that were typed since.

    Attributes:
        word: its correction, once the service has answered, if it may be made without being asked for.
    """

    prefix: str
    at_s: float
    typed_after: str = ""
    word: OfferedWord | None = None


@dataclass(frozen=True)
class Made:
    """A correction that was made with the last key: `put` stands where `removed` stood, and `typed_after` behind it."""

    removed: str
    put: str
    typed_after: str = ""

    @property
    def note(self) -> str:
        """What its user is told."""
        return f"“{mistyped(self.removed)}” became “{mistyped(self.put)}”. BackSpace takes that back."

    def accepted(self, p: float) -> SuggestionOutcome:
        """It was made; `p` is its probability."""
        return SuggestionOutcome("correction", "accepted", p, len(self.put), word=mistyped(self.removed))

    def taken_back(self) -> SuggestionOutcome:
        """It was taken back: the word is not to be corrected any more."""
        return SuggestionOutcome("correction", "dismissed", 0.0, word=mistyped(self.removed))


class FieldCorrections:
    """Corrections delete text, so there are none where it is not certain what stands before the cursor."""

    def __init__(self, before: TextBeforeCursor) -> None:
        """Begin in a field of which nothing is known yet."""
        self._before = before
        self._kept = set[
            str
        ]()  # words whose correction was taken back; in other fields the service knows them
        self._undeleted: str | None = None  # what stands there if the program did not delete
        self.program_deletes = True
        self._ended: list[Ended] = []  # the oldest first
        self.made: Made | None = None  # with the last key

    @property
    def possible(self) -> bool:
        """Whether the program tells what stands there, and deletes what it is asked to."""
        return self._before.reported and self.program_deletes

    @property
    def certain(self) -> bool:
        """Whether the program has told of all that was typed, so that what is deleted is what is meant."""
        return self.possible and self._before.text is not None and not self._before.ahead

    def report(self, before: str) -> None:
        """The program says that this stands before the cursor."""
        if self._undeleted is not None and before.endswith(self._undeleted):
            self.program_deletes, self._undeleted = False, None
        elif self.certain:
            self._undeleted = None

    def allowed(self, offer: Offer) -> Offer:
        """An offer without the corrections that are not to be made."""
        words = tuple(
            word
            for word in offer.words
            if not word.replace or (self.possible and not self._keeps(offer.removed(word)))
        )
        return replace(offer, words=words)

    # What is made without being asked for

    def word_ended(self, prefix: str) -> None:
        """A typed character ended a word, and the service is asked what was meant by it."""
        self._ended.append(Ended(prefix, time.monotonic()))

    def typed(self, char: str) -> None:
        """A character was typed behind the words that ended."""
        for ended in self._ended:
            ended.typed_after += char

    def leave_ended(self) -> None:
        """Something else than a character came: the words that ended are left as they stand."""
        self._ended.clear()

    def answered(self, offer: Offer) -> None:
        """The service has answered what may have been meant by a word that ended."""
        word = next((word for word in offer.words if word.apply), None)
        for ended in self._ended:
            if ended.prefix == offer.prefix:
                ended.word = word

    def take_due(self) -> tuple[OfferedWord, Made] | None:
        """The next correction to make, if it is certain that its word and what was typed since stand there."""
        since_s = time.monotonic() - _MAKE_WITHIN_S
        self._ended = [ended for ended in self._ended if ended.at_s > since_s or not ended.typed_after]
        text = self._before.text
        due = next((ended for ended in self._ended if ended.word is not None), None)
        if due is None or due.word is None or text is None or not self.certain:
            return None
        self._ended.remove(due)
        removed = due.prefix[len(due.prefix) - due.word.replace :]
        stood = removed + due.typed_after
        if not text.endswith(stood) or not can_replace(text, len(stood)):
            return self.take_due()
        return due.word, Made(removed, due.word.text, due.typed_after)

    def _keeps(self, removed: str) -> bool:
        return mistyped(removed).casefold() in self._kept

    def keep(self, made: Made) -> SuggestionOutcome:
        """A correction was taken back."""
        self._kept.add(mistyped(made.removed).casefold())
        return made.taken_back()

    def replaces(self, put: str) -> None:
        """Some characters before the cursor are about to be replaced by `put`."""
        self._undeleted = (self._before.text or "") + put
