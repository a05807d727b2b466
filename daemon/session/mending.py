"""Corrections in one field: offered, made by themselves, and taken back with the next key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import LEAD_CHARS, KeyEffect, MadeCorrection, MendedWordsChanged
from idiolect.daemon.session.suggest_answer import (
    Offer,
    OfferedWord,
    can_replace,
    mended_words,
    mistyped,
)
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor

_MAX_AFTER: Final = 200  # characters behind a mended word that is put back
_UNDONE_LEAD_CHARS: Final = 10  # of those, where a program's undo is looked for
_MAX_MENDED: Final = 20  # words of a field that can be taken back
_IN_MENU: Final = 4  # the newest
_BEGIN: Final = "\x02"  # stands for the begin of a text
#: If the user has typed on, a correction is made by itself only within this time after its word ended.
_MAKE_WITHIN_S: Final = 1.0


@dataclass
class EndedWord:
    """A word that ended at the end of `prefix`, and the characters typed since; `word` is its sure correction."""

    prefix: str
    at_s: float
    typed_after: str = ""
    word: OfferedWord | None = None


class MendedWords:
    """The mended words of a field, the oldest first, and the words that are `kept`: their correction was taken back."""

    def __init__(self) -> None:
        """Nothing was mended yet."""
        self.kept = set[str]()  # in small letters
        self._made: list[MadeCorrection] = []

    @property
    def newest(self) -> list[MadeCorrection]:
        """The words that the menu has, the newest first."""
        return self._made[: -_IN_MENU - 1 : -1]

    def add(self, made: MadeCorrection) -> None:
        """Note that a word was mended."""
        self._made = [*self._made, made][-_MAX_MENDED:]

    def keep(self, made: MadeCorrection) -> None:
        """Correct a word no more, since its correction was taken back."""
        self.kept.add(made.word.casefold())
        self._made = [one for one in self._made if (one.lead, one.word) != (made.lead, made.word)]

    def keeps(self, removed: str, put: str) -> bool:
        """Return whether a word is left as it was typed."""
        return mended_words(removed, put)[0].casefold() in self.kept

    def clear(self) -> None:
        """Forget them: their text has gone."""
        self._made.clear()

    def find_at(self, before: str) -> MadeCorrection | None:
        """Return the mended word that stands right before a cursor, or right before the space behind it."""
        for made in reversed(self._made):
            for found in (made, MadeCorrection(made.word, made.meant, made.lead)):
                here = found.lead + found.put
                stands = before == here or (len(found.lead) == LEAD_CHARS and before.endswith(here))
                if stands and can_replace(before, len(found.put)):
                    return replace(found, typed_after="")
        return None

    def move(self, before: str, behind: str, removed: str, put: str) -> None:
        """Follow a change right before the cursor, from `removed` to `put`: it stands before other words, too."""
        at = len(before) - len(removed)
        if at < 0:
            return
        old, new = before + behind, before[:at] + put + behind
        self._made = [self._moved(made, at, old, new) for made in self._made]

    def _moved(self, made: MadeCorrection, at: int, old: str, new: str) -> MadeCorrection:
        here = made.lead + made.meant
        found = old.rfind(here) if len(made.lead) == LEAD_CHARS else old.find(here)
        start = found + len(made.lead)
        if found < 0 or start <= at:
            return made
        start += len(new) - len(old)
        return replace(made, lead=new[:start][-LEAD_CHARS:])


class FieldCorrections:
    """Corrections delete text, so there are none unless the text before the cursor is certain.

    Args:
        mended: the words that were mended here.
        mends: sure corrections may be made by themselves here.
    """

    def __init__(
        self, before: TextBeforeCursor, clock: Clock, mended: MendedWords, *, mends: bool, only_typed: bool
    ) -> None:
        """Begin in a field with an unknown text; `mends` it, or `only_typed` words of it, without being asked."""
        self._before, self._clock = before, clock
        self._mended = mended
        self._mends, self._only_typed = mends, only_typed
        self._undeleted: str | None = None  # the text before the cursor if the program did not delete
        self.program_deletes = True
        self._ended: list[EndedWord] = []  # the oldest first
        self.made: MadeCorrection | None = None  # with the last key
        self.watched: MadeCorrection | None = None  # made last, until it is taken back
        self._erased: MadeCorrection | None = None  # a mended word that the user's own keys have taken away
        self._stood = ""  # that, as the program has reported it since a character was typed

    @property
    def possible(self) -> bool:
        """Whether the program reports its text, and deletes when asked."""
        return self._before.reported and self.program_deletes

    @property
    def certain(self) -> bool:
        """Whether the program has reported all typed characters, so that the right ones are deleted."""
        return self.possible and self._before.text is not None and not self._before.ahead

    def report(self, before: str) -> list[KeyEffect]:
        """Take the program's report of the text before the cursor, where its own undo may have taken a word back."""
        if self._undeleted is not None and before.endswith(self._undeleted):
            self.program_deletes, self._undeleted = False, None
        elif self.certain:
            self._undeleted = None
        return (
            [] if self.watched is None else self._keep_undone(self.watched, f"{_BEGIN}{before}"[-_MAX_AFTER:])
        )

    def _keep_undone(self, made: MadeCorrection, tail: str) -> list[KeyEffect]:
        """Keep the mistyped word if it stands again where its correction has stood."""
        whole = len(made.lead) < LEAD_CHARS  # nothing stood before its lead
        lead = (f"{_BEGIN}{made.lead}" if whole else made.lead)[-_UNDONE_LEAD_CHARS:]
        if lead + made.put.rstrip() in tail:
            self._stood = made.put
        elif self._stood == made.put and lead + made.removed.rstrip() in tail:
            return self.keep(made)
        return []

    def allowed(self, offer: Offer) -> Offer:
        """Return an offer without corrections that are not to be made."""
        words = tuple(
            word
            for word in offer.words
            if not word.replace or (self.possible and not self._mended.keeps(offer.removed(word), word.text))
        )
        meant = offer.ghost.word if offer.ghost is not None else None
        is_grey = meant is None or (self._mends and meant in words)
        return replace(offer, words=words, ghost=offer.ghost if is_grey else None)

    # Corrections that are made by themselves

    def word_ended(self, prefix: str) -> None:
        """Note that a typed character ended a word; the service is asked for its correction."""
        self._ended.append(EndedWord(prefix, self._clock.now_s))

    def typed(self, char: str) -> None:
        """Note a character behind the ended words."""
        self._stood = ""  # the same slip may be typed where its correction stood
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

    def take_due(self) -> tuple[OfferedWord, MadeCorrection] | None:
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
        typed = self._before.is_typed(stood) or not (before_last or self._only_typed)
        if not (stands and typed) or (before_last and not hardly_moves):
            return self.take_due()
        lead = due.prefix[: len(due.prefix) - due.word.replace]
        return due.word, MadeCorrection(removed, put, lead[-LEAD_CHARS:], due.typed_after)

    def _may_be_all(self, ended: EndedWord) -> bool:
        """Return whether a word may be all that belongs into its field, such as a name or a search.

        There its capitals are left, whatever follows it.
        """
        if self._before.many_lines or len(ended.prefix.split()) != 1 or ended.word is None:
            return False
        removed = ended.prefix[-ended.word.replace :]
        is_capital = removed.casefold() == ended.word.text.casefold()
        return is_capital or not any(map(str.isalnum, ended.typed_after))

    def make(self, made: MadeCorrection, p: float) -> list[KeyEffect]:
        """Note that a word of probability `p` is mended."""
        self._mended.add(made)
        return [made.accepted(p), MendedWordsChanged()]

    def keep(self, made: MadeCorrection) -> list[KeyEffect]:
        """Correct a word no more, since its correction was taken back."""
        self._mended.keep(made)
        self.watched = None
        return [made.taken_back(), MendedWordsChanged()]

    def erase(self) -> None:
        """Note that the user takes away what stands before the cursor."""
        self._erased = self._mended.find_at((self._before.text or "").rstrip()) or self._erased

    def is_typed_again(self, made: MadeCorrection) -> bool:
        """Return whether the user has taken the same correction away, and has typed the same word in its place."""
        erased = self._erased
        return erased is not None and (erased.lead, erased.word) == (made.lead, made.word)

    def find_at_cursor(self, made: MadeCorrection | None) -> MadeCorrection | None:
        """Return the word that the last key `made`, where it is sure to stand at the cursor.

        Else the mended word at which the cursor was put, where the program deletes, and has told of the move.
        """
        text, moved_to = self._before.text, self._before.moved_to
        if made and self.certain and text is not None and text.endswith(made.put + made.typed_after):
            return made
        return self._mended.find_at(moved_to) if moved_to is not None and self.possible else None

    def find_mended(self, made: MadeCorrection, told: str | None) -> MadeCorrection | None:
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

    def replaces(self, removed: str, put: str, told: str | None) -> None:
        """Note that `removed`, before the cursor, is about to be replaced by `put`; `told` as in `find_mended`."""
        text = told or self._before.text
        self._undeleted = None if text is None else text + put
        self._mended.move(text or "", self._before.behind, removed, put)


def mend(offer: Offer, word: OfferedWord) -> MadeCorrection:
    """Return the correction that an offered word is."""
    return MadeCorrection(offer.removed(word), word.text, offer.prefix[: -word.replace][-LEAD_CHARS:])
