"""What is known of the user without any training: their n-grams, their words, their latest and their rare strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idiolect.adapters.corpus import RecentText
from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.rare_strings import RareStrings
from idiolect.adapters.prediction.vocabulary import WORD, WordVocabulary
from idiolect.adapters.secret_cues import announces_secret

_NEAR = 200  # characters before the cursor in which a cue may stand
_COMMON = 1e-4  # of all words; one that is more frequent (the, my, for) gives nothing away


@dataclass(frozen=True)
class UserModel:
    """Grows with every entry, at once."""

    memory: FastMemory
    words: WordVocabulary
    recent: RecentText
    rare: RareStrings

    def learn(self, text: str, ids: Sequence[int]) -> None:
        """Learn one entry, at once."""
        self.rare.learn(text)
        self.words.learn(self.rare.without(text))
        self.recent.add(ids)
        self.memory.add(ids)  # last: its size tells that what was remembered is out of date

    def learn_many(self, entries: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Learn entries, each a text and its tokens, in order of time; far quicker than one by one."""
        self.words.learn_many(self.rare.learn_many(text for text, _ in entries))
        for _, ids in entries:
            self.recent.add(ids)
        self.memory.add_many(ids for _, ids in entries)

    def must_hide(self, before: str, offered: str) -> bool:
        """True if ``offered``, shown after ``before``, could give a secret away.

        Numbers and addresses that were typed too seldom could (:class:`RareStrings`). Behind a word such as
        "password" every word that was typed too seldom could: redaction may have missed it.
        """
        return self.rare.must_hide(before, offered) or self._betrays(before, offered)

    def _betrays(self, before: str, offered: str) -> bool:
        near = before[-_NEAR:]
        shown = near + offered
        if self.rare.least <= 1 or not announces_secret(shown):
            return False
        return any(
            self._is_seldom(word[0]) and announces_secret(shown[: word.start()])
            for word in WORD.finditer(shown)
            if word.end() > len(near)
        )

    def _is_seldom(self, word: str) -> bool:
        """True for a word that was typed, but seldom; and for one of which nothing is known, such as half a word."""
        general = self.words.general_frequency(word)
        times = self.words.times(word) + self.rare.count_within(word)
        return general < _COMMON and times < self.rare.least and (times > 0 or general == 0)
