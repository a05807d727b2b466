"""Mistyped words of one field: which corrections are offered or made there, and what the next key can take back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from idiolect.daemon.keyboard.actions import Fate
from idiolect.daemon.keyboard.offers import mistyped

if TYPE_CHECKING:
    from idiolect.daemon.keyboard.before import Before
    from idiolect.daemon.keyboard.offers import Offer, Word


@dataclass(frozen=True)
class Made:
    """A correction that was made with the last key: `put` stands where `removed` stood."""

    removed: str
    put: str

    @property
    def note(self) -> str:
        """What its user is told."""
        return f"“{mistyped(self.removed)}” became “{mistyped(self.put)}”. BackSpace takes that back."

    def accepted(self, p: float) -> Fate:
        """It was made; `p` is its probability."""
        return Fate("correction", "accepted", p, len(self.put), word=mistyped(self.removed))

    def taken_back(self) -> Fate:
        """It was taken back: the word is not to be corrected any more."""
        return Fate("correction", "dismissed", 0.0, word=mistyped(self.removed))


class Corrections:
    """Corrections delete text, so there are none where it is not certain what stands before the cursor."""

    def __init__(self, before: Before) -> None:
        """Begin in a field of which nothing is known yet."""
        self._before = before
        self._kept = set[
            str
        ]()  # words whose correction was taken back; in other fields the service knows them
        self._undeleted: str | None = None  # what stands there if the program did not delete
        self.program_deletes = True
        self.due: Word | None = None  # made by itself once the program has told of all that was typed
        self.made: Made | None = None  # with the last key

    @property
    def possible(self) -> bool:
        """Whether the program tells what stands there, and deletes what it is asked to."""
        return self._before.told and self.program_deletes

    @property
    def certain(self) -> bool:
        """Whether the program has told of all that was typed, so that what is deleted is what is meant."""
        return self.possible and self._before.text is not None and not self._before.ahead

    def told(self, before: str) -> None:
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

    def _keeps(self, removed: str) -> bool:
        return mistyped(removed).casefold() in self._kept

    def keep(self, made: Made) -> Fate:
        """A correction was taken back."""
        self._kept.add(mistyped(made.removed).casefold())
        return made.taken_back()

    def replaces(self, put: str) -> None:
        """Some characters before the cursor are about to be replaced by `put`."""
        self._undeleted = (self._before.text or "") + put
