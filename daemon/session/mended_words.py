"""The words of one field that were mended: where each stands, and those that are left as they were typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from idiolect.daemon.session.effects import LEAD_CHARS, MadeCorrection
from idiolect.daemon.session.suggest_answer import can_replace, mended_words

_MAX_WORDS: Final = 20
_IN_MENU: Final = 4  # the newest


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
        self._made = [*self._made, made][-_MAX_WORDS:]

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
